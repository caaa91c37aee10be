"""Time gradients in double precision against the same in single precision, and count the bytes of both.

`python -m benchmarks.single_precision [NAME ...]` runs the programs, or some, on one thread. Constants are of
single precision, which leaves double precision as it is. Before anything is timed, both gradients have to
agree to 1e-3 of the largest entry.
"""

from __future__ import annotations

import argparse
import math
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from adcompiler import value_and_grad

HALF, ONE, TWO = np.float32(0.5), np.float32(1), np.float32(2)


def chain(x, w):
    y = np.tanh(x * w) + np.exp(-x * x)
    return np.sum(y * y)


def log_likelihood(x, mu):
    d = x - mu
    return np.sum(np.log(ONE + np.exp(-d)) + HALF * d * d)


def softmax_rows(z):
    total = np.float32(0)
    for i in range(z.shape[0]):
        e = np.exp(z[i] - np.max(z[i]))
        total += np.log(np.sum(e)) - z[i, 0]
    return total


def network(w1, b1, w2, x):
    h = np.tanh(x @ w1 + b1)
    e = h @ w2
    return np.mean(e * e)


def layer_norm(x, g):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        c = x[i] - np.mean(x[i])
        out[i] = g * c / np.sqrt(np.mean(c * c) + np.float32(1e-5))
    return np.sum(out * out * out)


def heat(u, c):
    u = u.copy()
    for _ in range(100):
        v = u.copy()
        for i in range(1, len(u) - 1):
            u[i] = v[i] + c * (v[i - 1] - TWO * v[i] + v[i + 1])
    return np.sum(u * u)


def wave(u, c):
    n, m = u.shape
    for _ in range(10):
        new = np.zeros_like(u)
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                lap = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1] - np.float32(4) * u[i, j]
                new[i, j] = u[i, j] + c * lap
        u = new
    return np.sum(u * u)


def blur(k, image):
    n, m = image.shape
    out = np.zeros_like(image)
    for i in range(n):
        for j in range(2, m - 2):
            for a in range(5):
                out[i, j] += k[a] * image[i, j + a - 2]
    return np.sum(out * out)


def particles(p):
    energy = np.float32(0)
    for i in range(p.shape[1]):
        for j in range(i):
            dx, dy = p[0, i] - p[0, j], p[1, i] - p[1, j]
            energy += ONE / math.sqrt(dx * dx + dy * dy + HALF)
    return energy


def recurrence(w, x):
    h = np.float32(0)
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def programs() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return each program with arguments in double precision."""
    rng = np.random.default_rng(0)
    small, number = rng.normal(size=5), 0.2
    made = {
        chain: (rng.normal(size=100_000), rng.normal(size=100_000)),
        log_likelihood: (rng.normal(size=100_000), number),
        softmax_rows: (rng.normal(size=(500, 200)),),
        network: tuple(rng.normal(size=shape) / 10 for shape in ((64, 128), (128,), (128,), (512, 64))),
        layer_norm: (rng.normal(size=(500, 200)), rng.normal(size=200)),
        heat: (rng.normal(size=10_000), number),
        wave: (rng.normal(size=(300, 300)), number),
        blur: (small, rng.normal(size=(300, 300))),
        particles: (rng.normal(size=(2, 500)),),
        recurrence: (number, rng.normal(size=100_000)),
    }
    return {function.__name__: (function, args) for function, args in made.items()}


def seconds(function: Callable[..., Any], args: tuple[Any, ...]) -> float:
    """Return the least time of some calls."""
    best = math.inf
    end = time.perf_counter() + 1.0
    while time.perf_counter() < end:
        start = time.perf_counter()
        function(*args)
        best = min(best, time.perf_counter() - start)
    return best


def kilobytes(derivative: Any, args: tuple[Any, ...]) -> float:
    """Return how much memory a call takes, as `explain` tells."""
    units = {"bytes": 1e-3, "kB": 1.0, "MB": 1e3, "GB": 1e6}
    found = re.search(r"([\d.,]+) (bytes|kB|MB|GB)", derivative.explain(*args).split("memory")[-1])
    return float(found[1].replace(",", "")) * units[found[2]] if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    print(f"{'program':16}{'float64 ms':>12}{'float32 ms':>12}{'time':>8}{'memory':>8}")
    ratios = []
    for name, (function, args) in programs().items():
        if names and name not in names:
            continue
        derivative = value_and_grad(function, argnums=range(len(args)))
        single = tuple(np.float32(arg) for arg in args)
        for one, other in zip(derivative(*single)[1], derivative(*args)[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.max(np.abs(other)))
        times = [seconds(derivative, given) for given in (args, single)]
        bytes_of_both = [kilobytes(derivative, given) for given in (args, single)]
        ratios.append(times[0] / times[1])
        memory = bytes_of_both[0] / bytes_of_both[1] if bytes_of_both[1] else 1.0
        print(f"{name:16}{times[0] * 1e3:12.3f}{times[1] * 1e3:12.3f}{ratios[-1]:8.2f}{memory:8.2f}")
    print(f"geometric mean of the times' ratios: {np.exp(np.mean(np.log(ratios))):.2f}")


if __name__ == "__main__":
    main()
