"""Programs whose grids are closed: the last point is a neighbour of the first."""

from __future__ import annotations

import numpy as np

from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def wave_on_ring(u0, viscosity, steps):
    n = len(u0)
    dt, dx = 0.001, 1.0 / n
    u = u0.copy()
    for _ in range(steps):
        new = np.empty(n)
        for i in range(n):
            right, left = u[(i + 1) % n], u[(i - 1) % n]
            slope, bend = (right - left) / (2 * dx), (right - 2 * u[i] + left) / dx**2
            new[i] = u[i] + dt * (viscosity * bend - u[i] * slope)
        u = new
    return np.sum(u**2)


@by_hand
def wave_on_ring_by_hand(u0, viscosity, steps):
    n = len(u0)
    c, b = 0.0005 * n, 0.001 * n * n
    k = viscosity * b
    states = np.empty((steps + 1, n))
    states[0] = u0
    for t in range(steps):
        u, new = states[t], states[t + 1]
        for i in range(1, n - 1):
            new[i] = u[i] + k * (u[i + 1] - 2 * u[i] + u[i - 1]) - c * u[i] * (u[i + 1] - u[i - 1])
        for i in (0, n - 1):
            right, left = u[(i + 1) % n], u[i - 1]
            new[i] = u[i] + k * (right - 2 * u[i] + left) - c * u[i] * (right - left)
    d, before, d_k = 2 * states[steps], np.empty(n), 0.0
    for t in range(steps - 1, -1, -1):
        u = states[t]
        for i in range(1, n - 1):
            here = d[i] * (1 - c * (u[i + 1] - u[i - 1]) - 2 * k)
            before[i] = here + d[i - 1] * (k - c * u[i - 1]) + d[i + 1] * (k + c * u[i + 1])
            d_k += d[i] * (u[i + 1] - 2 * u[i] + u[i - 1])
        for i in (0, n - 1):
            r, p = (i + 1) % n, i - 1
            here = d[i] * (1 - c * (u[r] - u[p]) - 2 * k)
            before[i] = here + d[p] * (k - c * u[p]) + d[r] * (k + c * u[r])
            d_k += d[i] * (u[r] - 2 * u[i] + u[p])
        d, before = before, d
    return np.sum(states[steps] ** 2), (d, b * d_k)


def wave_on_ring_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, viscosity, steps):
        n = len(u0)
        dt, dx = 0.001, 1.0 / n

        def step(u, _):
            right, left = jnp.roll(u, -1), jnp.roll(u, 1)
            bend = (right - 2 * u + left) / dx**2
            return u + dt * (viscosity * bend - u * (right - left) / (2 * dx)), None

        return jnp.sum(jax.lax.scan(step, u0, None, length=100)[0] ** 2)

    return jax_gradient(primal, (0, 1))


def spots_on_torus(u0, v0, feed, kill, steps):
    n, m = u0.shape
    u, v = u0.copy(), v0.copy()
    u_new, v_new = np.empty((n, m)), np.empty((n, m))
    for _ in range(steps):
        for i in range(n):
            up, down = (i - 1) % n, (i + 1) % n
            for j in range(m):
                left, right = (j - 1) % m, (j + 1) % m
                lap_u = u[up, j] + u[down, j] + u[i, left] + u[i, right] - 4 * u[i, j]
                lap_v = v[up, j] + v[down, j] + v[i, left] + v[i, right] - 4 * v[i, j]
                reaction = u[i, j] * v[i, j] ** 2
                u_new[i, j] = u[i, j] + 0.16 * lap_u - reaction + feed * (1 - u[i, j])
                v_new[i, j] = v[i, j] + 0.08 * lap_v + reaction - (feed + kill) * v[i, j]
        u, u_new = u_new, u
        v, v_new = v_new, v
    return np.sum(v)


