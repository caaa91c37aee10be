"""Measure how much faster functions and their gradients become on several cores.

`python -m benchmarks.threads [--rounds 15]` takes the functions as Numba runs them, with `parallel=True`, and
their gradients with the same option, on 1, 2, 4 … threads, up to as many as there are cores. Ratios are of
least times: to one thread; of the gradient to the function, on one thread; and of the gradient without the
option to the one with it, likewise.
"""

from __future__ import annotations

import argparse
import json
import timeit
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from tqdm import tqdm

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
    """Return the least time of a call, after a first one."""
    function(*args)
    return min(timeit.repeat(lambda: function(*args), number=1, repeat=rounds))


def counts() -> list[int]:
    """Return the numbers of threads to measure with: powers of two, and all cores."""
    most = numba.config.NUMBA_NUM_THREADS
    return [*(n for n in (1, 2, 4, 8, 16, 32, 64, 128) if n < most), most]


def measured(
    function: Callable[..., Any], wrt: tuple[int, ...], args: tuple[Any, ...], rounds: int
) -> dict[str, Any]:
    """Return the seconds of a function and of its gradient, by threads, and of the gradient without any."""
    primal = njit(function, parallel=True)
    derivative = value_and_grad(function, argnums=wrt, parallel=True)
    found: dict[str, Any] = {"threads": counts(), "function": [], "gradient": []}
    for n in counts():
        numba.set_num_threads(n)
        found["function"].append(seconds(primal, args, rounds))
        found["gradient"].append(seconds(derivative, args, rounds))
    return found | {"one core": seconds(value_and_grad(function, argnums=wrt), args, rounds)}


def row(found: dict[str, Any]) -> list[float]:
    """Return the ratios that a table shows of what was measured."""
    function, gradient = found["function"], found["gradient"]
    faster = [times[0] / times[k] for k in range(1, len(function)) for times in (function, gradient)]
    return [*faster, gradient[0] / function[0], found["one core"] / gradient[0]]


def heads() -> str:
    """Return the first line of the table."""
    names = [f"{what}, {n}" for n in counts()[1:] for what in ("function", "gradient")]
    return f"{'':12}" + "".join(f"{name:>14}" for name in [*names, "over function", "one core"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print what was measured")
    given = parser.parse_args()
    found = {f.__name__: measured(f, wrt, args, given.rounds) for f, wrt, args in tqdm(workloads())}
    if given.json:
        print(json.dumps(found))
        return
    print(heads())
    for name, times in found.items():
        print(f"{name:12}" + "".join(f"{ratio:14.2f}" for ratio in row(times)))


if __name__ == "__main__":
    main()
