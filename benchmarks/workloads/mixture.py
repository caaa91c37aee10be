"""The log-likelihood of a Gaussian mixture, ADBench's objective (Srajer, Kukelova and Fitzgibbon 2018)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient


def gaussian_mixture(alphas, means, logs, lower, x):
    k_count, d = means.shape
    scales = np.exp(logs)
    terms, centered = np.empty(k_count), np.empty(d)
    total = 0.0
    for i in range(x.shape[0]):
        for k in range(k_count):
            for j in range(d):
                centered[j] = x[i, j] - means[k, j]
            square, logarithms, p = 0.0, 0.0, 0
            for j in range(d):
                v = scales[k, j] * centered[j]
                for q in range(j):
                    v += lower[k, p] * centered[q]
                    p += 1
                square += v * v
                logarithms += logs[k, j]
            terms[k] = alphas[k] + logarithms - 0.5 * square
        big = terms[0]
        for k in range(1, k_count):
            big = max(big, terms[k])
        s = 0.0
        for k in range(k_count):
            s += math.exp(terms[k] - big)
        total += big + math.log(s)
    return total


@njit(error_model="numpy")
def gaussian_mixture_by_hand(alphas, means, logs, lower, x):
    k_count, d = means.shape
    scales = np.exp(logs)
    terms, centered, projected = np.empty(k_count), np.empty((k_count, d)), np.empty((k_count, d))
    d_alphas, d_means, d_logs = np.zeros(k_count), np.zeros((k_count, d)), np.zeros((k_count, d))
    d_lower, d_centered = np.zeros_like(lower), np.empty(d)
    sums = np.empty(k_count)
    for k in range(k_count):
        sums[k] = np.sum(logs[k])
    total = 0.0
    for i in range(x.shape[0]):
        for k in range(k_count):
            for j in range(d):
                centered[k, j] = x[i, j] - means[k, j]
            square, p = 0.0, 0
            for j in range(d):
                v = scales[k, j] * centered[k, j]
                for q in range(j):
                    v += lower[k, p + q] * centered[k, q]
                p += j
                projected[k, j] = v
                square += v * v
            terms[k] = alphas[k] + sums[k] - 0.5 * square
        big = terms[0]
        for k in range(1, k_count):
            big = max(big, terms[k])
        s = 0.0
        for k in range(k_count):
            terms[k] = math.exp(terms[k] - big)
            s += terms[k]
        total += big + math.log(s)
        for k in range(k_count):
            weight = terms[k] / s
            d_alphas[k] += weight
            d_centered[:] = 0.0
            p = 0
            for j in range(d):
                d_v = -weight * projected[k, j]
                for q in range(j):
                    d_lower[k, p + q] += d_v * centered[k, q]
                    d_centered[q] += d_v * lower[k, p + q]
                p += j
                d_centered[j] += d_v * scales[k, j]
                d_logs[k, j] += d_v * centered[k, j] * scales[k, j] + weight
            for j in range(d):
                d_means[k, j] -= d_centered[j]
    return total, (d_alphas, d_means, d_logs, d_lower)


def gaussian_mixture_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(alphas, means, logs, lower, x):
        d = means.shape[1]
        rows, columns = np.tril_indices(d, -1)
        factors = jax.vmap(lambda s, low: jnp.diag(jnp.exp(s)).at[rows, columns].set(low))(logs, lower)
        centered = x[:, None, :] - means[None]
        projected = jnp.einsum("kab,nkb->nka", factors, centered)
        terms = alphas + jnp.sum(logs, axis=1) - 0.5 * jnp.sum(projected**2, axis=2)
        return jnp.sum(jax.scipy.special.logsumexp(terms, axis=1))

    return jax_gradient(primal, (0, 1, 2, 3))


def mixture_in_arrays(alphas, means, factors, x):
    terms = np.empty((len(alphas), len(x)))
    for k in range(len(alphas)):
        projected = (x - means[k]) @ factors[k].T
        scale = np.log(np.abs(np.linalg.det(factors[k])))
        terms[k] = alphas[k] + scale - 0.5 * np.sum(projected * projected, axis=1)
    big = np.max(terms)
    return np.sum(big + np.log(np.sum(np.exp(terms - big), axis=0)))


@njit(error_model="numpy")
def mixture_in_arrays_by_hand(alphas, means, factors, x):
    (n, d), k_count = x.shape, len(alphas)
    terms, projected = np.empty((k_count, n)), np.empty((k_count, n, d))
    centered = np.empty((k_count, n, d))
    for k in range(k_count):
        centered[k] = x - means[k]
        projected[k] = centered[k] @ factors[k].T
        scale = alphas[k] + np.log(np.abs(np.linalg.det(factors[k])))
        for i in range(n):
            square = 0.0
            for j in range(d):
                square += projected[k, i, j] ** 2
            terms[k, i] = scale - 0.5 * square
    big = np.max(terms)
    weights = np.exp(terms - big)
    sums = np.sum(weights, axis=0)
    d_alphas, d_means, d_factors = np.empty(k_count), np.empty((k_count, d)), np.empty_like(factors)
    for k in range(k_count):
        d_alphas[k] = 0.0
        for i in range(n):
            weight = weights[k, i] / sums[i]
            d_alphas[k] += weight
            for j in range(d):
                projected[k, i, j] *= -weight
        d_factors[k] = projected[k].T @ centered[k] + d_alphas[k] * np.linalg.inv(factors[k]).T
        total = np.zeros(d)
        for i in range(n):
            for j in range(d):
                total[j] -= projected[k, i, j]
        d_means[k] = total @ factors[k]
    return np.sum(big + np.log(sums)), (d_alphas, d_means, d_factors)


def mixture_in_arrays_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(alphas, means, factors, x):
        projected = jnp.einsum("kab,nkb->nka", factors, x[:, None, :] - means[None])
        scales = jnp.linalg.slogdet(factors)[1]
        return jnp.sum(
            jax.scipy.special.logsumexp(alphas + scales - 0.5 * jnp.sum(projected**2, axis=2), axis=1)
        )

    return jax_gradient(primal, (0, 1, 2))


def _array_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    factors = np.eye(10) + 0.1 * rng.normal(size=(10, 10, 10))
    return rng.normal(size=10), rng.normal(size=(10, 10)), factors, rng.normal(size=(1000, 10))


def _inputs(rng: np.random.Generator, n: int, d: int, k: int) -> tuple[np.ndarray, ...]:
    shapes = (k,), (k, d), (k, d), (k, d * (d - 1) // 2), (n, d)
    scales = 1.0, 1.0, 0.3, 0.3, 1.0
    return tuple(scale * rng.normal(size=shape) for shape, scale in zip(shapes, scales, strict=True))


def _workload(n: int, d: int, k: int) -> Workload:
    return Workload(
        gaussian_mixture,
        lambda rng: _inputs(rng, n, d, k),
        (0, 1, 2, 3),
        gaussian_mixture_by_hand,
        gaussian_mixture_in_jax,
        label=f"mixture_{n}_{d}_{k}",
    )


WORKLOADS = [
    _workload(1000, 10, 10),
    _workload(1000, 20, 25),
    _workload(10_000, 32, 25),
    Workload(
        mixture_in_arrays,
        _array_inputs,
        (0, 1, 2),
        mixture_in_arrays_by_hand,
        mixture_in_arrays_in_jax,
        loops=False,
    ),
]
