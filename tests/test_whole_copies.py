"""Array code that overwrites what it reads: one copy of the array serves all that was computed from it."""

import re

import numpy as np
import pytest

from adcompiler import value_and_grad
from adcompiler.testing import check_grad

R = np.random.default_rng(0)
X, Y = R.uniform(0.5, 1.5, 6), R.uniform(0.5, 1.5, 6)


def double_well(c0, steps):
    c = c0.copy()
    for _ in range(steps):
        c += 0.1 * (2 * c * (1 - c) ** 2 - 2 * c**2 * (1 - c))
    return np.sum(c**2)


def burgers(u0, steps):
    u = u0.copy()
    for _ in range(steps):
        bend = u[2:] - 2 * u[1:-1] + u[:-2]
        u[1:-1] -= 0.1 * u[1:-1] * (u[2:] - u[:-2]) - 0.05 * bend
    return np.sum(u**2)


def predators(x0, y0, steps):
    x, y = x0.copy(), y0.copy()
    for _ in range(steps):
        dx, dy = x * (1.0 - y), y * (x - 1.0)
        x += 0.1 * dx
        y += 0.1 * dy
    return np.sum(x * y)


def spots(u0, v0, steps):
    u, v = u0.copy(), v0.copy()
    for _ in range(steps):
        reaction = u * v * v
        u += 0.1 * (np.roll(u, 1) + np.roll(u, -1) - 2 * u) - reaction + 0.03 * (1 - u)
        v += reaction - 0.09 * v
    return np.sum(v * v)


PROGRAMS = [
    (double_well, (X, 3), ["c_then_tape"]),
    (burgers, (X, 3), ["u_then_tape"]),
    (predators, (X, Y, 3), ["x_then_tape", "y_then_tape"]),
    (spots, (X, Y, 3), ["u_then_tape", "v_then_tape"]),
]


@pytest.mark.parametrize(("function", "args", "tapes"), PROGRAMS, ids=[f.__name__ for f, *_ in PROGRAMS])
def test_only_the_arrays_themselves_are_kept(function, args, tapes):
    derivative = value_and_grad(function, argnums=tuple(range(len(args) - 1)), jit=False)
    derivative(*args)
    assert re.findall(r"(\w+_(?:tape|stack)\w*) = ", derivative.source) == tapes


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(("function", "args"), [part[:2] for part in PROGRAMS])
def test_their_gradients(function, args, jit):
    check_grad(function, args, argnums=tuple(range(len(args) - 1)), jit=jit)


def one_after_the_other(x0, y0, steps):
    """What y reads of x is no longer what the iteration began with."""
    x, y = x0.copy(), y0.copy()
    for _ in range(steps):
        x += 0.1 * x * (1.0 - y)
        y += 0.1 * y * (x - 1.0) * x
        x *= 1.0 + 0.1 * x * y
    return np.sum(x * y)


def one_row_of_many(m0, steps):
    m = m0.copy()
    for t in range(steps):
        row = m[t % len(m)]
        row += 0.2 * row * (1.0 - row) ** 2
        m[0] = m[0] * (2.0 - m[0])
    return np.sum(m * m)


def inside_a_choice(x0, steps):
    x = x0.copy()
    for t in range(steps):
        if t % 2 == 0:
            x += 0.1 * x * (1.0 - x) ** 2
        else:
            x[1:] *= 1.0 - 0.2 * x[:-1] * x[1:]
    return np.sum(x**3)


def linear(x0, k, steps):
    """One value is needed, and kept: a copy of x would save nothing."""
    x = x0.copy()
    for _ in range(steps):
        x[1:-1] += k * (x[2:] - 2.0 * x[1:-1] + x[:-2])
    return np.sum(x**2)


def swapped(x0, y0, steps):
    x, y = x0.copy(), y0.copy()
    for _ in range(steps):
        y[:] = x * (1.0 - x) * y
        x, y = y, x
        x *= 0.5 + x
    return np.sum(x * y)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("function", "args"),
    [
        (one_after_the_other, (X, Y, 3)),
        (one_row_of_many, (R.uniform(size=(3, 4)), 5)),
        (inside_a_choice, (X, 4)),
        (linear, (X, 0.2, 4)),
        (swapped, (X, Y, 4)),
    ],
)
@pytest.mark.parametrize("options", [{}, {"memory": "4kB"}])
def test_where_a_copy_does_not_serve_all(function, args, options, jit):
    check_grad(function, args, argnums=tuple(range(len(args) - 1)), jit=jit, **options)


def butterflies(x):
    """Segments of an array are overwritten: a copy of all of it for each pair would be far more."""
    a, h, n = x.copy(), 1, len(x)
    while h < n:
        for i in range(0, n, 2 * h):
            u, v = a[i : i + h].copy(), a[i + h : i + 2 * h].copy()
            a[i : i + h] = u + v
            a[i + h : i + 2 * h] = u - v * u
        h *= 2
    return np.sum(np.sin(a))


def test_segments_are_not_kept_as_whole_arrays():
    derivative = value_and_grad(butterflies, jit=False)
    derivative(R.normal(size=8))
    assert "a_then" not in derivative.source
    check_grad(butterflies, (R.normal(size=8),), jit=False)
