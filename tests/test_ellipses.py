"""`...` in an index means the same in compiled code and in plain NumPy."""

import numpy as np
import pytest

from adcompiler import grad, hvp, jvp
from adcompiler.testing import central_difference, check_grad

R = np.random.default_rng(0)
TABLE = R.normal(size=(2, 3))


def reads(x, m, t):
    s = x[..., 0] * m[..., 1][0] + m[1, ..., 0] * x[-1, ...] + t[..., 1, 0][1]
    for i in range(3):
        s += x[..., i] * m[..., 1, i] * t[0, ..., i][1] * t[1, i % 2, ..., 2] + TABLE[..., 1, i] * x[..., i]
    return s + np.sum(t[...] ** 2) + np.sum(m[0, ...] * x)


def writes(x, m, t):
    y, n, u = np.zeros(3), np.zeros((2, 3)), np.zeros((2, 2, 3))
    y[..., 0] = x[1] * x[2]
    y[1, ...] = x[..., 0]
    for i in range(3):
        n[..., 1, i] = m[..., 0, i] * x[i]
        n[0, ..., i] += x[..., i] ** 2
        u[..., i] = t[..., i] * x[i]
    u[1, ...] = m
    u[...] = u * 2.0
    return np.sum(y * x) + np.sum(n * m) + np.sum(u * t)


def in_place(x, m, t):
    y, n, u = x * 1.0, m * 1.0, t * 1.0
    y[..., 0] *= 3.0
    y[..., 1] *= y[..., 2]
    y[2, ...] -= x[0]
    n[..., 1] *= x[..., 0]
    n[0, ..., 2] += x[1]
    u[..., 0, 1] *= 2.0 + x[..., 1]
    u[0, ..., 1] **= 2
    u[...] *= 0.5
    return np.sum(y**2) + np.sum(n**3) + np.sum(u * t)


def new_axes(x, m, t):
    return np.sum(x[..., None] * m[1, ...]) + np.sum(x[None, ...] * m) + np.sum(t[..., None, 1:] * m[0, 0])


def of_arguments(x, m, t):
    x[..., 1] = x[0] * m[..., 1, 1]
    m[..., 0] = x[:2] * t[0, ..., 0]
    return np.sum(x) * np.sum(m)


def by_tuple(x, m, t):
    place = (1, 2)
    s = 0.0
    for i, j in np.ndindex((2, 3)):
        s += t[..., i, j][0] * m[place]
    return s + x[..., place[0]] ** 2


FUNCTIONS = [reads, writes, in_place, new_axes, of_arguments, by_tuple]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_gradients(function, jit):
    check_grad(function, (R.normal(size=3), R.normal(size=(2, 3)), R.normal(size=(2, 2, 3))), jit=jit)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_other_modes(function):
    args = R.normal(size=3), R.normal(size=(2, 3)), R.normal(size=(2, 2, 3))
    direction = R.normal(size=3)
    zeros = np.zeros((2, 3)), np.zeros((2, 2, 3))
    found = jvp(function, args, (direction, *zeros), jit=False)[1]
    np.testing.assert_allclose(found, central_difference(function, args, 0) @ direction, rtol=1e-6)
    gradient = grad(function, jit=False)
    one, two = (gradient(args[0] + h * direction, *args[1:]) for h in (1e-6, -1e-6))
    expected = (one - two) / 2e-6
    found = hvp(function, jit=False)(*args, direction)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
