"""`ode`: a chain of differential equations, each driven by the one before, by Runge and Kutta's method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task, array

END = 2.0


@njit(error_model="numpy")
def solution(x, steps):
    """Return y at the end, from zeros at time 0, where y₀' = x₀ and yᵢ' = xᵢ yᵢ₋₁.

    A slope needs that of the one before it only, so one pass over y makes a step with its four slopes.
    """
    h = END / steps
    y = np.zeros(len(x))
    for _ in range(steps):
        k1 = k2 = k3 = x[0]
        before = y[0]
        y[0] += h * x[0]
        for i in range(1, len(x)):
            k4 = x[i] * (before + h * k3)
            k3 = x[i] * (before + h / 2 * k2)
            k2 = x[i] * (before + h / 2 * k1)
            k1 = x[i] * before
            before = y[i]
            y[i] += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


@grad
def last(x, steps):
    return solution(x, steps)[-1]


def arguments(given: Any) -> tuple[Any, ...]:
    return array(given["x"]), int(given["s"])


EVAL = Eval(
    {"primal": Task(arguments, solution), "gradient": Task(arguments, last)},
    ({"x": [0.5, 0.25, 1.0], "s": 2},),
)
