"""Models of several parts: gravity, the adjustment of cameras, an option that may be exercised early."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient


def gravity(x, v, m, steps, dt):
    n = len(m)
    x, v = x.copy(), v.copy()
    force = np.empty((n, 3))
    for _ in range(steps):
        force[:] = 0.0
        for i in range(n):
            for j in range(i):
                r2 = 0.01
                for k in range(3):
                    r2 += (x[i, k] - x[j, k]) ** 2
                w = 1.0 / (r2 * math.sqrt(r2))
                for k in range(3):
                    d = w * (x[i, k] - x[j, k])
                    force[i, k] -= m[j] * d
                    force[j, k] += m[i] * d
        for i in range(n):
            for k in range(3):
                v[i, k] += dt * force[i, k]
                x[i, k] += dt * v[i, k]
    energy = 0.0
    for i in range(n):
        for k in range(3):
            energy += m[i] * v[i, k] ** 2
    return energy


@njit(error_model="numpy")
def gravity_by_hand(x, v, m, steps, dt):
    n = len(m)
    states, v = np.empty((steps + 1, n, 3)), v.copy()
    states[0] = x
    for s in range(steps):
        now, new = states[s], states[s + 1]
        for i in range(n):
            for j in range(i):
                a, b, c = now[i, 0] - now[j, 0], now[i, 1] - now[j, 1], now[i, 2] - now[j, 2]
                r2 = 0.01 + a * a + b * b + c * c
                w = dt / (r2 * math.sqrt(r2))
                one, two = w * m[j], w * m[i]
                v[i, 0] -= one * a
                v[i, 1] -= one * b
                v[i, 2] -= one * c
                v[j, 0] += two * a
                v[j, 1] += two * b
                v[j, 2] += two * c
        for i in range(n):
            for k in range(3):
                new[i, k] = now[i, k] + dt * v[i, k]
    energy, d_x, d_v, d_m = 0.0, np.zeros((n, 3)), np.empty((n, 3)), np.zeros(n)
    for i in range(n):
        square = v[i, 0] ** 2 + v[i, 1] ** 2 + v[i, 2] ** 2
        energy += m[i] * square
        d_m[i] = square
        for k in range(3):
            d_v[i, k] = 2.0 * m[i] * v[i, k]
    for s in range(steps - 1, -1, -1):
        now = states[s]
        for i in range(n):
            for k in range(3):
                d_v[i, k] += dt * d_x[i, k]
        for i in range(n):
            for j in range(i):
                a, b, c = now[i, 0] - now[j, 0], now[i, 1] - now[j, 1], now[i, 2] - now[j, 2]
                r2 = 0.01 + a * a + b * b + c * c
                inverse = 1.0 / r2
                w = dt * inverse * math.sqrt(inverse)
                along_i = d_v[i, 0] * a + d_v[i, 1] * b + d_v[i, 2] * c
                along_j = d_v[j, 0] * a + d_v[j, 1] * b + d_v[j, 2] * c
                d_m[i] += w * along_j
                d_m[j] -= w * along_i
                slope = 3.0 * w * inverse * (m[j] * along_i - m[i] * along_j)
                d_a = w * (m[i] * d_v[j, 0] - m[j] * d_v[i, 0]) + slope * a
                d_b = w * (m[i] * d_v[j, 1] - m[j] * d_v[i, 1]) + slope * b
                d_c = w * (m[i] * d_v[j, 2] - m[j] * d_v[i, 2]) + slope * c
                d_x[i, 0] += d_a
                d_x[i, 1] += d_b
                d_x[i, 2] += d_c
                d_x[j, 0] -= d_a
                d_x[j, 1] -= d_b
                d_x[j, 2] -= d_c
    return energy, (d_x, d_v, d_m)


def gravity_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, v, m, steps, dt):
        def step(state, _):
            x, v = state
            apart = x[:, None] - x[None]
            r2 = 0.01 + jnp.sum(apart**2, axis=2)
            w = m[None] / (r2 * jnp.sqrt(r2))
            v = v - dt * jnp.einsum("ij,ijk->ik", w, apart)
            return (x + dt * v, v), None

        (x, v), _ = jax.lax.scan(step, (x, v), None, length=50)
        return jnp.sum(m[:, None] * v**2)

    return jax_gradient(primal, (0, 1, 2))


def bundle_adjustment(cameras, points, weights, observed, by, of):
    total = 0.0
    c = np.empty(3)
    for o in range(len(weights)):
        camera, point = cameras[by[o]], points[of[o]]
        square = 0.0
        for k in range(3):
            c[k] = point[k] - camera[3 + k]
            square += camera[k] * camera[k]
        angle = math.sqrt(square)
        cosine, sine = math.cos(angle), math.sin(angle)
        w0, w1, w2 = camera[0] / angle, camera[1] / angle, camera[2] / angle
        along = (w0 * c[0] + w1 * c[1] + w2 * c[2]) * (1.0 - cosine)
        r0 = c[0] * cosine + (w1 * c[2] - w2 * c[1]) * sine + w0 * along
        r1 = c[1] * cosine + (w2 * c[0] - w0 * c[2]) * sine + w1 * along
        r2 = c[2] * cosine + (w0 * c[1] - w1 * c[0]) * sine + w2 * along
        x, y = r0 / r2, r1 / r2
        rr = x * x + y * y
        factor = camera[6] * (1.0 + camera[9] * rr + camera[10] * rr * rr)
        ex = weights[o] * (factor * x + camera[7] - observed[o, 0])
        ey = weights[o] * (factor * y + camera[8] - observed[o, 1])
        total += ex * ex + ey * ey + (1.0 - weights[o] ** 2) ** 2
    return total


@njit(error_model="numpy")
def bundle_adjustment_by_hand(cameras, points, weights, observed, by, of):
    d_cameras, d_points = np.zeros_like(cameras), np.zeros_like(points)
    d_weights = np.empty_like(weights)
    total = 0.0
    for o in range(len(weights)):
        camera, point, weight = cameras[by[o]], points[of[o]], weights[o]
        d_camera, d_point = d_cameras[by[o]], d_points[of[o]]
        c0, c1, c2 = point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]
        angle = math.sqrt(camera[0] ** 2 + camera[1] ** 2 + camera[2] ** 2)
        cosine, sine, inverse = math.cos(angle), math.sin(angle), 1.0 / angle
        w0, w1, w2 = camera[0] * inverse, camera[1] * inverse, camera[2] * inverse
        product = w0 * c0 + w1 * c1 + w2 * c2
        along = product * (1.0 - cosine)
        n0, n1, n2 = w1 * c2 - w2 * c1, w2 * c0 - w0 * c2, w0 * c1 - w1 * c0
        depth = 1.0 / (c2 * cosine + n2 * sine + w2 * along)
        x, y = (c0 * cosine + n0 * sine + w0 * along) * depth, (c1 * cosine + n1 * sine + w1 * along) * depth
        rr = x * x + y * y
        radial = 1.0 + rr * (camera[9] + camera[10] * rr)
        factor = camera[6] * radial
        ux, uy = factor * x + camera[7] - observed[o, 0], factor * y + camera[8] - observed[o, 1]
        squares, rest = ux * ux + uy * uy, 1.0 - weight**2
        total += weight**2 * squares + rest**2
        d_weights[o] = 2.0 * weight * squares - 4.0 * weight * rest
        dx, dy = 2.0 * weight**2 * ux, 2.0 * weight**2 * uy
        d_camera[7] += dx
        d_camera[8] += dy
        d_factor = dx * x + dy * y
        d_camera[6] += d_factor * radial
        d_radial = d_factor * camera[6]
        d_camera[9] += d_radial * rr
        d_camera[10] += d_radial * rr * rr
        d_rr = 2.0 * d_radial * (camera[9] + 2.0 * camera[10] * rr)
        g0, g1 = (dx * factor + d_rr * x) * depth, (dy * factor + d_rr * y) * depth
        g2 = -(g0 * x + g1 * y)
        d_sine = g0 * n0 + g1 * n1 + g2 * n2
        g_w = g0 * w0 + g1 * w1 + g2 * w2
        d_product = g_w * (1.0 - cosine)
        d_angle = d_sine * cosine - (g0 * c0 + g1 * c1 + g2 * c2 - g_w * product) * sine
        d_c0 = g0 * cosine + (g1 * w2 - g2 * w1) * sine + d_product * w0
        d_c1 = g1 * cosine + (g2 * w0 - g0 * w2) * sine + d_product * w1
        d_c2 = g2 * cosine + (g0 * w1 - g1 * w0) * sine + d_product * w2
        d_w0 = (c1 * g2 - c2 * g1) * sine + g0 * along + d_product * c0
        d_w1 = (c2 * g0 - c0 * g2) * sine + g1 * along + d_product * c1
        d_w2 = (c0 * g1 - c1 * g0) * sine + g2 * along + d_product * c2
        d_angle -= (d_w0 * w0 + d_w1 * w1 + d_w2 * w2) * inverse
        d_camera[0] += d_w0 * inverse + d_angle * w0
        d_camera[1] += d_w1 * inverse + d_angle * w1
        d_camera[2] += d_w2 * inverse + d_angle * w2
        d_camera[3] -= d_c0
        d_camera[4] -= d_c1
        d_camera[5] -= d_c2
        d_point[0] += d_c0
        d_point[1] += d_c1
        d_point[2] += d_c2
    return total, (d_cameras, d_points, d_weights)


def bundle_adjustment_in_jax():
    import jax.numpy as jnp

    def primal(cameras, points, weights, observed, by, of):
        camera, point = cameras[by], points[of]
        c, rotation = point - camera[:, 3:6], camera[:, :3]
        angle = jnp.sqrt(jnp.sum(rotation**2, axis=1, keepdims=True))
        w = rotation / angle
        along = jnp.sum(w * c, axis=1, keepdims=True) * (1.0 - jnp.cos(angle))
        r = c * jnp.cos(angle) + jnp.cross(w, c) * jnp.sin(angle) + w * along
        xy = r[:, :2] / r[:, 2:]
        rr = jnp.sum(xy**2, axis=1)
        factor = camera[:, 6] * (1.0 + camera[:, 9] * rr + camera[:, 10] * rr * rr)
        error = weights[:, None] * (factor[:, None] * xy + camera[:, 7:9] - observed)
        return jnp.sum(error**2) + jnp.sum((1.0 - weights**2) ** 2)

    return jax_gradient(primal, (0, 1, 2))


def _scene(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    cameras = 0.3 * rng.normal(size=(20, 11)) + np.array([0, 0, 0, 0, 0, -5, 1, 0, 0, 0, 0])
    points, weights = rng.normal(size=(100, 3)), rng.uniform(0.5, 1.0, 1000)
    return (
        cameras,
        points,
        weights,
        rng.normal(size=(1000, 2)),
        rng.integers(20, size=1000),
        rng.integers(100, size=1000),
    )


def binomial_tree(s, k, r, v, t, n):
    dt = t / n
    up = math.exp(v * math.sqrt(dt))
    p = (math.exp(r * dt) - 1.0 / up) / (up - 1.0 / up)
    discount = math.exp(-r * dt)
    prices = np.empty(2 * n + 1)
    prices[0] = s / up**n
    for j in range(1, 2 * n + 1):
        prices[j] = prices[j - 1] * up
    values = np.empty(n + 1)
    for j in range(n + 1):
        values[j] = max(k - prices[2 * j], 0.0)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1):
            hold = discount * (p * values[j + 1] + (1.0 - p) * values[j])
            values[j] = max(hold, k - prices[n - i + 2 * j])
    return values[0]


@njit(error_model="numpy")
def binomial_tree_by_hand(s, k, r, v, t, n):
    dt = t / n
    up, growth, discount = math.exp(v * math.sqrt(dt)), math.exp(r * dt), math.exp(-r * dt)
    spread = up - 1.0 / up
    p = (growth - 1.0 / up) / spread
    prices, values = np.empty(2 * n + 1), np.empty((n + 1, n + 1))
    prices[0] = s / up**n
    for j in range(1, 2 * n + 1):
        prices[j] = prices[j - 1] * up
    for j in range(n + 1):
        values[n, j] = max(k - prices[2 * j], 0.0)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1):
            hold = discount * (p * values[i + 1, j + 1] + (1.0 - p) * values[i + 1, j])
            values[i, j] = max(hold, k - prices[n - i + 2 * j])
    d, d_next, d_prices = np.zeros(n + 1), np.zeros(n + 1), np.zeros(2 * n + 1)
    d[0] = 1.0
    d_k = d_p = d_discount = 0.0
    for i in range(n):
        d_next[: i + 2] = 0.0
        for j in range(i + 1):
            low, high = values[i + 1, j], values[i + 1, j + 1]
            mean = p * high + (1.0 - p) * low
            if discount * mean > k - prices[n - i + 2 * j]:
                d_discount += d[j] * mean
                e = d[j] * discount
                d_p += e * (high - low)
                d_next[j + 1] += e * p
                d_next[j] += e * (1.0 - p)
            else:
                d_k += d[j]
                d_prices[n - i + 2 * j] -= d[j]
        d, d_next = d_next, d
    for j in range(n + 1):
        if k > prices[2 * j]:
            d_k += d[j]
            d_prices[2 * j] -= d[j]
    d_up = 0.0
    for j in range(2 * n, 0, -1):
        d_up += d_prices[j] * prices[j - 1]
        d_prices[j - 1] += d_prices[j] * up
    d_s = d_prices[0] / up**n
    d_up -= d_prices[0] * prices[0] * n / up
    d_up += d_p * (1.0 / up**2 - p * (1.0 + 1.0 / up**2)) / spread
    d_growth = d_p / spread * growth - d_discount * discount
    d_v = d_up * up * math.sqrt(dt)
    d_dt = d_growth * r + 0.5 * d_up * up * v / math.sqrt(dt)
    return values[0, 0], (d_s, d_k, d_growth * dt, d_v, d_dt / n)


def binomial_tree_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(s, k, r, v, t, n):
        count = 500
        dt = t / count
        up = jnp.exp(v * jnp.sqrt(dt))
        p = (jnp.exp(r * dt) - 1.0 / up) / (up - 1.0 / up)
        discount = jnp.exp(-r * dt)
        places = 2 * jnp.arange(count + 1)

        def step(values, i):
            hold = discount * (p * jnp.roll(values, -1) + (1.0 - p) * values)
            return jnp.maximum(hold, k - s * up ** (places - i)), None

        values = jnp.maximum(k - s * up ** (places - count), 0.0)
        values, _ = jax.lax.scan(step, values, jnp.arange(count - 1, -1, -1))
        return values[0]

    return jax_gradient(primal, (0, 1, 2, 3, 4))


WORKLOADS = [
    Workload(
        gravity,
        lambda rng: (
            rng.normal(size=(20, 3)),
            rng.normal(size=(20, 3)),
            rng.uniform(0.5, 1.0, 20),
            50,
            0.001,
        ),
        (0, 1, 2),
        gravity_by_hand,
        gravity_in_jax,
    ),
    Workload(bundle_adjustment, _scene, (0, 1, 2), bundle_adjustment_by_hand, bundle_adjustment_in_jax),
    Workload(
        binomial_tree,
        lambda rng: (100.0, 105.0, 0.03, 0.2, 1.0, 500),
        (0, 1, 2, 3, 4),
        binomial_tree_by_hand,
        binomial_tree_in_jax,
    ),
]
