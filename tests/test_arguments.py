"""Arguments of any structure: tuples, named tuples, dictionaries, lists, functions, options."""

import math
from collections import namedtuple

import numpy as np
import pytest
from numba import njit

from adcompiler import DifferentiationError, grad, hvp, jvp, value_and_grad, vjp

Layer = namedtuple("Layer", "weights bias steps")
MODES = pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
X = np.array([0.3, -1.2, 2.0])


def layer(p, x):
    total = p.bias
    for _ in range(p.steps):
        total = math.tanh(total + np.sum(p.weights * x))
    return total


@MODES
def test_named_tuple_comes_back_as_the_same_type(jit):
    p = Layer(np.array([0.1, 0.2, 0.4]), 0.3, 2)
    value, gradient = value_and_grad(layer, jit=jit)(p, X)
    assert type(gradient) is Layer
    assert gradient.steps is None
    by_hand = grad(lambda w, b: layer(Layer(w, b, 2), X), argnums=(0, 1), jit=jit)(p.weights, p.bias)
    np.testing.assert_allclose(gradient.weights, by_hand[0])
    np.testing.assert_allclose(gradient.bias, by_hand[1])
    np.testing.assert_allclose(value, layer(p, X))


@MODES
def test_nested_tuples(jit):
    def f(p, k):
        (a, b), c = p
        return a * b**k + np.sum(c)

    gradient = grad(f, jit=jit)(((2.0, 3.0), X), 2)
    assert gradient[0] == (9.0, 12.0)
    np.testing.assert_array_equal(gradient[1], np.ones(3))


@MODES
def test_dictionaries_and_lists(jit):
    def f(p, x):
        total = 0.0
        for w, b in p["layers"]:
            total += math.tanh(np.sum(w * x) + b)
        return total * p["scale"]["all"]

    p = {"layers": [(X, 0.1), (X * 0.5, 0.2)], "scale": {"all": 2.0}}
    gradient = grad(f, jit=jit)(p, X)
    assert list(gradient) == ["layers", "scale"]
    assert isinstance(gradient["layers"], list)
    first = math.tanh(np.sum(X * X) + 0.1)
    np.testing.assert_allclose(gradient["layers"][0][1], 2.0 * (1 - first**2), rtol=1e-6)
    np.testing.assert_allclose(gradient["layers"][0][0], 2.0 * (1 - first**2) * X, rtol=1e-6)
    assert isinstance(gradient["scale"]["all"], float)


@MODES
def test_functions_are_passed_as_arguments(jit):
    def integrate(f, a, b, n):
        h = (b - a) / n
        total = 0.0
        for k in range(n):
            total += f(a + (k + 0.5) * h) * h
        return total

    slope = grad(integrate, argnums="b", jit=jit)
    np.testing.assert_allclose(slope(math.cos, 0.0, 1.0, 1000), math.cos(1.0), rtol=1e-5)
    np.testing.assert_allclose(slope(lambda x: x * x, 0.0, 1.0, 1000), 1.0, rtol=1e-5)
    square = njit(lambda x: x * x)
    np.testing.assert_allclose(slope(square, 0.0, 2.0, 1000), 4.0, rtol=1e-5)


@MODES
def test_options_choose_branches(jit):
    def norm(x, kind="two", weights=None):
        if weights is not None:
            x = x * weights
        if kind == "one":
            return np.sum(np.abs(x))
        elif kind == "two":
            return np.sqrt(np.sum(x * x))
        raise ValueError("no such norm")

    g = grad(norm, jit=jit)
    np.testing.assert_allclose(g(X), X / np.sqrt(np.sum(X * X)))
    np.testing.assert_allclose(g(X, "one"), np.sign(X))
    np.testing.assert_allclose(g(X, kind="one", weights=X), np.sign(X * X) * X)
    with pytest.raises(ValueError, match="no such norm"):
        g(X, "three")


@MODES
def test_any_number_of_arguments(jit):
    def f(x, *rest):
        total = x
        for k, value in enumerate(rest):
            total *= value ** (k + 1)
        return total

    assert grad(f, jit=jit)(2.0, 3.0) == 3.0
    assert grad(f, argnums=1, jit=jit)(2.0, 3.0, 2.0) == (8.0, 24.0)


