"""`vjp`, `jvp` and `linearize` in compiled code, against the same from Python."""

from collections import namedtuple

import numpy as np
import pytest
from numba import njit
from numba.core.errors import NumbaError

from adcompiler import grad, jvp, linearize, vjp

State = namedtuple("State", "u rate")
X = np.array([0.1, 0.2, 0.3])


@njit
def observed(x, a, n):
    return np.sin(x) * a, np.sum(x * x) * n


@njit
def moved(state, pair):
    return State(state.u * state.rate + pair[0], state.rate * pair[1])


def test_a_pullback_is_called_where_it_is_made():
    @njit
    def outer(x, a):
        outputs, pullback = vjp(observed, x, a, 2)
        first = pullback((np.ones_like(x), 1.0))
        return outputs, first[0], first[1], pullback((x, 0))[0]

    outputs, d_x, d_a, other = outer(X, 1.5)
    expected, pullback = vjp(observed, X, 1.5, 2)
    np.testing.assert_allclose(outputs[0], expected[0])
    np.testing.assert_allclose(d_x, pullback((np.ones(3), 1.0))[0])
    np.testing.assert_allclose(d_a, pullback((np.ones(3), 1.0))[1])
    np.testing.assert_allclose(other, pullback((X, 0.0))[0])


def test_tangents_along_directions():
    @njit
    def outer(x, a):
        outputs, pushforward = linearize(observed, x, a, 2)
        one = pushforward(np.ones_like(x), 0.5, None)
        return outputs, one, pushforward(x, None, None), jvp(observed, (x, a, 2), (x, None, None))

    outputs, one, other, pair = outer(X, 1.5)
    expected, pushforward = linearize(observed, X, 1.5, 2)
    along = pushforward(X, None, None)
    for k in range(2):
        np.testing.assert_allclose(outputs[k], expected[k])
        np.testing.assert_allclose(one[k], pushforward(np.ones(3), 0.5, None)[k])
        np.testing.assert_allclose(other[k], along[k])
        np.testing.assert_allclose(pair[0][k], expected[k])
        np.testing.assert_allclose(pair[1][k], along[k])


def test_structures():
    @njit
    def outer(u):
        state, pair = State(u, 2.0), (u * u, 0.7)
        outputs, pullback = vjp(moved, state, pair)
        found = pullback(outputs)
        tangents = jvp(moved, (state, pair), (state, pair))[1]
        return found[0].u, found[0].rate, found[1], tangents.u, tangents.rate

    state, pair = State(X, 2.0), (X * X, 0.7)
    outputs, pullback = vjp(moved, state, pair)
    expected = pullback(outputs)
    found = outer(X)
    np.testing.assert_allclose(found[0], expected[0].u)
    assert found[1] == pytest.approx(expected[0].rate)
    np.testing.assert_allclose(found[2][0], expected[1][0])
    assert found[2][1] == pytest.approx(expected[1][1])
    tangents = jvp(moved, (state, pair), (state, pair))[1]
    np.testing.assert_allclose(found[3], tangents.u)
    assert found[4] == pytest.approx(tangents.rate)


def test_arguments_are_kept_as_they_were():
    @njit
    def outer(x):
        _, pullback = vjp(observed, x, 1.0, 1)
        x[:] = 100.0
        return pullback((np.ones_like(x), 0.0))[0]

    np.testing.assert_allclose(outer(X.copy()), np.cos(X))


def test_pullbacks_go_from_function_to_function():
    @njit
    def made(x):
        return vjp(observed, x, 1.0, 1)[1]

    @njit
    def outer(x):
        total = 0.0
        for k in range(3):
            total += made(x * k)((x, 0.0))[1]
        return total

    expected = sum(vjp(observed, X * k, 1.0, 1)[1]((X, 0.0))[1] for k in range(3))
    assert outer(X) == pytest.approx(expected)


def test_products_with_derivatives():
    gradient = grad(lambda x: np.sum(x**4))

    @njit
    def outer(x):
        value, pullback = vjp(gradient, x)
        return value, pullback(x)[0], jvp(gradient, (x,), (x,))[1]

    value, pulled, pushed = outer(X)
    np.testing.assert_allclose(value, 4 * X**3)
    np.testing.assert_allclose(pulled, 12 * X**3)
    np.testing.assert_allclose(pushed, 12 * X**3)


@pytest.mark.parametrize("adjoint", [1.0, (X,), (X, 1.0, 2.0)])
def test_adjoints_of_another_structure_are_refused(adjoint):
    @njit
    def outer(x, given):
        return vjp(observed, x, 1.0, 1)[1](given)

    with pytest.raises((NumbaError, TypeError), match="AD305"):
        outer(X, adjoint)
