"""Numba as it works without NUMBA_DISABLE_JIT: types are inferred with it even where nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from numba import config

_is_here: ContextVar[bool] = ContextVar("enabled", default=False)


class _Elsewhere(int):
    """NUMBA_DISABLE_JIT as the user has set it: false inside of `enabled` only, whatever other threads do."""

    def __bool__(self) -> bool:
        return int(self) != 0 and not _is_here.get()


def is_disabled() -> bool:
    """Tell whether the user has switched compiling off with NUMBA_DISABLE_JIT."""
    return int(config.DISABLE_JIT) != 0


@contextmanager
def enabled() -> Iterator[None]:
    """Let Numba make dispatchers and infer types, whatever NUMBA_DISABLE_JIT says."""
    if config.DISABLE_JIT:
        config.DISABLE_JIT = _Elsewhere(config.DISABLE_JIT)
    before = _is_here.get()
    try:
        _is_here.set(True)
        yield
    finally:
        _is_here.set(before)
