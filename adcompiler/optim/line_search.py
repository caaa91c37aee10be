"""A step along a direction of descent that meets the strong Wolfe conditions.

Source: J. Nocedal, S. J. Wright, "Numerical optimization", 2006, algorithms 3.5 and 3.6.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from adcompiler.optim.vectors import as_vector, from_vector

EVALUATIONS = 25


@register_jitable
def wolfe_step(loss: Any, args: Any, params: Any, here: Any, direction: Any, step: float) -> Any:
    """Go along a direction until the loss has fallen enough, and its slope is nearly level.

    A bracket holds the step: its low end is the best one so far whose loss has fallen enough, its high end,
    infinite at first, one that is too long or lies beyond a minimum.

    Args:
        loss: called as `loss(params, *args)`; returns value and gradients.
        args: the further arguments of the loss.
        params: a structure of float arrays, which are overwritten, and numbers.
        here: the value and the gradients for them.
        direction: a vector along which the loss falls.
        step: the multiple of it to try first.

    Returns:
        the parameters, the step, and value and gradients there; a step of zero if none lowers the loss.

    >>> def square(params):
    ...     return params[0] ** 2, (2.0 * params[0],)
    >>> wolfe_step(square, (), (1.0,), square((1.0,)), np.array([-1.0]), 4.0)
    ((0.0,), 1.0, 0.0, (0.0,))
    """
    start, value, slope = as_vector(params, here[1]), here[0], np.dot(as_vector(here[1], here[1]), direction)
    low, high = (0.0, value, slope), (math.inf, math.inf, math.inf)
    left = EVALUATIONS
    while True:  # with the loss called at one place, of which Numba compiles a copy each
        params = from_vector(params, here[1], start + step * direction)
        found, grads = loss(params, *args)
        end = (step, float(found), np.dot(as_vector(grads, grads), direction))
        falls = end[1] <= min(value + 1e-4 * step * slope, low[1])  # not where it is not a number
        if left == 0 or (falls and abs(end[2]) <= -0.9 * slope):
            return params, step, end[1], grads
        if not falls or end[2] * (high[0] - low[0]) >= 0.0:
            high = low if falls else end
        low = end if falls else low
        left -= 1
        step = next_step(low, high) if left else low[0]


@njit(error_model="numpy")
def next_step(low: Any, high: Any) -> Any:
    """Return a step inside a bracket, where the cubic through both ends has its minimum.

    Args:
        low: step, value and slope at the low end.
        high: those at the high end; the step is infinite where no end is known.

    >>> next_step((0.0, 1.0, -2.0), (4.0, 9.0, 6.0))
    1.0
    >>> next_step((1.0, 0.5, -1.0), (math.inf, math.inf, math.inf))
    2.0
    """
    width = high[0] - low[0]
    if math.isinf(width):
        return 2.0 * low[0]
    lean = low[2] + high[2] - 3.0 * (high[1] - low[1]) / width
    root = math.copysign(math.sqrt(max(lean * lean - low[2] * high[2], 0.0)), width)
    part = 1.0 - (high[2] + root - lean) / (high[2] - low[2] + 2.0 * root)
    if not 0.1 <= part <= 0.9:  # not a number, or so near to one end that little would be gained
        part = 0.5 if not math.isfinite(part) else min(max(part, 0.1), 0.9)
    return low[0] + part * width
