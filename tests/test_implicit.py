"""Roots, fixed points and minima: the solver is never differentiated, in any mode and order."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    custom_argmin,
    custom_fixed_point,
    custom_root,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jvp,
    vjp,
)
from adcompiler.testing import check_grad, check_hvp, check_jvp

JIT = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
A = np.array([[2.0, 0.3], [-0.4, 1.5]])
B = np.array([0.7, -0.2])


@custom_root(lambda x, a, n: x**n - a)
def power_root(guess, a, n):
    low, high = 0.0, guess
    for _ in range(200):  # bisection has no derivative worth following
        middle = 0.5 * (low + high)
        if middle**n < a:
            low = middle
        else:
            high = middle
    return low


def balance(x, a, b):
    return a @ x + 0.1 * x**3 - b


@custom_root(balance)
@njit
def balanced(guess, a, b):
    x = guess.copy()
    for _ in range(100):
        x = np.linalg.solve(a, b - 0.1 * x**3)
    return x


@custom_fixed_point(lambda x, w: np.tanh(w @ x + 0.5))
def settled(guess, w):
    x = guess.copy()
    for _ in range(300):
        x = np.tanh(w @ x + 0.5)
    return x


@custom_argmin(lambda x, t, k: np.sum((x - t) ** 2) + k * np.sum(x**4))
def compromise(guess, t, k):
    x = guess.copy()
    for _ in range(60):
        slope = 2.0 * (x - t) + 4.0 * k * x**3
        x = x - slope / (2.0 + 12.0 * k * x**2)
    return x


def of_number(a):
    return power_root(10.0, a, 3) * a


def of_arrays(a, b):
    return np.sum(balanced(b, a, b) ** 2 * b)


def of_fixed_point(w, scale):
    return np.sum(settled(np.zeros(2), w * scale) ** 2)


def of_minimum(t, k):
    x = compromise(t, t, k)
    return np.sum(np.sin(x)) * k


CASES = pytest.mark.parametrize(
    ("function", "args"),
    [(of_number, (2.0,)), (of_arrays, (A, B)), (of_fixed_point, (0.2 * A, 0.7)), (of_minimum, (B, 0.4))],
    ids=["number", "arrays", "fixed point", "minimum"],
)


@CASES
@JIT
def test_first_derivatives(function, args, jit):
    check_grad(function, args, jit=jit)
    check_jvp(function, args, tuple(range(len(args))), jit=jit)


@CASES
def test_second_derivatives(function, args):
    check_hvp(function, args, tuple(range(len(args))), jit=False)


def test_exact_derivatives_of_a_root():
    for order, derivative in enumerate([grad(of_root), grad(grad(of_root))], start=1):
        exact = math.prod(1 / 3 - k for k in range(order)) * 2.0 ** (1 / 3 - order)
        assert derivative(2.0) == pytest.approx(exact, rel=1e-9)


def of_root(a):
    return power_root(10.0, a, 3)


@JIT
def test_solvers_are_differentiated_themselves(jit):
    expected = 2.0 ** (-2 / 3) / 3
    assert grad(power_root, argnums=1, jit=jit)(10.0, 2.0, 3) == pytest.approx(expected)
    assert jvp(power_root, (10.0, 2.0, 3), (None, 1.0, None), jit=jit)[1] == pytest.approx(expected)
    x, pullback = vjp(balanced, B, A, B, jit=jit)
    jacobian = np.linalg.inv(A + np.diag(0.3 * x**2))
    np.testing.assert_allclose(pullback(B)[2], jacobian.T @ B)
    np.testing.assert_allclose(jacfwd(balanced, argnums="b", jit=jit)(B, A, B), jacobian)
    np.testing.assert_allclose(jacrev(balanced, argnums="b", jit=jit)(B, A, B), jacobian)


def test_they_are_called_by_compiled_code():
    slope, curvature, product = grad(of_number), hessian(of_minimum), hvp(of_minimum)

    @njit
    def outer(a, t, k):
        return slope(a), curvature(t, k) @ t - product(t, k, t), power_root(10.0, a, 3)

    found, nothing, root = outer(2.0, B, 0.4)
    assert found == pytest.approx(4 / 3 * 2.0 ** (1 / 3))
    np.testing.assert_allclose(nothing, np.zeros(2), atol=1e-12)
    assert root == pytest.approx(2.0 ** (1 / 3))
