"""A slope that the program has computed itself is read, not computed again."""

import math

import numpy as np
import pytest

from adcompiler import grad, vjp


def turned(x, n):
    a, b = 1.0, 0.5
    for _ in range(n):
        c, s = math.cos(x[0] * a), np.sin(x[0] * a)
        a, b = c * a - s * b, s * a + c * b
    return a * x[1] + b


def in_branches(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            root = math.sqrt(x[i])
            total += math.sin(root) * math.cos(root) * x[i] ** 2
        else:
            total += math.exp(x[i]) + math.cos(x[i])
        if x[i] > 0.5:
            total += math.sin(x[i])  # the cosine of the other branch is not at hand
    return total


def of_whole_numbers(x, k):
    return x * math.sin(x * k) + math.cos(k) * math.cos(x * k)


X = np.array([0.3, 0.7, -0.4, 1.3])


@pytest.mark.parametrize(
    "function, args", [(turned, (X, 7)), (in_branches, (X,)), (of_whole_numbers, (0.7, 3))]
)
def test_against_differences(function, args):
    found = grad(function)(*args)
    np.testing.assert_allclose(found, grad(function, jit=False)(*args), rtol=1e-12)
    for k in range(np.size(args[0])):
        step = np.reshape(np.where(np.arange(np.size(args[0])) == k, 1e-6, 0.0), np.shape(args[0]))[()]
        expected = (function(args[0] + step, *args[1:]) - function(args[0] - step, *args[1:])) / 2e-6
        assert np.ravel(found)[k] == pytest.approx(expected, rel=1e-7, abs=1e-8)


def test_neither_sweep_computes_it_again():
    lines = [line for line in grad(turned).source.splitlines() if "#" not in line]
    assert "\n".join(lines).count("cos(") == 1


def test_a_pullback_keeps_it():
    value, pullback = vjp(turned, X, 7)
    assert value == pytest.approx(turned(X, 7))
    np.testing.assert_allclose(pullback(1.0)[0], grad(turned)(X, 7))
    np.testing.assert_allclose(pullback(2.0)[0], 2.0 * pullback(1.0)[0])
