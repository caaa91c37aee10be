"""Warnings that are not shown, in this thread only: `warnings.catch_warnings` changes them for all threads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

_quiet: ContextVar[tuple[type[Warning], ...]] = ContextVar("quiet", default=())


class _Here:
    """What a filter compares the text of a warning with: it fits any text, but inside `quietly` only."""

    def __init__(self, category: type[Warning]) -> None:
        self.category = category

    def match(self, text: str) -> bool:
        """Tell whether warnings of the category are not to be shown here."""
        return self.category in _quiet.get()


@cache
def _filter(category: type[Warning]) -> Any:
    return "ignore", _Here(category), category, None, 0


@contextmanager
def quietly(category: type[Warning]) -> Iterator[None]:
    """Show no warnings of a category; the filter for this stays, and lets all pass outside of such blocks.

    >>> with quietly(RuntimeWarning):
    ...     warnings.warn("not seen", RuntimeWarning)
    """
    own, filters = _filter(category), list(warnings.filters)
    if own not in filters[:4]:
        warnings.filters[:] = [own, *(other for other in filters if other is not own)]  # type: ignore[index]
    before = _quiet.get()
    try:
        _quiet.set((*before, category))
        yield
    finally:
        _quiet.set(before)
