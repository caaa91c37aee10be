"""What is known of sizes, what is assumed of them, and what happens where they are not so."""

import re

import numpy as np
import pytest
from numba import njit

from adcompiler import grad, value_and_grad, vjp
from adcompiler.runtime.guards import SizeError
from adcompiler.testing import check_grad

R = np.random.default_rng(0)


def layer(w, b, x):
    y = np.tanh(x @ w + b)
    return np.sum(y * y)


def source_of(function, *args, **options):
    derivative = value_and_grad(function, argnums=tuple(range(len(args))), jit=False, **options)
    derivative(*args)
    return derivative.source


W, X, B = R.normal(size=(4, 3)), R.normal(size=(5, 4)), R.normal(size=3)


def test_equal_sizes_are_checked_once_at_entry():
    source = source_of(layer, W, B, X)
    assert source.count("same_size(") == 2
    assert "sum_to" not in source
    assert "sum_to" in source_of(layer, W, B, X, broadcasting=True)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("bias", [np.array([0.3]), np.array([[0.1, 0.2, 0.3]]), np.array([[0.1]]), B])
def test_stretched_arrays_work_from_python(bias, jit):
    check_grad(layer, (W, bias, X), jit=jit)


def test_the_code_for_stretched_arrays_is_kept():
    derivative = grad(layer, argnums="b")
    assert derivative(W, B, X).shape == (3,)
    assert "same_size" in derivative.source
    assert derivative(W, np.array([0.3]), X).shape == (1,)
    assert "same_size(b.shape[0], 1)" in derivative.source
    assert derivative(W, B, X).shape == (3,)
    assert "same_size" not in derivative.source
    assert derivative(W, np.array([0.3]), X).shape == (1,)
    assert "same_size" not in derivative.source
    np.testing.assert_allclose(derivative(W, B, X), grad(layer, argnums="b")(W, B, X))


def pairs(given):
    mass, place = given["mass"], given["place"]
    distance = place[:, 0:1].T - place[:, 0:1]
    return np.sum(mass * mass.T / np.sqrt(distance**2 + 0.1)) + np.sum(mass * place) ** 2


@pytest.mark.parametrize("jit", [False, True])
def test_axes_of_size_1_are_known_once_one_is_stretched(jit):
    column = {"mass": R.uniform(0.5, 1.5, size=(4, 1)), "place": R.normal(size=(4, 3))}
    row = column | {"place": R.normal(size=(1, 3))}  # another axis is stretched: nothing is assumed
    derivative = grad(pairs, jit=jit)
    for given, is_general in ((column, False), (row, True), (column, True)):
        found = derivative(given)
        assert ("sum_to" in derivative.source) == is_general
        assert found["mass"].shape == (4, 1)
        expected = grad(pairs, jit=False, broadcasting=True)(given)
        np.testing.assert_allclose(found["mass"], expected["mass"], rtol=1e-12)
        np.testing.assert_allclose(found["place"], expected["place"], rtol=1e-12)


