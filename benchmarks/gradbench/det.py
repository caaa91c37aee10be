"""`det`: a determinant by expansion along minors, recursively."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task, array


@njit
def expanded(a, row, left, columns, product):
    """Return the determinant of the rows from one on and the columns left, times a product.

    Args:
        a: the matrix.
        row: the first row.
        left: the columns left, a bit for each.
        columns: for each set of columns, their numbers in ascending order.
        product: what the elements chosen in the rows above multiply to, with its sign.
    """
    n = len(a)
    if row == n - 1:
        return product * a[row, columns[left, 0]]
    total = 0.0
    for k in range(n - row):
        column = columns[left, k]
        element = a[row, column] if k % 2 == 0 else -a[row, column]
        total += expanded(a, row + 1, left ^ (1 << column), columns, product * element)
    return total


@grad
def determinant(a, columns):
    return expanded(a, 0, len(columns) - 1, columns, 1.0)


def members(n: int) -> Any:
    """Return the members of each subset of n columns."""
    columns = np.zeros((1 << n, n), dtype=np.int64)
    for subset in range(1 << n):
        found = [j for j in range(n) if subset >> j & 1]
        columns[subset, : len(found)] = found
    return columns


def arguments(given: Any) -> tuple[Any, ...]:
    n = int(given["ell"])
    return array(given["A"]).reshape(n, n), members(n)


EVAL = Eval(
    {"primal": Task(arguments, determinant.primal), "gradient": Task(arguments, determinant, np.ravel)},
    ({"A": [4.0, 1.0, 2.0, 3.0], "ell": 2},),
)
