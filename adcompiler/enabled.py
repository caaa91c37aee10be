"""Numba as it works without NUMBA_DISABLE_JIT: types are inferred with it even where nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from numba import config


def is_disabled() -> bool:
    """Tell whether the user has switched compiling off with NUMBA_DISABLE_JIT."""
    return bool(config.DISABLE_JIT)


@contextmanager
def enabled() -> Iterator[None]:
    """Let Numba make dispatchers and infer types, whatever NUMBA_DISABLE_JIT says."""
    before, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield
    finally:
        config.DISABLE_JIT = before
