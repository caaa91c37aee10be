"""Pullbacks keep what the forward sweep did: they are right each time, and do not run the function again."""

import math

import numpy as np
import pytest
from corpus import CORPUS
from numba import njit

from adcompiler import value_and_grad, vjp

SOME = CORPUS[::5]


@pytest.mark.parametrize(("function", "inputs"), SOME, ids=[f.__name__ for f, _ in SOME])
def test_pulled_twice(function, inputs):
    inputs = (*inputs, *(function.__defaults__ or ()))
    wrt = tuple(k for k, arg in enumerate(inputs) if np.asarray(arg).dtype.kind == "f")
    wanted_value, expected = value_and_grad(function, argnums=wrt, jit=False)(*inputs)
    value, pullback = vjp(function, *inputs, jit=False)
    assert value == pytest.approx(wanted_value, rel=1e-12)
    first = pullback(1.0)
    pullback(3.0)
    again = pullback(1.0)
    for k, wanted in zip(wrt, expected, strict=True):
        np.testing.assert_allclose(first[k], wanted, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(first[k], again[k])


def recurrence(x, y):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(h * x[i] + y)
    return h, np.exp(x) * y


X = np.array([0.3, -0.4, 0.5])


def pulled(x, y, d):
    """Return the adjoints of `recurrence`, by a derivative of the sum of its results."""

    def total(x, y):
        h, e = recurrence(x, y)
        return d[0] * h + np.sum(d[1] * e)

    return value_and_grad(total, argnums=(0, 1), jit=False)(x, y)[1]


def check_pulls(pullback):
    for d in ((1.0, np.zeros(3)), (0.5, np.array([1.0, 2.0, 3.0])), (1.0, np.zeros(3))):
        for found, wanted in zip(pullback(d), pulled(X, 0.3, d), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_the_reverse_sweep_alone_is_run(jit):
    _, pullback = vjp(recurrence, X, 0.3, jit=jit)
    check_pulls(pullback)
    adjoint, forward = pullback.made.source.split("def recurrence_forward(")
    assert "tanh(" in forward
    assert "tanh(" not in adjoint.replace("# h = math.tanh", "")


def test_what_callers_write_makes_no_difference():
    x = X.copy()
    (_, e), pullback = vjp(recurrence, x, 0.3)
    x[:] = 7.0
    e[:] = 7.0
    d_x, _ = pullback((1.0, np.zeros(3)))
    d_x[:] = 7.0
    check_pulls(pullback)


def test_inside_compiled_code():
    recurrence_compiled = njit(recurrence)

    @njit
    def inside(x, y, d):
        (h, e), pullback = vjp(recurrence_compiled, x, y)
        x[0] = 7.0
        e[0] = 7.0
        pullback((3.0, d))
        return h, pullback((1.0, np.zeros(3))), pullback((0.5, d))

    d = np.array([1.0, 2.0, 3.0])
    h, one, two = inside(X.copy(), 0.3, d)
    assert h == pytest.approx(recurrence(X, 0.3)[0])
    for found, seed in ((one, (1.0, np.zeros(3))), (two, (0.5, d))):
        for part, wanted in zip(found, pulled(X, 0.3, seed), strict=True):
            np.testing.assert_allclose(part, wanted, rtol=1e-12)


def test_lists_are_made_again():
    def grown(x):
        rows = [x]
        for k in range(3):
            rows.append(rows[-1] * x + 1.0 * k)
        return rows[1] + rows[3]

    _, pullback = vjp(grown, X)
    expected = 2 * X + 4 * X**3 + 1.0
    for _ in range(2):
        (found,) = pullback(np.ones(3))
        np.testing.assert_allclose(found, expected + 0 * X)


def test_arrays_of_other_sizes_than_assumed():
    def combined(x, y):
        return x * np.sin(y)

    value, pullback = vjp(combined, X, np.array([0.5]))
    np.testing.assert_allclose(value, X * np.sin(0.5))
    for _ in range(2):
        d_x, d_y = pullback(np.ones(3))
        np.testing.assert_allclose(d_x, np.full(3, np.sin(0.5)))
        np.testing.assert_allclose(d_y, [np.sum(X) * np.cos(0.5)])


def test_outputs_that_are_written_arguments():
    def normalise(x, out):
        out[:] = x
        x /= np.sqrt(np.sum(x * x))

    (x, out), pullback = vjp(normalise, np.array([3.0, 4.0]), np.zeros(2))
    np.testing.assert_allclose(x, [0.6, 0.8])
    np.testing.assert_allclose(out, [3.0, 4.0])
    for _ in range(2):
        d_x, d_out = pullback((np.array([1.0, 0.0]), np.zeros(2)))
        np.testing.assert_allclose(d_x, [0.128, -0.096])
        np.testing.assert_allclose(d_out, [0.0, 0.0])
