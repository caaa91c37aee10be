"""`hello`: the square of a number, and twice the number as its derivative."""

from __future__ import annotations

from typing import Any

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task


@grad
def square(x):
    return x * x


def arguments(given: Any) -> tuple[Any, ...]:
    return (float(given),)


EVAL = Eval({"square": Task(arguments, square.primal), "double": Task(arguments, square)}, (1.0,))
