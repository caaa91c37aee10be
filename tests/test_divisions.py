"""Divisions by zero: those of the program raise where it says so, those of its derivative never do."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import grad, hessian, hvp, jvp, value_and_grad, vjp


@njit
def roots(x, y):
    total = 0.0
    for k in range(3):
        total += math.sqrt(x) / y + (k % 2) * x
    return total


@njit(error_model="numpy")
def forgiving(x, y):
    return math.sqrt(x) / y


@pytest.mark.parametrize("jit", [True, False])
def test_the_derivative_never_raises(jit):
    assert grad(roots, argnums=(0, 1), jit=jit)(0.0, 2.0) == (math.inf, 0.0)
    assert jvp(roots, (0.0, 2.0), (0.0, 1.0), jit=jit) == (0.0, 0.0)


@pytest.mark.parametrize("jit", [True, False])
def test_the_program_raises_as_it_does_by_itself(jit):
    for function in (roots, grad(roots, jit=jit), value_and_grad(roots, jit=jit), grad(roots).primal):
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            function(1.0, 0.0)
    with pytest.raises(ZeroDivisionError):
        jvp(roots, (1.0, 0.0), (1.0, 0.0), jit=jit)
    with pytest.raises(ZeroDivisionError):
        hvp(roots, jit=jit)(1.0, 0.0, 1.0)


def test_the_check_stands_before_the_division():
    derivative = grad(roots)
    derivative(1.0, 2.0)
    assert "nonzero(" in derivative.source and "error_model='numpy'" in derivative.source


@pytest.mark.parametrize("jit", [True, False])
def test_functions_that_follow_numpy(jit):
    assert value_and_grad(forgiving, jit=jit)(1.0, 0.0) == (math.inf, math.inf)
    assert "nonzero" not in grad(forgiving, jit=jit).source


@njit
def halves(v):
    return np.sum(v / 2.0) + v[0] // 3.0


def test_constants_are_not_checked():
    np.testing.assert_allclose(grad(halves, jit=False)(np.array([3.0, 4.0])), [0.5, 0.5])
    assert "nonzero" not in grad(halves, jit=False).source


@njit
def ratio(x, y):
    return 3.0 / y * x


@njit
def ratio_of_ratio(x, y):
    x /= y
    return x


@njit
def falling(x, y, n):
    return x if n == 0 else falling(x, y, n - 1) / y


@njit(error_model="python")
def strict(x, y):
    return x / y


def calls(x, y):
    return 2.0 * ratio(x, y) + 1.0 / x


def calls_in_turn(x, y):
    inner = lambda a: ratio_of_ratio(a, y)  # noqa: E731
    return inner(x)


def calls_recursive(x, y):
    return falling(x, y, 2)


@njit(error_model="numpy")
def calls_strict(x, y):
    return strict(x, y)


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("function", [calls, calls_in_turn, calls_recursive, calls_strict])
def test_compiled_functions_raise_wherever_they_are_called(function, jit):
    both = {"argnums": (0, 1), "jit": jit}
    made = [grad(function, **both), value_and_grad(function, **both), hessian(function, **both)]
    for derivative in (*made, grad(function, jit=jit).primal):
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            derivative(1.0, 0.0)
    with pytest.raises(ZeroDivisionError):
        vjp(function, 1.0, 0.0, jit=jit)
    assert np.all(np.isfinite(made[0](2.0, 1.0)))


def calls_and_divides(x, y):
    return ratio(x, y + 1.0) / y + strict(1.0, x) / y


@njit(error_model="numpy")
def forgives(x, y):
    return 1.0 * ratio(x, y)


@njit
def calls_forgiving(x, y):
    return forgiving(x, y) + x


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("function", [calls_and_divides, forgives, calls_forgiving])
def test_divisions_of_others_do_not_raise(function, jit):
    assert value_and_grad(function, jit=jit)(1.0, 0.0)[0] == math.inf


def test_the_option_decides_for_what_says_nothing():
    for jit in (True, False):
        assert value_and_grad(calls, jit=jit, error_model="numpy")(1.0, 0.0)[0] == math.inf
        with pytest.raises(ZeroDivisionError):
            grad(calls_and_divides, jit=jit, error_model="python")(1.0, 0.0)


@njit
def quotients(x, y):
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] / y[i]) / (y[i] - 3.0)
    return total


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_a_vectorised_loop_raises_when_it_has_run(jit):
    gradient = value_and_grad(quotients, argnums=(0, 1), jit=jit)
    x, y = np.linspace(0.1, 0.9, 11), np.linspace(1.0, 2.0, 11)
    value, (d_x, _) = gradient(x, y)
    assert "fast.exp" in gradient.source
    assert gradient.source.count("    nonzero(") == 1
    np.testing.assert_allclose(value, np.sum(np.exp(x / y) / (y - 3.0)))
    np.testing.assert_allclose(d_x, np.exp(x / y) / (y - 3.0) / y)
    for place, divisor in (0, 0.0), (7, 0.0), (10, 3.0):
        changed = y.copy()
        changed[place] = divisor
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            gradient(x, changed)
    assert gradient(x[:0], y[:0])[0] == 0.0
