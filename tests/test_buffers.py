"""Captured arrays that a function writes: each call starts from what they held when it was compiled."""

import numpy as np
import pytest

from adcompiler import DifferentiationError, grad, hvp, jvp, vjp
from adcompiler.testing import central_difference

R = np.random.default_rng(0)
ROWS = R.normal(size=(4, 3))
WORK = np.zeros(4)
START = R.normal(size=3)
KEPT = R.normal(size=(2, 3))


def filled_anew(x):
    for i in range(4):
        WORK[i] = np.sum(ROWS[i] * x)
    return np.sum(WORK * WORK)


def added_to(x):
    s = START[1] * x[0]
    START[1] += x[1] * x[2]
    START[2] *= x[0]
    return s + np.sum(START**2)


def written_by_another(x):
    _scale(KEPT, x)
    _scale(KEPT, x[::-1])
    return np.sum(KEPT**2) + KEPT[0, 1]


def _scale(a, x):
    for j in range(3):
        a[1, j] = a[0, j] * x[j]
        a[0, j] += x[j]


def seen_through_views(x):
    row, whole = KEPT[1], KEPT
    KEPT[1, 0] = x[0] ** 2
    whole[:, 2] = x[1]
    whole *= 2.0
    return row @ x + row[0] ** 2 + np.sum(KEPT)


def at_once(x):
    np.multiply(x, x, out=START)
    s = np.sum(START * x)
    START.fill(x[1])
    s += np.sum(START**2)
    np.copyto(START, np.sin(x))
    START[:] = START * x
    return s + np.sum(START**3)


def in_a_branch_and_a_loop(x):
    s = 0.0
    for k in range(3):
        if x[0] > -10.0:
            WORK[k] = s * x[k] + WORK[k]
        s += WORK[k] + x[k] * WORK[3]
        WORK[3] += x[k]
    return s


def written_through_views(x):
    row = KEPT[1]
    row[0] = x[0]
    for other in KEPT:
        other[2] = x[1] * x[2]
    KEPT[:, 1] += x[0]
    part = START[1:] if x[0] < 10.0 else START[:2]
    part += x[0] * x[1:]
    return np.sum(KEPT**2) + np.sum(START**3)


FUNCTIONS = [filled_anew, added_to, written_by_another, seen_through_views, at_once, in_a_branch_and_a_loop]
FUNCTIONS.append(written_through_views)


def of_contents(function):
    """Return a function that finds the captured arrays as they were at first each time it is called."""
    arrays = (WORK, START, KEPT)
    held = [array.copy() for array in arrays]

    def call(x):
        for array, content in zip(arrays, held, strict=True):
            array[...] = content
        value = function(x)
        for array, content in zip(arrays, held, strict=True):
            array[...] = content
        return value

    return call


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_captured_arrays_are_written(function, jit):
    x, before = R.normal(size=3), [array.copy() for array in (WORK, START, KEPT)]
    expected = central_difference(of_contents(function), (x,), 0)
    gradient = grad(function, jit=jit)
    for _ in range(2):
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-6, atol=1e-7)
    value, pullback = vjp(function, x, jit=jit)
    np.testing.assert_allclose(value, of_contents(function)(x))
    np.testing.assert_allclose(pullback(1.0)[0], expected, rtol=1e-6, atol=1e-7)
    if not jit:
        direction = R.normal(size=3)
        found = jvp(function, (x,), (direction,), jit=jit)[1]
        np.testing.assert_allclose(found, expected @ direction, rtol=1e-6, atol=1e-7)
        one, two = (gradient(x + h * direction) for h in (1e-6, -1e-6))
        found = hvp(function, jit=jit)(x, direction)
        np.testing.assert_allclose(found, (one - two) / 2e-6, rtol=1e-5, atol=1e-6)
    for array, content in zip((WORK, START, KEPT), before, strict=True):
        np.testing.assert_array_equal(array, content)


def test_arrays_of_closures_are_written():
    def made(work):
        def function(x):
            work[0] = x[0] * x[1]
            return np.sum(work * x)

        return function

    np.testing.assert_allclose(grad(made(np.ones(3)))(np.array([2.0, 3.0, 4.0])), [12.0, 5.0, 1.0])


WHOLE = np.ones(4)
PART = WHOLE[1:]


def overlapping(x):
    WHOLE[2] = x[0]
    return np.sum(PART * x)


def recursive(x, n):
    WORK[n] = x[0] * n
    return WORK[0] if n == 0 else recursive(x, n - 1) + WORK[n]


def weights_are_read(x):
    total = START[0]
    total += np.sum(START * x)
    for i in range(3):
        row = ROWS[i]
        total += row @ x
    for factor in START:
        factor *= 2.0
        total += factor * x[0]
    return total


def test_arrays_that_are_read_only_are_not_copied():
    derivative = grad(weights_are_read, jit=False)
    derivative(np.ones(3))
    assert ".copy()" not in derivative.source


def test_what_something_else_may_read_is_refused():
    with pytest.raises(DifferentiationError, match=r"AD101.*shares memory"):
        grad(overlapping, jit=False)(np.ones(3))
    with pytest.raises(DifferentiationError, match=r"AD101.*may read it"):
        grad(recursive, jit=False)(np.ones(3), 2)
