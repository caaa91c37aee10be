"""Programs in time as users write them: paths, filters, cells, schemes that solve a system in each step."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient

LANES = 16


def heston(s0, v0, kappa, theta, xi, rho, r, strike, T, z1, z2):
    n_paths, n_steps = z1.shape
    dt = T / n_steps
    total = 0.0
    for p in range(n_paths):
        log_s = math.log(s0)
        v = v0
        for t in range(n_steps):
            vol = math.sqrt(max(v, 1e-8) * dt)
            dw = rho * z1[p, t] + math.sqrt(1.0 - rho * rho) * z2[p, t]
            log_s += (r - 0.5 * v) * dt + vol * z1[p, t]
            v = v + kappa * (theta - v) * dt + xi * vol * dw
        total += max(math.exp(log_s) - strike, 0.0)
    return math.exp(-r * T) * total / n_paths


@by_hand
def heston_by_hand(s0, v0, kappa, theta, xi, rho, r, strike, T, z1, z2):
    n_paths, n_steps = z1.shape
    dt, other, log_s0 = T / n_steps, math.sqrt(1.0 - rho * rho), math.log(s0)
    variances, volatilities = np.empty((n_steps, LANES)), np.empty((n_steps, LANES))
    log_s, v, d_s, d_v = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    a, b = np.empty((n_steps, LANES)), np.empty((n_steps, LANES))
    total = sum_s = sum_v0 = sum_kappa = sum_theta = sum_xi = sum_rho = 0.0
    for first in range(0, n_paths, LANES):
        count = min(LANES, n_paths - first)
        for q in range(LANES):
            p = first + min(q, count - 1)
            for t in range(n_steps):
                a[t, q] = z1[p, t]
                b[t, q] = z2[p, t]
            log_s[q], v[q] = log_s0, v0
        for t in range(n_steps):
            for q in range(LANES):
                variance = v[q]
                vol = math.sqrt(max(variance, 1e-8) * dt)
                variances[t, q], volatilities[t, q] = variance, vol
                log_s[q] += (r - 0.5 * variance) * dt + vol * a[t, q]
                v[q] = (
                    variance + kappa * (theta - variance) * dt + xi * vol * (rho * a[t, q] + other * b[t, q])
                )
        paid = False
        for q in range(LANES):
            s = fast.exp(log_s[q])
            in_money = s > strike and q < count
            d_s[q] = s if in_money else 0.0
            total += s - strike if in_money else 0.0
            d_v[q] = 0.0
            paid |= in_money
        if not paid:
            continue
        for t in range(n_steps - 1, -1, -1):
            for q in range(LANES):
                variance, vol, x = variances[t, q], volatilities[t, q], a[t, q]
                dw, d = rho * x + other * b[t, q], d_v[q]
                sum_kappa += d * (theta - variance)
                sum_theta += d
                sum_xi += d * vol * dw
                sum_rho += d * vol * (x - rho / other * b[t, q])
                d_vol = d_s[q] * x + d * xi * dw
                through = d_vol * 0.5 * dt / vol if variance > 1e-8 else 0.0
                d_v[q] = d * (1.0 - kappa * dt) - 0.5 * dt * d_s[q] + through
        for q in range(LANES):
            sum_s += d_s[q]
            sum_v0 += d_v[q]
    scale = math.exp(-r * T) / n_paths
    d_r = scale * T * (sum_s - total)
    return scale * total, (
        scale * sum_s / s0,
        scale * sum_v0,
        scale * sum_kappa * dt,
        scale * sum_theta * kappa * dt,
        scale * sum_xi,
        scale * sum_rho * xi,
        d_r,
    )


def heston_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(s0, v0, kappa, theta, xi, rho, r, strike, T, z1, z2):
        dt = T / z1.shape[1]
        dw = rho * z1 + jnp.sqrt(1.0 - rho * rho) * z2

        def step(state, z):
            log_s, v = state
            x, w = z
            vol = jnp.sqrt(jnp.maximum(v, 1e-8) * dt)
            return (log_s + (r - 0.5 * v) * dt + vol * x, v + kappa * (theta - v) * dt + xi * vol * w), None

        start = jnp.full(z1.shape[0], jnp.log(s0)), jnp.full(z1.shape[0], v0)
        (log_s, _), _ = jax.lax.scan(step, start, (z1.T, dw.T))
        return jnp.exp(-r * T) * jnp.mean(jnp.maximum(jnp.exp(log_s) - strike, 0.0))

    return jax_gradient(primal, (0, 1, 2, 3, 4, 5, 6))


@njit(error_model="numpy")
def rates(x, y):
    dy = np.empty_like(y)
    dy[0] = x[0]
    dy[1:] = x[1:] * y[:-1]
    return dy


def chain_ode(x, start, steps):
    y = start
    h = 2.0 / steps
    for _ in range(steps):
        k1 = rates(x, y)
        k2 = rates(x, y + 0.5 * h * k1)
        k3 = rates(x, y + 0.5 * h * k2)
        k4 = rates(x, y + h * k3)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(y)


@by_hand
def chain_ode_by_hand(x, start, steps):
    n, h = len(x), 2.0 / steps
    stages, y = np.zeros((steps, 4, n + 1)), np.zeros(n + 1)  # each with a 1 before the first element
    y[0] = 1.0
    y[1:] = start
    for t in range(steps):
        one, two, three, four = stages[t, 0], stages[t, 1], stages[t, 2], stages[t, 3]
        one[0] = two[0] = three[0] = four[0] = 1.0
        one[1:] = y[1:]
        for i in range(n):
            two[i + 1] = one[i + 1] + 0.5 * h * x[i] * one[i]
        for i in range(n):
            three[i + 1] = one[i + 1] + 0.5 * h * x[i] * two[i]
        for i in range(n):
            four[i + 1] = one[i + 1] + h * x[i] * three[i]
        for i in range(n):
            y[i + 1] = one[i + 1] + h / 6.0 * x[i] * (one[i] + 2.0 * (two[i] + three[i]) + four[i])
    d_x, d, e2, e3, e4 = np.zeros(n), np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    d[:n] = 1.0
    for t in range(steps - 1, -1, -1):
        one, two, three, four = stages[t, 0], stages[t, 1], stages[t, 2], stages[t, 3]
        for i in range(n - 1):
            e4[i] = h / 6.0 * d[i + 1] * x[i + 1]
        for i in range(n - 1):
            e3[i] = (h / 3.0 * d[i + 1] + h * e4[i + 1]) * x[i + 1]
        for i in range(n - 1):
            e2[i] = (h / 3.0 * d[i + 1] + 0.5 * h * e3[i + 1]) * x[i + 1]
        for i in range(n):
            along = h / 6.0 * d[i]
            second, third = 2.0 * along + 0.5 * h * e3[i], 2.0 * along + h * e4[i]
            first = along + 0.5 * h * e2[i]
            d_x[i] += first * one[i] + second * two[i] + third * three[i] + along * four[i]
        for i in range(n - 1):
            d[i] += (h / 6.0 * d[i + 1] + 0.5 * h * e2[i + 1]) * x[i + 1] + e2[i] + e3[i] + e4[i]
    return np.sum(y[1:]), (d_x,)


def chain_ode_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, start, steps):
        h = 2.0 / steps

        def slope(y):
            return x * jnp.concatenate((jnp.ones(1), y[:-1]))

        def step(y, _):
            k1 = slope(y)
            k2 = slope(y + 0.5 * h * k1)
            k3 = slope(y + 0.5 * h * k2)
            k4 = slope(y + h * k3)
            return y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

        return jnp.sum(jax.lax.scan(step, start, None, length=10)[0])

    return jax_gradient(primal, (0,))


def iir_cascade(b, a, x, target):
    y = x.copy()
    for s in range(b.shape[0]):
        z1 = 0.0
        z2 = 0.0
        for t in range(len(y)):
            out = b[s, 0] * y[t] + z1
            z1 = b[s, 1] * y[t] - a[s, 0] * out + z2
            z2 = b[s, 2] * y[t] - a[s, 1] * out
            y[t] = out
    return np.mean((y - target) ** 2)


@by_hand
def iir_cascade_by_hand(b, a, x, target):
    n, sections = len(x), b.shape[0]
    signals, first, second = np.empty((n, sections + 1)), np.zeros(sections), np.zeros(sections)
    value = 0.0
    for t in range(n):
        v = x[t]
        signals[t, 0] = v
        for s in range(sections):
            out = b[s, 0] * v + first[s]
            first[s] = b[s, 1] * v - a[s, 0] * out + second[s]
            second[s] = b[s, 2] * v - a[s, 1] * out
            v = signals[t, s + 1] = out
        value += (v - target[t]) ** 2
    first[:] = 0.0
    second[:] = 0.0
    sums = np.zeros((5, sections))
    for t in range(n - 1, -1, -1):
        d = 2.0 / n * (signals[t, sections] - target[t])
        for s in range(sections - 1, -1, -1):
            one, two, v, out = first[s], second[s], signals[t, s], signals[t, s + 1]
            d = d - a[s, 0] * one - a[s, 1] * two
            sums[0, s] += d * v
            sums[1, s] += one * v
            sums[2, s] += two * v
            sums[3, s] -= one * out
            sums[4, s] -= two * out
            first[s], second[s] = d, one
            d = b[s, 0] * d + b[s, 1] * one + b[s, 2] * two
    return value / n, (sums[:3].T.copy(), sums[3:].T.copy())


def iir_cascade_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(b, a, x, target):
        def step(state, v):
            found = []
            for s in range(b.shape[0]):
                z1, z2 = state[s]
                out = b[s, 0] * v + z1
                found.append((b[s, 1] * v - a[s, 0] * out + z2, b[s, 2] * v - a[s, 1] * out))
                v = out
            return found, v

        y = jax.lax.scan(step, [(0.0, 0.0)] * b.shape[0], x)[1]
        return jnp.mean((y - target) ** 2)

    return jax_gradient(primal, (0, 1))


def fir_filter(taps, x, target):
    loss = 0.0
    for t in range(len(x) - len(taps) + 1):
        y = 0.0
        for k in range(len(taps)):
            y += taps[k] * x[t + k]
        loss += (y - target[t]) ** 2
    return loss


@by_hand
def fir_filter_by_hand(taps, x, target):
    m, n = len(taps), len(x) - len(taps) + 1
    d, d_taps, d_x = np.zeros(n + 2 * m - 2), np.zeros(m), np.empty(len(x))
    turned = taps[::-1].copy()
    loss = 0.0
    for t in range(n):
        y = 0.0
        for k in range(m):
            y += taps[k] * x[t + k]
        error = y - target[t]
        loss += error * error
        error *= 2.0
        d[t + m - 1] = error
        for k in range(m):
            d_taps[k] += error * x[t + k]
    for s in range(len(x)):
        total = 0.0
        for k in range(m):
            total += turned[k] * d[s + k]
        d_x[s] = total
    return loss, (d_taps, d_x)


def fir_filter_in_jax():
    import jax.numpy as jnp

    def primal(taps, x, target):
        return jnp.sum((jnp.convolve(x, taps[::-1], mode="valid") - target) ** 2)

    return jax_gradient(primal, (0, 1))


def crank_nicolson(u0, conductivity, measured, dt, dx, steps):
    n = len(u0)
    r = 0.5 * conductivity * dt / (dx * dx)
    u = u0.copy()
    c, d = np.empty(n), np.empty(n)
    misfit = 0.0
    for t in range(steps):
        for i in range(n):
            left = u[i - 1] if i > 0 else 0.0
            right = u[i + 1] if i < n - 1 else 0.0
            d[i] = u[i] + r * (left - 2.0 * u[i] + right)
        c[0] = -r / (1.0 + 2.0 * r)
        d[0] = d[0] / (1.0 + 2.0 * r)
        for i in range(1, n):
            m = 1.0 + 2.0 * r + r * c[i - 1]
            c[i] = -r / m
            d[i] = (d[i] + r * d[i - 1]) / m
        u[n - 1] = d[n - 1]
        for i in range(n - 2, -1, -1):
            u[i] = d[i] - c[i] * u[i + 1]
        misfit += (u[n // 2] - measured[t]) ** 2
    return misfit


@by_hand
def crank_nicolson_by_hand(u0, conductivity, measured, dt, dx, steps):
    n, r = len(u0), 0.5 * conductivity * dt / (dx * dx)
    states, inverse, ratio = np.zeros((steps + 1, n + 2)), np.empty(n + 1), np.empty(n + 1)
    states[0, 1 : n + 1] = u0
    inverse[0] = ratio[0] = 0.0
    for i in range(1, n + 1):
        inverse[i] = 1.0 / (1.0 + 2.0 * r - r * ratio[i - 1])
        ratio[i] = r * inverse[i]
    misfit = 0.0
    right = np.zeros(n + 2)
    for t in range(steps):
        u, after = states[t], states[t + 1]
        for i in range(1, n + 1):
            right[i] = (u[i] + r * (u[i - 1] - 2.0 * u[i] + u[i + 1])) * inverse[i]
        carried = 0.0
        for i in range(1, n + 1):
            carried = right[i] = right[i] + ratio[i] * carried
        carried = 0.0
        for i in range(n, 0, -1):
            carried = after[i] = right[i] + ratio[i] * carried
        misfit += (after[n // 2 + 1] - measured[t]) ** 2
    d_u, d_r = np.zeros(n + 2), 0.0
    for t in range(steps - 1, -1, -1):
        u, after = states[t], states[t + 1]
        d_u[n // 2 + 1] += 2.0 * (after[n // 2 + 1] - measured[t])
        for i in range(1, n + 1):
            right[i] = d_u[i] * inverse[i]
        carried = 0.0
        for i in range(1, n + 1):
            carried = right[i] = right[i] + ratio[i] * carried
        carried = 0.0
        for i in range(n, 0, -1):
            carried = right[i] = right[i] + ratio[i] * carried
        for i in range(1, n + 1):
            second = u[i - 1] + after[i - 1] - 2.0 * (u[i] + after[i]) + u[i + 1] + after[i + 1]
            d_r += right[i] * second
            d_u[i] = right[i] + r * (right[i - 1] - 2.0 * right[i] + right[i + 1])
    return misfit, (d_u[1 : n + 1].copy(), d_r * 0.5 * dt / (dx * dx))


def crank_nicolson_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, conductivity, measured, dt, dx, steps):
        n, r = len(u0), 0.5 * conductivity * dt / (dx * dx)
        off = jnp.full(n, -r)
        low, up, diagonal = off.at[0].set(0.0), off.at[-1].set(0.0), jnp.full(n, 1.0 + 2.0 * r)

        def step(u, m):
            beside = jnp.pad(u, 1)
            right = u + r * (beside[:-2] - 2.0 * u + beside[2:])
            u = jax.lax.linalg.tridiagonal_solve(low, diagonal, up, right[:, None])[:, 0]
            return u, (u[n // 2] - m) ** 2

        return jnp.sum(jax.lax.scan(step, u0, measured)[1])

    return jax_gradient(primal, (0, 1))


def _heston_inputs(rng: np.random.Generator) -> tuple[object, ...]:
    market = 100.0, 0.04, 1.5, 0.04, 0.3, -0.6, 0.02, 105.0, 1.0
    return *market, rng.normal(size=(1000, 50)), rng.normal(size=(1000, 50))


def _iir_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    b = np.array([0.3, 0.4, 0.2]) + 0.05 * rng.normal(size=(6, 3))
    a = np.array([-0.4, 0.2]) + 0.05 * rng.normal(size=(6, 2))
    return b, a, rng.normal(size=2000), rng.normal(size=2000)


WORKLOADS = [
    Workload(heston, _heston_inputs, (0, 1, 2, 3, 4, 5, 6), heston_by_hand, heston_in_jax),
    Workload(
        chain_ode,
        lambda rng: (rng.uniform(0.5, 1.5, 1000), rng.uniform(0.5, 1.5, 1000), 10),
        (0,),
        chain_ode_by_hand,
        chain_ode_in_jax,
        loops=False,
    ),
    Workload(iir_cascade, _iir_inputs, (0, 1), iir_cascade_by_hand, iir_cascade_in_jax),
    Workload(
        fir_filter,
        lambda rng: (rng.normal(size=32), rng.normal(size=4000), rng.normal(size=3969)),
        (0, 1),
        fir_filter_by_hand,
        fir_filter_in_jax,
    ),
    Workload(
        crank_nicolson,
        lambda rng: (rng.normal(size=200), 0.8, rng.normal(size=100), 0.001, 0.02, 100),
        (0, 1),
        crank_nicolson_by_hand,
        crank_nicolson_in_jax,
    ),
]
