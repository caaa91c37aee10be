"""Factorisations, substitutions and alignments written as loops over a matrix."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient


def cholesky(a):
    n = a.shape[0]
    low = np.zeros((n, n))
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= low[j, k] * low[j, k]
        low[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = s / low[j, j]
    total = 0.0
    for i in range(n):
        total += math.log(low[i, i])
    return 2.0 * total


@njit(error_model="numpy")
def cholesky_by_hand(a):
    n = a.shape[0]
    low, d_low, d_a = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= low[j, k] * low[j, k]
        low[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = s / low[j, j]
    total = 0.0
    for i in range(n):
        total += math.log(low[i, i])
        d_low[i, i] = 2.0 / low[i, i]
    for j in range(n - 1, -1, -1):
        inverse = 1.0 / low[j, j]
        for i in range(j + 1, n):
            d = d_low[i, j] * inverse
            d_low[j, j] -= d * low[i, j]
            d_a[i, j] = d
            for k in range(j):
                d_low[i, k] -= d * low[j, k]
                d_low[j, k] -= d * low[i, k]
        d = 0.5 * d_low[j, j] * inverse
        d_a[j, j] = d
        for k in range(j):
            d_low[j, k] -= 2.0 * d * low[j, k]
    return 2.0 * total, (d_a,)


def triangular_solve(low, b):
    n = len(b)
    x = np.zeros(n)
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= low[i, j] * x[j]
        x[i] = s / low[i, i]
    return np.sum(x * x)


@njit(error_model="numpy")
def triangular_solve_by_hand(low, b):
    n = len(b)
    x, d_b, d_low = np.zeros(n), np.empty(n), np.zeros((n, n))
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= low[i, j] * x[j]
        x[i] = s / low[i, i]
    d_x = 2.0 * x
    for i in range(n - 1, -1, -1):
        d = d_x[i] / low[i, i]
        d_b[i] = d
        d_low[i, i] = -d * x[i]
        for j in range(i):
            d_low[i, j] = -d * x[j]
            d_x[j] -= d * low[i, j]
    return np.sum(x * x), (d_low, d_b)


def triangular_solve_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(low, b):
        x = jax.scipy.linalg.solve_triangular(low, b, lower=True)
        return jnp.sum(x * x)

    return jax_gradient(primal, (0, 1))


def dynamic_time_warping(x, y):
    n, m = len(x), len(y)
    d = np.full((n + 1, m + 1), np.inf)
    d[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 + min(d[i, j + 1], d[i + 1, j], d[i, j])
    return d[n, m]


@njit(error_model="numpy")
def dynamic_time_warping_by_hand(x, y):
    n, m = len(x), len(y)
    d = np.full((n + 1, m + 1), np.inf)
    d[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 + min(d[i, j + 1], d[i + 1, j], d[i, j])
    d_x, d_y = np.zeros(n), np.zeros(m)
    i, j = n, m
    while i > 0:
        slope = 2.0 * (x[i - 1] - y[j - 1])
        d_x[i - 1] += slope
        d_y[j - 1] -= slope
        best = min(d[i - 1, j], d[i, j - 1], d[i - 1, j - 1])
        if d[i - 1, j - 1] == best:
            i, j = i - 1, j - 1
        elif d[i - 1, j] == best:
            i -= 1
        else:
            j -= 1
    return d[n, m], (d_x, d_y)


def soft_time_warping(x, y):
    n, m, width = len(x), len(y), 0.5
    d = np.full((n + 1, m + 1), 1e10)
    d[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            a, b, c = -d[i, j + 1] / width, -d[i + 1, j] / width, -d[i, j] / width
            big = max(a, b, c)
            total = math.exp(a - big) + math.exp(b - big) + math.exp(c - big)
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 - width * (big + math.log(total))
    return d[n, m]


@njit(error_model="numpy")
def soft_time_warping_by_hand(x, y):
    n, m, width = len(x), len(y), 0.5
    d = np.full((n + 1, m + 1), 1e10)
    weights = np.empty((n, m, 3))
    d[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            a, b, c = -d[i, j + 1] / width, -d[i + 1, j] / width, -d[i, j] / width
            big = max(a, b, c)
            u, v, w = math.exp(a - big), math.exp(b - big), math.exp(c - big)
            total = u + v + w
            weights[i, j, 0], weights[i, j, 1], weights[i, j, 2] = u / total, v / total, w / total
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 - width * (big + math.log(total))
    d_d, d_x, d_y = np.zeros((n + 1, m + 1)), np.zeros(n), np.zeros(m)
    d_d[n, m] = 1.0
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            e = d_d[i + 1, j + 1]
            d_d[i, j + 1] += e * weights[i, j, 0]
            d_d[i + 1, j] += e * weights[i, j, 1]
            d_d[i, j] += e * weights[i, j, 2]
            slope = 2.0 * e * (x[i] - y[j])
            d_x[i] += slope
            d_y[j] -= slope
    return d[n, m], (d_x, d_y)


def _positive_definite(rng: np.random.Generator) -> tuple[np.ndarray]:
    root = rng.normal(size=(50, 50))
    return (root @ root.T + 50.0 * np.eye(50),)


WORKLOADS = [
    Workload(cholesky, _positive_definite, (0,), cholesky_by_hand),
    Workload(
        triangular_solve,
        lambda rng: (np.tril(rng.normal(size=(100, 100))) + 10.0 * np.eye(100), rng.normal(size=100)),
        (0, 1),
        triangular_solve_by_hand,
        triangular_solve_in_jax,
    ),
    Workload(
        dynamic_time_warping,
        lambda rng: (rng.normal(size=100), rng.normal(size=100)),
        (0, 1),
        dynamic_time_warping_by_hand,
    ),
    Workload(
        soft_time_warping,
        lambda rng: (rng.normal(size=100), rng.normal(size=100)),
        (0, 1),
        soft_time_warping_by_hand,
    ),
]