@MODES
def test_integer_parts_are_left_alone(jit):
    def f(p):
        values, index, name = p
        return np.sum(values[index]) if name == "all" else values[0]

    gradient = grad(f, jit=jit)((X, np.array([0, 0, 2]), "all"))
    np.testing.assert_array_equal(gradient[0], [2.0, 0.0, 1.0])
    assert gradient[1:] == (None, None)


def test_named_tuples_inside_compiled_code():
    gradient = grad(layer)

    @njit
    def step(p, x):
        d = gradient(p, x)
        return Layer(p.weights - 0.1 * d.weights, p.bias - 0.1 * d.bias, p.steps)

    p = Layer(np.array([0.1, 0.2, 0.4]), 0.3, 2)
    expected = gradient(p, X)
    found = step(p, X)
    np.testing.assert_allclose(found.weights, p.weights - 0.1 * expected.weights)
    np.testing.assert_allclose(found.bias, p.bias - 0.1 * expected.bias)


def test_a_random_generator_passes_through():
    def f(x, rng):
        total = 0.0
        for _ in range(4):
            total += math.sin(x * rng.normal())
        return total

    value, slope = value_and_grad(f)(0.7, np.random.default_rng(3))
    draws = np.random.default_rng(3).normal(size=4)
    np.testing.assert_allclose(value, np.sum(np.sin(0.7 * draws)))
    np.testing.assert_allclose(slope, np.sum(draws * np.cos(0.7 * draws)))


def test_the_source_of_packed_arguments_reads_well():
    def f(p):
        a, b = p
        return a * b

    g = grad(f)
    g((2.0, 3.0))
    assert "p_0, p_1 = p\n" in g.source
    assert "return p_1, p_0\n" in g.source


def test_the_source_before_the_first_call_knows_the_defaults():
    def f(x, g=math.sin, kind="plain", weights=None):
        return g(x) if kind == "plain" and weights is None else x

    assert "d_x = math.cos(x)\n    return d_x" in grad(f).source


def total(x):
    return np.sum(x * x)


class Quantity(np.ndarray):
    """An array with a unit, as other packages have."""


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    "array",
    [
        np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[0, 1, 0]),
        np.matrix([[1.0, 2.0]]),
        np.ones(3).view(Quantity),
    ],
)
def test_arrays_that_mean_more_than_their_numbers(array, jit):
    plain = np.array(array)
    gradient, product = grad(total, jit=jit), hvp(total, jit=jit)
    for _ in range(2):  # before and after calls with a plain array
        for call in (
            lambda: gradient(array),
            lambda: vjp(total, array, jit=jit),
            lambda: jvp(total, (array,), (plain,), jit=jit),
            lambda: jvp(total, (plain,), (array,), jit=jit),
            lambda: product(array, plain),
            lambda: product(plain, array),
            lambda: vjp(lambda x: x * x, plain, jit=jit)[1](array),
            lambda: grad(lambda p: total(p["x"]), jit=jit)({"x": array}),
        ):
            with pytest.raises(DifferentiationError, match=f"AD301.* is a {type(array).__name__}"):
                call()
        np.testing.assert_array_equal(gradient(plain), 2.0 * plain)
        np.testing.assert_array_equal(product(plain, plain), 2.0 * plain)
    with pytest.raises(DifferentiationError, match=f"AD102.*'array' is a {type(array).__name__}"):
        grad(lambda x: total(x + array), jit=jit)(plain)


def test_a_mapped_file_is_a_plain_array(tmp_path):
    x = np.memmap(tmp_path / "x", dtype=float, mode="w+", shape=3)
    x[:] = [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(grad(total, jit=False)(x), [2.0, 4.0, 6.0])


def test_integers():
    for given in (3, True, np.int64(3), np.array([1, 2])):
        with pytest.raises(DifferentiationError, match="AD301"):
            grad(lambda x: np.sum(x) * 1.0, jit=False)(given)
    assert grad(lambda p: p["x"] * p["n"], jit=False)({"x": 2.0, "n": 3}) == {"x": 3.0, "n": None}
    assert grad(lambda p: p[0] * p[1], jit=False)((2.0, 3)) == (3.0, None)
    with pytest.raises(DifferentiationError, match=r"AD301.*holds no floats"):
        grad(lambda p: p[0] * p[1] * 1.0, jit=False)((2, 3))
