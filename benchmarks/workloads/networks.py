"""Small neural networks in array operations."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.workload import Workload, autograd_gradient, jax_gradient, torch_gradient


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


def network_in_torch():
    import torch

    def primal(w1, b1, w2, b2, x, t):
        error = torch.tanh(x @ w1 + b1) @ w2 + b2 - t
        return (error * error).mean()

    return torch_gradient(primal, (0, 1, 2, 3))


def network_in_autograd():
    import autograd.numpy as anp

    def primal(w1, b1, w2, b2, x, t):
        error = anp.tanh(x @ w1 + b1) @ w2 + b2 - t
        return anp.mean(error * error)

    return autograd_gradient(primal, (0, 1, 2, 3))


def _workload(inputs: int, hidden: int, outputs: int, batch: int) -> Workload:
    shapes = (inputs, hidden), (hidden,), (hidden, outputs), (outputs,), (batch, inputs), (batch, outputs)
    return Workload(
        network,
        lambda rng: tuple(0.2 * rng.normal(size=shape) for shape in shapes),
        (0, 1, 2, 3),
        network_by_hand,
        network_in_jax,
        loops=False,
        torch=network_in_torch,
        autograd=network_in_autograd,
        label=f"network_{inputs}_{hidden}_{outputs}",
    )


WORKLOADS = [
    _workload(*sizes) for sizes in ((3, 4, 2, 1), (10, 8, 1, 10), (64, 32, 10, 32), (784, 128, 10, 128))
]
