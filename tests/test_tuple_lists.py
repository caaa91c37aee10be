"""Lists of tuples: stacks of intervals, events, and pairs of arrays."""

import math

import numpy as np
import pytest

from adcompiler import DifferentiationError, value_and_grad
from adcompiler.testing import central_difference


def adaptive(a, b, tolerance):
    """The integral of a function, over a stack of intervals."""
    stack, total = [(0.0, b, math.sin(a * b))], 0.0
    while stack:
        left, right, end = stack.pop()
        middle = 0.5 * (left + right)
        height = math.sin(a * middle) * math.exp(-middle)
        if right - left > tolerance * (1.0 + abs(height)):
            stack.append((left, middle, height))
            stack.append((middle, right, end))
        else:
            total += height * (right - left) + 0.01 * end
    return total


def events(x, n):
    found = []
    for k in range(n):
        if x[k % len(x)] > 0.0:
            found.append((x[k % len(x)] * (k + 1), x[0] - k))
    total = 0.0
    for k, (size, shift) in enumerate(found):
        total += k * size * math.cos(shift)
    for size, _ in reversed(found):
        total = 0.5 * total + size
    return total + len(found)


def pairs_of_arrays(x, n):
    states = [(x * 1.0, np.sin(x))]
    for k in range(n):
        position, speed = states[-1]
        speed = speed - 0.1 * position
        states.append((position + 0.1 * speed, speed))
    states[0] = (states[n][0] * x, states[1][1])
    first = states[0]
    return np.sum(first[0] * first[1]) + sum(np.sum(p * p) + v[0] for p, v in states)


def comprehension(x):
    items = [(v, v * v, k) for k, v in enumerate(x)]
    total = 0.0
    for one, other, k in items:
        total += one * other * (k + 1)
    if not items:
        return 0.0
    return total + items[0][1] * items[-1][0]


def reads_itself(x, n):
    """What is appended is computed before any of the lists is longer."""
    steps = [(x, 1)]
    for _ in range(n):
        steps.append((steps[-1][0] * math.sin(x), len(steps) + steps[-1][1]))
    return steps[n][0] * steps[n][1]


def leaves_of_a_tree(x):
    nodes, total = [], 0.0
    nodes += [(0, 1.0)]
    while len(nodes) > 0:
        depth, weight = nodes.pop()
        if depth < 4:
            nodes += [(depth + 1, weight * x), (depth + 1, weight * (1.0 - x))]
        else:
            total += weight * weight
    return total


X = np.array([0.7, -0.4, 1.1, 0.3])
CASES = {
    "adaptive": (adaptive, (0.8, 1.3, 0.2)),
    "events": (events, (X, 7)),
    "pairs_of_arrays": (pairs_of_arrays, (X, 3)),
    "comprehension": (comprehension, (X,)),
    "leaves_of_a_tree": (leaves_of_a_tree, (0.3,)),
    "reads_itself": (reads_itself, (0.9, 4)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("jit", [False, True])
def test_against_differences(name, jit):
    function, args = CASES[name]
    wrt = (0, 1) if name == "adaptive" else 0
    value, gradient = value_and_grad(function, argnums=wrt, jit=jit)(*args)
    assert value == pytest.approx(function(*args))
    for k, slope in enumerate(gradient if wrt else (gradient,)):
        np.testing.assert_allclose(slope, central_difference(function, args, k), rtol=1e-6, atol=1e-8)


def test_names_that_are_taken():
    def taken(x):
        items, items_0 = [(x, 2.0)], x * x
        items.append((items_0, x))
        a, b = items.pop()
        return a * b * items_0 + items[0][0]

    value, slope = value_and_grad(taken, jit=False)(0.7)
    assert value == pytest.approx(taken(0.7))
    assert slope == pytest.approx(5 * 0.7**4 + 1.0)


def handed_on(x):
    items = [(x, 2.0)]
    others = items
    others.append((x, x))
    return items[1][0] * items[0][0]


def of_two_lengths(x):
    items = [(x, 2.0)]
    items.append((x, x, x))
    return items[0][0]


def changes(a, k):
    a[k] += 1.0
    return a[k]


def calls_what_writes(x):
    a = np.array([x, x * x])
    items = [(changes(a, k), a[0]) for k in range(2)]
    return items[0][0] + items[1][1]


def grows_a_parameter(x, items=((1.0, 2.0),)):
    items.append((x, x))
    return items[0][0]


@pytest.mark.parametrize("function", [handed_on, of_two_lengths, calls_what_writes])
def test_what_is_not_taken_apart_is_refused(function):
    with pytest.raises(DifferentiationError, match="tuple"):
        value_and_grad(function, jit=False)(0.7)


def test_a_parameter_is_not_taken_apart():
    with pytest.raises(DifferentiationError) as info:
        value_and_grad(grows_a_parameter, jit=False)(0.7)
    assert "items_0" not in str(info.value)


def test_the_place_of_a_store_mentions_the_list():
    def last_replaced(x):
        items = [(x, 1.0), (2.0, x)]
        items[len(items) - 1] = (x * x, items[0][0] + 1.0)
        return items[1][0] * items[1][1]

    value, slope = value_and_grad(last_replaced, jit=False)(0.7)
    assert value == pytest.approx(0.7**3 + 0.7**2)
    assert slope == pytest.approx(3 * 0.7**2 + 2 * 0.7)
