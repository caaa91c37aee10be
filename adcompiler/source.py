"""The texts of users' files, where a construct stands in one, and how to show it."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
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


_KEPT: dict[str, list[Sequence[str]]] = {}


def keep_text(file: str, lines: Sequence[str]) -> None:
    """Keep the text of a file, for functions that are differentiated when there is another one or none.

    >>> keep_text("<somewhere>", ["x = 1"])
    >>> kept_texts("<somewhere>")
    [['x = 1']]
    """
    known = _KEPT.setdefault(file, [])
    if not any(lines is other or lines == other for other in known):
        known.insert(0, lines)
        del known[8:]


def kept_texts(file: str) -> list[Sequence[str]]:
    """Return the texts of a file that were kept, the newest first."""
    return [*_KEPT.get(file, ())]


NOWHERE = Location("<built by hand>", 0, 0, 0, "")
