"""Batches: `vmap` against loops in plain NumPy, and composed with all derivatives."""

import pickle
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from adcompiler import (
    DifferentiationError,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    sparse_jacobian,
    value_and_grad,
    vjp,
    vmap,
)

RNG = np.random.default_rng(5)
X, Y, Z = RNG.normal(size=(5, 3)), RNG.normal(size=3), RNG.normal(size=5)


def loop(function, *axes):
    """Return the loop that `vmap` stands for, over the first axes of those arguments that have one."""

    def run(*args):
        size = next(len(arg) for arg, axis in zip(args, axes) if axis is not None)
        own = [[arg if axis is None else arg[k] for arg, axis in zip(args, axes)] for k in range(size)]
        return np.stack([function(*each) for each in own])

    return run


def number(x, y):
    return np.sum(x * y) + x[0] ** 2


def row(x, y):
    return np.tanh(x) * y[::-1]


def looped(x, y):
    h = 0.0
    for i in range(len(x)):
        h = np.tanh(h * y[i] + x[i]) if x[i] > 0.0 else h - x[i]
    return h


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize("function", [number, row, looped])
def test_values(function, jit):
    expected = loop(function, 0, None)(X, Y)
    np.testing.assert_allclose(vmap(function, (0, None), jit=jit)(X, Y), expected)


@pytest.mark.parametrize("function", [number, row, looped])
@pytest.mark.parametrize("make", [grad, jacobian, hessian])
def test_batches_of_derivatives(make, function):
    if function is row and make is not jacobian:
        return
    derivative = make(function, argnums=1, jit=False)
    expected = loop(derivative, 0, None)(X, Y)
    made = vmap(make(function, argnums=1), (0, None), jit=function is number)
    np.testing.assert_allclose(made(X, Y), expected, rtol=1e-12, atol=1e-13)


def test_derivatives_of_batches():
    def total(x, y):
        return np.sum(np.sin(vmap(looped, in_axes=(0, None))(x, y)))

    def total_by_hand(x, y):
        found = 0.0
        for k in range(len(x)):
            found += np.sin(looped(x[k], y))
        return found

    for argnums in (0, 1):
        expected = grad(total_by_hand, argnums, jit=False)(X, Y)
        np.testing.assert_allclose(grad(total, argnums)(X, Y), expected, rtol=1e-12)
        np.testing.assert_allclose(
            hessian(total, argnums, jit=False)(X, Y),
            hessian(total_by_hand, argnums, jit=False)(X, Y),
            atol=1e-12,
        )


BATCH = vmap(number, in_axes=(0, None), jit=False)


def test_all_derivatives_of_a_batch():
    expected = np.zeros((5, 5, 3))
    expected[range(5), range(5)] = vmap(grad(number), (0, None), jit=False)(X, Y)
    np.testing.assert_allclose(jacobian(BATCH, jit=False)(X, Y), expected)
    np.testing.assert_allclose(sparse_jacobian(BATCH, jit=False)(X, Y).toarray(), expected.reshape(5, 15))
    value, pullback = vjp(BATCH, X, Y, jit=False)
    np.testing.assert_allclose(pullback(Z)[0], np.tensordot(Z, expected, 1))
    _, tangent = jvp(BATCH, (X, Y), (X, None), jit=False)
    np.testing.assert_allclose(tangent, np.tensordot(expected, X, 2))
    value, pushforward = linearize(BATCH, X, Y, jit=False)
    np.testing.assert_allclose(pushforward(X, None), tangent)
    np.testing.assert_allclose(value, BATCH(X, Y))


def test_products_and_jacobians_over_batches():
    found = vmap(hvp(number, jit=False), (0, None, None), jit=False)(X, Y, Y)
    np.testing.assert_allclose(found, np.outer(np.ones(5), [2.0 * Y[0], 0.0, 0.0]))

    def directional(x):
        return jvp(lambda z: np.tanh(z), (x,), (1.0,))[1]

    np.testing.assert_allclose(vmap(directional, jit=False)(Z), 1.0 - np.tanh(Z) ** 2)


def test_axes():
    a, b = RNG.normal(size=(3, 5)), RNG.normal(size=(2, 3, 5))
    np.testing.assert_allclose(vmap(number, (1, None), jit=False)(a, Y), loop(number, 0, None)(a.T, Y))
    np.testing.assert_allclose(vmap(lambda m: np.sum(m), -1, jit=False)(b), b.sum(axis=(0, 1)))
    for axis in (0, 1, 2, -1):
        found = vmap(lambda m: 2.0 * m, 1, axis, jit=False)(b)
        np.testing.assert_allclose(found, np.moveaxis(2.0 * b, 1, axis))


def test_batches_of_batches():
    product = vmap(vmap(lambda a, b: a * b, (0, None)), (None, 0), jit=False)
    np.testing.assert_allclose(product(Y, Z), np.outer(Z, Y))
    kernel = vmap(vmap(lambda a, b: np.exp(-np.sum((a - b) ** 2)), (None, 0)), (0, None))
    expected = np.exp(-((X[:, None] - X[None]) ** 2).sum(axis=2))
    np.testing.assert_allclose(kernel(X, X), expected)


class Pair(NamedTuple):
    first: float
    second: np.ndarray


@dataclass
class Layer:
    w: np.ndarray
    b: float


