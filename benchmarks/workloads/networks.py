"""A small neural network in array operations."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.workload import Workload, jax_gradient


def network(w1, b1, w2, b2, x, t):
    error = np.tanh(x @ w1 + b1) @ w2 + b2 - t
    return np.mean(error * error)


@njit(error_model="numpy")
def network_by_hand(w1, b1, w2, b2, x, t):
    hidden = np.tanh(x @ w1 + b1)
    error = hidden @ w2 + b2 - t
    d_error = 2.0 / error.size * error
    d_pre = d_error @ w2.T * (1.0 - hidden * hidden)
    gradients = x.T @ d_pre, d_pre.sum(axis=0), hidden.T @ d_error, d_error.sum(axis=0)
    return np.mean(error * error), gradients


def network_in_jax():
    import jax.numpy as jnp

    def primal(w1, b1, w2, b2, x, t):
        error = jnp.tanh(x @ w1 + b1) @ w2 + b2 - t
        return jnp.mean(error * error)

    return jax_gradient(primal, (0, 1, 2, 3))


def _inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    shapes = (64, 32), (32,), (32, 10), (10,), (32, 64), (32, 10)
    return tuple(0.2 * rng.normal(size=shape) for shape in shapes)


WORKLOADS = [Workload(network, _inputs, (0, 1, 2, 3), network_by_hand, network_in_jax, loops=False)]
