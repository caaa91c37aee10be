"""Pullbacks of functions that call themselves add to arrays that their callers hand down."""

import numpy as np
import pytest

from adcompiler import grad, hessian, hvp
from benchmarks.c_calls import CFunction


def product(a, n):
    if n == 0:
        return a[0]
    return product(a, n - 1) * a[n] + product(a, n - 1)


def weighted(a, i, weight):
    total = weight
    for j in range(i):
        total += a[j] * weighted(a, j, weight * a[j]) * a[i]
    return total


def of_parts(a, b, s):
    if len(a) == 0:
        return s
    return of_parts(a[1:], b, s * np.sin(a[0] * b[0])) + a[0] ** 2


def in_turn(a, b, n):
    if n == 0:
        return a[0] * b[1]
    return in_turn(b, a, n - 1) * a[n] + in_turn(a, a, n - 1)


def array(a, n):
    if n == 0:
        return 2.0 * a
    return array(a, n - 1) * a + array(np.sin(a), n - 1)


def sum_of_array(a):
    return np.sum(array(a, 2))


X = np.array([0.3, -0.7, 0.9, 0.4])
CASES = {
    "product": (product, (X, 3), (0,)),
    "weighted": (weighted, (X, 3, 0.8), (0, 2)),
    "of_parts": (of_parts, (X, X[::-1], 0.7), (0, 1, 2)),
    "in_turn": (in_turn, (X, np.cos(X), 3), (0, 1)),
    "array": (sum_of_array, (X,), (0,)),
}


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_against_differences(name, jit):
    function, args, wrt = CASES[name]
    found = grad(function, argnums=wrt, jit=jit)(*args)
    for k, slope in zip(wrt, found):
        for place in np.ndindex(np.shape(args[k])):
            high, low = ([*args] for _ in range(2))
            for side, step in (high, 1e-6), (low, -1e-6):
                moved = np.array(args[k], dtype=float)
                moved[place] += step
                side[k] = moved if moved.ndim else float(moved)
            expected = (function(*high) - function(*low)) / 2e-6
            assert np.asarray(slope)[place] == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_no_level_makes_an_array_of_its_own():
    found = grad(product)
    found(X, 3)
    assert found.source.count("np.zeros_like(a)") == 1
    assert found.source.count("product_pullback(a, sub, ") == 4


def test_one_that_is_called_with_no_array_to_add_to_makes_it():
    found = grad(lambda a: of_parts(np.sin(a), a, 1.0))
    np.testing.assert_allclose(found(X), grad(lambda a: of_parts(np.sin(a), a, 1.0), jit=False)(X))


def test_again():
    whole = hessian(product)(X, 3)
    np.testing.assert_allclose(whole, whole.T)
    np.testing.assert_allclose(hvp(product)(X, 3, X), whole @ X)
    step = 1e-6 * X
    slopes = (grad(product)(X + step, 3) - grad(product)(X - step, 3)) / 2e-6
    np.testing.assert_allclose(whole @ X, slopes, rtol=1e-6)


@pytest.mark.parametrize("name", ["product", "weighted", "in_turn"])
def test_in_c(name, tmp_path):
    function, args, wrt = CASES[name]
    found = grad(function, argnums=wrt)
    for one, other in zip(CFunction(found, args, tmp_path)(*args), found(*args)):
        np.testing.assert_allclose(one, other)