def test_structures():
    def apply(params, x):
        layer, scale = params
        return {"out": np.sum(layer["w"] * x) + layer["b"], "pair": Pair(scale, scale * x)}

    params = {"w": Y, "b": Z}, 2.0
    in_axes = (({"w": None, "b": 0}, None), 0)
    found = vmap(apply, in_axes, {"out": 0, "pair": (0, 1)}, jit=False)(params, X)
    np.testing.assert_allclose(found["out"], X @ Y + Z)
    assert type(found["pair"]) is Pair
    np.testing.assert_allclose(found["pair"].first, np.full(5, 2.0))
    np.testing.assert_allclose(found["pair"].second, 2.0 * X.T)


def test_dataclasses_and_lists():
    found = vmap(lambda layer, xs: layer.w * xs[0] + layer.b * xs[1], jit=False)(Layer(X, Z), [Z, Z])
    np.testing.assert_allclose(found, X * Z[:, None] + (Z * Z)[:, None])


def network(params, x, y):
    w1, b1, w2 = params
    return (np.sum(np.tanh(x @ w1 + b1) * w2) - y) ** 2


def test_gradients_for_each_example():
    params = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=4)
    single = value_and_grad(network, jit=False)
    values, gradients = vmap(value_and_grad(network), (None, 0, 0))(params, X, Z)
    for k in range(5):
        value, expected = single(params, X[k], Z[k])
        np.testing.assert_allclose(values[k], value)
        for one, other in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(one[k], other, rtol=1e-12)
    mean = grad(lambda p, x, y: np.mean(vmap(network, (None, 0, 0))(p, x, y)))(params, X, Z)
    for one, other in zip(gradients, mean, strict=True):
        np.testing.assert_allclose(one.mean(axis=0), other, rtol=1e-12)


def test_in_compiled_code_and_pickled():
    batch = pickle.loads(pickle.dumps(vmap(number, in_axes=(0, None))))

    @njit
    def largest(x, y):
        return batch(x, y).max()

    assert largest(X, Y) == pytest.approx(loop(number, 0, None)(X, Y).max())


def test_made_inside():
    def spread(x, scales):
        slopes = vmap(grad(lambda s: np.sum(np.sin(s * x))))(scales)
        return np.sum(slopes**2)

    step = 1e-6
    found = grad(spread, jit=False)(Y, Z)
    units = np.eye(3)
    expected = [
        (vmap(spread, (0, None), jit=False)(np.array([Y + step * u, Y - step * u]), Z) @ [0.5, -0.5]) / step
        for u in units
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_a_function_writes_is_its_own():
    def normalised(x):
        x /= np.sum(x)
        return x

    x = np.abs(X)
    expected = x / x.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(vmap(normalised, jit=False)(x), expected)
    np.testing.assert_array_equal(x, np.abs(X))


@custom_vjp
def doubled(x):
    return 2.0 * x


@doubled.defvjp
def doubled_vjp(x, y, d):
    return 3.0 * d


def test_rules_of_ones_own():
    np.testing.assert_allclose(vmap(doubled, jit=False)(Z), 2.0 * Z)
    np.testing.assert_allclose(vmap(grad(doubled), jit=False)(Z), np.full(5, 3.0))


def test_unequal_batches():
    for jit in (False, True):
        with pytest.raises(ValueError, match="differ in size along the axes"):
            vmap(number, jit=jit)(X, X[:4])


def test_empty_batches():
    assert vmap(number, (0, None), jit=False)(X[:0], Y).shape == (0,)
    with pytest.raises(ValueError, match="needs a batch with an element"):
        vmap(row, (0, None), jit=False)(X[:0], Y)


@pytest.mark.parametrize("jit", [False, True])
def test_complex_numbers(jit):
    waves, squares = (vmap(f, jit=jit) for f in (lambda x: np.exp(1j * x), lambda z: z * z))
    z = np.array([1 + 2j, 3 - 1j])
    np.testing.assert_allclose(waves(np.real(z)), np.exp(1j * np.real(z)))
    np.testing.assert_allclose(squares(np.real(z)), np.real(z) ** 2)
    np.testing.assert_allclose(squares(z), z**2)
    np.testing.assert_allclose(vmap(lambda t: (abs(t), t.imag * 1j), jit=jit)(z)[0], np.abs(z))
    np.testing.assert_allclose(vmap(grad(lambda t: t**3, holomorphic=True), jit=jit)(z), 3 * z**2)

    def power(z):
        return np.sum(np.abs(vmap(lambda t: t * t)(z)))

    np.testing.assert_allclose(grad(power, jit=jit)(z), 2 * np.conj(z))


@pytest.mark.parametrize(
    ("in_axes", "out_axes", "message"),
    [
        ((0, 0, None), 0, "in_axes has 3 items for the 2 arguments"),
        ((0, 1), 0, "is an array of 1 axes, and is mapped over axis 1"),
        (None, 0, "no argument of 'number' is mapped over"),
        ((0, (0, 0)), 0, "in_axes has another structure"),
        ((0, None), 1, "a result of vmap has 1 axes, and none is 1"),
        ((0, None), (0, 0), "out_axes has another structure"),
    ],
)
def test_refusals(in_axes, out_axes, message):
    with pytest.raises(DifferentiationError, match=message) as refused:
        vmap(number, in_axes, out_axes, jit=False)(X, Y)
    assert refused.value.code == "AD305"


def test_numbers_are_not_mapped_over():
    with pytest.raises(DifferentiationError, match="is a number, and is mapped over axis 0"):
        vmap(lambda x, k: k * x, jit=False)(Z, 2.0)
    with pytest.raises(DifferentiationError, match="is no axis"):
        vmap(number, in_axes="0")
