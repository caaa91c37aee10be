"""Derivatives of derivatives: all that is made of exp(a . x) is exp(a . x) times a constant tensor."""

import itertools
import math

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    DifferentiationError,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

A = np.array([0.3, -0.7])
X = np.array([0.4, 0.9])
V = np.array([1.2, -0.5])
B, Y, U = 0.6, 0.8, 1.3


def wave(x):
    return math.exp(0.3 * x[0] - 0.7 * x[1])


def bump(x):
    return math.exp(0.6 * x)


def along(g):
    return lambda x: jvp(g, (x,), (V,))[1]


def pulled_number(g):
    return lambda x: vjp(g, x)[1](1.5)[0]


def pulled(g):
    return lambda x: vjp(g, x)[1](np.ones_like(g(x)))[0]


def linear(g):
    return lambda x: linearize(g, x)[1](V)


def summed(g):
    return lambda x: np.sum(g(x))


def second_part(g):
    return lambda x: g(x)[1]


def times_direction(g):
    return lambda x: g(x, V)


# How a derivative is taken of a function that returns a number, or an array; what becomes of the tensor.
OF_NUMBERS = {
    "grad": (grad, lambda t: t * A),
    "value_and_grad": (lambda g: second_part(value_and_grad(g)), lambda t: t * A),
    "hvp": (lambda g: times_direction(hvp(g)), lambda t: t * (A @ V) * A),
    "hessian": (hessian, lambda t: t * np.outer(A, A)),
    "vjp": (pulled_number, lambda t: 1.5 * t * A),
}
OF_ARRAYS = {
    "jacfwd": (jacfwd, lambda t: np.multiply.outer(t, A)),
    "jacrev": (jacrev, lambda t: np.multiply.outer(t, A)),
    "jvp": (along, lambda t: t * (A @ V)),
    "linearize": (linear, lambda t: t * (A @ V)),
    "vjp of arrays": (pulled, lambda t: np.sum(t) * A),
}
EVERY = OF_NUMBERS | OF_ARRAYS


def composed(outer, inner):
    """Return a derivative of a derivative of the function, and its tensor."""
    take, of_tensor = EVERY[inner]
    if inner == "vjp of arrays":  # the function itself returns a number
        take, of_tensor = OF_NUMBERS["vjp"]
    g, tensor = take(wave), of_tensor(1.0)
    take, of_tensor = EVERY[outer]
    if outer in OF_NUMBERS and np.ndim(tensor):
        g, tensor = summed(g), np.sum(tensor)
    if outer == "vjp of arrays" and not np.ndim(tensor):
        take, of_tensor = OF_NUMBERS["vjp"]
    return take(g), of_tensor(tensor)


def evaluated(function, *args):
    """Return what a function returns that is a derivative, or calls some, as the last derivative is taken."""
    return jvp(function, args, tuple(0.0 * arg for arg in args), jit=False)[0]


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(EVERY, EVERY)])
def test_each_of_each(outer, inner):
    function, tensor = composed(outer, inner)
    found = evaluated(function, X)
    np.testing.assert_allclose(found, wave(X) * tensor, rtol=1e-12)


def along_number(g):
    return lambda y: jvp(g, (y,), (U,))[1]


NUMBERS = {
    "grad": (grad, B),
    "value_and_grad": (lambda g: second_part(value_and_grad(g)), B),
    "hvp": (lambda g: lambda y: hvp(g)(y, U), B * B * U),
    "hessian": (hessian, B * B),
    "jacfwd": (jacfwd, B),
    "jacrev": (jacrev, B),
    "jvp": (along_number, B * U),
    "vjp": (pulled_number, 1.5 * B),
}


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(NUMBERS, NUMBERS)])
def test_each_of_each_by_a_number(outer, inner):
    take, factor = NUMBERS[outer]
    of, other = NUMBERS[inner]
    found = evaluated(take(of(bump)), Y)
    np.testing.assert_allclose(found, bump(Y) * factor * other, rtol=1e-12)


