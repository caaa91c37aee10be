"""Sums over independent terms: pairs of particles, observations, options, rows."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient


def lennard_jones(x):
    energy = 0.0
    for i in range(x.shape[0]):
        for j in range(i):
            r2 = 0.0
            for k in range(3):
                r2 += (x[i, k] - x[j, k]) ** 2
            inverse = 1.0 / (r2 + 0.5)
            power = inverse * inverse * inverse
            energy += 4.0 * (power * power - power)
    return energy


@njit(error_model="numpy")
def lennard_jones_by_hand(x):
    d_x = np.zeros_like(x)
    energy = 0.0
    for i in range(x.shape[0]):
        x0, x1, x2 = x[i, 0], x[i, 1], x[i, 2]
        g0 = g1 = g2 = 0.0
        for j in range(i):
            d0, d1, d2 = x0 - x[j, 0], x1 - x[j, 1], x2 - x[j, 2]
            inverse = 1.0 / (d0 * d0 + d1 * d1 + d2 * d2 + 0.5)
            power = inverse * inverse * inverse
            energy += 4.0 * (power * power - power)
            factor = -24.0 * (2.0 * power - 1.0) * power * inverse
            d0, d1, d2 = d0 * factor, d1 * factor, d2 * factor
            d_x[j, 0] -= d0
            d_x[j, 1] -= d1
            d_x[j, 2] -= d2
            g0 += d0
            g1 += d1
            g2 += d2
        d_x[i, 0] += g0
        d_x[i, 1] += g1
        d_x[i, 2] += g2
    return energy, (d_x,)


def lennard_jones_in_jax():
    import jax.numpy as jnp

    def primal(x):
        difference = x[:, None, :] - x[None, :, :]
        inverse = 1.0 / (jnp.sum(difference * difference, axis=2) + 0.5)
        power = inverse**3
        terms = 4.0 * (power * power - power)
        return jnp.sum(jnp.where(jnp.tri(x.shape[0], k=-1, dtype=bool), terms, 0.0))

    return jax_gradient(primal, (0,))


def logistic_regression(w, b, x, y):
    total = 0.0
    for i in range(x.shape[0]):
        z = b
        for j in range(x.shape[1]):
            z += w[j] * x[i, j]
        total += math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y[i] * z
    return total


@njit(error_model="numpy")
def logistic_regression_by_hand(w, b, x, y):
    d_w = np.zeros_like(w)
    d_b = total = 0.0
    for i in range(x.shape[0]):
        z = b
        for j in range(x.shape[1]):
            z += w[j] * x[i, j]
        small = math.exp(-abs(z))
        total += math.log1p(small) + max(z, 0.0) - y[i] * z
        sigmoid = (1.0 if z >= 0.0 else small) / (1.0 + small)
        d_z = sigmoid - y[i]
        for j in range(x.shape[1]):
            d_w[j] += d_z * x[i, j]
        d_b += d_z
    return total, (d_w, d_b)


def logistic_regression_in_jax():
    import jax.numpy as jnp

    def primal(w, b, x, y):
        z = x @ w + b
        return jnp.sum(jnp.log1p(jnp.exp(-jnp.abs(z))) + jnp.maximum(z, 0.0) - y * z)

    return jax_gradient(primal, (0, 1))


def black_scholes(s, k, v, t, r):
    total = 0.0
    for i in range(len(s)):
        root = v[i] * math.sqrt(t[i])
        d1 = (math.log(s[i] / k[i]) + (r + 0.5 * v[i] * v[i]) * t[i]) / root
        d2 = d1 - root
        above = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
        total += s[i] * above - k[i] * math.exp(-r * t[i]) * 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    return total


@njit(error_model="numpy")
def black_scholes_by_hand(s, k, v, t, r):
    n = len(s)
    d_s, d_k, d_v, d_t = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    d_r = total = 0.0
    for i in range(n):
        root_t = math.sqrt(t[i])
        root = v[i] * root_t
        d1 = (math.log(s[i] / k[i]) + (r + 0.5 * v[i] * v[i]) * t[i]) / root
        d2 = d1 - root
        n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
        n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
        discounted = k[i] * math.exp(-r * t[i])
        total += s[i] * n1 - discounted * n2
        density = math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
        d_s[i] = n1
        d_k[i] = -discounted / k[i] * n2
        d_v[i] = s[i] * density * root_t
        d_t[i] = s[i] * density * v[i] / (2.0 * root_t) + r * discounted * n2
        d_r += t[i] * discounted * n2
    return total, (d_s, d_k, d_v, d_t, d_r)


def black_scholes_in_jax():
    import jax.numpy as jnp
    from jax.scipy.special import erf

    def primal(s, k, v, t, r):
        root = v * jnp.sqrt(t)
        d1 = (jnp.log(s / k) + (r + 0.5 * v * v) * t) / root
        d2 = d1 - root
        n1, n2 = (0.5 * (1.0 + erf(d / math.sqrt(2.0))) for d in (d1, d2))
        return jnp.sum(s * n1 - k * jnp.exp(-r * t) * n2)

    return jax_gradient(primal, (0, 1, 2, 3, 4))


def logsumexp_rows(x):
    total = 0.0
    for i in range(x.shape[0]):
        big = x[i, 0]
        for j in range(1, x.shape[1]):
            big = max(big, x[i, j])
        s = 0.0
        for j in range(x.shape[1]):
            s += math.exp(x[i, j] - big)
        total += big + math.log(s)
    return total


@njit(error_model="numpy")
def logsumexp_rows_by_hand(x):
    n, m = x.shape
    d_x = np.empty((n, m))
    total = 0.0
    for i in range(n):
        big = x[i, 0]
        for j in range(1, m):
            big = max(big, x[i, j])
        s = 0.0
        for j in range(m):
            d_x[i, j] = math.exp(x[i, j] - big)
            s += d_x[i, j]
        total += big + math.log(s)
        inverse = 1.0 / s
        for j in range(m):
            d_x[i, j] *= inverse
    return total, (d_x,)


def logsumexp_rows_in_jax():
    import jax
    import jax.numpy as jnp

    return jax_gradient(lambda x: jnp.sum(jax.scipy.special.logsumexp(x, axis=1)), (0,))


def convolution(x, k):
    total = 0.0
    for i in range(x.shape[0] - k.shape[0] + 1):
        for j in range(x.shape[1] - k.shape[1] + 1):
            v = 0.0
            for p in range(k.shape[0]):
                for q in range(k.shape[1]):
                    v += x[i + p, j + q] * k[p, q]
            total += v * v
    return total


@njit(error_model="numpy")
def convolution_by_hand(x, k):
    d_x, d_k = np.zeros_like(x), np.zeros_like(k)
    total = 0.0
    for i in range(x.shape[0] - k.shape[0] + 1):
        for j in range(x.shape[1] - k.shape[1] + 1):
            v = 0.0
            for p in range(k.shape[0]):
                for q in range(k.shape[1]):
                    v += x[i + p, j + q] * k[p, q]
            total += v * v
            d_v = 2.0 * v
            for p in range(k.shape[0]):
                for q in range(k.shape[1]):
                    d_k[p, q] += d_v * x[i + p, j + q]
                    d_x[i + p, j + q] += d_v * k[p, q]
    return total, (d_x, d_k)


def convolution_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, k):
        out = jax.lax.conv(x[None, None], k[None, None], (1, 1), "VALID")
        return jnp.sum(out * out)

    return jax_gradient(primal, (0, 1))


def cube_roots(a):
    total = 0.0
    for i in range(len(a)):
        x = a[i]
        while abs(x * x * x - a[i]) > 1e-10:
            x = x - (x * x * x - a[i]) / (3.0 * x * x)
        total += x
    return total


@njit(error_model="numpy")
def cube_roots_by_hand(a):
    total, d_a = 0.0, np.empty_like(a)
    states = np.empty(100)
    for i in range(len(a)):
        x, k = a[i], 0
        while abs(x * x * x - a[i]) > 1e-10:
            states[k] = x
            k += 1
            x = x - (x * x * x - a[i]) / (3.0 * x * x)
        total += x
        d, d_i = 1.0, 0.0
        for j in range(k - 1, -1, -1):
            per_square = 1.0 / (states[j] * states[j])
            d_i += d * per_square / 3.0
            d *= 2.0 / 3.0 * (1.0 - a[i] * per_square / states[j])
        d_a[i] = d_i + d
    return total, (d_a,)


WORKLOADS = [
    Workload(cube_roots, lambda rng: (rng.uniform(1.0, 5.0, size=500),), (0,), cube_roots_by_hand),
    Workload(
        lennard_jones,
        lambda rng: (rng.normal(size=(80, 3)),),
        (0,),
        lennard_jones_by_hand,
        lennard_jones_in_jax,
    ),
    Workload(
        logistic_regression,
        lambda rng: (rng.normal(size=20), 0.1, rng.normal(size=(1000, 20)), rng.integers(0, 2, 1000) * 1.0),
        (0, 1),
        logistic_regression_by_hand,
        logistic_regression_in_jax,
    ),
    Workload(
        black_scholes,
        lambda rng: (
            rng.uniform(80, 120, 1000),
            rng.uniform(80, 120, 1000),
            rng.uniform(0.1, 0.5, 1000),
            rng.uniform(0.2, 2.0, 1000),
            0.03,
        ),
        (0, 1, 2, 3, 4),
        black_scholes_by_hand,
        black_scholes_in_jax,
    ),
    Workload(
        logsumexp_rows,
        lambda rng: (rng.normal(size=(300, 20)),),
        (0,),
        logsumexp_rows_by_hand,
        logsumexp_rows_in_jax,
    ),
    Workload(
        convolution,
        lambda rng: (rng.normal(size=(40, 40)), rng.normal(size=(5, 5))),
        (0, 1),
        convolution_by_hand,
        convolution_in_jax,
    ),
]
