"""Ranges of which LLVM knows more, and iterations that hand on what the next one reads, in compiled code."""

import numpy as np
import pytest
from numba import njit

from adcompiler import grad
from adcompiler.runtime import numpy_forms


@njit
def visited(start, n):
    found = []
    for i in numpy_forms.downwards(start, -1):
        found.append(i)
    for i in numpy_forms.downwards(n, 2):
        found.append(10 * i)
    return found


@pytest.mark.parametrize("start, n", [(3, 5), (0, 3), (-1, 2), (-4, -7), (np.int32(2), 4)])
def test_the_same_numbers_as_a_range(start, n):
    expected = [*range(start, -1, -1), *(10 * i for i in range(n, 2, -1))]
    assert [*visited(start, n), 0] == [*expected, 0]


@njit
def visited_upwards(n):
    found = [0]
    for i in numpy_forms.upwards(0, n):
        found.append(i)
    for i in numpy_forms.upwards(2, n):
        found.append(10 * i)
    return found


@pytest.mark.parametrize("n", [0, 1, 3, -4, np.int32(5)])
def test_the_same_numbers_as_a_range_that_counts_up(n):
    assert visited_upwards(n) == [0, *range(n), *(10 * i for i in range(2, n))]


def upwind(u, speed, steps):
    """Each cell looks at the neighbour that the wind comes from."""
    new = np.zeros(len(u))
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            if speed[i] > 0.0:
                slope = u[i] - u[i - 1]
            else:
                slope = u[i + 1] - u[i]
            new[i] = u[i] - 0.1 * speed[i] * slope
        u, new = new, u
    return np.sum(u * u)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 9, 40])
def test_choices_in_loops(n):
    rng = np.random.default_rng(n)
    u, speed = rng.normal(size=n), rng.normal(size=n)
    found = grad(upwind, argnums=(0, 1))(u, speed, 5)
    expected = grad(upwind, argnums=(0, 1), jit=False)(u, speed, 5)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)


def smoothed(x, weights):
    """Each element is written with what the two before it were."""
    y = x.copy()
    one, two = 0.0, 0.0
    for i in range(len(x)):
        mixed = weights[0] * one + weights[1] * two
        two = one
        one = y[i]
        y[i] = x[i] * mixed + np.sin(y[i])
    return np.sum(y**2)


def several_times(x, steps):
    """Copies of states, written and freed in a loop, of which none is another one's."""
    total = 0.0
    y = x
    for _ in range(steps):
        z = np.zeros(len(x))
        before = y[0]
        for i in range(1, len(x)):
            z[i] = before * x[i]
            before = y[i]
        total += np.sum(z)
        y = z + x
    return total


@pytest.mark.parametrize("n", [1, 2, 3, 9, 40])
def test_against_uncompiled(n):
    rng = np.random.default_rng(n)
    x, weights = rng.normal(size=n), rng.normal(size=2)
    for function, args in ((smoothed, (x, weights)), (several_times, (x, 4))):
        found = grad(function)(*args)
        np.testing.assert_allclose(found, grad(function, jit=False)(*args), rtol=1e-12, atol=1e-13)
        for k in range(n):
            step = np.where(np.arange(n) == k, 1e-6, 0.0)
            expected = (function(x + step, *args[1:]) - function(x - step, *args[1:])) / 2e-6
            assert found[k] == pytest.approx(expected, rel=1e-6, abs=1e-7)