@pytest.mark.parametrize("outer", [grad, hessian, jacfwd, jacrev, hvp, value_and_grad])
def test_inside_compiled_code(outer):
    inner = grad(along(wave)) if outer in (jacfwd, jacrev) else summed(grad(along(wave)))
    tensor = (A @ V) * (A if outer in (jacfwd, jacrev) else np.sum(A))
    derivative = outer(inner)

    @njit
    def from_compiled_code(x, v):
        return derivative(x, v)

    @njit
    def without_direction(x):
        return derivative(x)

    found = from_compiled_code(X, V) if outer is hvp else without_direction(X)
    found = found[1] if outer is value_and_grad else found
    of_matrix = {hvp: np.sum(A) * (A @ V) ** 2 * A, hessian: tensor * np.outer(A, A)}
    expected = of_matrix.get(outer, np.multiply.outer(tensor, A))
    np.testing.assert_allclose(found, wave(X) * expected, rtol=1e-12)


def test_third_and_fourth_derivatives_of_arrays():
    third = jacfwd(hessian(wave), jit=False)(X)
    np.testing.assert_allclose(third, wave(X) * np.einsum("i,j,k->ijk", A, A, A))
    fourth = jacfwd(jacrev(jacfwd(grad(wave))), jit=False)(X)
    np.testing.assert_allclose(fourth, wave(X) * np.einsum("i,j,k,l->ijkl", A, A, A, A))
    by_number = grad(grad(grad(grad(bump))), jit=False)
    assert by_number(Y) == pytest.approx(B**4 * bump(Y))


def test_structures_of_structures():
    def energy(p, k):
        return k * math.exp(0.5 * p["s"]) * np.sum(p["u"] ** 3)

    p, k = {"s": 0.4, "u": X}, 1.1
    cubes, e = np.sum(X**3), math.exp(0.2)
    found = hessian(energy, argnums=("p", "k"), jit=False)(p, k)
    assert found[0]["s"][0]["s"] == pytest.approx(0.25 * k * e * cubes)
    np.testing.assert_allclose(found[0]["s"][0]["u"], 1.5 * k * e * X**2)
    np.testing.assert_allclose(found[0]["u"][0]["u"], np.diag(6.0 * k * e * X))
    np.testing.assert_allclose(found[1][0]["u"], 3.0 * e * X**2)
    assert found[1][1] == 0.0
    same = jacfwd(grad(energy, argnums=("p", "k")), argnums=("p", "k"), jit=False)(p, k)
    np.testing.assert_allclose(same[0]["u"][0]["u"], found[0]["u"][0]["u"])
    np.testing.assert_allclose(same[1][0]["s"], found[1][0]["s"])
    curvature = hvp(grad(lambda y: energy({"s": y, "u": X}, k)), jit=False)
    assert curvature(0.4, 2.0) == pytest.approx(2.0 * 0.125 * k * e * cubes)


# Perturbation confusion: what is differentiated inside is another variable than what is outside.


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (lambda x: x * grad(lambda y: x + y)(1.0), 1.0, 1.0),
        (lambda x: x * grad(lambda y: x * y)(2.0), 3.0, 6.0),
        (lambda x: grad(lambda y: x * y * y)(x), 3.0, 12.0),
        (lambda x: x * jvp(lambda y: x * y, (2.0,), (1.0,))[1], 3.0, 6.0),
        (lambda x: x * jvp(lambda y: x * y, (2.0,), (x,))[1], 3.0, 27.0),
        (lambda x: x * vjp(lambda y: x * y, 2.0)[1](x)[0], 3.0, 27.0),
        (lambda x: grad(lambda y: grad(lambda z: x * y * z * z)(y))(x), 2.0, 16.0),
        (lambda x: x * grad(lambda y: y * grad(lambda z: x + y + z)(1.0))(2.0), 3.0, 1.0),
        (lambda x: hessian(lambda y: x * y**3)(x), 2.0, 24.0),
        (lambda x: hvp(lambda y: x * y**3)(x, x), 2.0, 72.0),
        (lambda x: jvp(lambda y, k=x * x: k * y * y, (x,), (1.0,))[1], 2.0, 24.0),
        (lambda x: vjp(lambda y, k=3.0: k * y * y, x)[1](x)[1], 2.0, 12.0),
    ],
)
def test_perturbations_are_told_apart(function, at, expected):
    assert grad(function, jit=False)(at) == pytest.approx(expected)
    assert jvp(function, (at,), (1.0,), jit=False)[1] == pytest.approx(expected)


