"""Where a construct stands in the user's file, and how to show it."""

from __future__ import annotations

import linecache
from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place in the user's source.

    Attributes:
        file: its file.
        line: its line, counted from 1.
        column: where it starts in the line, counted from 0.
        end_column: where it ends.
        statement: the text of the statement that it belongs to.
    """

    file: str
    line: int
    column: int
    end_column: int
    statement: str

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
