"""Where a construct stands in the user's file, and how to show it."""

from __future__ import annotations

import linecache
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Location:
    """A place in the user's source; `statement` is the text of the statement it belongs to."""

    file: str
    line: int
    column: int
    end_column: int
    statement: str
    quoted: bool = False

    def quote(self) -> Location:
        """The same place, marked for quoting: generated code that reverses it says so in a comment."""
        return replace(self, quoted=True)

    def excerpt(self) -> str:
        """Return the source line with a caret line under the construct."""
        text = linecache.getline(self.file, self.line).rstrip("\n")
        if not text.strip():
            return f"    {self.statement}"
        width = max(1, min(self.end_column, len(text)) - self.column)
        return f"    {text}\n    {' ' * self.column}{'^' * width}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column + 1}"


NOWHERE = Location("<built by hand>", 0, 0, 0, "")
