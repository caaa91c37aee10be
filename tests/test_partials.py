"""`functools.partial` as a function, and what is said of other callables that have no text."""

import functools
import math
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from numba import njit

from adcompiler import DifferentiationError, grad, hvp, jacobian, jvp, value_and_grad, vjp

X = np.array([1.0, 2.0])


def scaled(a, x, power):
    return a * np.sum(x**power)


def with_options(x, *, scale=1.0, shift):
    return x * x * scale + shift * x


@dataclass
class Model:
    k: float
    w: np.ndarray

    def loss(self, x):
        return self.k * np.sum(self.w * x * x)

    def __call__(self, x):
        return self.loss(x)


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_derivatives(jit):
    squares = functools.partial(scaled, 3.0, power=2.0)
    np.testing.assert_allclose(grad(squares, jit=jit)(X), 6 * X)
    np.testing.assert_allclose(grad(squares, argnums="x", jit=jit)(x=X), 6 * X)
    np.testing.assert_allclose(vjp(squares, X, jit=jit)[1](2.0)[0], 12 * X)
    assert jvp(squares, (X,), (X,), jit=jit) == (15.0, 30.0)
    np.testing.assert_allclose(hvp(squares, jit=jit)(X, X), 6 * X)
    assert grad(functools.partial(scaled, x=X, power=2.0), jit=jit)(3.0) == 5.0
    np.testing.assert_allclose(jacobian(functools.partial(np_scaled, 2.0), jit=jit)(X), 2 * np.eye(2))


def np_scaled(a, x):
    return a * x


def test_keywords_and_defaults():
    derivative = grad(functools.partial(with_options, shift=5.0), jit=False)
    assert derivative(3.0) == 11.0
    assert derivative(3.0, scale=2.0) == 17.0


def test_partials_of_derivatives_and_of_compiled_functions():
    value = functools.partial(grad(scaled, argnums="x", jit=False), 3.0, power=2.0)
    assert grad(functools.partial(njit(scaled), 3.0, power=2.0))(X)[1] == 12.0
    np.testing.assert_allclose(jacobian(value, jit=False)(X), 6 * np.eye(2))


def test_in_compiled_code_and_other_processes():
    derivative = grad(functools.partial(scaled, 3.0, power=2.0))
    np.testing.assert_allclose(njit(lambda x: derivative(x))(X), 6 * X)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(derivative))(X), 6 * X)


def test_functions_without_names_for_their_arguments():
    with pytest.raises(DifferentiationError, match="no parameters that can be named"):
        grad(functools.partial(lambda *items: items[0], 2.0))


CURES = [
    (np.sin, "lambda x: np.sin(x)"),
    (np.hypot, "lambda x, y: np.hypot(x, y)"),
    (math.sin, "lambda x: math.sin(x)"),
    (abs, "lambda x: abs(x)"),
    (Model(2.0, X).loss, "grad(Model.loss, argnums=1)"),
    (Model(2.0, X), "write a function of what the object reads"),
]


@pytest.mark.parametrize(("function", "cure"), CURES, ids=[cure for _, cure in CURES])
def test_what_has_no_text(function, cure):
    with pytest.raises(DifferentiationError) as caught:
        grad(function)
    assert caught.value.code == "AD001"
    assert cure in caught.value.cure


def test_the_way_out_for_methods():
    np.testing.assert_allclose(grad(Model.loss, argnums=1, jit=False)(Model(2.0, X), X), 4 * X * X)


def test_a_value_and_its_gradient_along_a_direction():
    value, change = jvp(value_and_grad(lambda x: np.sum(x * x), jit=False), (X,), (X,), jit=False)
    np.testing.assert_allclose((value[0], change[0]), (5.0, 10.0))
    np.testing.assert_allclose((value[1], change[1]), (2 * X, 2 * X))
