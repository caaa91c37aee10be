"""`gmm`: the log posterior of a Gaussian mixture with a Wishart prior (Srajer, Kukelova, Fitzgibbon 2018)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, stop_gradient
from benchmarks.gradbench.evaluation import Eval, Task, array


@njit(error_model="numpy")
def log_sum_exp(terms):
    """Return log Σ exp, from which the greatest term, here a constant, cancels out."""
    big = stop_gradient(np.max(terms))
    total = 0.0
    for k in range(len(terms)):
        total += math.exp(terms[k] - big)
    return big + math.log(total)


@njit(error_model="numpy")
def factors(q, lower):
    """Return the triangular factors of the precisions; `lower` fills each column by column."""
    k_count, d = q.shape
    found = np.zeros((k_count, d, d))
    for k in range(k_count):
        p = 0
        for b in range(d):
            found[k, b, b] = math.exp(q[k, b])
            for a in range(b + 1, d):
                found[k, a, b] = lower[k, p]
                p += 1
    return found


@njit(error_model="numpy")
def log_likelihood(alpha, mu, q, lower, x):
    """Return the sum over points of log Σ exp of the components' terms, without constants."""
    k_count, d = mu.shape
    factor = factors(q, lower)
    constants = alpha + np.sum(q, axis=1)
    total = 0.0
    for i in range(len(x)):
        terms = np.empty(k_count)
        for k in range(k_count):
            centred = np.empty(d)
            for a in range(d):
                centred[a] = x[i, a] - mu[k, a]
            square = 0.0
            for a in range(d):
                projected = 0.0
                for b in range(a + 1):
                    projected += factor[k, a, b] * centred[b]
                square += projected * projected
            terms[k] = constants[k] - 0.5 * square
        total += log_sum_exp(terms)
    return total


@njit(error_model="numpy")
def log_prior(q, lower, gamma, m):
    """Return the Wishart prior of the precisions QᵀQ, without constants."""
    squares = 0.0
    for k in range(len(q)):
        for a in range(q.shape[1]):
            squares += math.exp(2.0 * q[k, a])
        for p in range(lower.shape[1]):
            squares += lower[k, p] * lower[k, p]
    return m * np.sum(q) - 0.5 * gamma * gamma * squares


@njit(error_model="numpy")
def constants(k_count, d, n, gamma, m):
    freedom = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi)
    for a in range(d):
        log_gamma += math.lgamma(0.5 * (freedom - a))
    wishart = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0)) - log_gamma
    return k_count * wishart - 0.5 * n * d * math.log(2.0 * math.pi)


@grad(argnums=("alpha", "mu", "q", "lower"))
def log_posterior(alpha, mu, q, lower, x, gamma, m):
    n = len(x)
    fit = log_likelihood(alpha, mu, q, lower, x) - n * log_sum_exp(alpha)
    return fit + log_prior(q, lower, gamma, m) + constants(len(mu), mu.shape[1], n, gamma, m)


def arguments(given: Any) -> tuple[Any, ...]:
    matrices = (array(given[name], axes=2) for name in ("mu", "q", "l", "x"))
    return array(given["alpha"]), *matrices, float(given["gamma"]), int(given["m"])


def blocks(gradient: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("alpha", "mu", "q", "l"), gradient, strict=True))


EVAL = Eval(
    {
        "objective": Task(arguments, log_posterior.primal),
        "jacobian": Task(arguments, log_posterior, blocks),
    },
    (
        {
            "alpha": [0.5, -1.0],
            "mu": [[0.0, 1.0], [1.0, 0.5]],
            "q": [[0.1, 0.2], [0.3, -0.1]],
            "l": [[0.3], [-0.2]],
            "x": [[0.2, 0.8], [-0.4, 1.1], [1.3, 0.1]],
            "gamma": 1.0,
            "m": 0,
        },
    ),
)
