"""`llsq`: a polynomial fitted to the sign function on [-1, 1] by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task, array


@grad
def half_sum_of_squares(x, n):
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        power, fit = 1.0, 0.0
        for j in range(len(x)):
            fit += x[j] * power
            power *= t
        total += (np.sign(t) - fit) ** 2
    return 0.5 * total


def arguments(given: Any) -> tuple[Any, ...]:
    return array(given["x"]), int(given["n"])


EVAL = Eval(
    {"primal": Task(arguments, half_sum_of_squares.primal), "gradient": Task(arguments, half_sum_of_squares)},
    ({"x": [0.5, -1.0, 2.0], "n": 4},),
)
