"""Warnings that are not shown in this thread; `warnings.catch_warnings` would change them for all threads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import takewhile
from typing import Any

_quiet: ContextVar[tuple[type[Warning], ...]] = ContextVar("quiet", default=())


class _Here:
    """What a filter compares the text of a warning with: it fits any text, but inside `quietly` only."""

    def __init__(self, category: type[Warning]) -> None:
        self.category = category

    def match(self, text: str) -> bool:
        """Tell whether warnings of the category are not to be shown here."""
        return self.category in _quiet.get()


_FILTERS: dict[type[Warning], Any] = {}


def _put_first(own: Any) -> None:
    """Let a filter stand before those of others: users put theirs in front, or go back to an old list."""
    filters: Any = warnings.filters
    if own not in takewhile(lambda other: isinstance(other[1], _Here), filters):
        with suppress(ValueError):
            filters.remove(own)
        filters.insert(0, own)


@contextmanager
def quietly(category: type[Warning]) -> Iterator[None]:
    """Show no warnings of a category; the filter for this stays, and lets all pass outside of such blocks.

    >>> with quietly(RuntimeWarning):
    ...     warnings.warn("not seen", RuntimeWarning)
    """
    _put_first(_FILTERS.setdefault(category, ("ignore", _Here(category), category, None, 0)))
    before = _quiet.get()
    try:
        _quiet.set((*before, category))
        yield
    finally:
        _quiet.set(before)
