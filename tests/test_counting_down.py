"""Loops that count down, and iterations that hand on what the next one reads, in compiled code."""

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
