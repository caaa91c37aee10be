"""Ordinary differential equations: functions in the language, which are differentiated like a user's own.

So their derivatives are those of the steps that are made (the discrete adjoint), in both modes and any
order. They can be called from Python, inside functions that are differentiated, and inside `@njit` code.
`odeint_adjoint` has the derivative of the solution itself (the continuous adjoint), which is found by
integrating backwards: no step is kept.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

import numpy as np
from numba.extending import register_jitable

from adcompiler.api.pullback import vjp
from adcompiler.custom import custom_vjp, stop_gradient


def rk4(f, y0, t, args=(), steps=1):
    """Integrate y' = f(y, t, *args) by the classical Runge-Kutta method, with steps of fixed size.

    Args:
        f: the right-hand side, a function of a vector, a number and further arguments. Compiled code needs an
            `@njit` function.
        y0: the state at `t[0]`, a vector.
        t: the times at which the state is wanted, a vector.
        args: further arguments of f, a tuple.
        steps: the number of steps between two times.

    Returns:
        the states, one row for each time.

    >>> from adcompiler import grad
    >>> def decay(y, t, rate):
    ...     return -rate * y
    >>> t = np.linspace(0.0, 1.0, 11)
    >>> round(grad(lambda rate: rk4(decay, np.ones(1), t, (rate,))[-1, 0])(1.0), 5)
    -0.36788
    """
    found = np.empty((len(t), len(y0)))
    found[0] = y0
    y = y0 * 1.0
    for n in range(1, len(t)):
        h = (t[n] - t[n - 1]) / steps
        for k in range(steps):
            now = t[n - 1] + k * h
            one = f(y, now, *args)
            two = f(y + 0.5 * h * one, now + 0.5 * h, *args)
            three = f(y + 0.5 * h * two, now + 0.5 * h, *args)
            four = f(y + h * three, now + h, *args)
            y = y + h / 6.0 * (one + 2.0 * two + 2.0 * three + four)
        found[n] = y
    return found


def odeint(f, y0, t, args=(), rtol=1e-8, atol=1e-8):
    """Integrate y' = f(y, t, *args) by the method of Dormand and Prince, with steps of the size that it
    takes.

    The sizes of steps are constants to derivatives, but for the last one before each time.

    Args:
        f: the right-hand side, a function of a vector, a number and further arguments. Compiled code needs an
            `@njit` function.
        y0: the state at `t[0]`, a vector.
        t: the times at which the state is wanted, a vector that increases or decreases.
        args: further arguments of f, a tuple.
        rtol: the error that a step may have, relative to the state.
        atol: the error that it may have beside that.

    Returns:
        the states, one row for each time.

    Raises:
        ValueError: where steps become too short to make a difference, or the state is not a number.

    Source: J. R. Dormand, P. J. Prince, "A family of embedded Runge-Kutta formulae", 1980.

    >>> from adcompiler import grad
    >>> def decay(y, t, rate):
    ...     return -rate * y
    >>> round(grad(lambda rate: odeint(decay, np.ones(1), np.array([0.0, 1.0]), (rate,))[-1, 0])(1.0), 6)
    -0.367879
    """
    found = np.empty((len(t), len(y0)))
    found[0] = y0
    y = y0 * 1.0
    h = 0.1 * stop_gradient(t[1] - t[0])
    for n in range(1, len(t)):
        now = t[n - 1] * 1.0
        while now < t[n] if h > 0.0 else now > t[n]:
            rest = t[n] - now
            is_last = abs(h) >= abs(rest)
            step = rest if is_last else h
            if not (abs(step) > 1e-13 * (abs(t[n]) + abs(t[n] - t[n - 1]))):
                raise ValueError(
                    "the equation needs steps that are too short, or its solution is not a number"
                )
            after, error = dormand_prince(f, y, now, step, args)
            scale = atol + rtol * np.maximum(np.abs(y), np.abs(after))
            ratio = stop_gradient(np.sqrt(np.mean((error / scale) ** 2)))
            if ratio <= 1.0:
                y = after
                now = t[n] if is_last else now + step
            if ratio > 0.0:
                h = stop_gradient(step) * min(5.0, max(0.2, 0.9 * ratio**-0.2))
            else:
                h = stop_gradient(step) * (5.0 if ratio == 0.0 else 0.2)
        found[n] = y
    return found


def dormand_prince(f, y, t, h, args):
    """Return the state after one step, and what it differs by from that of a method of lower order."""
    k1 = f(y, t, *args)
    k2 = f(y + h * (k1 / 5), t + h / 5, *args)
    k3 = f(y + h * (3 / 40 * k1 + 9 / 40 * k2), t + 3 / 10 * h, *args)
    k4 = f(y + h * (44 / 45 * k1 - 56 / 15 * k2 + 32 / 9 * k3), t + 4 / 5 * h, *args)
    fifth = 19372 / 6561 * k1 - 25360 / 2187 * k2 + 64448 / 6561 * k3 - 212 / 729 * k4
    k5 = f(y + h * fifth, t + 8 / 9 * h, *args)
    sixth = 9017 / 3168 * k1 - 355 / 33 * k2 + 46732 / 5247 * k3 + 49 / 176 * k4 - 5103 / 18656 * k5
    k6 = f(y + h * sixth, t + h, *args)
    slope = 35 / 384 * k1 + 500 / 1113 * k3 + 125 / 192 * k4 - 2187 / 6784 * k5 + 11 / 84 * k6
    after = y + h * slope
    k7 = f(after, t + h, *args)
    error = 71 / 57600 * k1 - 71 / 16695 * k3 + 71 / 1920 * k4 - 17253 / 339200 * k5 + 22 / 525 * k6
    return after, h * (error - k7 / 40)


for _function in (dormand_prince, rk4, odeint):
    register_jitable(_function)


@custom_vjp(nondiff_argnums=("f", "rtol", "atol"))
def odeint_adjoint(f, y0, t, p, rtol=1e-8, atol=1e-8):
    """Integrate y' = f(y, t, p) as `odeint` does, with the derivative of the solution.

    The adjoint state is integrated backwards along with the state, which starts from each of the states that
    were returned. Nothing else is kept, however many steps are made; the derivative is as exact as `rtol` and
    `atol`, and not that of the steps.

    Args:
        f: the right-hand side, a function of a vector, a number and a vector. Compiled code needs an `@njit`
            function.
        y0: the state at `t[0]`, a vector.
        t: the times at which the state is wanted, a vector that increases or decreases.
        p: parameters, a vector.
        rtol: the error that a step may have, relative to the state.
        atol: the error that it may have beside that.

    Returns:
        the states, one row for each time. Derivatives are by y0, t and p.

    Raises:
        ValueError: as `odeint`.

    Source: L. S. Pontryagin et al., "The Mathematical Theory of Optimal Processes", 1962; R. T. Q. Chen et
    al., "Neural Ordinary Differential Equations", 2018, section 2.

    >>> from adcompiler import grad
    >>> def decay(y, t, p):
    ...     return -p[0] * y
    >>> def end(p):
    ...     return odeint_adjoint(decay, np.ones(1), np.array([0.0, 1.0]), p)[-1, 0]
    >>> grad(end)(np.array([1.0])).round(6)
    array([-0.367879])
    """
    return odeint(f, y0, t, (p,), rtol, atol)


def _adjoint_equation(z, t, p, f):
    """Return what the state, its adjoint and that of the parameters change by with time."""
    size = (len(z) - len(p)) // 2
    slope, pullback = vjp(f, z[:size], t, p)
    d_y, _, d_p = pullback(z[size : 2 * size])
    return np.concatenate((slope, -d_y, -d_p))


def _with_states(f, y0, t, p, rtol, atol):
    found = odeint(f, y0, t, (p,), rtol, atol)
    return found, (found, t, p)


def _backwards(f, rtol, atol, kept, d):
    """Integrate the adjoint equation from the last time to the first, adding to the adjoint at each time."""
    found, t, p = kept
    size = found.shape[1]
    d_t, adjoint, d_p = np.zeros(len(t)), np.zeros(size), np.zeros(len(p))
    for n in range(len(t) - 1, 0, -1):
        adjoint = adjoint + d[n]
        d_t[n] = np.sum(d[n] * f(found[n], t[n], p))
        z = np.concatenate((found[n], adjoint, d_p))
        z = odeint(_adjoint_equation, z, np.array([t[n], t[n - 1]]), (p, f), rtol, atol)[1]
        adjoint, d_p = z[size : 2 * size], z[2 * size :]
    d_t[0] = -np.sum(adjoint * f(found[0], t[0], p))
    return adjoint + d[0], d_t, d_p


odeint_adjoint.defvjp(_with_states, _backwards)