def test_pullbacks_know_axes_of_size_1():
    column, matrix = R.normal(size=(4, 1)), R.normal(size=(4, 3))
    value, pullback = vjp(lambda a, b: a * b, column, matrix)
    np.testing.assert_allclose(value, column * matrix)
    by_column, by_matrix = pullback(np.ones((4, 3)))
    np.testing.assert_allclose(by_column, matrix.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(by_matrix, np.broadcast_to(column, (4, 3)))


def test_compiled_callers_have_to_ask():
    plain, general = grad(layer, argnums="b"), grad(layer, argnums="b", broadcasting=True)

    @njit
    def call(w, b, x):
        return plain(w, b, x)

    @njit
    def call_general(w, b, x):
        return general(w, b, x)

    with pytest.raises(SizeError, match="broadcasting=True"):
        call(W, np.array([0.3]), X)
    np.testing.assert_allclose(call_general(W, np.array([0.3]), X), plain(W, np.array([0.3]), X))
    np.testing.assert_allclose(call(W, B, X), call_general(W, B, X))


def test_pullbacks_of_stretched_arrays():
    def product(x, y):
        return x * y

    one, many = np.array([2.0]), np.array([1.0, 3.0])
    _, pullback = vjp(product, one, many)
    found = pullback(np.array([1.0, 10.0]))
    np.testing.assert_allclose(found[0], [31.0])
    np.testing.assert_allclose(found[1], [2.0, 20.0])


def test_sizes_that_do_not_fit_are_the_callers_fault():
    with pytest.raises(ValueError, match="broadcast"):
        grad(layer, jit=False)(W, np.ones(7), X)


WEIGHTS = np.array([1.0, 2.0, 3.0])


def weighted(x):
    return np.sum(x * WEIGHTS)


def test_arrays_from_outside_may_stretch_arguments():
    np.testing.assert_allclose(grad(weighted)(np.ones(3)), WEIGHTS)
    np.testing.assert_allclose(grad(weighted)(np.ones(1)), [6.0])


def smoothed(x):
    for _ in range(3):
        x[1:-1] = x[1:-1] + 0.1 * (x[2:] - 2.0 * x[1:-1] + x[:-2])
    return np.sum(x * x)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
def test_neighbouring_slices_are_equally_long(n):
    x = R.normal(size=n)
    assert "same_size" not in source_of(smoothed, np.ones(8))
    if n:
        check_grad(smoothed, (x,))
    assert grad(smoothed, jit=False)(x).shape == (n,)


def window(x, w, n):
    return np.sum(x[: n + 1] * w[:3]) + np.sum(x[1 : n + 2] * w[1:4])


def cut_off(x, w):
    """Slices that end where the array ends, not where they say."""
    return np.sum(x[:10] * w[:10]) + np.sum(x[:100] ** 2)


def stretched_slice(x, w, i, j):
    return np.sum(x[i:j] * w)


def test_slices():
    w = R.normal(size=4)
    check_grad(window, (R.normal(size=6), w, 2))
    check_grad(cut_off, (R.normal(size=6), R.normal(size=6)))
    check_grad(cut_off, (R.normal(size=16), R.normal(size=20)))
    for i, j in [(0, 4), (1, 2), (-1, 9)]:
        check_grad(stretched_slice, (R.normal(size=5), w, i, j))


def only_in_a_branch(x, w, use):
    total = np.sum(x * x)
    if use:
        total += np.sum(x * w)
    return total


def test_sizes_that_matter_in_a_branch_only():
    for use in (True, False):
        check_grad(only_in_a_branch, (R.normal(size=4), R.normal(size=1 if use else 3), use))


def test_compiled_callers_are_not_refused_for_a_branch_that_is_not_taken():
    derivative = value_and_grad(only_in_a_branch, argnums=("x", "w"))

    @njit
    def call(x, w, use):
        return derivative(x, w, use)

    x, w = R.normal(size=4), R.normal(size=3)
    _, (d_x, d_w) = call(x, w, False)
    np.testing.assert_allclose(d_x, 2.0 * x)
    np.testing.assert_allclose(d_w, 0.0)
    _, (d_x, d_w) = call(x, w[:1], True)
    np.testing.assert_allclose(d_x, 2.0 * x + w[0])
    np.testing.assert_allclose(d_w, [np.sum(x)])


def shrinking(x, n):
    y = x * 1.0
    for _ in range(n):
        y = y[1:] * y[:-1]
    return np.sum(y)


def per_iteration(x, w):
    total = 0.0
    for i in range(3):
        part = x[i:]
        total += np.sum(part[: len(part) - 1] * w[i + 1 :])
    return total


def test_sizes_that_change_in_a_loop():
    check_grad(shrinking, (R.normal(size=6), 3))
    check_grad(per_iteration, (R.normal(size=6), R.normal(size=6)))


def columns(x):
    centred = x - x.sum(axis=1).reshape(-1, 1) / x.shape[1]
    scaled = centred[:, None, :] * np.ones((2, 1))
    return np.sum(scaled**2)


def test_sizes_of_one_that_the_text_shows_need_no_check():
    assert "same_size" not in source_of(columns, R.normal(size=(3, 4)))
    check_grad(columns, (R.normal(size=(3, 4)),))


def by_matmul(x, y):
    return x @ y


def by_vdot(x, y):
    return np.vdot(x, y) + np.inner(x, y)


def of_matrices(x, y):
    return np.sum(np.outer(x, x) @ np.outer(y, x))


def with_captured(x, y):
    return np.dot(x, WEIGHTS[:2]) + np.sum(y)


def into_slice(x, y):
    whole = np.zeros(4)
    whole[:3] = x
    whole[1:] += y
    return np.sum(whole)


def in_a_branch(x, y):
    return x @ y if x[0] > 0 else np.sum(x) + np.sum(y)


@pytest.mark.parametrize("jit", [False, True])
def test_products_and_stores_raise_though_their_values_are_not_needed(jit):
    x, y = np.ones(2), np.ones(3)
    for function in (by_matmul, by_vdot, of_matrices, into_slice, in_a_branch):
        for broadcasting in (False, True):
            derivative = grad(function, argnums=(0, 1), jit=jit, broadcasting=broadcasting)
            with pytest.raises(ValueError, match=r"differ|incompatible|mismatch"):
                derivative(x, y)
            check_grad(function, (y, y), jit=jit)
    with pytest.raises(ValueError, match=r"differ|incompatible|mismatch"):
        grad(with_captured, jit=jit)(y, y)
    np.testing.assert_allclose(grad(into_slice, jit=jit)(np.ones(1), y), [3.0])
    np.testing.assert_allclose(grad(in_a_branch, jit=jit)(-x, y), [1.0, 1.0])


def shorter_and_whole(x):
    w = x[:-1] * 2.0
    return np.sum((w + x) * x)


@pytest.mark.parametrize("jit", [False, True])
def test_sizes_that_differ_raise_or_are_stretched(jit):
    derivative = grad(shorter_and_whole, jit=jit)
    with pytest.raises(ValueError, match=r"broadcast|differ in size"):
        derivative(X[0])
    check_grad(shorter_and_whole, (X[0, :2],), jit=jit)


def scaled_triangle(beta, c):
    c = c.copy()
    for i in range(c.shape[0]):
        c[i, : i + 1] *= beta
    return np.sum(c**3)


def test_rows_of_a_triangle_have_the_length_that_they_were_kept_with():
    """What a stack returns in an iteration is as long as what that iteration put there: one loop serves."""
    args = 0.7, R.normal(size=(4, 4))
    source = source_of(scaled_triangle, *args)
    assert ".pop()" in source
    _, back = source.split(".pop()")
    assert back.count("for ") == 1
    check_grad(scaled_triangle, args, jit=False)


def shares(x, s, offsets):
    """Shares of goods in markets of several sizes, whose mean utilities are found by a contraction."""
    total = 0.0
    for m in range(len(offsets) - 1):
        a, b = x[offsets[m] : offsets[m + 1]], s[offsets[m] : offsets[m + 1]]
        d, change = np.log(b), 1.0
        while change > 1e-6:
            v = np.exp(d + a)
            step = b - v / (1.0 + v.sum())
            d, change = d + step, np.max(np.abs(step))
        total += np.sum(d * d)
    return total


def shares_kept(x, s, offsets):
    means = np.zeros(len(x))
    for m in range(len(offsets) - 1):
        a, b = x[offsets[m] : offsets[m + 1]], s[offsets[m] : offsets[m + 1]]
        d = np.log(b)
        for _ in range(9):
            v = np.exp(d + a)
            d = d + b - v / (1.0 + v.sum())
        means[offsets[m] : offsets[m + 1]] = d
    return np.sum(means**2)


SEGMENTS = (R.normal(size=7), R.uniform(0.05, 0.1, 7), np.array([0, 3, 4, 7]))


@pytest.mark.parametrize("function", [shares, shares_kept])
def test_segments_have_one_size_in_both_sweeps(function):
    """What the forward sweep checks is known where arrays are read back, or computed again."""
    derivative = value_and_grad(function, argnums=(0, 1), jit=False)
    derivative(*SEGMENTS)
    assert derivative.source.count("same_size(") == 1
    assert {*re.findall(r"(\w+)\.shape", derivative.source)} == {"a", "b"}
    assert "sum_to" not in derivative.source and "np.add(" not in derivative.source
    check_grad(function, SEGMENTS, argnums=(0, 1), jit=False)


@pytest.mark.parametrize("function", [shares, shares_kept])
def test_segments_of_arrays_of_two_lengths(function):
    """The arrays as wholes need not be equally long."""
    x, s, offsets = SEGMENTS
    check_grad(function, (np.append(x, 0.5), s, offsets), argnums=(0, 1), jit=False)


def recurrent(w, v, b, x):
    """A network whose states are kept in a list, and read from it."""
    states = [np.zeros((x.shape[1], v.shape[0]))]
    for t in range(len(x)):
        states.append(np.tanh(x[t] @ w + states[-1] @ v + b))
    loss = 0.0
    for t in range(1, len(states)):
        loss += np.sum((states[t] - states[t - 1]) ** 2)
    return loss


def test_items_of_a_list_have_one_size():
    args = (R.normal(size=(2, 4)), R.normal(size=(4, 4)), R.normal(size=4), R.normal(size=(5, 3, 2)))
    derivative = value_and_grad(recurrent, argnums=(0, 1, 2), jit=False)
    derivative(*args)
    assert "np.add(" not in derivative.source and "= np.tanh(" not in derivative.source
    assert not re.search(r"(states|d_states|item)\w*\.shape", derivative.source)
    check_grad(recurrent, args, argnums=(0, 1, 2), jit=False)


def layers(x, w):
    """Layers of several widths: the items of the list do not have one size."""
    kept = [x]
    for k in range(3):
        kept.append(np.tanh(kept[-1][1:] + kept[-1][:-1]) * w)
    return np.sum(kept[1] ** 2) + np.sum(kept[-1])


@pytest.mark.parametrize("jit", [False, True])
def test_items_of_a_list_have_several_sizes(jit):
    check_grad(layers, (R.normal(size=6), 0.7), argnums=(0, 1), jit=jit)


@pytest.mark.parametrize("jit", [False, True])
def test_a_part_is_written_and_read_alike(jit):
    def f(p, x, y):
        y = y.copy()
        y[-1:0:-1] = 0.5 * p
        part = y[-1:0:-1]
        return np.sum(np.outer(part, part)[:2] * x[:-1]) + x[3] + y[3]

    check_grad(f, (0.7, R.normal(size=4), R.normal(size=4)), jit=jit)


def v_cycle(b, depth):
    """Grids that grow finer: the size of u changes in each iteration."""
    u, kept = b.copy(), []
    for _ in range(depth):
        kept.append(u)
        u = np.tanh(0.25 * u[:-2:2] + 0.5 * u[1:-1:2] + 0.25 * u[2::2])
    for d in range(depth - 1, -1, -1):
        finer = np.zeros(2 * len(u) + 1)
        finer[1::2] = u
        finer[2:-1:2] = 0.5 * (u[1:] + u[:-1])
        u = kept[d] + finer * kept[d]
    return np.sum(u**2)


@pytest.mark.parametrize("jit", [False, True])
def test_sizes_that_double(jit):
    check_grad(v_cycle, (R.normal(size=15), 3), argnums=(0,), jit=jit)


def test_every_other_element_has_half_the_size():
    def f(x):
        y = np.zeros(2 * len(x) + 1)
        y[1::2], y[::2] = x, 1.0
        return np.sum(y[:-1:2] * y[1::2]) + np.sum(y[1::2] * x)

    derivative = value_and_grad(f, jit=False)
    derivative(np.array([0.3, -0.2, 0.5]))
    assert "sum_to" not in derivative.source and "same_size" not in derivative.source
    check_grad(f, (R.normal(size=4),), jit=False)


def kronecker(a, times):
    """Powers of a vector: v grows in the outer loop, and its size bounds what the inner one writes."""
    v = np.ones(1)
    for _ in range(times):
        w = np.zeros(len(v) * len(a))
        for i in range(len(a)):
            w[i * len(v) : (i + 1) * len(v)] = a[i] * v
        v = w
        v[:2] += a[:2]
    return np.sum(v**2)


def doubled(a, times):
    v = a[:2] * a[1:3]
    for _ in range(times):
        w = np.zeros(2 * len(v))
        for i in range(2):
            part = w[i * len(v) : (i + 1) * len(v)]
            part += v * a[i]
        v, w = w, v
    return np.sum(v**2)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("function", [kronecker, doubled])
def test_sizes_that_an_outer_loop_changes(function, jit):
    check_grad(function, (R.normal(size=3), 3), argnums=(0,), jit=jit)


def combined_while_equal(x):
    """The arrays are combined in the first iteration only: a check of their sizes belongs to the branch."""
    v, w = 2 * x, x * x
    for _ in range(2):
        if len(w) == len(v):
            w = v * w
        w = np.append(w, w[0])
    return np.sum(w * w)


@pytest.mark.parametrize("jit", [False, True])
def test_a_check_of_what_a_loop_changes_stays_in_the_loop(jit):
    check_grad(combined_while_equal, (R.normal(size=4),), jit=jit)
