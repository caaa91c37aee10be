"""`adcompiler bench`: how long a function and its gradient take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_SECONDS = 0.5


def best_times(*calls: Callable[[], Any]) -> list[float]:
    """Return the shortest time of each call in seconds; they take turns, half a second each.

    >>> [len(best_times(lambda: sum(range(9)), lambda: None))]
    [2]
    """
    found = [float("inf")] * len(calls)
    end = time.perf_counter() + _SECONDS * len(calls)
    while time.perf_counter() < end:
        for k, call in enumerate(calls):
            start = time.perf_counter()
            call()
            found[k] = min(found[k], time.perf_counter() - start)
    return found


def in_words(seconds: float) -> str:
    """Return a time with a unit.

    >>> in_words(0.00123), in_words(2.5e-7)
    ('1.23 ms', '0.25 µs')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
