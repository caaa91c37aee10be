"""Array code: slices, products and elementwise functions, some of it in loops over time."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient

H = 20


def lstm(x, w, u, b):
    h, c, total = np.zeros(H), np.zeros(H), 0.0
    for t in range(x.shape[0]):
        z = w @ x[t] + u @ h + b
        i, f = 1.0 / (1.0 + np.exp(-z[:H])), 1.0 / (1.0 + np.exp(-z[H : 2 * H]))
        o, g = 1.0 / (1.0 + np.exp(-z[2 * H : 3 * H])), np.tanh(z[3 * H :])
        c = f * c + i * g
        h = o * np.tanh(c)
        total += np.sum(h * h)
    return total


@njit(error_model="numpy")
def lstm_by_hand(x, w, u, b):
    n = x.shape[0]
    hs, cs, gates = np.zeros((n + 1, H)), np.zeros((n + 1, H)), np.empty((n, 4 * H))
    tanh = np.empty((n, H))
    total = 0.0
    for t in range(n):
        z = w @ x[t] + u @ hs[t] + b
        for k in range(H):
            i, f = 1.0 / (1.0 + np.exp(-z[k])), 1.0 / (1.0 + np.exp(-z[H + k]))
            o, g = 1.0 / (1.0 + np.exp(-z[2 * H + k])), np.tanh(z[3 * H + k])
            gates[t, k], gates[t, H + k], gates[t, 2 * H + k], gates[t, 3 * H + k] = i, f, o, g
            cs[t + 1, k] = f * cs[t, k] + i * g
            tanh[t, k] = np.tanh(cs[t + 1, k])
            hs[t + 1, k] = o * tanh[t, k]
            total += hs[t + 1, k] * hs[t + 1, k]
    d_w, d_u, d_b = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    d_h, d_c, d_z = np.zeros(H), np.zeros(H), np.empty(4 * H)
    for t in range(n - 1, -1, -1):
        for k in range(H):
            i, f, o, g = gates[t, k], gates[t, H + k], gates[t, 2 * H + k], gates[t, 3 * H + k]
            d = d_h[k] + 2.0 * hs[t + 1, k]
            d_cell = d_c[k] + d * o * (1.0 - tanh[t, k] * tanh[t, k])
            d_z[k] = d_cell * g * i * (1.0 - i)
            d_z[H + k] = d_cell * cs[t, k] * f * (1.0 - f)
            d_z[2 * H + k] = d * tanh[t, k] * o * (1.0 - o)
            d_z[3 * H + k] = d_cell * i * (1.0 - g * g)
            d_c[k] = d_cell * f
        d_h = u.T @ d_z
        for k in range(4 * H):
            d_b[k] += d_z[k]
            for j in range(H):
                d_u[k, j] += d_z[k] * hs[t, j]
            for j in range(x.shape[1]):
                d_w[k, j] += d_z[k] * x[t, j]
    return total, (d_w, d_u, d_b)


def lstm_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, w, u, b):
        def step(state, row):
            h, c = state
            z = w @ row + u @ h + b
            i, f, o = (jax.nn.sigmoid(z[k * H : (k + 1) * H]) for k in range(3))
            c = f * c + i * jnp.tanh(z[3 * H :])
            h = o * jnp.tanh(c)
            return (h, c), jnp.sum(h * h)

        return jnp.sum(jax.lax.scan(step, (jnp.zeros(H), jnp.zeros(H)), x)[1])

    return jax_gradient(primal, (1, 2, 3))


def _lstm_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return tuple(0.3 * rng.normal(size=shape) for shape in ((30, 20), (4 * H, 20), (4 * H, H), (4 * H,)))


def attention(q, k, v):
    e = np.exp(q @ k.T / 4.0)
    out = (e / np.sum(e, axis=1).reshape(-1, 1)) @ v
    return np.sum(out * out)


@njit(error_model="numpy")
def attention_by_hand(q, k, v):
    e = np.exp(q @ k.T / 4.0)
    p = e / np.sum(e, axis=1).reshape(-1, 1)
    out = p @ v
    d_out = 2.0 * out
    d_p = d_out @ v.T
    d_s = 0.25 * p * (d_p - np.sum(p * d_p, axis=1).reshape(-1, 1))
    return np.sum(out * out), (d_s @ k, d_s.T @ q, p.T @ d_out)


def attention_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(q, k, v):
        out = jax.nn.softmax(q @ k.T / 4.0, axis=1) @ v
        return jnp.sum(out * out)

    return jax_gradient(primal, (0, 1, 2))


def _attention_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return rng.normal(size=(64, 16)), rng.normal(size=(64, 16)), rng.normal(size=(64, 16))


def hdiff(f, coeff):
    i, j, _ = coeff.shape
    lap = 4.0 * f[1 : i + 3, 1 : j + 3, :] - (
        f[2 : i + 4, 1 : j + 3, :]
        + f[0 : i + 2, 1 : j + 3, :]
        + f[1 : i + 3, 2 : j + 4, :]
        + f[1 : i + 3, 0 : j + 2, :]
    )
    x = lap[1:, 1 : j + 1, :] - lap[:-1, 1 : j + 1, :]
    x = np.where(x * (f[2 : i + 3, 2 : j + 2, :] - f[1 : i + 2, 2 : j + 2, :]) > 0, 0.0, x)
    y = lap[1 : i + 1, 1:, :] - lap[1 : i + 1, :-1, :]
    y = np.where(y * (f[2 : i + 2, 2 : j + 3, :] - f[2 : i + 2, 1 : j + 2, :]) > 0, 0.0, y)
    out = f[2 : i + 2, 2 : j + 2, :] - coeff * (x[1:] - x[:-1] + y[:, 1:] - y[:, :-1])
    return np.sum(out * out)


@njit(error_model="numpy")
def hdiff_by_hand(f, coeff):
    rows, columns, depth = coeff.shape
    lap = np.empty((rows + 2, columns + 2, depth))
    for i in range(rows + 2):
        for j in range(columns + 2):
            for k in range(depth):
                around = f[i + 2, j + 1, k] + f[i, j + 1, k] + f[i + 1, j + 2, k] + f[i + 1, j, k]
                lap[i, j, k] = 4.0 * f[i + 1, j + 1, k] - around
    x = np.empty((rows + 1, columns, depth))
    for i in range(rows + 1):
        for j in range(columns):
            for k in range(depth):
                slope = lap[i + 1, j + 1, k] - lap[i, j + 1, k]
                rises = slope * (f[i + 2, j + 2, k] - f[i + 1, j + 2, k]) > 0
                x[i, j, k] = 0.0 if rises else slope
    y = np.empty((rows, columns + 1, depth))
    for i in range(rows):
        for j in range(columns + 1):
            for k in range(depth):
                slope = lap[i + 1, j + 1, k] - lap[i + 1, j, k]
                rises = slope * (f[i + 2, j + 2, k] - f[i + 2, j + 1, k]) > 0
                y[i, j, k] = 0.0 if rises else slope
    total = 0.0
    d_f, d_coeff = np.zeros_like(f), np.empty_like(coeff)
    d_x, d_y, d_lap = np.zeros_like(x), np.zeros_like(y), np.zeros_like(lap)
    for i in range(rows):
        for j in range(columns):
            for k in range(depth):
                flux = x[i + 1, j, k] - x[i, j, k] + y[i, j + 1, k] - y[i, j, k]
                out = f[i + 2, j + 2, k] - coeff[i, j, k] * flux
                total += out * out
                d_f[i + 2, j + 2, k] = 2.0 * out
                d_coeff[i, j, k] = -2.0 * out * flux
                d_flux = -2.0 * out * coeff[i, j, k]
                d_x[i + 1, j, k] += d_flux
                d_x[i, j, k] -= d_flux
                d_y[i, j + 1, k] += d_flux
                d_y[i, j, k] -= d_flux
    for i in range(rows + 1):
        for j in range(columns):
            for k in range(depth):
                d = d_x[i, j, k] if x[i, j, k] != 0.0 else 0.0
                d_lap[i + 1, j + 1, k] += d
                d_lap[i, j + 1, k] -= d
    for i in range(rows):
        for j in range(columns + 1):
            for k in range(depth):
                d = d_y[i, j, k] if y[i, j, k] != 0.0 else 0.0
                d_lap[i + 1, j + 1, k] += d
                d_lap[i + 1, j, k] -= d
    for i in range(rows + 2):
        for j in range(columns + 2):
            for k in range(depth):
                d = d_lap[i, j, k]
                d_f[i + 1, j + 1, k] += 4.0 * d
                d_f[i + 2, j + 1, k] -= d
                d_f[i, j + 1, k] -= d
                d_f[i + 1, j + 2, k] -= d
                d_f[i + 1, j, k] -= d
    return total, (d_f, d_coeff)


def hdiff_in_jax():
    import jax.numpy as jnp

    def primal(f, coeff):
        i, j, _ = coeff.shape
        lap = 4.0 * f[1 : i + 3, 1 : j + 3] - (
            f[2 : i + 4, 1 : j + 3] + f[: i + 2, 1 : j + 3] + f[1 : i + 3, 2 : j + 4] + f[1 : i + 3, : j + 2]
        )
        x = lap[1:, 1 : j + 1] - lap[:-1, 1 : j + 1]
        x = jnp.where(x * (f[2 : i + 3, 2 : j + 2] - f[1 : i + 2, 2 : j + 2]) > 0, 0.0, x)
        y = lap[1 : i + 1, 1:] - lap[1 : i + 1, :-1]
        y = jnp.where(y * (f[2 : i + 2, 2 : j + 3] - f[2 : i + 2, 1 : j + 2]) > 0, 0.0, y)
        out = f[2 : i + 2, 2 : j + 2] - coeff * (x[1:] - x[:-1] + y[:, 1:] - y[:, :-1])
        return jnp.sum(out * out)

    return jax_gradient(primal, (0, 1))


def _hdiff_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return rng.normal(size=(64, 64, 20)), rng.normal(size=(60, 60, 20))


def heat_3d(a):
    a, b = a.copy(), a.copy()
    for _ in range(10):
        b[1:-1, 1:-1, 1:-1] = a[1:-1, 1:-1, 1:-1] + 0.125 * (
            a[2:, 1:-1, 1:-1]
            + a[:-2, 1:-1, 1:-1]
            + a[1:-1, 2:, 1:-1]
            + a[1:-1, :-2, 1:-1]
            + a[1:-1, 1:-1, 2:]
            + a[1:-1, 1:-1, :-2]
            - 6.0 * a[1:-1, 1:-1, 1:-1]
        )
        a, b = b, a
    return np.sum(a * a)


@njit(error_model="numpy")
def heat_3d_by_hand(a):
    n, m, o = a.shape
    a, b = a.copy(), a.copy()
    for _ in range(10):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                for k in range(1, o - 1):
                    around = a[i + 1, j, k] + a[i - 1, j, k] + a[i, j + 1, k] + a[i, j - 1, k]
                    around += a[i, j, k + 1] + a[i, j, k - 1]
                    b[i, j, k] = 0.25 * a[i, j, k] + 0.125 * around
        a, b = b, a
    d_a, d_b, total = 2.0 * a, np.zeros_like(b), np.sum(a * a)
    for _ in range(10):
        d_a, d_b = d_b, d_a
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                for k in range(1, o - 1):
                    d = 0.125 * d_b[i, j, k]
                    d_a[i + 1, j, k] += d
                    d_a[i - 1, j, k] += d
                    d_a[i, j + 1, k] += d
                    d_a[i, j - 1, k] += d
                for k in range(1, o - 1):
                    d_a[i, j, k + 1] += 0.125 * d_b[i, j, k]
                for k in range(1, o - 1):
                    d_a[i, j, k - 1] += 0.125 * d_b[i, j, k]
                for k in range(1, o - 1):
                    d_a[i, j, k] += 0.25 * d_b[i, j, k]
                    d_b[i, j, k] = 0.0
    return total, (d_a + d_b,)


def heat_3d_in_jax():
    import jax
    import jax.numpy as jnp

    def step(_, a):
        middle = a[1:-1, 1:-1, 1:-1]
        around = a[2:, 1:-1, 1:-1] + a[:-2, 1:-1, 1:-1] + a[1:-1, 2:, 1:-1] + a[1:-1, :-2, 1:-1]
        around += a[1:-1, 1:-1, 2:] + a[1:-1, 1:-1, :-2] - 6.0 * middle
        return a.at[1:-1, 1:-1, 1:-1].set(middle + 0.125 * around)

    def primal(a):
        a = jax.lax.fori_loop(0, 10, step, a)
        return jnp.sum(a * a)

    return jax_gradient(primal, (0,))


WORKLOADS = [
    Workload(lstm, _lstm_inputs, (1, 2, 3), lstm_by_hand, lstm_in_jax),
    Workload(attention, _attention_inputs, (0, 1, 2), attention_by_hand, attention_in_jax, loops=False),
    Workload(hdiff, _hdiff_inputs, (0, 1), hdiff_by_hand, hdiff_in_jax, loops=False),
    Workload(heat_3d, lambda rng: (rng.normal(size=(20, 20, 20)),), (0,), heat_3d_by_hand, heat_3d_in_jax),
]
