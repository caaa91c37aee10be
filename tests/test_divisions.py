"""Divisions by zero: those of the program raise where it says so, those of its derivative never do."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import grad, hvp, jvp, value_and_grad


@njit
def roots(x, y):
    total = 0.0
    for k in range(3):
        total += math.sqrt(x) / y + (k % 2) * x
    return total


@njit(error_model="numpy")
def forgiving(x, y):
    return math.sqrt(x) / y


@pytest.mark.parametrize("jit", [True, False])
def test_the_derivative_never_raises(jit):
    assert grad(roots, argnums=(0, 1), jit=jit)(0.0, 2.0) == (math.inf, 0.0)
    assert jvp(roots, (0.0, 2.0), (0.0, 1.0), jit=jit) == (0.0, 0.0)


@pytest.mark.parametrize("jit", [True, False])
def test_the_program_raises_as_it_does_by_itself(jit):
    for function in (roots, grad(roots, jit=jit), value_and_grad(roots, jit=jit), grad(roots).primal):
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            function(1.0, 0.0)
    with pytest.raises(ZeroDivisionError):
        jvp(roots, (1.0, 0.0), (1.0, 0.0), jit=jit)
    with pytest.raises(ZeroDivisionError):
        hvp(roots, jit=jit)(1.0, 0.0, 1.0)


def test_the_check_stands_before_the_division():
    derivative = grad(roots)
    derivative(1.0, 2.0)
    assert "nonzero(y)" in derivative.source and "error_model='numpy'" in derivative.source


@pytest.mark.parametrize("jit", [True, False])
def test_functions_that_follow_numpy(jit):
    assert value_and_grad(forgiving, jit=jit)(1.0, 0.0) == (math.inf, math.inf)
    assert "nonzero" not in grad(forgiving, jit=jit).source


@njit
def halves(v):
    return np.sum(v / 2.0) + v[0] // 3.0


def test_constants_are_not_checked():
    np.testing.assert_allclose(grad(halves, jit=False)(np.array([3.0, 4.0])), [0.5, 0.5])
    assert "nonzero" not in grad(halves, jit=False).source
