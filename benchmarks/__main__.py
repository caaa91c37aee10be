"""A training step of the 64-32-10 network, against JAX (in `lax.scan`), PyTorch eager and by hand.

`python -m benchmarks` needs the extra `bench`; peers that are not installed are left out. One thread,
repetitions interleaved, medians; the losses of all must agree before anything is timed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numba import njit

from adcompiler import value_and_grad

# One thread for every peer: set in benchmarks/__init__.py, before NumPy is imported.
STEPS, BATCH, RATE, REPETITIONS = 1000, 32, 0.05, 15
Parameters = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@value_and_grad(argnums=("w1", "b1", "w2", "b2"))
def loss(w1, b1, w2, b2, x, t):
    error = np.tanh(x @ w1 + b1) @ w2 + b2 - t
    return np.mean(error * error)


@njit
def by_hand(w1, b1, w2, b2, x, t):
    hidden = np.tanh(x @ w1 + b1)
    error = hidden @ w2 + b2 - t
    d_error = 2.0 / error.size * error
    d_pre = d_error @ w2.T * (1.0 - hidden * hidden)
    gradients = x.T @ d_pre, d_pre.sum(axis=0), hidden.T @ d_error, d_error.sum(axis=0)
    return np.mean(error * error), gradients


def numba_trainer(gradient: Callable) -> Callable[[Parameters, np.ndarray, np.ndarray], float]:
    @njit
    def train(w1, b1, w2, b2, x, t, steps, rate):
        value = 0.0
        for k in range(steps):
            value, (d_w1, d_b1, d_w2, d_b2) = gradient(w1, b1, w2, b2, x[k % len(x)], t[k % len(x)])
            w1 -= rate * d_w1
            b1 -= rate * d_b1
            w2 -= rate * d_w2
            b2 -= rate * d_b2
        return value

    return lambda parameters, x, t: train(*(p.copy() for p in parameters), x, t, STEPS, RATE)


def jax_trainer() -> Callable[[Parameters, np.ndarray, np.ndarray], float]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def jax_loss(p, x, t):
        w1, b1, w2, b2 = p
        error = jnp.tanh(x @ w1 + b1) @ w2 + b2 - t
        return jnp.mean(error * error)

    def step(p, k, x, t):
        value, gradients = jax.value_and_grad(jax_loss)(p, x[k % len(x)], t[k % len(x)])
        return tuple(a - RATE * g for a, g in zip(p, gradients, strict=True)), value

    @jax.jit
    def train(p, x, t):
        _, values = jax.lax.scan(lambda p, k: step(p, k, x, t), p, jnp.arange(STEPS))
        return values[-1]

    return lambda parameters, x, t: float(train(parameters, x, t).block_until_ready())


def torch_trainer() -> Callable[[Parameters, np.ndarray, np.ndarray], float]:
    import torch

    torch.set_num_threads(1)

    def train(parameters, x, t):
        p = [torch.tensor(a, requires_grad=True) for a in parameters]
        x, t = torch.from_numpy(x), torch.from_numpy(t)
        for k in range(STEPS):
            error = torch.tanh(x[k % len(x)] @ p[0] + p[1]) @ p[2] + p[3] - t[k % len(x)]
            value = (error * error).mean()
            gradients = torch.autograd.grad(value, p)
            with torch.no_grad():
                for a, g in zip(p, gradients, strict=True):
                    a -= RATE * g
        return float(value.detach())

    return train


def main() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(16, BATCH, 64)), rng.normal(size=(16, BATCH, 10))
    parameters = (rng.normal(size=(64, 32)) / 8, np.zeros(32), rng.normal(size=(32, 10)) / 6, np.zeros(10))
    trainers = {"adcompiler": numba_trainer(loss), "by hand, Numba": numba_trainer(by_hand)}
    for name, make in (("JAX, jitted lax.scan", jax_trainer), ("PyTorch eager", torch_trainer)):
        try:
            trainers[name] = make()
        except ImportError:
            print(f"{name}: not installed")
    losses = {name: train(parameters, x, t) for name, train in trainers.items()}
    for name, value in losses.items():
        assert abs(value - losses["adcompiler"]) < 1e-8 * abs(value), f"{name} disagrees: {losses}"
    times: dict[str, list[float]] = {name: [] for name in trainers}
    for _ in range(REPETITIONS):
        for name, train in trainers.items():
            begin = time.perf_counter()
            train(parameters, x, t)
            times[name].append((time.perf_counter() - begin) / STEPS * 1e6)
    ours = statistics.median(times["adcompiler"])
    print(f"64-32-10 network, batch {BATCH}, {STEPS} steps, {REPETITIONS} repetitions, one thread")
    print(f"{'':24}{'median':>10}{'minimum':>10}{'ratio to adcompiler':>22}")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:24}{median:8.1f} µs{min(found):8.1f} µs{median / ours:20.2f}x")


if __name__ == "__main__":
    main()
