"""Programs whose time steps take turns with two buffers, and whose fluxes depend on the sign of the speed."""

from __future__ import annotations

import numpy as np

from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def rod_in_buffers(u0, k, steps):
    n = len(u0)
    b = [u0.copy(), np.zeros(n)]
    for t in range(steps):
        now, new = b[t % 2], b[(t + 1) % 2]
        new[0], new[n - 1] = now[0], now[n - 1]
        for i in range(1, n - 1):
            new[i] = now[i] + k * (now[i + 1] - 2.0 * now[i] + now[i - 1])
    last = b[steps % 2]
    total = 0.0
    for i in range(n):
        total += last[i] ** 2
    return total


@by_hand
def rod_in_buffers_by_hand(u0, k, steps):
    n = len(u0)
    u, bend = np.empty((2, n)), np.empty((steps, n))
    u[0] = u0
    for t in range(steps):
        now, new, bent = u[t % 2], u[(t + 1) % 2], bend[t]
        new[0], new[n - 1] = now[0], now[n - 1]
        for i in range(1, n - 1):
            bent[i] = now[i + 1] - 2.0 * now[i] + now[i - 1]
            new[i] = now[i] + k * bent[i]
    total, d, before, d_k = 0.0, np.zeros(n + 2), np.zeros(n + 2), 0.0
    for i in range(n):
        total += u[steps % 2, i] ** 2
        d[i + 1] = 2.0 * u[steps % 2, i]
    for t in range(steps - 1, -1, -1):
        bent = bend[t]
        first, last = d[1], d[n]
        d[1] = d[n] = 0.0
        for i in range(1, n - 1):
            d_k += d[i + 1] * bent[i]
        for i in range(n):
            before[i + 1] = d[i + 1] + k * (d[i] - 2.0 * d[i + 1] + d[i + 2])
        before[1] += first
        before[n] += last
        d, before = before, d
    return total, (d[1 : n + 1], d_k)


def rod_in_buffers_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, k, steps):
        def step(u, _):
            return u.at[1:-1].add(k * (u[2:] - 2.0 * u[1:-1] + u[:-2])), None

        return jnp.sum(jax.lax.scan(step, u0, None, length=100)[0] ** 2)

    return jax_gradient(primal, (0, 1))


def upwind_fluxes(u0, speed, dt, steps):
    n = len(u0)
    u, flux = u0.copy(), np.zeros(n + 1)
    for _ in range(steps):
        for i in range(1, n):
            if speed[i] > 0.0:
                flux[i] = speed[i] * u[i - 1]
            else:
                flux[i] = speed[i] * u[i]
        for i in range(n):
            u[i] -= dt * (flux[i + 1] - flux[i])
    return np.sum(u * u)


@by_hand
def upwind_fluxes_by_hand(u0, speed, dt, steps):
    n = len(u0)
    right, left = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(1, n):
        right[i], left[i] = max(speed[i], 0.0), min(speed[i], 0.0)
    states, flux = np.empty((steps + 1, n)), np.zeros(n + 1)
    states[0] = u0
    for t in range(steps):
        u, new = states[t], states[t + 1]
        for i in range(1, n):
            flux[i] = right[i] * u[i - 1] + left[i] * u[i]
        for i in range(n):
            new[i] = u[i] - dt * (flux[i + 1] - flux[i])
    d, d_speed = 2.0 * states[steps], np.zeros(n)
    for t in range(steps - 1, -1, -1):
        u = states[t]
        for i in range(1, n):
            flux[i] = dt * (d[i] - d[i - 1])
            d_speed[i] += flux[i] * (u[i - 1] if speed[i] > 0.0 else u[i])
        for i in range(n):
            d[i] += right[i + 1] * flux[i + 1] + left[i] * flux[i]
    return np.sum(states[steps] ** 2), (d, d_speed)


def upwind_fluxes_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, speed, dt, steps):
        def step(u, _):
            flux = jnp.where(speed[1:] > 0.0, speed[1:] * u[:-1], speed[1:] * u[1:])
            return u - dt * jnp.diff(jnp.pad(flux, 1)), None

        return jnp.sum(jax.lax.scan(step, u0, None, length=100)[0] ** 2)

    return jax_gradient(primal, (0, 1))


WORKLOADS = [
    Workload(
        rod_in_buffers,
        lambda rng: (rng.normal(size=500), 0.2, 100),
        (0, 1),
        rod_in_buffers_by_hand,
        rod_in_buffers_in_jax,
    ),
    Workload(
        upwind_fluxes,
        lambda rng: (rng.normal(size=500), rng.normal(size=500), 0.1, 100),
        (0, 1),
        upwind_fluxes_by_hand,
        upwind_fluxes_in_jax,
    ),
]
