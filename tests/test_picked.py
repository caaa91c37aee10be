"""What loops gather or take from columns, and what they pick as the least: no copies, nothing for zeros."""

import math

import numpy as np
import pytest

from adcompiler import value_and_grad
from adcompiler.testing import central_difference

COLUMNS = np.array([2, 0, 3, 3, -1, 1, 0, 2])
STARTS = np.array([0, 3, 3, 6, 8])
CAPTURED = np.array([1, 1, 3])


def sparse_product(x, values, cols, starts):
    y = np.zeros(len(starts) - 1)
    for i in range(len(y)):
        y[i] = values[starts[i] : starts[i + 1]] @ x[cols[starts[i] : starts[i + 1]]]
    return np.sum(y**2)


def product_named_by_parts(x, values, cols, starts):
    total = 0.0
    for i in range(len(starts) - 1):
        a, b = starts[i], starts[i + 1]
        picked = x[cols[a:b]]
        total += np.dot(picked, values[a:b]) * np.sum(picked)
    return total


def array_changed_between_gathers(x, values, cols, starts):
    x = x.copy()
    total = 0.0
    for i in range(len(starts) - 1):
        total += values[starts[i] : starts[i + 1]] @ x[cols[starts[i] : starts[i + 1]]]
        x[i] = math.sin(total) * x[i]
    return total + np.sum(x)


def square_of_what_is_gathered(x, values, cols, starts):
    total = 0.0
    for i in range(len(starts) - 1):
        near = x[cols[starts[i] : starts[i + 1]]]
        total += np.sum((near - x[i]) ** 2 * values[starts[i] : starts[i + 1]])
    return total


def gather_from_a_part(x, values, cols, starts):
    total = 0.0
    part = values[1:7]
    for i in range(3):
        total += x[: len(CAPTURED)] @ part[CAPTURED] * (i + 1)
        total += x[cols[:4] % 3] @ x
    return total


def column_of_a_matrix(x, values, cols, starts):
    m = np.outer(x, x)
    total = 0.0
    for k in range(2):
        total += m[cols[:3], k] @ x[cols[1:4]]
        total += np.dot(m[:, k], m[1]) + np.vdot(m[:, 1], x)
    return total


def triangular(x, values, cols, starts):
    a, b = np.outer(x, x), np.outer(np.sin(x), x)
    for i in range(4):
        for j in range(4):
            b[i, j] += np.dot(a[i + 1 :, i], b[i + 1 :, j])
    return np.sum(b * b)


def gather_until_it_is_large(x, values, cols, starts):
    k, total = 0, 0.0
    while total < 10.0 and k < 4:
        total += x[cols[k : k + 3]] @ values[k : k + 3] + 1.0
        k += 1
    return total * x[0]


def nearest(x, values, cols, starts):
    total = 0.0
    for i in range(4):
        closest = np.inf
        for k in range(4):
            distance = 0.0
            for j in range(2):
                distance += (x[i] - values[2 * k + j]) ** 2
            closest = min(closest, distance)
        total += closest * x[i]
    return total


def nearest_and_sum_of_all(x, values, cols, starts):
    total, closest = 0.0, np.inf
    for k in range(8):
        distance = 0.0
        for j in range(4):
            distance += (x[j] - values[k]) ** 2
        total += distance * 0.1
        if distance < closest:
            closest = distance
    return total + closest


def cut_off(x, values, cols, starts):
    total = 0.0
    for i in range(4):
        s = 0.0
        for j in range(8):
            s += values[j] * x[i] * (j + 1)
        h = max(s, 0.0)
        total += h * h + (h if i > 1 else 0.0)
    return total


def largest_of_products(x, values, cols, starts):
    best = -np.inf
    for i in range(8):
        product = 1.0
        for j in range(4):
            product *= values[i] + x[j]
        best = max(best, product)
    return best * x[1]


def least_path(x, values, cols, starts):
    cost = np.zeros(5)
    for i in range(4):
        for j in range(4):
            cost[j + 1] = min(cost[j], cost[j + 1]) + (x[i] - values[j]) ** 2
    return cost[4]


def steps_of_steps(x, values, cols, starts):
    y = values[0]
    for _ in range(3):
        for item in x:
            k = -1
            while k < 1:
                k += 1
                y += 0.5 * math.tanh(item)
    return y + np.sum(values)


PROGRAMS = [f for f in list(globals().values()) if getattr(f, "__module__", "") == __name__ and callable(f)]


@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_against_differences(program, jit):
    rng = np.random.default_rng(len(program.__name__))
    args = rng.normal(size=4), rng.normal(size=8), COLUMNS, STARTS
    value, gradients = value_and_grad(program, argnums=(0, 1), jit=jit)(*args)
    assert np.isclose(value, program(*args), rtol=1e-12)
    for k in (0, 1):
        np.testing.assert_allclose(gradients[k], central_difference(program, args, k), rtol=1e-6, atol=1e-7)


def test_ties_share_the_adjoint():
    x, values = np.zeros(4), np.ones(8)
    _, (_, found) = value_and_grad(nearest_and_sum_of_all, argnums=(0, 1), jit=False)(
        x, values, COLUMNS, STARTS
    )
    assert np.isclose(np.sum(found), 8 * 0.1 * 8 + 8)


def test_nothing_is_gathered_in_the_gradient_of_a_sparse_product():
    derivative = value_and_grad(sparse_product, argnums=(0, 1), jit=False)
    derivative(np.ones(4), np.ones(8), COLUMNS, STARTS)
    assert "[cols_part]" not in derivative.source
