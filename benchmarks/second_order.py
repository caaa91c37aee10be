"""Time forward mode against the function, and products with the Hessian against the gradient.

`python -m benchmarks.second_order [NAME ...]` runs the workloads of the suite, or some, on one thread. Before
anything is timed, forward mode has to agree with the gradient, and the Hessian to be symmetric, to 1e-8.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

from adcompiler import hvp, jvp, value_and_grad
from benchmarks.__main__ import PRIMAL, geometric_mean, timed
from benchmarks.workload import Workload
from benchmarks.workloads import WORKLOADS

GRADIENT, TANGENT, PRODUCT = "gradient", "jvp", "hvp"


def direction(work: Workload, args: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    """Return a random change of the arguments to differentiate."""
    random = np.random.default_rng(seed)
    return tuple(
        random.normal(size=np.shape(args[k])) if np.ndim(args[k]) else random.normal() for k in work.wrt
    )


def inner(one: tuple[Any, ...], other: tuple[Any, ...]) -> float:
    """Return the sum of products of all parts."""
    return float(sum(np.sum(a * b) for a, b in zip(one, other, strict=True)))


def contestants(work: Workload, args: tuple[Any, ...]) -> dict[str, Callable[..., Any]]:
    """Return what is timed, each a function of the arguments; all agree with each other."""
    gradient, product = (make(work.primal, argnums=work.wrt) for make in (value_and_grad, hvp))
    one, other = direction(work, args, 1), direction(work, args, 2)
    tangents: list[Any] = [None] * len(args)
    for k, part in zip(work.wrt, one, strict=True):
        tangents[k] = part
    slope, expected = jvp(work.primal, args, tangents)[1], inner(gradient(*args)[1], one)
    size = sum(float(np.sum(np.abs(g * t))) for g, t in zip(gradient(*args)[1], one, strict=True))
    np.testing.assert_allclose(slope, expected, rtol=1e-8, atol=1e-8 * size, err_msg=work.name)
    left, right = product(*args, one), product(*args, other)
    size = sum(float(np.sum(np.abs(h * t))) for h, t in zip(left, other, strict=True))
    np.testing.assert_allclose(
        inner(left, other), inner(right, one), rtol=1e-8, atol=1e-8 * size, err_msg=work.name
    )
    return {
        PRIMAL: work.compiled,
        TANGENT: lambda *given: jvp(work.primal, given, tangents),
        GRADIENT: gradient,
        PRODUCT: lambda *given: product(*given, one),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="workloads; all if none is named")
    parser.add_argument("--repetitions", type=int, default=15)
    options = parser.parse_args()
    chosen = [w for w in WORKLOADS if not options.names or w.name in options.names]
    warnings.simplefilter("ignore")
    print(f"{'':22}{'jvp':>12}{'to primal':>11}{'hvp':>12}{'to gradient':>13}")
    ratios: list[tuple[float, float]] = []
    for work in tqdm(chosen, disable=None):
        args = work.inputs(np.random.default_rng(0))
        times = timed(contestants(work, args), args, options.repetitions)
        median = {name: statistics.median(found) for name, found in times.items()}
        ratios.append((median[TANGENT] / median[PRIMAL], median[PRODUCT] / median[GRADIENT]))
        own = [f"{median[name] * 1e6:9.1f} µs" for name in (TANGENT, PRODUCT)]
        tqdm.write(f"{work.name:22}{own[0]}{ratios[-1][0]:10.2f}x{own[1]}{ratios[-1][1]:12.2f}x")
    means = [geometric_mean(column) for column in zip(*ratios, strict=True)]
    print(f"{'geometric mean':22}{'':12}{means[0]:10.2f}x{'':12}{means[1]:12.2f}x")


if __name__ == "__main__":
    main()
