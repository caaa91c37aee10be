"""`ba`: the sparse Jacobian of reprojection errors in bundle adjustment (ADBench)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, vjp
from benchmarks.gradbench.evaluation import Eval, Task, array

CAMERA, POINT = 11, 3
ROW = CAMERA + POINT + 1  # entries in the two rows of an observation: its camera, its point, its weight
BLOCK = 256  # observations that are differentiated together


@njit(error_model="numpy")
def rotated(r, x, y, z):
    """Return a point turned about the axis r by the angle |r| (Rodrigues)."""
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    if square == 0.0:
        return x + r[1] * z - r[2] * y, y + r[2] * x - r[0] * z, z + r[0] * y - r[1] * x
    angle = math.sqrt(square)
    cosine, sine, inverse = math.cos(angle), math.sin(angle), 1.0 / angle
    a, b, c = r[0] * inverse, r[1] * inverse, r[2] * inverse
    along = (a * x + b * y + c * z) * (1.0 - cosine)
    return (
        x * cosine + (b * z - c * y) * sine + a * along,
        y * cosine + (c * x - a * z) * sine + b * along,
        z * cosine + (a * y - b * x) * sine + c * along,
    )


@njit(error_model="numpy")
def projected(camera, point):
    """Return where a camera sees a point: rotation 0:3, centre 3:6, focal length, principal point, lens."""
    x, y, z = rotated(camera[:3], point[0] - camera[3], point[1] - camera[4], point[2] - camera[5])
    u, v = x / z, y / z
    rr = u * u + v * v
    factor = camera[6] * (1.0 + camera[9] * rr + camera[10] * rr * rr)
    return u * factor + camera[7], v * factor + camera[8]


@njit(error_model="numpy")
def slack(weight):
    return 1.0 - weight * weight


@njit(error_model="numpy")
def residuals(cameras, points, weights, seen):
    """Return reprojection errors, of shape (p, 2), and one error of each weight."""
    p = len(weights)
    errors, slacks = np.empty((p, 2)), np.empty(p)
    for i in range(p):
        u, v = projected(cameras[i % len(cameras)], points[i % len(points)])
        errors[i, 0], errors[i, 1] = weights[i] * (u - seen[i, 0]), weights[i] * (v - seen[i, 1])
    for i in range(p):
        slacks[i] = slack(weights[i])
    return errors, slacks


@njit(error_model="numpy")
def errors_apart(unknowns, seen):
    """Return reprojection errors of observations with unknowns of their own, of shape (p, 2)."""
    errors = np.empty((len(unknowns), 2))
    for i in range(len(unknowns)):
        own = unknowns[i]
        u, v = projected(own[:CAMERA], own[CAMERA : CAMERA + POINT])
        weight = own[CAMERA + POINT]
        errors[i, 0], errors[i, 1] = weight * (u - seen[i, 0]), weight * (v - seen[i, 1])
    return errors


slack_slope = grad(slack)


@njit(error_model="numpy")
def pattern(n, m, p):
    """Return where rows begin, and the columns, of n cameras, m points and p observations."""
    rows, columns = np.empty(3 * p + 1, np.int32), np.empty((2 * ROW + 1) * p, np.int32)
    for i in range(p):
        for side in range(2):
            first = (2 * i + side) * ROW
            rows[2 * i + side] = first
            for k in range(CAMERA):
                columns[first + k] = CAMERA * (i % n) + k
            for k in range(POINT):
                columns[first + CAMERA + k] = CAMERA * n + POINT * (i % m) + k
            columns[first + CAMERA + POINT] = CAMERA * n + POINT * m + i
    for i in range(p):
        rows[2 * p + i] = 2 * ROW * p + i
        columns[2 * ROW * p + i] = CAMERA * n + POINT * m + i
    rows[3 * p] = len(columns)
    return rows, columns


@njit(error_model="numpy")
def jacobian(cameras, points, weights, seen):
    """Return the Jacobian in compressed rows: where rows begin, columns, values.

    The errors of an observation depend on no unknowns but its own: one pullback gives the rows of a block.
    """
    n, m, p = len(cameras), len(points), len(weights)
    values = np.empty((2 * ROW + 1) * p)
    by_side = values[: 2 * ROW * p].reshape(p, 2, ROW)
    sides = np.zeros((2, BLOCK, 2))
    sides[0, :, 0] = sides[1, :, 1] = 1.0
    for first in range(0, p, BLOCK):
        last = min(first + BLOCK, p)
        unknowns = np.empty((last - first, ROW))
        for i in range(first, last):
            unknowns[i - first, :CAMERA] = cameras[i % n]
            unknowns[i - first, CAMERA : CAMERA + POINT] = points[i % m]
            unknowns[i - first, CAMERA + POINT] = weights[i]
        _, pullback = vjp(errors_apart, unknowns, seen[first:last])
        for side in range(2):
            by_side[first:last, side] = pullback(sides[side, : last - first])[0]
    for i in range(p):
        values[2 * ROW * p + i] = slack_slope(weights[i])
    rows, columns = pattern(n, m, p)
    return rows, columns, values


def arguments(given: Any) -> tuple[Any, ...]:
    n, m, p = int(given["n"]), int(given["m"]), int(given["p"])
    cameras, points = np.tile(array(given["cam"]), (n, 1)), np.tile(array(given["x"]), (m, 1))
    return cameras, points, np.full(p, float(given["w"])), np.tile(array(given["feat"]), (p, 1))


def errors_repeated(found: tuple[Any, Any]) -> dict[str, Any]:
    errors, slacks = found
    return {
        "reproj_error": {"elements": errors[0], "repeated": len(errors)},
        "w_err": {"element": slacks[0], "repeated": len(slacks)},
    }


def beginning_and_end(found: tuple[Any, Any, Any]) -> dict[str, Any]:
    parts = zip(("rows", "cols", "vals"), found, strict=True)
    return {name: np.append(part[: 2 * ROW], part[-1]) for name, part in parts}


EVAL = Eval(
    {
        "objective": Task(arguments, residuals, errors_repeated),
        "jacobian": Task(arguments, jacobian, beginning_and_end),
    },
    (
        {
            "n": 1,
            "m": 2,
            "p": 3,
            "cam": [0.1, 0.2, 0.3, 0.0, 0.0, -5.0, 100.0, 1.0, 2.0, 0.01, 0.02],
            "x": [0.5, 0.4, 0.3],
            "w": 0.5,
            "feat": [10.0, 20.0],
        },
    ),
)
