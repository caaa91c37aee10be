"""No gradient writes where its function only read beyond the end of an array."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from adcompiler import grad, hvp, jacfwd, jacrev, jvp, value_and_grad, vjp
from adcompiler.testing import check_grad

R = np.random.default_rng(0)


def weighted(v, w):
    s = 0.0
    for i in range(len(v)):
        s += v[i] * np.sin(w[i])
    return s


def from_the_end(v, w):
    s = 0.0
    for i in range(len(v)):
        s += v[i] * w[i - len(v)]
    return s


def backwards(v, w):
    s = 0.0
    for i in range(len(v) - 1, -1, -1):
        s += v[i] * w[i]
    return s


def in_strides(v, w):
    s = 0.0
    for i in range(0, len(v), 3):
        s += v[i] * w[i + 2]
    return s


def triangular(v, w):
    s = 0.0
    for i in range(len(v)):
        for j in range(i + 1, len(v)):
            s += v[i] * w[j]
    return s


def by_number(v, w):
    return v[0] * w[2] + w[1]


def parameters_in_a_loop(v, w):
    s = 0.0
    for i in range(len(v)):
        s += v[i] * w[4]
    return s


def written(v, w):
    w = w * 1.0
    for i in range(len(v)):
        w[i] = w[i] * v[i]
    return np.sum(w)


def columns(v, m):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(len(v)):
            s += v[j] * m[i, j]
    return s


SHORT = [weighted, from_the_end, backwards, in_strides, triangular, by_number, parameters_in_a_loop, written]


def source_of(function, *args):
    floats = [k for k, arg in enumerate(args) if arg.dtype == np.float64]
    derivative = grad(function, argnums=floats, jit=False)
    derivative(*args)
    return derivative.source


@pytest.mark.parametrize("function", SHORT, ids=lambda f: f.__name__)
def test_arrays_that_are_too_short(function):
    for jit in (False, True):
        derivative = grad(function, argnums=(0, 1), jit=jit)
        for size in (0, 1):
            args = np.ones(90), np.ones(size)
            with pytest.raises(IndexError):
                derivative(*args)
            with pytest.raises(IndexError):
                vjp(function, *args, jit=jit)
            with pytest.raises(IndexError):
                jvp(function, args, args, jit=jit)
        check_grad(function, (R.normal(size=6), R.normal(size=6)), jit=jit)


def test_axes_that_are_too_short():
    for jit in (False, True):
        with pytest.raises(IndexError, match="out of bounds"):
            grad(columns, argnums=(0, 1), jit=jit)(np.ones(90), np.ones((3, 2)))


CRASH = """
    import numpy as np
    from adcompiler import grad
    from numba import njit

    def weighted(v, w):
        s = 0.0
        for i in range(len(v)):
            s += v[i] * np.sin(w[i])
        return s

    derivative = grad(weighted, argnums=(0, 1))

    @njit
    def call(v, w):
        return derivative(v, w)

    for function in (derivative, call):
        try:
            function(np.ones(3_000_000), np.ones(3))
        except IndexError as error:
            print(error)
