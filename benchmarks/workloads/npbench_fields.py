"""Grids, bodies and histograms that NPBench has, in the manner of that suite (Ziogas et al. 2021)."""

from __future__ import annotations

import math

import numpy as np

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def jacobi_1d(A, B, steps):
    A, B = A.copy(), B.copy()
    for _ in range(1, steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])
    return np.sum(A**2)


@by_hand
def jacobi_1d_by_hand(A, B, steps):
    n, third = len(A), 0.33333
    A, B = A.copy(), B.copy()
    for _ in range(1, steps):
        for i in range(1, n - 1):
            B[i] = third * (A[i - 1] + A[i] + A[i + 1])
        for i in range(1, n - 1):
            A[i] = third * (B[i - 1] + B[i] + B[i + 1])
    value, d_A, d_B = 0.0, np.empty(n), np.zeros(n)
    for i in range(n):
        value += A[i] * A[i]
        d_A[i] = 2.0 * A[i]
    for _ in range(1, steps):
        _spread(d_A, d_B)
        _spread(d_B, d_A)
    return value, (d_A, d_B)


@by_hand
def _spread(d, e):
    """Add to e what belongs to a mean of three that is d inside, and clear d there."""
    n, third = len(d), 0.33333
    first, last = d[0], d[n - 1]
    d[0] = d[n - 1] = 0.0
    e[0] += third * d[1]
    e[n - 1] += third * d[n - 2]
    for i in range(1, n - 1):
        e[i] += third * (d[i - 1] + d[i] + d[i + 1])
    d[:] = 0.0
    d[0], d[n - 1] = first, last


def jacobi_1d_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(A, B, steps):
        def step(state, _):
            A, B = state
            B = B.at[1:-1].set(0.33333 * (A[:-2] + A[1:-1] + A[2:]))
            return (A.at[1:-1].set(0.33333 * (B[:-2] + B[1:-1] + B[2:])), B), None

        return jnp.sum(jax.lax.scan(step, (A, B), None, length=99)[0][0] ** 2)

    return jax_gradient(primal, (0, 1))


def fdtd_2d(ex, ey, hz, pulse):
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    for t in range(len(pulse)):
        ey[0, :] = pulse[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz**2)


@by_hand
def fdtd_2d_by_hand(ex, ey, hz, pulse):
    n, m = hz.shape
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    for t in range(len(pulse)):
        ey[0, :] = pulse[t]
        for i in range(n):
            x, h = ex[i], hz[i]
            if i > 0:
                y, up = ey[i], hz[i - 1]
                for j in range(m):
                    y[j] -= 0.5 * (h[j] - up[j])
            for j in range(1, m):
                x[j] -= 0.5 * (h[j] - h[j - 1])
        for i in range(n - 1):
            x, y, down, h = ex[i], ey[i], ey[i + 1], hz[i]
            for j in range(m - 1):
                h[j] -= 0.7 * (x[j + 1] - x[j] + down[j] - y[j])
    value, d_h, d_x, d_y, d_pulse = 0.0, 2.0 * hz, np.zeros((n, m)), np.zeros((n, m)), np.empty(len(pulse))
    for i in range(n):
        for j in range(m):
            value += hz[i, j] ** 2
    for t in range(len(pulse) - 1, -1, -1):
        for i in range(n):
            d, x, y = d_h[i], d_x[i], d_y[i]
            if i < n - 1:
                x[0] += 0.7 * d[0]
                for j in range(1, m - 1):
                    x[j] += 0.7 * (d[j] - d[j - 1])
                x[m - 1] -= 0.7 * d[m - 2]
                for j in range(m - 1):
                    y[j] += 0.7 * d[j]
            if i > 0:
                up = d_h[i - 1]
                for j in range(m - 1):
                    y[j] -= 0.7 * up[j]
        d_pulse[t] = np.sum(d_y[0])
        d_y[0] = 0.0
        for i in range(n):
            d, x, y, down = d_h[i], d_x[i], d_y[i], d_y[min(i + 1, n - 1)]
            if i < n - 1:
                for j in range(m):
                    d[j] -= 0.5 * (y[j] - down[j])
            else:
                for j in range(m):
                    d[j] -= 0.5 * y[j]
            d[0] += 0.5 * x[1]
            for j in range(1, m - 1):
                d[j] -= 0.5 * (x[j] - x[j + 1])
            d[m - 1] -= 0.5 * x[m - 1]
    return value, (d_x, d_y, d_h, d_pulse)


