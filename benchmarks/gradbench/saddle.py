"""`saddle`: the least of greatest values, by descent that is differentiated through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.gradbench.descent import GRADIENTS, minimum
from benchmarks.gradbench.evaluation import Eval, Task, array


@njit(error_model="numpy")
def depth(y, x):
    """Return what the height (x₁² + y₁²) - (x₂² + y₂²) is below zero; here x and y are the two pairs."""
    return np.sum(y * y) - np.sum(x * x)


def saddle_point(outer: str, inner: str) -> Callable[..., Any]:
    """Return the function that finds the saddle point, with the mode of both derivatives, "f" or "r"."""
    inner_slope = GRADIENTS[inner](depth)

    @njit(error_model="numpy")
    def highest(x, start):
        """Return where the height is greatest beside x."""
        return minimum(depth, inner_slope, start, x)

    @njit(error_model="numpy")
    def greatest(x, start):
        return -depth(highest(x, start), x)

    outer_slope = GRADIENTS[outer](greatest)

    @njit(error_model="numpy")
    def run(start):
        x = minimum(greatest, outer_slope, start, start)
        return np.concatenate((x, highest(x, start)))

    return run


def arguments(given: Any) -> tuple[Any, ...]:
    return (array(given["start"]),)


EVAL = Eval(
    {o + i: Task(arguments, saddle_point(o, i)) for o in "fr" for i in "fr"}, ({"start": [1.0, 1.0]},)
)