def test_functions_returned_by_functions_are_told_apart():
    """Siskind and Pearlmutter's example: the shift by x of a function, differentiated by x."""

    def shifted_slope(x):
        def shift(f, y):
            return f(x + y)

        inner = grad(lambda y: shift(lambda z: z * z * z, y))
        return inner(1.0)

    assert grad(shifted_slope, jit=False)(2.0) == pytest.approx(18.0)


def test_adjoints_of_what_pullbacks_and_pushforwards_are_given():
    """They are linear in it: its adjoint is what the other mode makes of the seed."""

    def weighted(w):
        return np.sum(V * vjp(np_sines, X)[1](w)[0])

    def moved(t):
        return np.sum(V * jvp(np_sines, (X,), (t,))[1])

    slope = np.cos(X) * X[::-1] + 0.0
    expected = jacfwd(np_sines, jit=False)(X)
    np.testing.assert_allclose(grad(weighted, jit=False)(V), expected @ V)
    np.testing.assert_allclose(grad(moved, jit=False)(V), V @ expected)
    np.testing.assert_allclose(jvp(weighted, (V,), (A,), jit=False)[1], (expected @ V) @ A)
    assert slope.shape == X.shape


def np_sines(x):
    return np.sin(x) * x[0]


def test_gradient_descent_is_differentiated_through():
    """Two hyperparameters of three steps of descent, against differences."""

    def trained(rate, decay):
        w = np.array([1.0, -0.5])

        def loss(w):
            return np.sum((w - X) ** 4) + decay * np.sum(w * w)

        for _ in range(3):
            value, slope = value_and_grad(loss)(w)
            w = w - rate * slope / (1.0 + value)
        return np.sum(w * V)

    found = grad(trained, argnums=(0, 1), jit=False)(0.05, 0.3)
    step = 1e-6
    by_rate = (trained_by_hand(0.05 + step, 0.3) - trained_by_hand(0.05 - step, 0.3)) / (2 * step)
    by_decay = (trained_by_hand(0.05, 0.3 + step) - trained_by_hand(0.05, 0.3 - step)) / (2 * step)
    np.testing.assert_allclose(found, (by_rate, by_decay), rtol=1e-7)


def trained_by_hand(rate, decay):
    w = np.array([1.0, -0.5])
    for _ in range(3):
        value = np.sum((w - X) ** 4) + decay * np.sum(w * w)
        w = w - rate * (4.0 * (w - X) ** 3 + 2.0 * decay * w) / (1.0 + value)
    return np.sum(w * V)


def test_what_is_not_known_inside_is_refused():
    for function, code in [
        (lambda x: grad(lambda y: y * x, jit=False)(x), "AD107"),
        (lambda x: grad(lambda y: y * x, argnums=3)(x), "AD305"),
        (lambda x: grad(lambda y: y * x)(3), "AD301"),
        (lambda x: jvp(lambda y: y * x, (x,), (x, x))[1], "AD305"),
        (lambda x: hvp(lambda y: y * x)(x, (x, x)), "AD305"),
        (lambda x: grad(math.exp)(x), "AD203"),
    ]:
        with pytest.raises(DifferentiationError, match=code):
            grad(function, jit=False)(2.0)


BOTH = (0, "y")


def test_argnums_are_captured_or_refused():
    def product(x, y):
        return np.sum(x * x * y)

    def slopes(x, y):
        d_x, d_y = grad(product, argnums=BOTH)(x, y)
        return np.sum(d_x * d_y)

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_allclose(grad(slopes, jit=False)(x, y), 6 * x**2 * y)
    with pytest.raises(DifferentiationError, match="argnums is computed"):
        grad(lambda x, y, k: grad(product, argnums=k)(x, y)[0], jit=False)(x, y, 0)
