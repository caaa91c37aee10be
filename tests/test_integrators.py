"""Differential equations, against solutions in closed form, in both modes and in second order."""

import math

import numpy as np
import pytest
from numba import njit

from adcompiler import grad, jacfwd, jvp, odeint, odeint_adjoint, rk4, value_and_grad
from adcompiler.testing import check_grad, check_hvp, check_jvp

TIMES = np.array([0.0, 0.4, 1.0])
SOLVERS = pytest.mark.parametrize("solve", [rk4, odeint])


@njit
def oscillator(y, t, frequency, damping):
    return np.array([y[1], -frequency * y[0] - damping * y[1]])


def pendulum(y, t):
    return np.array([y[1], -math.sin(y[0]) + 0.1 * t])


@SOLVERS
def test_derivatives_of_a_decay(solve):
    def decay(y, t, rate):
        return -rate * y

    def at_the_end(rate, start, end):
        times = np.array([0.0, 0.3, 1.0]) * end
        return solve(decay, np.array([start]), times, (rate,))[-1, 0]

    rate, start, end = 0.7, 1.3, 0.9
    exact = start * math.exp(-rate * end)
    rtol = 1e-2 if solve is rk4 else 1e-6
    found = grad(at_the_end, argnums=(0, 1, 2), jit=False)(rate, start, end)
    np.testing.assert_allclose(found, (-end * exact, exact / start, -rate * exact), rtol=rtol)
    second = grad(grad(at_the_end), jit=False)(rate, start, end)
    np.testing.assert_allclose(second, end * end * exact, rtol=rtol)


@SOLVERS
@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_against_differences(solve, jit):
    def loss(y0, frequency, damping):
        states = solve(oscillator, y0, TIMES, (frequency, damping))
        return np.sum(states**2)

    args = (np.array([1.0, 0.3]), 4.0, 0.2)
    check_grad(loss, args, jit=jit)
    check_jvp(loss, args, (0, 1, 2), jit=jit)
    if not jit:
        check_hvp(loss, args, (0,), jit=False)


def test_sensitivities_without_further_arguments():
    def final(y0):
        return odeint(pendulum, y0, TIMES)[-1]

    y0 = np.array([0.5, 0.0])
    found = jacfwd(final, jit=False)(y0)
    steps = [np.array([1e-6, 0.0]), np.array([0.0, 1e-6])]
    expected = np.array([(final(y0 + step) - final(y0 - step)) / 2e-6 for step in steps]).T
    np.testing.assert_allclose(found, expected, atol=1e-6)


@SOLVERS
def test_called_by_compiled_code(solve):
    @njit
    def outer(y0):
        return solve(oscillator, y0, TIMES, (4.0, 0.2))

    y0 = np.array([1.0, 0.3])
    np.testing.assert_allclose(outer(y0), solve(oscillator, y0, TIMES, (4.0, 0.2)))


def test_a_solution_that_ends_is_refused():
    def explosion(y, t):
        return y * y

    with np.errstate(all="ignore"), pytest.raises(ValueError, match="too short"):
        odeint(explosion, np.array([1.0]), np.array([0.0, 2.0]))


@njit
def driven(y, t, p):
    return np.array([y[1], -p[0] * y[0] - p[1] * y[1] + math.sin(t)])


@pytest.mark.parametrize("times", [TIMES, np.array([1.0, 0.7, -0.2])], ids=["forwards", "backwards"])
@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_continuous_adjoint_beside_the_discrete_one(times, jit):
    def continuous(y0, t, p):
        states = odeint_adjoint(driven, y0, t, p)
        return np.sum(states**2) + states[1, 0]

    def discrete(y0, t, p):
        states = odeint(driven, y0, t, (p,))
        return np.sum(states**2) + states[1, 0]

    args = (np.array([1.0, 0.3]), times, np.array([4.0, 0.2]))
    value, found = value_and_grad(continuous, argnums=(0, 1, 2), jit=jit)(*args)
    expected, wanted = value_and_grad(discrete, argnums=(0, 1, 2), jit=False)(*args)
    assert value == pytest.approx(expected)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_continuous_adjoint_in_forward_mode_and_second_order():
    def decay(y, t, p):
        return -p[0] * y

    def end(rate):
        return odeint_adjoint(decay, np.array([1.3]), np.array([0.0, 0.9]), np.array([rate]))[-1, 0]

    exact = 1.3 * math.exp(-0.7 * 0.9)
    assert grad(end, jit=False)(0.7) == pytest.approx(-0.9 * exact, rel=1e-6)
    assert jvp(end, (0.7,), (1.0,), jit=False)[1] == pytest.approx(-0.9 * exact, rel=1e-6)
    assert grad(grad(end), jit=False)(0.7) == pytest.approx(0.81 * exact, rel=1e-5)
