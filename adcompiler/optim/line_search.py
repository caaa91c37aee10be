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
    before, was_near, left = low, False, EVALUATIONS
    while True:  # with the loss called at one place, of which Numba compiles a copy each
        params = from_vector(params, here[1], start + step * direction)
        found, grads = loss(params, *args)
        end = (step, float(found), np.dot(as_vector(grads, grads), direction))
        falls = end[1] <= value + 1e-4 * step * slope and (end[1] < low[1] or low[0] == 0.0)
        if left == 0 or (falls and abs(end[2]) <= -0.9 * slope):
            return params, step, end[1], grads
        if not falls or end[2] * (high[0] - low[0]) >= 0.0:
            high = low if falls else end  # what is not a number is too long, too
        before, low = (low, end) if falls else (before, low)
        left -= 1
        step, was_near = next_step(before, low, high, was_near) if left else (low[0], False)


@njit(error_model="numpy")
def next_step(before: Any, low: Any, high: Any, was_near: bool) -> Any:
    """Return the step to try next, and whether it is so near to an end of the bracket that little is gained.

    Args:
        before: step, value and slope at the low end before this one.
        low: those at the low end.
        high: those at the high end; the step is infinite where no end is known.
        was_near: what was returned for the step before; the second one in a row is moved inside.

    >>> next_step((0.0, 2.0, -2.0), (0.0, 2.0, -2.0), (4.0, 10.0, 6.0), False)
    (1.0, False)
    >>> next_step((0.0, 0.0, -2.0), (1.0, -1.5, -1.0), (math.inf, math.inf, math.inf), False)
    (2.0, False)
    """
    if math.isinf(high[0]):
        return cubic_minimum(before, low, 1.01 * low[0] - 0.01 * before[0], 10.0 * low[0]), False
    least, most = min(low[0], high[0]), max(low[0], high[0])
    step, margin = cubic_minimum(low, high, least, most), 0.1 * (most - least)
    is_near = min(most - step, step - least) < margin
    if is_near and (was_near or not least < step < most):
        return (most - margin if most - step < step - least else least + margin), False
    return step, is_near


@njit(error_model="numpy")
def cubic_minimum(one: Any, other: Any, least: float, most: float) -> Any:
    """Return where the cubic through two points has its minimum, within bounds; the middle if it has none.

    Args:
        one, other: place, value and slope at two points.
        least, most: the bounds.

    >>> cubic_minimum((0.0, 1.0, -2.0), (4.0, 9.0, 6.0), 0.0, 4.0)
    1.0
    """
    left, right = (one, other) if one[0] <= other[0] else (other, one)
    lean = left[2] + right[2] - 3.0 * (right[1] - left[1]) / (right[0] - left[0])
    root = math.sqrt(max(lean * lean - left[2] * right[2], 0.0))
    part = (right[2] + root - lean) / (right[2] - left[2] + 2.0 * root)
    found = right[0] - (right[0] - left[0]) * part
    if lean * lean < left[2] * right[2] or not math.isfinite(found):
        return 0.5 * (least + most)
    return min(max(found, least), most)
