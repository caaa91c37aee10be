"""Stencils swept over a grid in time, in loops."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient

SWEEPS = 20


def jacobi_2d(a):
    a, b, n = a.copy(), a.copy(), a.shape[0]
    for _ in range(SWEEPS):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                a[i, j] = 0.2 * (b[i, j] + b[i, j - 1] + b[i, j + 1] + b[i + 1, j] + b[i - 1, j])
    return np.sum(a * a)


@njit(error_model="numpy")
def _spread(source, target):
    """Reverse one sweep: gather, so that the inner loop can be vectorised."""
    n = source.shape[0]
    for i in range(1, n - 1):
        for j in range(1, n - 1):
            target[i - 1, j] += 0.2 * source[i, j]
        for j in range(1, n - 1):
            target[i + 1, j] += 0.2 * source[i, j]
        for j in range(1, n - 1):
            target[i, j - 1] += 0.2 * source[i, j]
        for j in range(1, n - 1):
            target[i, j + 1] += 0.2 * source[i, j]
        for j in range(1, n - 1):
            target[i, j] += 0.2 * source[i, j]
            source[i, j] = 0.0


@njit(error_model="numpy")
def jacobi_2d_by_hand(a):
    a, b, n = a.copy(), a.copy(), a.shape[0]
    for _ in range(SWEEPS):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                a[i, j] = 0.2 * (b[i, j] + b[i, j - 1] + b[i, j + 1] + b[i + 1, j] + b[i - 1, j])
    d_a, d_b = 2.0 * a, np.zeros_like(b)
    for _ in range(SWEEPS):
        _spread(d_a, d_b)
        _spread(d_b, d_a)
    return np.sum(a * a), (d_a + d_b,)


def jacobi_2d_in_jax():
    import jax
    import jax.numpy as jnp

    def sweep(source, target):
        inner = (
            source[1:-1, 1:-1] + source[1:-1, :-2] + source[1:-1, 2:] + source[2:, 1:-1] + source[:-2, 1:-1]
        )
        return target.at[1:-1, 1:-1].set(0.2 * inner)

    def primal(a):
        def step(state, _):
            a, b = state
            b = sweep(a, b)
            return (sweep(b, a), b), None

        (a, _), _ = jax.lax.scan(step, (a, a), None, length=SWEEPS)
        return jnp.sum(a * a)

    return jax_gradient(primal, (0,))


def seidel_2d(a):
    a, n = a.copy(), a.shape[0]
    for _ in range(SWEEPS):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                above = a[i - 1, j - 1] + a[i - 1, j] + a[i - 1, j + 1]
                below = a[i + 1, j - 1] + a[i + 1, j] + a[i + 1, j + 1]
                a[i, j] = (above + a[i, j - 1] + a[i, j] + a[i, j + 1] + below) / 9.0
    return np.sum(a * a)


@njit(error_model="numpy")
def seidel_2d_by_hand(a):
    a, n = a.copy(), a.shape[0]
    for _ in range(SWEEPS):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                above = a[i - 1, j - 1] + a[i - 1, j] + a[i - 1, j + 1]
                below = a[i + 1, j - 1] + a[i + 1, j] + a[i + 1, j + 1]
                a[i, j] = (above + a[i, j - 1] + a[i, j] + a[i, j + 1] + below) / 9.0
    d_a = 2.0 * a
    for _ in range(SWEEPS):
        for i in range(n - 2, 0, -1):
            for j in range(n - 2, 0, -1):
                d = d_a[i, j] / 9.0
                d_a[i, j] = d
                d_a[i - 1, j - 1] += d
                d_a[i - 1, j] += d
                d_a[i - 1, j + 1] += d
                d_a[i, j - 1] += d
                d_a[i, j + 1] += d
                d_a[i + 1, j - 1] += d
                d_a[i + 1, j] += d
                d_a[i + 1, j + 1] += d
    return np.sum(a * a), (d_a,)


def burgers(start, viscosity):
    n = len(start)
    u, new = start.copy(), np.zeros(n)
    for _ in range(100):
        for i in range(1, n - 1):
            new[i] = (
                u[i] - 0.16 * u[i] * (u[i] - u[i - 1]) + 25.0 * viscosity * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            )
        new[0] = 0.0
        new[n - 1] = 0.0
        u, new = new, u
    return np.sum(u * u)


@by_hand
def burgers_by_hand(start, viscosity):
    n, steps, k = len(start), 100, 25.0 * viscosity
    states = np.empty((steps + 1, n))
    states[0] = start
    for t in range(steps):
        u, new = states[t], states[t + 1]
        for i in range(1, n - 1):
            new[i] = u[i] - 0.16 * u[i] * (u[i] - u[i - 1]) + k * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        new[0] = 0.0
        new[n - 1] = 0.0
    d, before, d_k = 2.0 * states[steps], np.empty(n), 0.0
    for t in range(steps - 1, -1, -1):
        u = states[t]
        d[0] = d[n - 1] = 0.0
        for i in range(1, n - 1):
            d_k += d[i] * (u[i + 1] - 2.0 * u[i] + u[i - 1])
            here = d[i] * (1.0 - 0.16 * (2.0 * u[i] - u[i - 1]) - 2.0 * k)
            before[i] = here + d[i + 1] * (0.16 * u[i + 1] + k) + d[i - 1] * k
        before[0] = d[1] * (0.16 * u[1] + k)
        before[n - 1] = d[n - 2] * k
        d, before = before, d
    return np.sum(states[steps] ** 2), (d, 25.0 * d_k)


def burgers_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(start, viscosity):
        def step(u, _):
            inner = u[1:-1] - 0.16 * u[1:-1] * (u[1:-1] - u[:-2])
            inner = inner + 25.0 * viscosity * (u[2:] - 2.0 * u[1:-1] + u[:-2])
            return jnp.zeros_like(u).at[1:-1].set(inner), None

        u, _ = jax.lax.scan(step, start, None, length=100)
        return jnp.sum(u * u)

    return jax_gradient(primal, (0, 1))


def adi(start, steps):
    n = start.shape[0]
    a, b = -0.5, 2.0
    u, v = start.copy(), np.zeros((n, n))
    p, q = np.zeros(n), np.zeros(n)
    for _ in range(steps):
        for i in range(1, n - 1):
            p[0], q[0] = 0.0, 1.0
            for j in range(1, n - 1):
                p[j] = -a / (a * p[j - 1] + b)
                around = 0.5 * u[j, i - 1] + 0.3 * u[j, i] + 0.5 * u[j, i + 1]
                q[j] = (around - a * q[j - 1]) / (a * p[j - 1] + b)
            v[n - 1, i] = 1.0
            for j in range(n - 2, 0, -1):
                v[j, i] = p[j] * v[j + 1, i] + q[j]
        for i in range(1, n - 1):
            p[0], q[0] = 0.0, 1.0
            for j in range(1, n - 1):
                p[j] = -a / (a * p[j - 1] + b)
                around = 0.5 * v[i - 1, j] + 0.3 * v[i, j] + 0.5 * v[i + 1, j]
                q[j] = (around - a * q[j - 1]) / (a * p[j - 1] + b)
            u[i, n - 1] = 1.0
            for j in range(n - 2, 0, -1):
                u[i, j] = p[j] * u[i, j + 1] + q[j]
    return np.sum(u * u)


@njit(error_model="numpy")
def adi_by_hand(start, steps):
    n = start.shape[0]
    a, b = -0.5, 2.0
    u, v = start.copy(), np.zeros((n, n))
    p, q, inverse = np.zeros(n), np.zeros(n), np.zeros(n)
    for j in range(1, n - 1):
        inverse[j] = 1.0 / (a * p[j - 1] + b)
        p[j] = -a * inverse[j]
    for _ in range(steps):
        for i in range(1, n - 1):
            q[0] = 1.0
            for j in range(1, n - 1):
                around = 0.5 * u[j, i - 1] + 0.3 * u[j, i] + 0.5 * u[j, i + 1]
                q[j] = (around - a * q[j - 1]) * inverse[j]
            v[n - 1, i] = 1.0
            for j in range(n - 2, 0, -1):
                v[j, i] = p[j] * v[j + 1, i] + q[j]
        for i in range(1, n - 1):
            q[0] = 1.0
            for j in range(1, n - 1):
                around = 0.5 * v[i - 1, j] + 0.3 * v[i, j] + 0.5 * v[i + 1, j]
                q[j] = (around - a * q[j - 1]) * inverse[j]
            u[i, n - 1] = 1.0
            for j in range(n - 2, 0, -1):
                u[i, j] = p[j] * u[i, j + 1] + q[j]
    d_u, d_v, d_q = 2.0 * u, np.zeros((n, n)), np.zeros(n)
    for _ in range(steps):
        for i in range(n - 2, 0, -1):
            for j in range(1, n - 1):
                d_q[j] = d_u[i, j]
                d_u[i, j] = 0.0
                d_u[i, j + 1] += p[j] * d_q[j]
            d_u[i, n - 1] = 0.0
            for j in range(n - 2, 0, -1):
                e = d_q[j] * inverse[j]
                d_v[i - 1, j] += 0.5 * e
                d_v[i, j] += 0.3 * e
                d_v[i + 1, j] += 0.5 * e
                d_q[j - 1] -= a * e
        for i in range(n - 2, 0, -1):
            for j in range(1, n - 1):
                d_q[j] = d_v[j, i]
                d_v[j, i] = 0.0
                d_v[j + 1, i] += p[j] * d_q[j]
            d_v[n - 1, i] = 0.0
            for j in range(n - 2, 0, -1):
                e = d_q[j] * inverse[j]
                d_u[j, i - 1] += 0.5 * e
                d_u[j, i] += 0.3 * e
                d_u[j, i + 1] += 0.5 * e
                d_q[j - 1] -= a * e
    return np.sum(u * u), (d_u,)


WORKLOADS = [
    Workload(adi, lambda rng: (rng.normal(size=(60, 60)), 10), (0,), adi_by_hand),
    Workload(jacobi_2d, lambda rng: (rng.normal(size=(60, 60)),), (0,), jacobi_2d_by_hand, jacobi_2d_in_jax),
    Workload(seidel_2d, lambda rng: (rng.normal(size=(60, 60)),), (0,), seidel_2d_by_hand),
    Workload(
        burgers,
        lambda rng: (np.sin(np.linspace(0.0, 6.28, 1000)), 0.01),
        (0, 1),
        burgers_by_hand,
        burgers_in_jax,
    ),
]
