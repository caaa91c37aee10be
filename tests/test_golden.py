"""The generated source of some functions, kept as files: `pytest --update-golden` rewrites them."""

import math
from pathlib import Path

import numpy as np
import pytest

from adcompiler import value_and_grad

FOLDER = Path(__file__).parent / "golden"


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def garch(omega, alpha, beta, r):
    h = omega / (1.0 - alpha - beta)
    total = 0.0
    for t in range(len(r)):
        total += math.log(h) + r[t] ** 2 / h
        h = omega + alpha * r[t] ** 2 + beta * h
    return 0.5 * total / len(r)


def network(w1, b1, w2, b2, x, target):
    hidden = np.tanh(x @ w1 + b1)
    error = hidden @ w2 + b2 - target
    return np.mean(error * error)


def burgers(u, steps: int, dt: float):
    for _ in range(steps):
        for i in range(1, len(u)):
            u[i] = u[i] - dt * u[i] * (u[i] - u[i - 1])
    total = 0.0
    for i in range(len(u)):
        total += u[i] ** 2
    return total


def newton(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


def mixture(means, weights, x):
    terms = np.empty(len(means))
    total = 0.0
    for i in range(len(x)):
        for k in range(len(means)):
            terms[k] = math.log(weights[k]) - 0.5 * (x[i] - means[k]) ** 2
        big = terms[0]
        for k in range(1, len(means)):
            big = max(big, terms[k])
        s = 0.0
        for k in range(len(means)):
            s += math.exp(terms[k] - big)
        total += big + math.log(s)
    return total


def diffusion(start, rate: float, steps: int):
    u = start.copy()
    new = np.zeros_like(u)
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            new[i] = u[i] + rate * u[i] * (u[i - 1] - 2.0 * u[i] + u[i + 1])
        u, new = new, u
    return np.sum(u * u)


def triangular_solve(low, b):
    n = len(b)
    x = np.zeros(n)
    for i in range(n):
        s = b[i]
        for j in range(i):
            s -= low[i, j] * x[j]
        x[i] = s / low[i, i]
    return np.sum(x * x)


GOLDEN = [
    (mixture, ("means", "weights")),
    (diffusion, ("start", "rate")),
    (triangular_solve, ("low", "b")),
    (recurrence, ("w", "x")),
    (garch, ("omega", "alpha", "beta")),
    (network, ("w1", "b1", "w2", "b2")),
    (burgers, ("u", "dt")),
    (newton, ("a",)),
]


@pytest.mark.parametrize(("function", "argnums"), GOLDEN, ids=[f.__name__ for f, _ in GOLDEN])
def test_generated_source(function, argnums, update_golden):
    path = FOLDER / f"{function.__name__}.py"
    source = value_and_grad(function, argnums=argnums).source
    if update_golden:
        path.write_text(source)
    assert source == path.read_text()