@by_hand
def _laplacian(row, up, down, out):
    """Write the sum of the differences to four neighbours on a torus, for one row."""
    m = len(row)
    for j in range(1, m - 1):
        out[j] = up[j] + down[j] + row[j - 1] + row[j + 1] - 4 * row[j]
    for j in (0, m - 1):
        out[j] = up[j] + down[j] + row[j - 1] + row[(j + 1) % m] - 4 * row[j]


@by_hand
def spots_on_torus_by_hand(u0, v0, feed, kill, steps):
    n, m = u0.shape
    us, vs = np.empty((steps + 1, n, m)), np.empty((steps + 1, n, m))
    lap_u, lap_v = np.empty(m), np.empty(m)
    us[0], vs[0] = u0, v0
    for t in range(steps):
        for i in range(n):
            u, v, u_new, v_new = us[t, i], vs[t, i], us[t + 1, i], vs[t + 1, i]
            _laplacian(u, us[t, i - 1], us[t, (i + 1) % n], lap_u)
            _laplacian(v, vs[t, i - 1], vs[t, (i + 1) % n], lap_v)
            for j in range(m):
                reaction = u[j] * v[j] ** 2
                u_new[j] = u[j] + 0.16 * lap_u[j] - reaction + feed * (1 - u[j])
                v_new[j] = v[j] + 0.08 * lap_v[j] + reaction - (feed + kill) * v[j]
    d_u, d_v, d_feed, d_kill = np.zeros((n, m)), np.ones((n, m)), 0.0, 0.0
    e_u, e_v = np.empty((n, m)), np.empty((n, m))
    for t in range(steps - 1, -1, -1):
        for i in range(n):
            u, v, du, dv, eu, ev = us[t, i], vs[t, i], d_u[i], d_v[i], e_u[i], e_v[i]
            _laplacian(du, d_u[i - 1], d_u[(i + 1) % n], lap_u)
            _laplacian(dv, d_v[i - 1], d_v[(i + 1) % n], lap_v)
            for j in range(m):
                through = dv[j] - du[j]
                eu[j] = du[j] * (1 - feed) + 0.16 * lap_u[j] + through * v[j] * v[j]
                ev[j] = dv[j] * (1 - feed - kill) + 0.08 * lap_v[j] + 2 * through * u[j] * v[j]
                d_feed += du[j] * (1 - u[j]) - dv[j] * v[j]
                d_kill -= dv[j] * v[j]
        d_u, e_u = e_u, d_u
        d_v, e_v = e_v, d_v
    return np.sum(vs[steps]), (d_u, d_v, d_feed, d_kill)


def spots_on_torus_in_jax():
    import jax
    import jax.numpy as jnp

    def laplacian(u):
        return jnp.roll(u, 1, 0) + jnp.roll(u, -1, 0) + jnp.roll(u, 1, 1) + jnp.roll(u, -1, 1) - 4 * u

    def primal(u0, v0, feed, kill, steps):
        def step(state, _):
            u, v = state
            reaction = u * v**2
            u_new = u + 0.16 * laplacian(u) - reaction + feed * (1 - u)
            return (u_new, v + 0.08 * laplacian(v) + reaction - (feed + kill) * v), None

        return jnp.sum(jax.lax.scan(step, (u0, v0), None, length=20)[0][1])

    return jax_gradient(primal, (0, 1, 2, 3))


WORKLOADS = [
    Workload(
        wave_on_ring,
        lambda rng: (
            0.5 + 0.2 * np.sin(np.linspace(0.0, 6.28, 1000)) + 0.01 * rng.uniform(size=1000),
            4e-4,
            100,
        ),
        (0, 1),
        wave_on_ring_by_hand,
        wave_on_ring_in_jax,
    ),
    Workload(
        spots_on_torus,
        lambda rng: (rng.uniform(size=(64, 64)), rng.uniform(size=(64, 64)), 0.035, 0.06, 20),
        (0, 1, 2, 3),
        spots_on_torus_by_hand,
        spots_on_torus_in_jax,
    ),
]
