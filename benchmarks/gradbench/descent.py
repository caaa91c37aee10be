"""Gradient descent that doubles and halves its step (Pearlmutter and Siskind 2008)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, jacfwd

GRADIENTS: dict[str, Callable[..., Any]] = {"f": jacfwd, "r": grad}
TOLERANCE = 1e-5


@njit(error_model="numpy")
def norm(v):
    return math.sqrt(np.sum(v * v))


@njit(error_model="numpy")
def minimum(f, slope, x, given):
    """Return where f(x, given) is least, for a vector x.

    Args:
        f: a function of a vector and what is given.
        slope: its gradient by the vector.
        x: where to begin.
        given: handed on to both.
    """
    value, gradient = f(x, given), slope(x, given)
    rate, lowered = TOLERANCE, 0
    while norm(gradient) > TOLERANCE:
        if lowered == 10:
            rate *= 2.0
            lowered = 0
            continue
        new = x - rate * gradient
        if norm(new - x) <= TOLERANCE:
            break
        new_value = f(new, given)
        if new_value < value:
            x, value = new, new_value
            gradient = slope(x, given)
            lowered += 1
        else:
            rate *= 0.5
            lowered = 0
    return x
