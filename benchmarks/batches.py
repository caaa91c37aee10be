"""Measure gradients for each example of a batch: `vmap(grad(f))` beside a loop by hand, and beside JAX.

`python -m benchmarks.batches [--sizes 1,8,32,128] [--repeat 5]` takes a network of 784, 128 and 10 units in
double precision. Least times count; ratios are to `vmap(grad(f))`, which stands beside them in milliseconds.
JAX (`jax.vmap(jax.grad(f))` under `jax.jit`) is left out where it isn't installed.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, vmap

UNITS = (784, 128, 10)
AXES = (None, None, 0, 0)


def loss(w: Any, v: Any, x: Any, label: Any) -> Any:
    """Return the cross entropy of one image."""
    logits = np.tanh(x @ w) @ v
    return np.log(np.sum(np.exp(logits - np.max(logits)))) + np.max(logits) - logits[label]


def by_hand() -> Callable[..., Any]:
    """Return the loop over the batch that one would write."""
    derivative = grad(loss, argnums=(0, 1))

    @njit
    def gradients(w: Any, v: Any, x: Any, labels: Any) -> Any:
        d_w, d_v = np.empty((len(x), *w.shape)), np.empty((len(x), *v.shape))
        for k in range(len(x)):
            d_w[k], d_v[k] = derivative(w, v, x[k], labels[k])
        return d_w, d_v

    return gradients


def in_jax() -> Callable[..., Any] | None:
    """Return the same with JAX, None where it is not installed."""
    try:
        jax = importlib.import_module("jax")
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def jax_loss(w: Any, v: Any, x: Any, label: Any) -> Any:
        logits = jnp.tanh(x @ w) @ v
        return jax.scipy.special.logsumexp(logits) - logits[label]

    run = jax.jit(jax.vmap(jax.grad(jax_loss, argnums=(0, 1)), in_axes=AXES))
    return lambda *args: jax.block_until_ready(run(*args))


def least(function: Callable[..., Any], args: tuple[Any, ...], repeat: int) -> float:
    """Return the least time of a call, after a first one."""
    function(*args)
    return min(timeit.repeat(lambda: function(*args), number=1, repeat=repeat))


def measured(sizes: list[int], repeat: int) -> dict[int, dict[str, float]]:
    """Return the seconds of each way to take the gradients, for each size of a batch."""
    ways: dict[str, Callable[..., Any] | None] = {
        "vmap": vmap(grad(loss, argnums=(0, 1)), in_axes=AXES),
        "loop by hand": by_hand(),
        "JAX": in_jax(),
    }
    r = np.random.default_rng(0)
    w, v = (0.1 * r.normal(size=pair) for pair in itertools.pairwise(UNITS))
    found = {}
    for size in sizes:
        args = w, v, r.random((size, UNITS[0])), r.integers(0, UNITS[-1], size)
        found[size] = {name: least(way, args, repeat) for name, way in ways.items() if way is not None}
    return found


def table(found: dict[int, dict[str, float]]) -> str:
    """Return a line for each size of the batch."""
    others = [name for name in next(iter(found.values())) if name != "vmap"]
    lines = [f"{'examples':>8} {'vmap, ms':>10}" + "".join(f"{name:>14}" for name in others)]
    for size, times in found.items():
        ratios = "".join(f"{times[name] / times['vmap']:14.2f}" for name in others)
        lines.append(f"{size:>8} {1e3 * times['vmap']:10.2f}{ratios}")
    return "\n".join(lines)


def main() -> None:
    """Print a table, or what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,8,32,128")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print what was measured")
    given = parser.parse_args()
    found = measured([*map(int, given.sizes.split(","))], given.repeat)
    print(json.dumps(found) if given.json else table(found))


if __name__ == "__main__":
    main()
