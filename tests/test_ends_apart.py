"""Loops whose first and last iterations are unlike the others: text, values and derivatives at all sizes."""

import math

import numpy as np
import pytest

from adcompiler import value_and_grad
from adcompiler.testing import check_grad


def ring(u, k):
    n, new, total = len(u), np.empty(len(u)), 0.0
    for i in range(n):
        new[i] = u[(i + 1) % n] * math.exp(k * u[(i - 1) % n])
    for i in range(n):
        total += new[i] * u[i]
    return total


def wide_ring(u, k):
    n, total = len(u), 0.0
    for i in range(n):
        total += k * u[i] * u[(i + 2) % n] - u[(i - 3) % n] ** 2
    return total


def walls(u, k):
    n, total = len(u), 0.0
    for i in range(n):
        left = u[i - 1] if i > 0 else 0.0
        right = u[i + 1] if i + 1 < n else k
        total += math.sin(left - 2.0 * u[i] + right)
    return total


def counted_down(u, k):
    n, new = len(u), np.zeros(len(u))
    for i in range(n - 1, -1, -1):
        new[i] = k * u[i - 1]
        if i != n - 1:
            new[i] += u[i + 1] ** 2
    return np.sum(new**2)


PROGRAMS = [ring, wide_ring, walls, counted_down]


@pytest.mark.parametrize("function", PROGRAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 9])
def test_gradients_at_all_sizes(function, size):
    u = np.random.default_rng(size).normal(size=size)
    check_grad(function, (u, 0.3), jit=False)


@pytest.mark.parametrize("function", PROGRAMS)
def test_ends_are_apart(function):
    gradient = value_and_grad(function, argnums=(0, 1), jit=False)
    gradient(np.arange(5.0), 0.3)
    text = "\n".join(line for line in gradient.source.splitlines() if not line.strip().startswith("#"))
    assert "in range(ends):" in text
    middle = text.split("in range(ends):")[1].split("for i in range(")[1]
    assert "%" not in middle
    assert " if i " not in middle


def test_empty():
    value, (d_u, d_k) = value_and_grad(walls, argnums=(0, 1), jit=False)(np.empty(0), 0.3)
    assert value == 0.0 and d_u.size == 0 and d_k == 0.0


def in_place(u, k):
    n = len(u)
    v = u.copy()
    for i in range(n):
        v[i] = k * v[(i - 1) % n] + v[(i + 1) % n]
    return np.sum(v**2)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_what_iterations_hand_on_stays_in_order(size):
    u = np.random.default_rng(size).normal(size=size)
    check_grad(in_place, (u, 0.3), jit=False)
    gradient = value_and_grad(in_place, argnums=(0, 1), jit=False)
    gradient(u, 0.3)
    assert "range(ends)" not in gradient.source


def test_compiled():
    u = np.random.default_rng(0).normal(size=50)
    for function in PROGRAMS:
        compiled = value_and_grad(function, argnums=(0, 1))(u, 0.3)
        plain = value_and_grad(function, argnums=(0, 1), jit=False)(u, 0.3)
        for one, two in zip((compiled[0], *compiled[1]), (plain[0], *plain[1]), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12)
