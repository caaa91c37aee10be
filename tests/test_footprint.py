"""The memory that `explain` predicts, against what NumPy allocates."""

import math
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


def traced_memory(derivative, args):
    """The peak in bytes of one call, without the gradient; the least of three, as others may add to it."""
    peaks = []
    for _ in range(3):
        tracemalloc.start()
        try:
            result = derivative(*args)
            peaks.append(tracemalloc.get_traced_memory()[1] - result[1].nbytes)
        finally:
            tracemalloc.stop()
    return min(peaks)


@pytest.mark.parametrize(("function", "args"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_prediction_is_a_close_bound(function, args):
    derivative = value_and_grad(function, jit=False)
    derivative(*args)
    text = derivative.explain(*args)
    predicted = int(re.search(r"results: ([\d,]+) bytes", text)[1].replace(",", ""))
    measured = traced_memory(derivative, args)
    assert measured - 4000 <= predicted <= 1.25 * measured + 4000


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


def until_it_is_large(x):
    h = x * 1.0
    while np.sum(h) < 1e4:
        h = h * 1.3 + np.sin(h)
    return np.sum(h)


def number_until_it_is_large(x):
    k = x[0]
    while k < 1e6:
        k = k * 1.5 + math.sin(k)
    return k


def states_on_a_stack(x, n):
    h = np.diag(np.full(20, x[0]))
    for i in range(n):
        h = h @ h * 0.5
        h[0, 0] = math.sin(h[0, 0]) * i
    return np.sum(h)


def mirrored(x, n):
    return x if n == 0 else math.sin(x * mirrored(x, n - 1))


def calls_itself(x, n):
    return mirrored(x[0], n)


@pytest.mark.parametrize(
    ("function", "others", "named"),
    [
        (until_it_is_large, (), "h_stack"),
        (number_until_it_is_large, (), "k_stack"),
        (states_on_a_stack, (10,), "h_stack"),
        (calls_itself, (5,), "what mirrored_pullback needs"),
    ],
)
def test_no_bound_is_claimed_where_there_is_none(function, others, named):
    text = value_and_grad(function, jit=False).explain(np.ones(1000), *others)
    assert "at most" not in text
    assert "bytes and what cannot be foreseen" in text
    (line,) = [line for line in text.splitlines() if line.startswith("  without bound")]
    assert named in line.split(": ")[1].split(", ")
