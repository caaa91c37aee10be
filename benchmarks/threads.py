"""Measure how much faster functions and their gradients become on several cores.

`python -m benchmarks.threads [--rounds 15]` takes the functions as Numba runs them, with `parallel=True`, and
their gradients with the same option, on 1, 2, 4 … threads. Ratios are of medians: to one thread; of the
gradient to the function, on one thread; and of the gradient without the option to the one with it, likewise.
"""

from __future__ import annotations

import argparse
import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import njit, prange

from adcompiler import value_and_grad


def paths(z: Any, v0: Any, kappa: Any, theta: Any, xi: Any, rho: Any) -> Any:
    """Return the price of a call under Heston's model: each path for itself."""
    dt = 1.0 / z.shape[1]
    total = 0.0
    for p in prange(z.shape[0]):
        s, v = 0.0, v0
        for t in range(z.shape[1]):
            second = rho * z[p, t, 0] + np.sqrt(1.0 - rho * rho) * z[p, t, 1]
            now = max(v, 1e-6)
            s += -0.5 * now * dt + np.sqrt(now * dt) * z[p, t, 0]
            v += kappa * (theta - now) * dt + xi * np.sqrt(now * dt) * second
        total += max(np.exp(s) - 1.0, 0.0)
    return total / z.shape[0]


def network(w: Any, v: Any, x: Any, y: Any) -> Any:
    """Return the squared error of a network: all examples share the weights."""
    total = 0.0
    for p in prange(x.shape[0]):
        a = np.zeros(w.shape[1])
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                a[j] += x[p, i] * w[i, j]
        for k in range(v.shape[1]):
            b = 0.0
            for j in range(v.shape[0]):
                b += np.tanh(a[j]) * v[j, k]
            total += (b - y[p, k]) ** 2
    return total / x.shape[0]


def bodies(x: Any, charge: Any) -> Any:
    """Return the energy of charged bodies: a loop over pairs, which adds to both of them."""
    total = 0.0
    for i in prange(x.shape[0]):
        for j in range(x.shape[0]):
            if i != j:
                a, b, c = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
                total += charge[i] * charge[j] / np.sqrt(a * a + b * b + c * c + 1e-3)
    return total


def diffusion(u: Any, k: Any) -> Any:
    """Return what is left after some steps of diffusion: a stencil in a loop over time."""
    for _ in range(10):
        v = np.zeros_like(u)
        for i in prange(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                near = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
                v[i, j] = u[i, j] + k[i, j] * np.tanh(near - 4.0 * u[i, j])
        u = v
    return np.sum(u * u)


def gathered(x: Any, index: Any) -> Any:
    """Return a sum over edges of a graph: any two of them may share a node."""
    total = 0.0
    for e in prange(index.shape[0]):
        d = x[index[e, 0]] - x[index[e, 1]]
        total += np.log(1.0 + d * d) * np.cos(d)
    return total


def workloads() -> list[tuple[Callable[..., Any], tuple[int, ...], tuple[Any, ...]]]:
    """Return each function, the arguments to differentiate, and all arguments."""
    r = np.random.default_rng(0)
    return [
        (paths, (1, 2, 3, 4, 5), (r.normal(size=(4000, 100, 2)), 0.04, 1.5, 0.04, 0.3, -0.7)),
        (network, (0, 1), tuple(r.normal(size=n) for n in ((64, 32), (32, 10), (3000, 64), (3000, 10)))),
        (bodies, (0, 1), (r.random((700, 3)), r.random(700))),
        (diffusion, (0, 1), (r.random((300, 300)), 0.1 * r.random((300, 300)))),
        (gathered, (0,), (r.random(2000), r.integers(0, 2000, size=(200_000, 2)))),
    ]


def seconds(function: Callable[..., Any], args: tuple[Any, ...], rounds: int) -> float:
    """Return the median time of a call."""
    function(*args)
    return statistics.median(timeit.repeat(lambda: function(*args), number=1, repeat=rounds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    counts = [n for n in (1, 2, 4, 8, 16, 32, 64, 128) if n <= numba.config.NUMBA_NUM_THREADS]
    heads = [f"{what}, {n}" for n in counts[1:] for what in ("function", "gradient")]
    print(f"{'':12}" + "".join(f"{head:>14}" for head in [*heads, "over function", "one core"]))
    for function, wrt, args in workloads():
        primal = njit(function, parallel=True)
        derivative = value_and_grad(function, argnums=wrt, parallel=True)
        found = {}
        for n in counts:
            numba.set_num_threads(n)
            found[n] = seconds(primal, args, rounds), seconds(derivative, args, rounds)
        one = seconds(value_and_grad(function, argnums=wrt), args, rounds)
        faster = [found[1][k] / found[n][k] for n in counts[1:] for k in (0, 1)]
        last = found[1][1] / found[1][0], one / found[1][1]
        print(f"{function.__name__:12}" + "".join(f"{ratio:14.2f}" for ratio in [*faster, *last]), flush=True)


if __name__ == "__main__":
    main()
