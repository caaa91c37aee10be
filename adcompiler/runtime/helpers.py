"""The helper functions of generated modules: few, short, and copied as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def sum_to(d, shape):
    """Sum `d` over the axes along which an array of this shape was broadcast to d's shape."""
    if d.shape == shape:
        return d
    total = np.zeros(shape, d.dtype)
    flat = total.ravel()
    for index in np.ndindex(d.shape):
        place = 0
        for axis in range(d.ndim):
            place = place * shape[axis] + (index[axis] if shape[axis] > 1 else 0)
        flat[place] += d[index]
    return total


def longer(stack):
    """Return a copy of a stack with room for twice as many elements."""
    copy = np.empty(2 * len(stack), stack.dtype)
    copy[: len(stack)] = stack
    return copy


HELPERS: dict[str, Callable[..., Any]] = {"sum_to": sum_to, "longer": longer}


def helper_source(name: str) -> str:
    """Return the text of a helper function."""
    return inspect.getsource(HELPERS[name])
