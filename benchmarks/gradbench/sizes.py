"""Inputs of an eval at a few of the sizes that GradBench runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.gradbench.checking import cases

Inputs = Iterator[tuple[str, Any]]
CAMERA = [-0.76, -1.1, -0.85, 34.6, 39.7, 53.9, 419.2, 5.9, -8.5, 0.09, 0.003]


def gmm(rng: np.random.Generator) -> Inputs:
    for d, k, n in (2, 5, 1000), (10, 25, 1000), (32, 50, 1000), (64, 25, 1000):
        x = {"x": rng.normal(size=(n, d)), "gamma": 1.0, "m": 0}
        means = {"alpha": rng.normal(size=k), "mu": rng.random((k, d))}
        logs, lower = 0.1 * rng.normal(size=(k, d)), 0.1 * rng.normal(size=(k, d * (d - 1) // 2))
        yield f"d={d}, k={k}, n={n}", x | means | {"q": logs, "l": lower}


def ba(rng: np.random.Generator) -> Inputs:
    shared = {"cam": CAMERA, "x": [7.2, 0.001, 3.02], "w": 0.42, "feat": [271.8, 834.2]}
    for n, m, p in (49, 7776, 31_843), (372, 47_423, 204_472):
        yield f"p={p}", shared | {"n": n, "m": m, "p": p}


def lstm(rng: np.random.Generator) -> Inputs:
    b = 14
    for layers, count in (2, 1024), (4, 1024), (2, 4096):
        yield (
            f"layers={layers}, characters={count}",
            {
                "main_params": rng.normal(size=(2 * layers, 4 * b)),
                "extra_params": rng.normal(size=(3, b)),
                "state": rng.random((2 * layers, b)),
                "sequence": rng.integers(0, 2, (count, b)),
            },
        )


def ht(rng: np.random.Generator) -> Inputs:
    given = cases("ht")[0]["input"]
    data = given["data"]
    for n in 100, 1600, 25_600:
        matched = {"correspondences": rng.integers(0, 544, n), "points": rng.normal(size=(n, 3))}
        yield f"points={n}", given | {"data": data | matched}
    for n in 100, 1600:
        matched = {"correspondences": rng.integers(0, 1084, n), "points": rng.normal(size=(n, 3))}
        yield f"points={n}, in triangles", given | {"data": data | matched, "us": rng.random((n, 2)).tolist()}


def kmeans(rng: np.random.Generator) -> Inputs:
    for k, n, d in (10, 1000, 8), (100, 1000, 8), (10, 10_000, 16), (100, 10_000, 8):
        yield f"k={k}, n={n}, d={d}", {"points": rng.random((n, d)), "centroids": rng.random((k, d))}


def lse(rng: np.random.Generator) -> Inputs:
    for n in 2500, 40_000, 1_280_000:
        yield f"n={n}", {"x": rng.normal(size=n)}


def llsq(rng: np.random.Generator) -> Inputs:
    for n in 16, 256, 4096:
        yield f"m=128, n={n}", {"x": rng.random(128), "n": n}


def ode(rng: np.random.Generator) -> Inputs:
    for n, s in (1000, 1), (1000, 100), (10_000, 10):
        yield f"n={n}, s={s}", {"x": rng.random(n), "s": s}


def det(rng: np.random.Generator) -> Inputs:
    for n in 5, 7, 9:
        yield f"{n} by {n}", {"A": rng.random(n * n), "ell": n}


SIZES: dict[str, Callable[[np.random.Generator], Inputs]] = {
    made.__name__: made for made in (gmm, ba, lstm, ht, kmeans, lse, llsq, ode, det)
}
