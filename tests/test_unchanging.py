"""Arrays that each iteration computes alike are computed before the loop, and only what stays right moves."""

import numpy as np
import pytest
from corpus import a_softmax_of_each_row_in_each_step
from numba import njit

from adcompiler import grad, value_and_grad
from adcompiler.testing import check_grad


def damped(u, k, grid, steps):
    total = 0.0
    for _ in range(steps):
        u = np.sin(u * np.exp(-k * grid))
        total += np.sum(u)
    return total


def filled_in_each_step(u, k, grid, steps):
    u, w, total = u.copy(), np.empty(len(u)), 0.0
    for _ in range(steps):
        for i in range(len(u)):
            w[i] = np.exp(-k * grid[i])
        for i in range(len(u)):
            u[i] = np.sin(u[i] * w[i])
            total += u[i]
    return total


def diffusion(u, k, grid, steps):
    n, u = len(u), u.copy()
    c, d = np.empty(n), np.empty(n)
    for _ in range(steps):
        c[0], d[0] = -k / (1.0 + k), u[0] / (1.0 + k)
        for i in range(1, n):
            m = 1.0 + 2.0 * k + k * c[i - 1] + grid[i]
            c[i] = -k / m
            d[i] = (u[i] + k * d[i - 1]) / m
        u[n - 1] = d[n - 1]
        for i in range(n - 2, -1, -1):
            u[i] = d[i] - c[i] * u[i + 1]
    return np.sum(u * u)


def differs_in_the_first_step(u, k, grid, steps):
    w, total = np.ones(len(u)), 0.0
    for _ in range(steps):
        total += np.sum(w * u)
        w = np.exp(-k * grid)
    return total


def finds_what_the_step_before_left(u, k, grid, steps):
    w = np.ones(len(u))
    for _ in range(steps):
        for i in range(1, len(u)):
            w[i] = np.tanh(k * w[i - 1]) + grid[i]
        w[0] = w[len(u) - 1]
    return np.sum(w * u)


def changed_after_its_use(u, k, grid, steps):
    total = 0.0
    for t in range(steps):
        w = np.exp(-k * grid)
        total += np.sum(w * u)
        w[0] = t * k
        total += w[0] * w[1]
    return total


def written_through_a_view(u, k, grid, steps):
    grid, total = grid.copy(), 0.0
    part = grid[1:]
    for t in range(steps):
        w = np.exp(-k * grid)
        part[0] += 0.1 * w[0] * t
        total += np.sum(w * u)
    return total


def kept_in_a_list(u, k, grid, steps):
    kept = [u * k]
    for _ in range(steps):
        kept.append(np.exp(-k * grid))
    kept[-1][0] = 0.5
    total = 0.0
    for w in kept:
        total += np.sum(w * u)
    return total


PROGRAMS = [
    damped,
    filled_in_each_step,
    diffusion,
    differs_in_the_first_step,
    finds_what_the_step_before_left,
    changed_after_its_use,
    written_through_a_view,
    kept_in_a_list,
]


def inputs(steps):
    rng = np.random.default_rng(0)
    return rng.uniform(0.2, 0.8, 4), 0.7, rng.uniform(0.1, 0.9, 4), steps


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("function", PROGRAMS, ids=[f.__name__ for f in PROGRAMS])
def test_gradients(function, steps):
    check_grad(function, inputs(steps), (0, 1, 2), jit=False)


@pytest.mark.parametrize("function", PROGRAMS[:3], ids=[f.__name__ for f in PROGRAMS[:3]])
def test_one_evaluation_serves_all_steps(function):
    derivative = value_and_grad(function, argnums=(0, 1, 2), jit=False)
    derivative(*inputs(2))
    forward, _ = derivative.source.split("in range(steps - 1, -1, -1):")
    before, loop = forward.split("in range(steps):")
    costly = "k / m" if function is diffusion else "exp("
    assert costly in before
    assert costly not in loop


@njit
def eliminated(u, k, grid, steps):
    n, total = len(u), 0.0
    for _ in range(steps):
        c, d = np.empty(n), np.empty(n)
        c[0], d[0] = grid[0] / k, u[0] / k
        for i in range(1, n):
            m = k - grid[i] * c[i - 1]
            c[i] = grid[i] / m
            d[i] = (u[i] + total - grid[i] * d[i - 1]) / m
        total += np.sum(d * d)
    return total


def test_divisions_that_are_checked():
    check_grad(eliminated, inputs(3), (0, 1, 2), jit=False)
    derivative = value_and_grad(eliminated, argnums=(0, 1, 2))
    derivative(*inputs(3))
    before, loop = derivative.source.split("in range(steps - 1, -1, -1):")[0].split("in range(steps):")
    assert "c_i = grid_i / m\n            c[i] = c_i\n" in before
    assert "c[i] =" not in loop
    u, _, grid, _ = inputs(3)
    assert derivative(u, 0.0, grid, 0)[0] == 0.0
    with pytest.raises(ZeroDivisionError):
        derivative(u, 0.0, grid, 1)


def test_a_loop_that_does_not_run_needs_no_scratch():
    """Memory that is not filled then may hold anything: it must not reach the derivative."""
    derivative = grad(diffusion, argnums=(1, 2))
    for size in range(1, 40):
        rubbish = [np.full(size, np.nan) for _ in range(20)]
        del rubbish
        slopes = derivative(np.ones(size), 0.3, np.ones(size), 0)
        assert slopes[0] == 0.0
        assert not slopes[1].any()
    empty = np.zeros(0)
    assert grad(filled_in_each_step, argnums=1)(np.ones(3), 0.3, empty, 0) == 0.0


def test_what_is_alike_in_two_loops_is_computed_before_both():
    """A table that is filled only if the inner loop runs does not stay in the outer one."""
    arguments = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.5, 0.6]), np.array([0.5, 0.6, 0.7])
    check_grad(a_softmax_of_each_row_in_each_step, arguments, (0, 1, 2), jit=False)
    derivative = value_and_grad(a_softmax_of_each_row_in_each_step, argnums=(0, 1, 2), jit=False)
    derivative(*arguments)
    before, after = derivative.source.split("for block in range(blocks):")
    assert before.count("fast.exp(") == 2
    assert "fast.exp(" not in after.split("d_w = np.zeros_like(w)")[0]
