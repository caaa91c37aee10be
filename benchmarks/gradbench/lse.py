"""`lse`: the logarithm of a sum of exponentials, with the maximum taken out."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcompiler import grad, stop_gradient
from benchmarks.gradbench.evaluation import Eval, Task, array


@grad
def log_sum_exp(x):
    big = stop_gradient(np.max(x))  # it cancels out
    return big + np.log(np.sum(np.exp(x - big)))


def arguments(given: Any) -> tuple[Any, ...]:
    return (array(given["x"]),)


EVAL = Eval(
    {"primal": Task(arguments, log_sum_exp.primal), "gradient": Task(arguments, log_sum_exp)},
    ({"x": [0.5, -1.0, 2.0]},),
)
