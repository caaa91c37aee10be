"""`ode`: a chain of differential equations, each driven by the one before, by Runge and Kutta's method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task, array

END = 2.0


@njit(error_model="numpy")
def slope(x, y, result):
    """Write the derivative of y by time: y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁."""
    result[0] = x[0]
    for i in range(1, len(x)):
        result[i] = x[i] * y[i - 1]


@njit(error_model="numpy")
def solution(x, steps):
    """Return y at the end, from zeros at time 0."""
    n = len(x)
    h = END / steps
    y = np.zeros(n)
    k1, k2, k3, k4, between = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        slope(x, y, k1)
        for i in range(n):
            between[i] = y[i] + h * k1[i] / 2
        slope(x, between, k2)
        for i in range(n):
            between[i] = y[i] + h * k2[i] / 2
        slope(x, between, k3)
        for i in range(n):
            between[i] = y[i] + h * k3[i]
        slope(x, between, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) / 6
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
