"""Time Jacobians and Hessians along eight directions at once against one at a time, and against the function.

`python -m benchmarks.jacobians [NAME ...]` runs all programs, or some, on one thread, after both have agreed.
"""

from __future__ import annotations

import argparse
import math
import timeit
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from adcompiler import hessian, jacobian, jacrev

Case = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]


def arm(q: Any, lengths: Any) -> Any:
    """Return where the hand of an arm with turning joints is."""
    place, angle = np.zeros(3), 0.0
    for i in range(len(q)):
        angle += q[i]
        place[0] += lengths[i] * math.cos(angle)
        place[1] += lengths[i] * math.sin(angle)
        place[2] += 0.1 * lengths[i] * math.cos(2.0 * angle)
    return place


def kinetics(p: Any, start: Any, steps: Any) -> Any:
    """Return the end of a reaction with twelve parameters, by Euler's method."""
    y = start.copy()
    for _ in range(steps):
        a, b, c = y
        y[0] += 0.01 * (p[0] * a - p[1] * a * b + p[2] - p[3] * c)
        y[1] += 0.01 * (p[4] * a * b - p[5] * b + p[6] * c)
        y[2] += 0.01 * (p[7] * a - p[8] * c * c + p[9] * b - p[10] * c + p[11])
    return y


def curve(p: Any, t: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) + p[2] * np.cos(p[3] * t) + p[4]


def brusselator(u: Any) -> Any:
    n = len(u) // 2
    change = np.empty(2 * n)
    for i in range(n):
        x, y = u[i], u[n + i]
        left, right = (u[i - 1] if i > 0 else 1.0), (u[i + 1] if i < n - 1 else 1.0)
        below, above = (u[n + i - 1] if i > 0 else 3.0), (u[n + i + 1] if i < n - 1 else 3.0)
        change[i] = 1.0 + x * x * y - 4.0 * x + 0.02 * n * n * (left - 2.0 * x + right)
        change[n + i] = 3.0 * x - x * x * y + 0.02 * n * n * (below - 2.0 * y + above)
    return change


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def logistic(w: Any, x: Any, y: Any) -> Any:
    return np.sum(np.log(1.0 + np.exp(-y * (x @ w)))) + 0.5 * np.sum(w * w)


def network(w: Any, x: Any, y: Any) -> Any:
    """Return the loss of a network with eight hidden units."""
    total = 0.0
    for i in range(len(x)):
        out = w[40]
        for j in range(8):
            a = w[32 + j]
            for k in range(4):
                a += w[4 * j + k] * x[i, k]
            out += w[41 + j] * math.tanh(a)
        total += (out - y[i]) ** 2
    return total


def cases() -> dict[str, Case]:
    """Return the derivative, the function and the arguments of each program."""
    random = np.random.default_rng(0)
    points, labels = random.normal(size=(200, 10)), np.sign(random.normal(size=200))
    return {
        "arm, 3 x 7": (jacobian, arm, (random.normal(size=7), np.ones(7))),
        "kinetics, 3 x 12": (jacobian, kinetics, (random.uniform(size=12), np.ones(3), 200)),
        "kinetics, reverse": (jacrev, kinetics, (random.uniform(size=12), np.ones(3), 200)),
        "curve, 100 x 5": (
            jacobian,
            curve,
            (np.array([1.0, 0.5, 0.3, 2.0, 0.1]), np.linspace(0.0, 3.0, 100)),
        ),
        "Brusselator, 64 x 64": (jacobian, brusselator, (random.uniform(size=64),)),
        "Rosenbrock, 30 x 30": (hessian, rosenbrock, (random.normal(size=30),)),
        "logistic, 10 x 10": (hessian, logistic, (random.normal(size=10), points, labels)),
        "network, 49 x 49": (hessian, network, (random.normal(size=49), points[:50, :4], labels[:50])),
    }


def seconds(run: Callable[..., Any], args: tuple[Any, ...]) -> float:
    """Return the least time of a call."""
    timer = timeit.Timer(lambda: run(*args))
    count = max(1, int(1e-3 / max(timer.timeit(3) / 3, 1e-7)))
    return min(timer.repeat(300, count)) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="beginnings of names; all programs if there are none")
    names = tuple(parser.parse_args().names)
    print(f"{'':22}{'function':>12}{'one at a time':>16}{'in lanes':>12}{'ratio':>8}")
    for name, (make, function, args) in cases().items():
        if names and not name.startswith(names):
            continue
        made, before = make(function), make(function)
        before.style = replace(before.style, in_lanes=False)
        np.testing.assert_allclose(made(*args), before(*args), rtol=1e-9, atol=1e-9)
        primal, *both = (seconds(run, args) * 1e6 for run in (njit(function), before, made))
        print(f"{name:22}{primal:9.2f} us{both[0]:13.2f} us{both[1]:9.2f} us{both[1] / primal:8.1f}")


if __name__ == "__main__":
    main()
