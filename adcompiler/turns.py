"""One compilation at a time, in all threads and across forks, with Ctrl-C where it does no harm."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from types import FrameType
from typing import Any, ParamSpec, TypeVar

from numba.core.compiler_lock import global_compiler_lock

from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError

P = ParamSpec("P")
R = TypeVar("R")

_LOCK = global_compiler_lock._lock
"""Numba's own lock, so that there is no second one to wait for in the wrong order; an object of C, which is
taken at the head of a `with` with no moment in between for Ctrl-C to come in."""

if hasattr(os, "register_at_fork"):  # a child begins when nobody compiles, with nothing half done
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


def in_turn(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function that compiles run in one thread at a time.

    It runs in a copy of the context: what it sets in context variables is gone when it ends, however it ends.

    >>> in_turn(abs)(-3)
    3
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        is_inner = global_compiler_lock.is_locked()  # by this thread
        with _LOCK, _room_for_long_formulas(), _rarely_collecting():
            try:
                return copy_context().run(function, *args, **kwargs)
            except BaseException as error:
                if not is_inner:  # Numba leaves it locked where it is interrupted
                    _LOCK._acquire_restore((1, _LOCK._release_save()[1]))
                    _without_compiler(error)
                raise

    return run


def _without_compiler(error: BaseException) -> None:
    """Leave out of a refusal where the compiler was, and what Numba said, which it tells in better words."""
    if isinstance(error, DifferentiationError) and not sys.flags.dev_mode:
        error.with_traceback(None)
        if error.code != "AD901":
            error.__cause__ = None


@contextmanager
def _room_for_long_formulas() -> Iterator[None]:
    """Let passes go down as deep as a sum of a thousand terms is nested."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


_RARELY = 250_000, 1, 2
"""Among how many new objects Python looks for garbage while we compile, and how soon among the older ones."""


class _Unseen:
    """What the first compilations leave goes to the oldest generation unseen, up to a million objects.

    Afterwards Python looks at it as ever: where it does not count what comes, it never looks at the oldest.
    """

    left = 1_000_000


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Let Python look for garbage less often: most of what a compilation makes stays until its end.

    With Python's own thresholds, it takes a fourth of a first gradient.
    """
    thresholds = gc.get_threshold()
    if not 0 < thresholds[0] < _RARELY[0]:  # whoever calls collects by hand, or this is one in another
        yield
        return
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        new = gc.get_count()[0]
        if thresholds[0] < new < _Unseen.left and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
            _Unseen.left -= new
        gc.set_threshold(*thresholds)


_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)]


class _Waiting:
    """Stands in for the handlers of signals, and calls them later; whoever asks twice need not wait."""

    def __init__(self) -> None:
        self.handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self.came: dict[int, FrameType | None] = {}

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if number in self.came:
            self.handlers[number](number, frame)
        self.came[number] = frame

    def stand_in(self) -> None:
        """Take the place of the handlers that are written in Python."""
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and not isinstance(handler, _Waiting):
                self.handlers[number] = handler
                signal.signal(number, self)

    def step_back(self) -> None:
        """Put the handlers back, and call those whose signal came."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        for number, frame in self.came.items():
            self.handlers[number](number, frame)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until this block ends: Numba stays broken where it is interrupted in its own work."""
    waiting = _Waiting()
    try:
        if threading.current_thread() is threading.main_thread():  # no other one is interrupted by signals
            waiting.stand_in()
        yield
    finally:
        waiting.step_back()


@contextmanager
def importing() -> Iterator[None]:
    """Import the compiler whole or not at all, with Numba as it works without NUMBA_DISABLE_JIT."""
    with enabled(), uninterrupted(), _rarely_collecting():
        yield