def fdtd_2d_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(ex, ey, hz, pulse):
        def step(state, v):
            ex, ey, hz = state
            ey = ey.at[0, :].set(v)
            ey = ey.at[1:, :].add(-0.5 * (hz[1:, :] - hz[:-1, :]))
            ex = ex.at[:, 1:].add(-0.5 * (hz[:, 1:] - hz[:, :-1]))
            curl = ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1]
            return (ex, ey, hz.at[:-1, :-1].add(-0.7 * curl)), None

        return jnp.sum(jax.lax.scan(step, (ex, ey, hz), pulse)[0][2] ** 2)

    return jax_gradient(primal, (0, 1, 2, 3))


def conv2d_bias(x, weights, bias):
    K = weights.shape[0]
    N, H, W = x.shape[0], x.shape[1] - K + 1, x.shape[2] - K + 1
    out = np.empty((N, H, W, weights.shape[3]))
    for i in range(H):
        for j in range(W):
            part = x[:, i : i + K, j : j + K, :, np.newaxis] * weights[np.newaxis, :, :, :]
            out[:, i, j, :] = np.sum(part, axis=(1, 2, 3))
    return np.sum(np.maximum(out + bias, 0.0) ** 2)


@by_hand
def conv2d_bias_by_hand(x, weights, bias):
    K, _, inner, outer = weights.shape
    N, H, W, width = x.shape[0], x.shape[1] - K + 1, x.shape[2] - K + 1, K * inner
    patches, flat = np.empty((N * H * W, K * width)), weights.reshape(K * width, outer)
    row = 0
    for n in range(N):
        for i in range(H):
            for j in range(W):
                for k in range(K):
                    source = x[n, i + k].reshape(x.shape[2] * inner)
                    for c in range(width):
                        patches[row, k * width + c] = source[j * inner + c]
                row += 1
    out, value, d_bias = patches @ flat, 0.0, np.zeros(outer)
    for p in range(row):
        for c in range(outer):
            v = max(out[p, c] + bias[c], 0.0)
            value += v * v
            out[p, c] = 2.0 * v
            d_bias[c] += 2.0 * v
    d_weights, d_patches, d_x = patches.T @ out, out @ flat.T, np.zeros(x.shape)
    row = 0
    for n in range(N):
        for i in range(H):
            for j in range(W):
                for k in range(K):
                    target = d_x[n, i + k].reshape(x.shape[2] * inner)
                    for c in range(width):
                        target[j * inner + c] += d_patches[row, k * width + c]
                row += 1
    return value, (d_x, d_weights.reshape(weights.shape), d_bias)


