"""Systems of linear equations as users write them: substitution by rows, and Gaussian processes."""

from __future__ import annotations

import ctypes
import math

import numpy as np
from numba.extending import get_cython_function_address

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient

_POINTER = ctypes.c_void_p
inverse_from_factor = ctypes.CFUNCTYPE(None, *[_POINTER] * 5)(  # LAPACK's dpotri
    get_cython_function_address("scipy.linalg.cython_lapack", "dpotri")
)


def substitutions(low, b):
    n = low.shape[0]
    y, x = np.empty_like(b), np.empty_like(b)
    for i in range(n):
        y[i] = (b[i] - low[i, :i] @ y[:i]) / low[i, i]
    for i in range(n - 1, -1, -1):
        x[i] = (y[i] - low[i + 1 :, i].copy() @ x[i + 1 :]) / low[i, i]
    return np.sum(x**2)


@by_hand
def substitutions_by_hand(low, b):
    n, count = b.shape
    inverse, solved, x, v, d_b = 1.0 / np.diag(low), b.copy(), b.copy(), b.copy(), b.copy()
    _forth(low, inverse, solved)
    x[:] = solved
    _back(low, inverse, x)
    value = 0.0
    for i in range(n):
        for k in range(count):
            value += x[i, k] ** 2
            v[i, k] = 2.0 * x[i, k]
    _forth(low, inverse, v)
    d_b[:] = v
    _back(low, inverse, d_b)
    d_low = x @ v.T + d_b @ solved.T
    for i in range(n):
        for j in range(i + 1):
            d_low[i, j] = -d_low[i, j]
        d_low[i, i + 1 :] = 0.0
    return value, (d_low, d_b)


@by_hand
def _forth(low, inverse, x):
    n, count = x.shape
    for i in range(n):
        row = x[i]
        for j in range(i):
            known, factor = x[j], low[i, j]
            for k in range(count):
                row[k] -= factor * known[k]
        for k in range(count):
            row[k] *= inverse[i]


@by_hand
def _back(low, inverse, x):
    n, count = x.shape
    for i in range(n - 1, -1, -1):
        row = x[i]
        for k in range(count):
            row[k] *= inverse[i]
        for j in range(i):
            other, factor = x[j], low[i, j]
            for k in range(count):
                other[k] -= factor * row[k]


def substitutions_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(low, b):
        y = jax.scipy.linalg.solve_triangular(low, b, lower=True)
        return jnp.sum(jax.scipy.linalg.solve_triangular(low, y, lower=True, trans=1) ** 2)

    return jax_gradient(primal, (0, 1))


def gaussian_process(log_amplitude, log_scales, log_noise, x, y):
    n, d = x.shape
    amplitude, noise = math.exp(2.0 * log_amplitude), math.exp(2.0 * log_noise)
    scales = np.exp(log_scales)
    K = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            r2 = 0.0
            for k in range(d):
                r2 += ((x[i, k] - x[j, k]) / scales[k]) ** 2
            K[i, j] = amplitude * math.exp(-0.5 * r2)
        K[i, i] += noise
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return -0.5 * y @ alpha - np.sum(np.log(np.diag(L))) - 0.5 * n * math.log(2.0 * math.pi)


@by_hand
def gaussian_process_by_hand(log_amplitude, log_scales, log_noise, x, y):
    n, d = x.shape
    amplitude, noise = math.exp(2.0 * log_amplitude), math.exp(2.0 * log_noise)
    scaled, r2 = (x / np.exp(log_scales)).T.copy(), np.empty(n)
    K, d_scales = np.zeros((n, n)), np.zeros(d)
    for i in range(n):
        r2[:i] = 0.0
        for k in range(d):
            row, own = scaled[k], scaled[k, i]
            for j in range(i):
                r2[j] += (own - row[j]) ** 2
        row = K[i]
        for j in range(i):
            row[j] = amplitude * fast.exp(-0.5 * r2[j])
        K[i, i] = amplitude + noise
    inverse, logs = np.linalg.cholesky(K), 0.0
    for i in range(n):
        logs += math.log(inverse[i, i])
    upper, size, failed = np.array([ord("U")], np.int8), np.array([n], np.int32), np.zeros(1, np.int32)
    inverse_from_factor(  # rows here are columns there
        upper.ctypes.data, size.ctypes.data, inverse.ctypes.data, size.ctypes.data, failed.ctypes.data
    )
    for i in range(n):
        for j in range(i):
            inverse[j, i] = inverse[i, j]
    alpha = inverse @ y
    d_amplitude = d_noise = fit = 0.0
    for i in range(n):
        own, row = alpha[i], K[i]
        fit += y[i] * own
        d_noise += own * own - inverse[i, i]
        for j in range(i):
            row[j] *= alpha[j] * own - inverse[i, j]
        for j in range(i):
            d_amplitude += row[j]
        for k in range(d):
            across, point, total = scaled[k], scaled[k, i], 0.0
            for j in range(i):
                total += row[j] * (point - across[j]) ** 2
            d_scales[k] += total
    value = -0.5 * fit - logs - 0.5 * n * math.log(2.0 * math.pi)
    return value, (2.0 * d_amplitude + amplitude * d_noise, d_scales, noise * d_noise)


def gaussian_process_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(log_amplitude, log_scales, log_noise, x, y):
        scaled, n = x / jnp.exp(log_scales), len(x)
        r2 = jnp.sum((scaled[:, None] - scaled[None]) ** 2, axis=2)
        K = jnp.exp(2.0 * log_amplitude - 0.5 * r2) + jnp.exp(2.0 * log_noise) * jnp.eye(n)
        L = jnp.linalg.cholesky(K)
        half = jax.scipy.linalg.solve_triangular(L, y, lower=True)
        return -0.5 * half @ half - jnp.sum(jnp.log(jnp.diag(L))) - 0.5 * n * math.log(2.0 * math.pi)

    return jax_gradient(primal, (0, 1, 2))


def _triangle(rng: np.random.Generator) -> np.ndarray:
    return np.tril(rng.normal(size=(80, 80)), -1) * 0.1 + np.diag(rng.uniform(1.0, 2.0, 80))


WORKLOADS = [
    Workload(
        substitutions,
        lambda rng: (_triangle(rng), rng.normal(size=(80, 16))),
        (0, 1),
        substitutions_by_hand,
        substitutions_in_jax,
    ),
    Workload(
        gaussian_process,
        lambda rng: (0.1, 0.1 * rng.normal(size=4), -1.0, rng.normal(size=(120, 4)), rng.normal(size=120)),
        (0, 1, 2),
        gaussian_process_by_hand,
        gaussian_process_in_jax,
    ),
]
