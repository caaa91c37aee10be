"""Recurrences in time: one number or a few carried from step to step."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.workload import Workload, autograd_gradient, jax_gradient, torch_gradient


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


@njit(error_model="numpy")
def recurrence_by_hand(w, x):
    n = len(x)
    states = np.empty(n + 1)
    states[0] = 0.0
    for i in range(n):
        states[i + 1] = math.tanh(w * states[i] + x[i])
    d_x = np.empty(n)
    d_w, d_h = 0.0, 1.0
    for i in range(n - 1, -1, -1):
        d = d_h * (1.0 - states[i + 1] * states[i + 1])
        d_x[i] = d
        d_w += d * states[i]
        d_h = d * w
    return states[n], (d_w, d_x)


def recurrence_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(w, x):
        return jax.lax.scan(lambda h, v: (jnp.tanh(w * h + v), None), 0.0, x)[0]

    return jax_gradient(primal, (0, 1))


def recurrence_in_torch():
    import torch

    def primal(w, x):
        h = torch.zeros((), dtype=torch.float64)
        for i in range(len(x)):
            h = torch.tanh(w * h + x[i])
        return h

    return torch_gradient(primal, (0, 1))


def recurrence_in_autograd():
    import autograd.numpy as anp

    def primal(w, x):
        h = 0.0
        for i in range(len(x)):
            h = anp.tanh(w * h + x[i])
        return h

    return autograd_gradient(primal, (0, 1))


def garch(p, r):
    variance, total = 1.0, 0.0
    for t in range(len(r)):
        total += math.log(variance) + r[t] * r[t] / variance
        variance = p[0] + p[1] * r[t] * r[t] + p[2] * variance
    return 0.5 * total


@njit(error_model="numpy")
def garch_by_hand(p, r):
    n = len(r)
    variances = np.empty(n)
    variance, total = 1.0, 0.0
    for t in range(n):
        variances[t] = variance
        total += math.log(variance) + r[t] * r[t] / variance
        variance = p[0] + p[1] * r[t] * r[t] + p[2] * variance
    d0 = d1 = d2 = d_variance = 0.0
    for t in range(n - 1, -1, -1):
        v, square = variances[t], r[t] * r[t]
        d0 += d_variance
        d1 += d_variance * square
        d2 += d_variance * v
        inverse = 1.0 / v
        d_variance = d_variance * p[2] + 0.5 * (inverse - square * inverse * inverse)
    return 0.5 * total, (np.array([d0, d1, d2]),)


def garch_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(p, r):
        def step(variance, v):
            return p[0] + p[1] * v * v + p[2] * variance, jnp.log(variance) + v * v / variance

        return 0.5 * jnp.sum(jax.lax.scan(step, 1.0, r)[1])

    return jax_gradient(primal, (0,))


def kalman(q, r, y):
    m, variance, total = 0.0, 1.0, 0.0
    for t in range(len(y)):
        variance = variance + q
        s = variance + r
        gain = variance / s
        error = y[t] - m
        total += math.log(s) + error * error / s
        m = m + gain * error
        variance = (1.0 - gain) * variance
    return 0.5 * total


@njit(error_model="numpy")
def kalman_by_hand(q, r, y):
    n = len(y)
    means, variances = np.empty(n), np.empty(n)
    m, variance, total = 0.0, 1.0, 0.0
    for t in range(n):
        means[t] = m
        variance += q
        variances[t] = variance
        s = variance + r
        gain = variance / s
        error = y[t] - m
        total += math.log(s) + error * error / s
        m += gain * error
        variance = (1.0 - gain) * variance
    d_q = d_r = d_m = d_variance = 0.0
    for t in range(n - 1, -1, -1):
        v = variances[t]
        inverse = 1.0 / (v + r)
        gain = v * inverse
        error = y[t] - means[t]
        d_gain = d_m * error - d_variance * v
        d_error = d_m * gain + error * inverse
        d_s = 0.5 * (inverse - error * error * inverse * inverse) - d_gain * gain * inverse
        d_v = d_variance * (1.0 - gain) + d_gain * inverse + d_s
        d_r += d_s
        d_m -= d_error
        d_q += d_v
        d_variance = d_v
    return 0.5 * total, (d_q, d_r)


def kalman_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(q, r, y):
        def step(state, value):
            m, variance = state
            variance = variance + q
            s = variance + r
            gain, error = variance / s, value - m
            return (m + gain * error, (1.0 - gain) * variance), jnp.log(s) + error * error / s

        return 0.5 * jnp.sum(jax.lax.scan(step, (0.0, 1.0), y)[1])

    return jax_gradient(primal, (0, 1))


def leapfrog(q0, p0, k):
    q, p, h = q0, p0, 0.001
    for _ in range(10000):
        p -= 0.5 * h * k * math.sin(q)
        q += h * p
        p -= 0.5 * h * k * math.sin(q)
    return q * q + p * p


@njit(error_model="numpy")
def leapfrog_by_hand(q0, p0, k):
    steps, h = 10000, 0.001
    positions = np.empty(steps + 1)
    q, p = q0, p0
    for t in range(steps):
        positions[t] = q
        p -= 0.5 * h * k * math.sin(q)
        q += h * p
        p -= 0.5 * h * k * math.sin(q)
    positions[steps] = q
    d_q, d_p, d_k = 2.0 * q, 2.0 * p, 0.0
    for t in range(steps - 1, -1, -1):
        d_q -= d_p * 0.5 * h * k * math.cos(positions[t + 1])
        d_k -= d_p * 0.5 * h * math.sin(positions[t + 1])
        d_p += h * d_q
        d_k -= d_p * 0.5 * h * math.sin(positions[t])
        d_q -= d_p * 0.5 * h * k * math.cos(positions[t])
    return q * q + p * p, (d_q, d_p, d_k)


def leapfrog_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(q0, p0, k):
        h = 0.001

        def step(state, _):
            q, p = state
            p = p - 0.5 * h * k * jnp.sin(q)
            q = q + h * p
            p = p - 0.5 * h * k * jnp.sin(q)
            return (q, p), None

        (q, p), _ = jax.lax.scan(step, (q0, p0), None, length=10000)
        return q * q + p * p

    return jax_gradient(primal, (0, 1, 2))


def lotka_volterra(p, data):
    x, y, h, total = 1.0, 1.0, 0.01, 0.0
    for t in range(data.shape[0]):
        dx = p[0] * x - p[1] * x * y
        dy = p[3] * x * y - p[2] * y
        xm, ym = x + 0.5 * h * dx, y + 0.5 * h * dy
        x += h * (p[0] * xm - p[1] * xm * ym)
        y += h * (p[3] * xm * ym - p[2] * ym)
        total += (x - data[t, 0]) ** 2 + (y - data[t, 1]) ** 2
    return total


@njit(error_model="numpy")
def lotka_volterra_by_hand(p, data):
    n, h = data.shape[0], 0.01
    states = np.empty((n + 1, 2))
    x, y, total = 1.0, 1.0, 0.0
    for t in range(n):
        states[t, 0], states[t, 1] = x, y
        xm = x + 0.5 * h * (p[0] * x - p[1] * x * y)
        ym = y + 0.5 * h * (p[3] * x * y - p[2] * y)
        x += h * (p[0] * xm - p[1] * xm * ym)
        y += h * (p[3] * xm * ym - p[2] * ym)
        total += (x - data[t, 0]) ** 2 + (y - data[t, 1]) ** 2
    states[n, 0], states[n, 1] = x, y
    d0 = d1 = d2 = d3 = d_x = d_y = 0.0
    for t in range(n - 1, -1, -1):
        d_x += 2.0 * (states[t + 1, 0] - data[t, 0])
        d_y += 2.0 * (states[t + 1, 1] - data[t, 1])
        x, y = states[t, 0], states[t, 1]
        xm = x + 0.5 * h * (p[0] * x - p[1] * x * y)
        ym = y + 0.5 * h * (p[3] * x * y - p[2] * y)
        d_fx, d_fy = h * d_x, h * d_y
        d0 += d_fx * xm
        d1 -= d_fx * xm * ym
        d2 -= d_fy * ym
        d3 += d_fy * xm * ym
        d_xm = d_fx * (p[0] - p[1] * ym) + d_fy * p[3] * ym
        d_ym = d_fy * (p[3] * xm - p[2]) - d_fx * p[1] * xm
        d_fx, d_fy = 0.5 * h * d_xm, 0.5 * h * d_ym
        d0 += d_fx * x
        d1 -= d_fx * x * y
        d2 -= d_fy * y
        d3 += d_fy * x * y
        d_x += d_xm + d_fx * (p[0] - p[1] * y) + d_fy * p[3] * y
        d_y += d_ym + d_fy * (p[3] * x - p[2]) - d_fx * p[1] * x
    return total, (np.array([d0, d1, d2, d3]),)


def lotka_volterra_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(p, data):
        def rates(x, y):
            return p[0] * x - p[1] * x * y, p[3] * x * y - p[2] * y

        def step(state, row):
            (x, y), h = state, 0.01
            dx, dy = rates(x, y)
            dx, dy = rates(x + 0.5 * h * dx, y + 0.5 * h * dy)
            x, y = x + h * dx, y + h * dy
            return (x, y), (x - row[0]) ** 2 + (y - row[1]) ** 2

        return jnp.sum(jax.lax.scan(step, (1.0, 1.0), data)[1])

    return jax_gradient(primal, (0,))


WORKLOADS = [
    Workload(
        recurrence,
        lambda rng: (0.9, rng.normal(size=1000)),
        (0, 1),
        recurrence_by_hand,
        recurrence_in_jax,
        torch=recurrence_in_torch,
        autograd=recurrence_in_autograd,
    ),
    Workload(
        garch,
        lambda rng: (np.array([0.1, 0.1, 0.8]), rng.normal(size=2000)),
        (0,),
        garch_by_hand,
        garch_in_jax,
    ),
    Workload(kalman, lambda rng: (0.3, 0.5, rng.normal(size=2000)), (0, 1), kalman_by_hand, kalman_in_jax),
    Workload(leapfrog, lambda rng: (1.0, 0.3, 1.7), (0, 1, 2), leapfrog_by_hand, leapfrog_in_jax),
    Workload(
        lotka_volterra,
        lambda rng: (np.array([1.1, 0.4, 0.4, 0.1]), rng.uniform(0.5, 1.5, (1000, 2))),
        (0,),
        lotka_volterra_by_hand,
        lotka_volterra_in_jax,
    ),
]
