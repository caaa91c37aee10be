"""What loops go over."""

import numpy as np
import pytest

from adcompiler.testing import check_grad


def swept(x, up):
    """A sweep in one of two directions."""
    total = 0.0
    rows = range(len(x)) if up else range(len(x) - 1, 0, -1)
    for _ in range(2):
        for i in rows:
            total = 0.5 * total * x[i] + x[i] ** 2
    for k, i in enumerate(rows):
        total += k * x[i]
    return total


def swept_in_branches(x, up):
    total, n = 0.0, len(x)
    if up:
        rows = range(1, n, 2)
    else:
        rows = range(n)[::-1]
    for i in rows:
        total = 0.5 * total * x[i] + x[i] ** 2
    for i in range(1, n)[::-1]:
        total += i * x[i] * total
    return total


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("up", [False, True])
def test_ranges_that_are_chosen_or_reversed(up, jit):
    x = np.array([0.3, -0.5, 0.7, 0.2])
    check_grad(swept, (x, up), argnums=(0,), jit=jit)
    if up:
        check_grad(swept_in_branches, (x, up), argnums=(0,), jit=jit)


def states_backwards(x):
    states, total = [x], 0.0
    for _ in range(3):
        states.append(np.sin(states[-1]))
    for state in states[::-1]:
        total = 0.5 * total + np.sum(state * state)
    for k, state in enumerate(states[::-1]):
        total += k * np.sum(state)
    return total


def extended(x):
    items, total = [], 0.0
    items += [x[0]]
    items.extend([x[1], 2.0 * x[2]])
    items += [3.0 * x[0], x[3]]
    for item in items[::-1]:
        total = 0.5 * total * item + item * item
    return total


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", [states_backwards, extended])
def test_lists_that_are_extended_and_gone_over_backwards(function, jit):
    check_grad(function, (np.array([0.3, -0.5, 0.7, 0.2]),), jit=jit)