def conv2d_bias_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, weights, bias):
        out = jax.lax.conv_general_dilated(
            x, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return jnp.sum(jnp.maximum(out + bias, 0.0) ** 2)

    return jax_gradient(primal, (0, 1, 2))


def nbody(pos, vel, mass, steps, dt, softening):
    def acceleration(pos):
        x, y, z = pos[:, 0:1], pos[:, 1:2], pos[:, 2:3]
        dx, dy, dz = x.T - x, y.T - y, z.T - z
        inv_r3 = (dx**2 + dy**2 + dz**2 + softening**2) ** (-1.5)
        a = np.empty(pos.shape)
        a[:, 0] = (dx * inv_r3) @ mass
        a[:, 1] = (dy * inv_r3) @ mass
        a[:, 2] = (dz * inv_r3) @ mass
        return a

    acc = acceleration(pos)
    for _ in range(steps):
        vel = vel + acc * dt / 2.0
        pos = pos + vel * dt
        acc = acceleration(pos)
        vel = vel + acc * dt / 2.0
    return 0.5 * np.sum(mass * np.sum(vel**2, axis=1))


@by_hand
def nbody_by_hand(pos, vel, mass, steps, dt, softening):
    n, square = len(mass), softening * softening
    places, accs = np.empty((steps + 1, 3, n)), np.empty((steps + 1, 3, n))
    v, cubes = vel.T.copy(), np.empty((steps + 1, n, n))
    places[0] = pos.T
    for t in range(steps + 1):
        p, acc = places[t], accs[t]
        if t > 0:
            for k in range(3):
                for i in range(n):
                    v[k, i] += 0.5 * dt * accs[t - 1, k, i]
                    p[k, i] = places[t - 1, k, i] + dt * v[k, i]
        x, y, z = p[0], p[1], p[2]
        for i in range(n):
            xi, yi, zi, cube = x[i], y[i], z[i], cubes[t, i]
            for j in range(n):
                r2 = (x[j] - xi) ** 2 + (y[j] - yi) ** 2 + (z[j] - zi) ** 2 + square
                cube[j] = 1.0 / (r2 * math.sqrt(r2))
            ax = ay = az = 0.0
            for j in range(n):
                pull = cube[j] * mass[j]
                ax += pull * (x[j] - xi)
                ay += pull * (y[j] - yi)
                az += pull * (z[j] - zi)
            acc[0, i], acc[1, i], acc[2, i] = ax, ay, az
        if t > 0:
            for k in range(3):
                for i in range(n):
                    v[k, i] += 0.5 * dt * acc[k, i]
    d_mass, energy = np.zeros(n), 0.0
    d_v, d_p, d_a = np.empty((3, n)), np.zeros((3, n)), np.empty((3, n))
    for i in range(n):
        d_mass[i] = 0.5 * (v[0, i] ** 2 + v[1, i] ** 2 + v[2, i] ** 2)
        energy += mass[i] * d_mass[i]
        for k in range(3):
            d_v[k, i] = mass[i] * v[k, i]
    for t in range(steps, -1, -1):
        for k in range(3):
            for i in range(n):
                d_a[k, i] = 0.5 * dt * d_v[k, i] if t == steps else dt * d_v[k, i]
        if t == 0:
            for k in range(3):
                for i in range(n):
                    d_a[k, i] = 0.5 * dt * d_v[k, i]
        _attract(places[t], cubes[t], mass, d_a, d_p, d_mass, square)
        if t > 0:
            for k in range(3):
                for i in range(n):
                    d_v[k, i] += dt * d_p[k, i]
    return energy, (d_p.T.copy(), d_v.T.copy(), d_mass)


@by_hand
def _attract(p, cube, mass, d_a, d_p, d_mass, square):
    """Add what belongs to places and masses where d_a belongs to accelerations: each pair from both ends."""
    (x, y, z), (ax, ay, az) = p, d_a
    for i in range(len(mass)):
        xi, yi, zi, axi, ayi, azi, own = x[i], y[i], z[i], ax[i], ay[i], az[i], mass[i]
        gx = gy = gz = gm = 0.0
        row = cube[i]
        for j in range(len(mass)):
            dx, dy, dz, c = x[j] - xi, y[j] - yi, z[j] - zi, row[j]
            ux, uy, uz = axi * mass[j] - ax[j] * own, ayi * mass[j] - ay[j] * own, azi * mass[j] - az[j] * own
            along = 3.0 * c / (dx * dx + dy * dy + dz * dz + square) * (ux * dx + uy * dy + uz * dz)
            gx += along * dx - ux * c
            gy += along * dy - uy * c
            gz += along * dz - uz * c
            gm -= c * (ax[j] * dx + ay[j] * dy + az[j] * dz)
        d_p[0, i] += gx
        d_p[1, i] += gy
        d_p[2, i] += gz
        d_mass[i] += gm


def nbody_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(pos, vel, mass, steps, dt, softening):
        def acceleration(pos):
            apart = pos[None] - pos[:, None]
            inverse = (jnp.sum(apart**2, axis=2) + softening**2) ** (-1.5)
            return jnp.einsum("ijk,ij,j->ik", apart, inverse, mass)

        def step(state, _):
            pos, vel, acc = state
            vel = vel + acc * dt / 2.0
            pos = pos + vel * dt
            acc = acceleration(pos)
            return (pos, vel + acc * dt / 2.0, acc), None

        vel = jax.lax.scan(step, (pos, vel, acceleration(pos)), None, length=20)[0][1]
        return 0.5 * jnp.sum(mass * jnp.sum(vel**2, axis=1))

    return jax_gradient(primal, (0, 1, 2))


def arc_distance(theta_1, phi_1, theta_2, phi_2):
    temp = (
        np.sin((theta_2 - theta_1) / 2.0) ** 2
        + np.cos(theta_1) * np.cos(theta_2) * np.sin((phi_2 - phi_1) / 2.0) ** 2
    )
    return np.sum(2.0 * np.arctan2(np.sqrt(temp), np.sqrt(1.0 - temp)))


@by_hand
def arc_distance_by_hand(theta_1, phi_1, theta_2, phi_2):
    n, value = len(theta_1), 0.0
    d1, e1, d2, e2 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        half, turn = 0.5 * (theta_2[i] - theta_1[i]), 0.5 * (phi_2[i] - phi_1[i])
        a, b, c, d = fast.sin(half), fast.cos(half), fast.sin(turn), fast.cos(turn)
        c1, c2 = fast.cos(theta_1[i]), fast.cos(theta_2[i])
        temp = a * a + c1 * c2 * c * c
        value += 2.0 * fast.atan2(math.sqrt(temp), math.sqrt(1.0 - temp))
        d_temp = 1.0 / math.sqrt(temp * (1.0 - temp))
        square = d_temp * c * c
        d1[i] = -d_temp * a * b - square * c2 * fast.sin(theta_1[i])
        d2[i] = d_temp * a * b - square * c1 * fast.sin(theta_2[i])
        e2[i] = d_temp * c1 * c2 * c * d
        e1[i] = -e2[i]
    return value, (d1, e1, d2, e2)


def arc_distance_in_jax():
    import jax.numpy as jnp

    def primal(theta_1, phi_1, theta_2, phi_2):
        temp = jnp.sin((theta_2 - theta_1) / 2.0) ** 2
        temp += jnp.cos(theta_1) * jnp.cos(theta_2) * jnp.sin((phi_2 - phi_1) / 2.0) ** 2
        return jnp.sum(2.0 * jnp.arctan2(jnp.sqrt(temp), jnp.sqrt(1.0 - temp)))

    return jax_gradient(primal, (0, 1, 2, 3))


def azimint_naive(data, radius, npt):
    rmax = radius.max()
    res = np.zeros(npt)
    for i in range(npt):
        r1 = rmax * i / npt
        r2 = rmax * (i + 1) / npt
        mask = np.logical_and(r1 <= radius, radius < r2)
        res[i] = data[mask].mean()
    return np.sum(res**2)


@by_hand
def azimint_naive_by_hand(data, radius, npt):
    rmax, sums, counts, bins = radius.max(), np.zeros(npt), np.zeros(npt), np.empty(len(data), np.int64)
    for k in range(len(data)):
        b = int(radius[k] * npt / rmax)
        if b < npt and radius[k] < rmax * b / npt:
            b -= 1
        if b < npt and radius[k] >= rmax * (b + 1) / npt:
            b += 1
        bins[k] = b
        if b < npt:
            sums[b] += data[k]
            counts[b] += 1.0
    value, d_data = 0.0, np.zeros(len(data))
    for i in range(npt):
        mean = sums[i] / counts[i]
        value += mean * mean
        sums[i] = 2.0 * mean / counts[i]
    for k in range(len(data)):
        if bins[k] < npt:
            d_data[k] = sums[bins[k]]
    return value, (d_data,)


def _bodies(rng: np.random.Generator) -> tuple[object, ...]:
    return rng.normal(size=(40, 3)), rng.normal(size=(40, 3)), rng.uniform(0.5, 1.0, 40), 20, 0.01, 0.1


def _angles(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return tuple(rng.uniform(0.1, 1.4, 2000) for _ in range(4))


WORKLOADS = [
    Workload(
        jacobi_1d,
        lambda rng: (rng.normal(size=1000), rng.normal(size=1000), 100),
        *((0, 1), jacobi_1d_by_hand, jacobi_1d_in_jax),
        loops=False,
    ),
    Workload(
        fdtd_2d,
        lambda rng: (*rng.normal(size=(3, 60, 70)), rng.normal(size=20)),
        *((0, 1, 2, 3), fdtd_2d_by_hand, fdtd_2d_in_jax),
        loops=False,
    ),
    Workload(
        conv2d_bias,
        lambda rng: (rng.normal(size=(4, 16, 16, 3)), rng.normal(size=(3, 3, 3, 8)), rng.normal(size=8)),
        *((0, 1, 2), conv2d_bias_by_hand, conv2d_bias_in_jax),
        by_numba=False,
    ),
    Workload(nbody, _bodies, (0, 1, 2), nbody_by_hand, nbody_in_jax, loops=False),
    Workload(arc_distance, _angles, (0, 1, 2, 3), arc_distance_by_hand, arc_distance_in_jax, loops=False),
    Workload(
        azimint_naive,
        lambda rng: (rng.normal(size=5000), rng.uniform(0.0, 1.0, 5000), 50),
        *((0,), azimint_naive_by_hand),
        loops=False,
    ),
]
