"""Derivatives made inside compiled code, against the same made outside."""

import numpy as np
import pytest
from numba import njit, prange

from adcompiler import (
    DifferentiationError,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    value_and_grad,
    vjp,
    vmap,
)

X = np.array([0.1, 0.2, 0.3])


@njit
def energy(x, a):
    return np.sum(np.sin(x) * a) + a**3


@njit
def cube(t):
    return t * t * t


@custom_vjp
def square(x):
    return x * x


square.defvjp(lambda x, y, d: 100.0 * d)


def test_each_maker():
    @njit
    def program(x, a):
        _, both = value_and_grad(energy, argnums=(0, 1))(x, a)
        second = hessian(energy)(x, a), hvp(energy, "x")(x, a, x)
        blocks = jacobian(energy, (0, 1))(x, a)[0], jacfwd(energy)(x, a), jacrev(energy, argnums="a")(x, a)
        return grad(energy)(x, a), both, second, blocks, vmap(grad(cube))(x), vmap(energy, (0, None))(x, a)

    first, both, second, blocks, batch, values = program(X, 1.5)
    slopes = np.cos(X) * 1.5
    np.testing.assert_allclose(first, slopes)
    np.testing.assert_allclose(both[0], slopes)
    np.testing.assert_allclose(both[1], np.sum(np.sin(X)) + 3 * 1.5**2)
    np.testing.assert_allclose(second[0], np.diag(-np.sin(X) * 1.5))
    np.testing.assert_allclose(second[1], -np.sin(X) * 1.5 * X)
    np.testing.assert_allclose(blocks[0], slopes)
    np.testing.assert_allclose(blocks[1], slopes)
    np.testing.assert_allclose(blocks[2], both[1])
    np.testing.assert_allclose(batch, 3 * X**2)
    np.testing.assert_allclose(values, np.sin(X) * 1.5 + 1.5**3)


def test_of_functions_that_are_handed_on():
    @njit
    def newton(function, x, steps):
        for _ in range(steps):
            x = x - function(x) / grad(function)(x)
        return x

    found = newton(cube, 2.0, 5)
    assert found == pytest.approx(2.0 * (2 / 3) ** 5)
    assert grad(lambda x: newton(cube, x, 3))(2.0) == pytest.approx((2 / 3) ** 3)


def test_of_lambdas_and_of_derivatives():
    slope = grad(cube)

    @njit
    def program(a):
        return grad(lambda t: t * t)(a), grad(slope)(a), grad(grad(grad(cube)))(a)

    assert program(3.0) == (6.0, 18.0, 6.0)


def test_rules_of_their_own_are_used():
    @njit
    def program(x):
        return grad(square)(x), vjp(square, x)[1](1.0)[0], jacobian(square)(x)

    assert program(3.0) == (100.0, 100.0, 100.0)


def test_on_several_cores():
    @njit(parallel=True)
    def program(x):
        out = np.zeros(len(x))
        for i in prange(len(x)):
            out[i] = grad(cube)(x[i])
        return out

    np.testing.assert_allclose(program(X), 3 * X**2)


def test_auxiliary_values():
    @njit
    def pair(x):
        return x * x, x + 1.0

    @njit
    def program(x):
        return value_and_grad(pair, has_aux=True)(x)

    assert program(3.0) == ((9.0, 4.0), 6.0)


def test_arguments_that_are_not_fixed():
    @njit
    def program(x, a, k):
        return grad(energy, argnums=k)(x, a)

    with pytest.raises(DifferentiationError, match="arguments that are not constants"):
        program(X, 1.5, 0)


@custom_vjp(nondiff_argnums=("function",))
def root(function, guess, a):
    x = guess
    for _ in range(50):
        x = x - function(x, a) / grad(function)(x, a)
    return x


@root.defvjp
def of_root(function, guess, a, x, d):
    by_x, by_a = grad(function, argnums=(0, 1))(x, a)
    return 0.0, -d * by_a / by_x


def residual(x, a):
    return x * x - a


@pytest.mark.parametrize("jit", [False, True])
def test_rules_differentiate_what_they_are_given(jit):
    assert grad(lambda a: root(residual, 1.0, a), jit=jit)(9.0) == pytest.approx(1 / 6)
    assert grad(lambda a: root(lambda x, a: x**3 - a, 1.0, a), jit=jit)(8.0) == pytest.approx(1 / 12)