"""


def test_the_process_lives_on(tmp_path):
    path = tmp_path / "crash.py"
    path.write_text(textwrap.dedent(CRASH))
    found = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert found.stdout.count("an array is too short") == 2


def test_a_check_stands_before_the_loop():
    ones = np.ones(5)
    assert "    all_in_bounds(w.shape[0], 0, n)\n    for i in range(n):" in source_of(weighted, ones, ones)
    assert "    all_in_bounds(w.shape[0], 1, n, runs=" not in source_of(triangular, ones, ones)
    assert source_of(by_number, ones, ones).count("in_bounds(w.shape[0]") == 1
    assert "in_bounds(w.shape[0], 2)" in source_of(by_number, ones, ones)


def known_by_size(x, y):
    s = x[len(x) - 1] if len(x) > 0 else 0.0
    for i in range(1, len(x) - 1):
        s += x[i - 1] * x[i] * x[i + 1]
    for i in range(x.shape[0]):
        s += x[(i + 1) % len(x)] * x[i - 1]
        if i > 1:
            s += x[i - 2]
    for i in range(min(len(x), len(y))):
        s += x[i] * y[i]
    for i in range(len(x) // 2):
        s += x[2 * i] * x[2 * i + 1]
    k = 0
    while k < len(x):
        s += x[k]
        k += 2
    return s


def known_by_assert(x, y):
    assert len(x) == len(y)
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y[i]
    return s


def known_by_error(x, y):
    if len(y) < len(x):
        raise ValueError("too short")
    s = 0.0
    for i in range(len(x)):
        s += x[i] * y[i]
    return s


def known_by_combination(x, y):
    s = np.sum(x * y)
    for i in range(len(x)):
        s += x[i] * y[i]
    return s


def known_by_allocation(x, y):
    n = len(x)
    work = np.zeros((n, n + 1))
    for i in range(n):
        for j in range(n):
            work[i, j + 1] = x[i] * x[j]
    return np.sum(work) + np.sum(y)


KNOWN = [known_by_size, known_by_assert, known_by_error, known_by_combination, known_by_allocation]


@pytest.mark.parametrize("function", KNOWN, ids=lambda f: f.__name__)
def test_what_sizes_imply_is_not_checked(function):
    assert "in_bounds" not in source_of(function, np.ones(5), np.ones(5))
    check_grad(function, (R.normal(size=5), R.normal(size=5)))


def never_runs(x, w, n, steps):
    s = np.sum(x)
    for _ in range(steps):
        for i in range(1, n):
            s += x[i] * w[i]
    return s


def short_in_a_branch(x, w, n):
    s = np.sum(x)
    for i in range(n):
        if i < len(w):
            s += x[i] * w[i]
    return s


def left_early(x, w, n):
    s = np.sum(x)
    for i in range(n):
        if i == len(w):
            break
        s += x[i] * w[i]
    return s


def returns_early(x, w, n):
    if n > 3:
        return np.sum(x)
    return np.sum(x) * w[n]


@pytest.mark.parametrize("jit", [False, True])
def test_nothing_is_refused_that_is_never_reached(jit):
    x, empty = R.normal(size=6), np.zeros(0)
    check_grad(never_runs, (x, empty, 6, 0), jit=jit)
    check_grad(never_runs, (x, empty, 1, 4), jit=jit)
    check_grad(never_runs, (x, empty, -3, 4), jit=jit)
    check_grad(short_in_a_branch, (x, x[:2], 6), jit=jit)
    check_grad(left_early, (x, x[:2], 6), jit=jit)
    check_grad(returns_early, (x, empty, 6), jit=jit)
    for function, args in ((never_runs, (x, empty, 6, 0)), (left_early, (x, x[:2], 6))):
        value = function(*args)
        assert np.isclose(vjp(function, *args, jit=jit)[0], value)
        assert np.isclose(jvp(function, args, (*args[:2], *[None] * len(args[2:])), jit=jit)[0], value)


@pytest.mark.parametrize("jit", [False, True])
def test_every_mode_checks(jit):
    long, short = np.ones(9000), np.ones(3)
    found = jvp(weighted, (short, short), (short, short), jit=jit)[1]
    assert np.isclose(found, 3 * (np.sin(1.0) + np.cos(1.0)))
    with pytest.raises(IndexError):
        hvp(weighted, argnums=(0, 1), jit=jit)(long, short, (long, short))
    for matrix in (jacfwd, jacrev):
        with pytest.raises(IndexError):
            matrix(written_to, argnums=1, jit=jit)(long, short)


def written_to(v, w):
    out = np.zeros(len(w))
    for i in range(len(v)):
        out[i] = v[i] * w[0]
    return out


def gathered_sums(x, w, index, counts):
    s = np.sum(x)
    for k in range(len(index)):
        i = index[k]
        for j in range(counts[k]):
            s += w[i] * x[j]
    return s


def summed_in_a_branch(x, w, n, m):
    s = np.sum(x)
    for i in range(n):
        for j in range(m):
            if j < len(w):
                s += w[i] * x[j]
    return s


def parameters_in_two_loops(x, w, n, m):
    s = np.sum(x)
    for i in range(n):
        for j in range(m):
            s += w[2] * x[i] * x[j]
    return s


@pytest.mark.parametrize("jit", [False, True])
def test_sums_are_stored_where_the_program_stores(jit):
    x, w = R.normal(size=6), R.normal(size=3)
    for function, args in (
        (gathered_sums, (np.array([1, 9, 0]), np.array([2, 0, 3]))),
        (summed_in_a_branch, (7, 0)),
        (parameters_in_two_loops, (0, 3)),
        (parameters_in_two_loops, (3, 0)),
    ):
        short = w if function is gathered_sums else w[:0]
        check_grad(function, (x, short, *args), jit=jit)
    check_grad(summed_in_a_branch, (x, w, 3, 5), jit=jit)
    check_grad(parameters_in_two_loops, (x, w, 3, 5), jit=jit)


def weighted_sums(x, w):
    s = 0.0
    for i in range(len(w)):
        for j in range(len(x)):
            s += w[i] * x[j]
    for i in range(len(x)):
        for j in range(3):
            s += w[i] * (j + x[i])
    return s


def test_sums_that_are_in_bounds_are_stored_without_a_test():
    assert "if " not in source_of(weighted_sums, np.ones(5), np.ones(5))
    assert "if " in source_of(gathered_sums, np.ones(5), np.ones(5), np.array([0]), np.array([1]))


def gathered(x, index):
    s = 0.0
    for k in range(len(index)):
        s += x[index[k]]
    return s


def test_numbas_option_checks_all_indices():
    derivative = value_and_grad(gathered, boundscheck=True)
    assert derivative(np.ones(4), np.array([0, 3, 3]))[0] == 3.0
    with pytest.raises(IndexError):
        derivative(np.ones(4), np.array([0, 4]))
    with pytest.raises(IndexError):
        value_and_grad(gathered, jit=False)(np.ones(4), np.array([0, 4]))


def size_said_by_a_later_array(v, m, w):
    s = 0.0
    for j in range(len(m)):
        s += w[0] * m[j]
    part = v[:2].ravel()
    return s * np.sum(np.maximum(m, np.repeat(part, 2)))


def test_checks_name_sizes_as_they_are_known_there():
    derivative = grad(size_said_by_a_later_array, argnums=(0, 1, 2), jit=False)
    v, m, w = R.standard_normal(3), R.standard_normal(4), np.ones(1)
    check_grad(size_said_by_a_later_array, (v, m, w), argnums=(0, 1, 2))
    with pytest.raises(IndexError):
        derivative(v, m, w[:0])
    assert [d.size for d in derivative(v[:0], m[:0], w[:0])] == [0, 0, 0]


def beyond_the_list(u, k):
    b = [2.0 * u, np.zeros(len(u))]
    s = 0.0
    for t in range(k):
        b[t % 3][0] += u[0]
        s += b[0][0]
    return s


@pytest.mark.parametrize("jit", [False, True])
def test_a_list_says_where_an_index_is_beyond_its_end(jit):
    with pytest.raises(IndexError):
        grad(beyond_the_list, jit=jit)(np.ones(3), 3)
