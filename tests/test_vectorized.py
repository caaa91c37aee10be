"""Functions that `numba.vectorize` made: a loop over elements, written around their text."""

import math

import numpy as np
import pytest
from numba import njit, vectorize

from adcompiler import DifferentiationError, grad, hessian, jvp


@vectorize
def inverse(x):
    return 1.0 / x


@vectorize
def power(x, y):
    return x**y


@vectorize(["float64(float64)"])
def squared_or_one(x):
    return x * x if x > 1 else 1


@njit
def of_numbers(x, y):
    return power(inverse(x), y)


@njit
def of_arrays(x, y):
    return np.sum(power(x, y) * inverse(x))


X, Y = np.array([0.5, 1.5, 2.0]), np.array([2.0, -1.0, 0.5])


@pytest.mark.parametrize("jit", [False, True])
def test_numbers(jit):
    d_x, d_y = grad(of_numbers, argnums=(0, 1), jit=jit)(0.5, 3.0)
    assert d_x == pytest.approx(-3.0 * 0.5**-4)
    assert d_y == pytest.approx(8.0 * math.log(2.0))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3, 1)])
def test_arrays_of_any_number_of_axes(jit, shape):
    d_x, d_y = grad(of_arrays, argnums=(0, 1), jit=jit)(X.reshape(shape), Y.reshape(shape))
    np.testing.assert_allclose(d_x, ((Y - 1.0) * X ** (Y - 2.0)).reshape(shape))
    np.testing.assert_allclose(d_y, (np.log(X) * X ** (Y - 1.0)).reshape(shape))


def test_numbers_go_to_each_element():
    assert grad(of_arrays, argnums=1, jit=False)(X, 2.0) == pytest.approx(np.sum(np.log(X) * X))


def test_other_modes():
    assert jvp(of_arrays, (X, Y), (None, Y), jit=False)[1] == pytest.approx(
        np.sum(np.log(X) * X ** (Y - 1.0) * Y)
    )
    second = (Y - 1.0) * (Y - 2.0) * X ** (Y - 3.0)
    np.testing.assert_allclose(hessian(of_arrays, jit=False)(X, Y), np.diag(second), atol=1e-12)


@pytest.mark.parametrize("jit", [False, True])
def test_division_by_zero_is_that_of_numpy(jit):
    def function(x):
        return np.sum(np.minimum(inverse(x), 7.0))

    np.testing.assert_array_equal(grad(njit(function), jit=jit)(np.array([0.0, 1.0])), [0.0, -1.0])


def test_what_is_declared_is_converted():
    def function(x, n):
        return x * squared_or_one(n) ** -1 + np.sum(x * squared_or_one(np.arange(n)) ** -1)

    assert grad(function, jit=False)(2.0, 3) == pytest.approx(1 / 9 + 1.0 + 1.0 + 1 / 4)


def test_arrays_of_several_sizes_are_refused():
    with pytest.raises(DifferentiationError, match=r"AD203.*numbers of axes"):
        grad(of_arrays, jit=False)(X.reshape(1, 3), Y)
    with pytest.raises(ValueError, match="the arguments differ in size along the axes that the function"):
        grad(of_arrays, jit=False)(X.reshape(1, 3), np.ones((1, 1)))
    with pytest.raises(DifferentiationError, match="AD107"):
        grad(lambda x: np.sum(inverse(x, x)), jit=False)(X)
    with pytest.raises(DifferentiationError, match=r"np.sum\(inverse\(x\)\)"):
        grad(inverse)
