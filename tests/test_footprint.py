"""The memory that `explain` predicts, against what NumPy allocates."""

import re
import tracemalloc

import numpy as np
import pytest

from adcompiler import value_and_grad

R = np.random.default_rng(0)


def waves(u0, steps):
    u = u0.copy()
    new = np.zeros_like(u)
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            new[i] = u[i] + 0.1 * u[i] * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        u, new = new, u
    return np.sum(u * u)


def recurrence(x):
    h = 0.0
    for i in range(len(x)):
        h = np.tanh(h + x[i])
    return h


def layers(x, w):
    for _ in range(5):
        x = np.tanh(w @ x)
    return np.sum(x * x)


def smoothed(x):
    for _ in range(4):
        x[1:-1] = 0.25 * (x[:-2] + 2.0 * x[1:-1] + x[2:])
    return np.sum(x * x)


CASES = [
    (waves, (R.normal(size=300), 20)),
    (recurrence, (R.normal(size=2000),)),
    (layers, (R.normal(size=(40, 60)), R.normal(size=(40, 40)))),
    (smoothed, (R.normal(size=3000),)),
]


@pytest.mark.parametrize(("function", "args"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_prediction_matches_measurement(function, args):
    derivative = value_and_grad(function, jit=False)
    derivative(*args)
    text = derivative.explain(*args)
    predicted = int(re.search(r"results: ([\d,]+) bytes", text)[1].replace(",", ""))
    tracemalloc.start()
    try:
        result = derivative(*args)
        measured = tracemalloc.get_traced_memory()[1] - result[1].nbytes
    finally:
        tracemalloc.stop()
    assert predicted == pytest.approx(measured, rel=0.15, abs=4000)


def test_one_number_a_step():
    x = R.normal(size=1000)
    assert "8,000 bytes at most" in value_and_grad(recurrence, jit=False).explain(x)


def test_a_linear_update_in_place_stores_nothing():
    x = R.normal(size=1000)
    text = value_and_grad(smoothed, jit=False).explain(x)
    assert "tape" not in text
    assert "stores nothing" in text


def test_what_sizes_do_not_tell_is_named():
    def halvings(x):
        parts = []
        while np.sum(x * x) > 0.1:
            x = 0.5 * x
            parts.append(x)
        return np.sum(parts[-1])

    text = value_and_grad(halvings, jit=False).explain(np.ones(5))
    assert "sizes do not tell" in text
    assert "compiled in" in text
