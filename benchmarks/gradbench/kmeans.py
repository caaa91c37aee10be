"""`kmeans`: a step of Newton's method for the centres of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, jvp
from benchmarks.gradbench.evaluation import Eval, Task, array


@njit(error_model="numpy")
def squared_distance(point, centre):
    square = 0.0
    for a in range(len(point)):
        square += (centre[a] - point[a]) ** 2
    return square


@njit(error_model="numpy")
def nearest(point, centres):
    """Return the number of the centre that is nearest to a point."""
    least, found = np.inf, 0
    for j in range(len(centres)):
        square = squared_distance(point, centres[j])
        if square < least:
            least, found = square, j
    return found


@grad(argnums="centres")
def cost(points, centres):
    """Return the sum of squared distances of points to the nearest centre."""
    total = 0.0
    for i in range(len(points)):
        total += squared_distance(points[i], centres[nearest(points[i], centres)])
    return total


@njit(error_model="numpy")
def direction(points, centres):
    """Return the gradient divided by the diagonal of the Hessian.

    No coordinate of a centre enters into the slope by another one, so the product of the Hessian with ones
    is its diagonal.
    """
    gradient, diagonal = jvp(cost, (points, centres), (None, np.ones_like(centres)))
    return gradient / diagonal


def arguments(given: Any) -> tuple[Any, ...]:
    return array(given["points"], axes=2), array(given["centroids"], axes=2)


EVAL = Eval(
    {"cost": Task(arguments, cost.primal), "dir": Task(arguments, direction)},
    ({"points": [[0.0, 0.1], [1.0, 0.9], [0.2, 0.3]], "centroids": [[0.0, 0.0], [1.0, 1.0]]},),
)
