"""`particle`: a charge steered through zero, by derivatives through a trajectory that follows derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.gradbench.descent import GRADIENTS, minimum
from benchmarks.gradbench.evaluation import Eval, Task

STEP = 0.1
START = np.array([0.0, 8.0])


@njit(error_model="numpy")
def potential(x, w):
    """Return Σ 1/r of the two charges at x."""
    return 1.0 / math.hypot(x[0] - 10.0, x[1] - 10.0 + w) + 1.0 / math.hypot(x[0] - 10.0, x[1])


def steered(outer: str, inner: str) -> Callable[[float], float]:
    """Return the function that improves w, with the mode of both derivatives, "f" or "r"."""
    field = GRADIENTS[inner](potential)

    @njit(error_model="numpy")
    def miss(steering, start):
        """Return the square of where a particle from start crosses y = 0."""
        x, v = start, np.array([0.75, 0.0])
        while x[1] + STEP * v[1] > 0.0:
            a = -field(x, steering[0])
            x = x + STEP * v
            v = v + STEP * a
        crossing = x[0] - x[1] / v[1] * v[0]
        return crossing * crossing

    slope = GRADIENTS[outer](miss)

    @njit(error_model="numpy")
    def run(w):
        return minimum(miss, slope, np.array([w]), START)[0]

    return run


def arguments(given: Any) -> tuple[Any, ...]:
    return (float(given["w"]),)


EVAL = Eval({o + i: Task(arguments, steered(o, i)) for o in "fr" for i in "fr"}, ({"w": 0.0},))
