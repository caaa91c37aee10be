"""Sparse Jacobians and Hessians: patterns, colours and values against dense ones and brute force."""

import functools
import os
import pickle
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from corpus import CORPUS
from function_generator import FunctionGenerator
from fuzzing import fails, function_inputs, inputs, make
from nest_generator import NestGenerator
from numba import njit
from program_generator import ProgramGenerator
from scipy.sparse import csc_array
from small_generator import SmallGenerator
from test_lanes import floats, leaves

from adcompiler import (
    DifferentiationError,
    grad,
    hessian,
    jacfwd,
    jacobian,
    sparse_hessian,
    sparse_jacobian,
    sparsity,
)
from adcompiler.primitives import CARDS
from adcompiler.sparse.compression import colouring_of, entries_of
from adcompiler.sparse.pattern import SparsityPattern

RNG = np.random.default_rng(11)
X12 = RNG.uniform(0.2, 1.0, 12)


def diffusion(u):
    r = np.zeros(len(u))
    for i in range(1, len(u) - 1):
        r[i] = u[i - 1] - 2.0 * u[i] + u[i + 1]
    return r


def by_slices(u, dx):
    r = np.empty_like(u)
    r[1:-1] = (u[:-2] - 2.0 * u[1:-1] + u[2:]) / dx**2 + np.exp(u[1:-1])
    r[0], r[-1] = u[0], u[-1]
    return r


def brusselator(x, alpha):
    n = x.shape[1]
    out = np.empty_like(x)
    for i in range(n):
        up, down = (i + 1) % n, i - 1 if i > 0 else n - 1
        for j in range(n):
            left, right = j - 1 if j > 0 else n - 1, (j + 1) % n
            u, v = x[0, i, j], x[1, i, j]
            spread = x[0, up, j] + x[0, down, j] + x[0, i, left] + x[0, i, right] - 4.0 * u
            out[0, i, j] = alpha * spread + 1.0 + u * u * v - 4.4 * u
            spread = x[1, up, j] + x[1, down, j] + x[1, i, left] + x[1, i, right] - 4.0 * v
            out[1, i, j] = alpha * spread + 3.4 * u - u * u * v
    return out


def springs(x, ends):
    force = np.zeros_like(x)
    for k in range(len(ends)):
        i, j = ends[k]
        pull = (x[i] - x[j]) ** 3
        force[i] -= pull
        force[j] += pull
    return force


def gathered(x, places):
    return x[places] ** 2 + np.roll(x, 1)[places]


def rows_of_products(x):
    a = x.reshape(3, 4)
    return np.tanh(a) @ np.array([1.0, 2.0, 3.0, 4.0]), np.cumsum(x[:3])


def with_scratch(u):
    r = np.zeros(len(u))
    for i in range(len(u) - 1):
        local = np.zeros(2)
        local[0], local[1] = u[i] ** 2, u[i + 1]
        r[i] = local[0] * local[1] + np.floor(u[0])
    return r


EXACT = {
    "diffusion": (diffusion, (X12,)),
    "by_slices": (by_slices, (X12, 0.1)),
    "brusselator": (brusselator, (RNG.uniform(0.5, 1.0, (2, 4, 4)), 0.1)),
    "springs": (springs, (X12, np.array([[0, 3], [3, 11], [5, 2]]))),
    "gathered": (gathered, (X12, np.array([3, 1, 4, 1, 5]))),
    "rows_of_products": (rows_of_products, (X12,)),
    "with_scratch": (with_scratch, (X12,)),
    "sizes": (lambda x: x[: x.size // 2] * x[x.size // 2 :][::-1], (X12,)),
    "outer": (lambda x: np.outer(x[:2], x[3:5]) + x[5], (X12,)),
    "running": (lambda x: np.cumsum(x * x), (X12,)),
    "moved": (lambda x: np.concatenate((x[4:], np.flip(x)[:2])).reshape(2, 5).T, (X12,)),
}


@functools.cache
def forward(function, argnums):
    return jacfwd(function, argnums=argnums, stacked=True, jit=False)


def dense(function, args, argnums=0):
    """Return the Jacobian as one matrix."""
    columns = sum(np.size(args[k]) for k in np.atleast_1d(argnums))
    found = forward(function, argnums)(*args)
    return np.concatenate([np.reshape(leaf, (-1, columns)) for leaf in leaves(found)])


@pytest.mark.parametrize("name", EXACT)
def test_patterns_are_exact(name):
    function, args = EXACT[name]
    expected = dense(function, args)
    is_compiled = name in ("diffusion", "brusselator", "springs")
    for local in (False, True):
        pattern = sparsity(function, local=local, jit=is_compiled)(*args)
        np.testing.assert_array_equal(pattern.toarray(), expected != 0.0)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("by", ["columns", "rows"])
@pytest.mark.parametrize("name", EXACT)
def test_values(name, by, format):
    function, args = EXACT[name]
    is_compiled = name == "brusselator" and format == "csr"
    found = sparse_jacobian(function, by=by, format=format, jit=is_compiled)(*args)
    assert found.format == format
    np.testing.assert_allclose(found.toarray(), dense(function, args), rtol=1e-12, atol=1e-13)


def clipped(x, level):
    r = np.zeros(len(x))
    for i in range(1, len(x)):
        if x[i] > level:
            r[i] = x[i] * x[0]
        elif x[i] < 0.0:
            r[i] = max(x[i - 1], 0.3)
    return r


def test_both_branches_count_for_all_values():
    jac = sparse_jacobian(clipped, jit=False)
    for level in (0.5, -0.5, 2.0):
        x = RNG.normal(size=6)
        np.testing.assert_allclose(jac(x, level).toarray(), dense(clipped, (x, level)))
    assert len(jac.known) == 1
    assert jac.pattern(x, level).nnz == 14
    assert sparsity(clipped, local=True, jit=False)(np.full(6, 0.1), 0.5).nnz == 0


def picked(x, k, table, order):
    total = np.zeros(3)
    for i in range(3):
        total[i] = x[int(k) + i] * table[int(10.0 * x[i])]
        if order[i] > 1:
            total[i] += x[0]
    return total


def test_values_that_decide_are_compared():
    """Integers, and floats that indices are computed of; not those that are factors only."""
    jac, table = sparse_jacobian(picked, jit=False), np.arange(20.0)
    cases = [
        (1.0, table, [0, 1, 2]),
        (5.5, table, [0, 1, 2]),
        (1.0, table + 1.0, [0, 1, 2]),
        (1.0, table, [2, 2, 0]),
    ]
    for k, numbers, order in cases:
        args = X12, k, numbers, np.array(order)
        np.testing.assert_allclose(jac(*args).toarray(), dense(picked, args))
    assert len(jac.known) == 3


def left_early(x):
    total, last = 0.0, 0.0
    for i in range(len(x) - 1):
        total += x[i] * x[i + 1]
        last = x[i]
        if total > 0.7:
            break
    return np.array([total, last, x[0]])


def test_a_loop_may_end_with_any_iteration():
    pattern = sparsity(left_early, jit=False)(X12[:5])
    np.testing.assert_array_equal(pattern.toarray().sum(axis=1), [5, 4, 1])


def guarded(x, count):
    i, total = 0, np.zeros(len(x))
    for i in range(len(x) + 2):
        inside = i < count and x[min(i, len(x) - 1)] > 0.5
        if inside:
            total[i] = x[i] * x[i - 1]
    return total


def test_branches_that_are_never_taken_read_and_write_nothing_outside():
    assert sparsity(guarded)(X12, 12).nnz >= 24


def roots(x):
    """Newton's method in each row, as often as it takes."""
    found = np.empty(len(x) - 1)
    for i in range(len(x) - 1):
        z = 1.0
        while abs(z**3 + x[i] * z - x[i + 1]) > 1e-12:
            z -= (z**3 + x[i] * z - x[i + 1]) / (3.0 * z * z + x[i])
        found[i] = z
    return found


def relaxed(x):
    """Each iteration reads its neighbour, but for every fourth, in an array of its own."""
    count = 0
    while np.sum(x * x) > 0.01 and count < 50:
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = 0.3 * x[i - 1] + 0.3 * x[i] if i % 4 else 0.5 * x[i]
        x = y
        count += 1
    return x


def in_place(x):
    """Iterations add to an array from outside, and hand a number on."""
    z, last = np.zeros_like(x), 0.0
    while np.sum(z * z) < 0.3:
        for i in range(2, len(x)):
            z[i] += 0.5 * (x[i] - z[i]) + 0.1 * z[i - 2]
        last = z[2]
    return z, last


def counted(x):
    """How many iterations there are decides which elements are read."""
    k = 0
    while x[k] < 0.9 and k < len(x) - 1:
        k += 1
    total = 0.0
    for i in range(k):
        total += x[i]
    return np.array([x[k], total, x[0]])


def rows_below(count, period):
    """Return the pattern of what hands on from one row to the next, but where a period begins."""
    rows = np.arange(count)
    return (rows[:, None] // period == rows // period) & (rows[:, None] >= rows)


ANY_NUMBER_OF_TIMES = {
    roots: np.eye(11, 12) + np.eye(11, 12, 1) > 0,
    relaxed: rows_below(12, 4),
    in_place: [
        [i >= 2 and j >= 2 and i >= j and (i - j) % 2 == 0 for j in range(12)] for i in [*range(12), 2]
    ],
    counted: [[True] * 12] * 2 + [[j == 0 for j in range(12)]],
}


@pytest.mark.parametrize("function", ANY_NUMBER_OF_TIMES)
@pytest.mark.parametrize("jit", [False, True])
def test_loops_that_run_as_often_as_floats_tell(function, jit):
    """The pattern is that of any number of iterations, and no larger."""
    pattern = sparsity(function, jit=jit)(X12)
    np.testing.assert_array_equal(pattern.toarray(), ANY_NUMBER_OF_TIMES[function])
    assert assert_superset(function, (X12,))


def test_no_loop_of_floats_runs_for_ever():
    """Neither one in a branch that is not taken, nor one in a loop that runs once for all."""

    def program(x):
        total = 0.0
        while total < x[0]:
            step = 1.0
            while step > x[1]:
                step *= 0.5
            total += step * x[2]
            if x[3] < 0.0:
                while step != 0.25:
                    step += 0.0
                total += x[4] * step
        return total

    x = np.full(6, 0.6)
    np.testing.assert_array_equal(sparsity(program, jit=False)(x).toarray(), [[0, 0, 1, 0, 1, 0]])


def random_loop(rng):
    """Return a program that does anything as often as its numbers tell."""
    places = ["0", "i", "i - 1", "(i * 3) % 6", "k % 6"]

    def term():
        read = [f"x[{rng.choice(places)}]", f"z[{rng.choice(places)}]", "s", "t", "v[i]", "0.5"]
        return f"np.sin({rng.choice(read)}) * {rng.choice(read)}"

    def line():
        made = [f"s = {term()}", f"t += {term()}", "s, t = t, s", f"z[{rng.choice(places)}] = {term()}"]
        made += [f"z[{rng.choice(places)}] += {term()}", "w = v * 0.5; w[i] = s; v = w", "v = 0.7 * v"]
        return rng.choice(made)

    body = [f"            {line()}" for _ in range(3)]
    body.insert(rng.randrange(4), f"            if {term()} > 0.2:\n                {line()}")
    lines = [
        "import numpy as np",
        "",
        "",
        "def program(x):",
        "    z, v, s, t, k = x[::-1].copy(), x, 0.1, x[1], 0",
    ]
    lines += [f"    while np.sum(z) + s * t > {rng.uniform(-1, 2):.2f} and k < {rng.randrange(1, 5)}:"]
    lines += [f"        for i in range({rng.randrange(3)}, 6):", *body]
    lines += [f"        if x[{rng.choice(['0', 'k'])}] * s > 0.4:", "            break"] * rng.randrange(2)
    return "\n".join([*lines, "        k += 1", "    return z, s, t, v, x[k]", ""])


@pytest.mark.parametrize("seed", range(12))
def test_random_loops_of_floats(seed):
    function = make(random_loop(random.Random(seed)), f"sparse loop {seed}")
    with np.errstate(all="ignore"):
        assert_superset(function, (RNG.uniform(-1.0, 1.0, 6),))


def swapped(x):
    a, b = x * 2.0, x * 3.0
    while np.sum(a) > 1.0:
        a, b = b, a
        b[0] = a[1] * 0.01
        a[1] = b[2] * 0.1
    return a


def masked(x):
    return x[x > 0.5]


def filtered(x):
    kept = [0.0]
    for i in range(len(x)):
        if x[i] > 0.5:
            kept.append(x[i])
    return kept[-1]


def solved(x):
    return np.linalg.solve(x[:9].reshape(3, 3) + np.eye(3), x[9:])


REFUSED = {
    "swapped": (swapped, "which array or list is meant depends on floats"),
    "masked": (masked, "how many elements are read depends on floats"),
    "filtered": (filtered, "how long a list is depends on floats"),
    "solved": (solved, "is not known"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    function, reason = REFUSED[name]
    with pytest.raises(DifferentiationError, match=reason) as refused:
        sparsity(function, jit=False)(X12)
    assert refused.value.code == "AD601"
    assert refused.value.location.file == __file__


def test_the_way_out_of_refusals():
    one_of_many = np.zeros((np.sum(X12 > 0.5), 12))
    one_of_many[np.arange(len(one_of_many)), np.nonzero(X12 > 0.5)] = 1.0
    np.testing.assert_array_equal(sparsity(masked, local=True, jit=False)(X12).toarray(), one_of_many)
    whole = SparsityPattern.of(np.ones((3, 12)))
    found = sparse_jacobian(solved, pattern=whole, jit=False)(X12)
    np.testing.assert_allclose(found.toarray(), dense(solved, (X12,)))


def test_integers_in_results_are_refused():
    with pytest.raises(DifferentiationError, match="is no float"):
        sparsity(lambda x: (x, len(x)), jit=False)(X12)


@dataclass
class State:
    u: np.ndarray
    level: float


def of_structure(state, factor):
    return {"total": state["a"].u * state["a"].level, "rest": (state["b"] * factor[0], factor[1])}


def test_structures():
    state, factor = {"a": State(X12[:3], 2.0), "b": 0.5}, (3.0, 1.5)
    jac = sparse_jacobian(of_structure, argnums=(0, "factor"), jit=False)
    expected = np.zeros((5, 7))
    expected[range(3), range(3)], expected[:3, 3] = 2.0, X12[:3]
    expected[3, [4, 5]], expected[4, 6] = (3.0, 0.5), 1.0
    np.testing.assert_allclose(jac(state, factor).toarray(), expected)
    rows = sparse_jacobian(of_structure, argnums=(0, "factor"), by="rows", jit=False)
    np.testing.assert_allclose(rows(state, factor).toarray(), expected)


def test_one_direction_at_a_time():
    """Numbers of single precision have no lanes."""
    x = X12.astype(np.float32)
    for by in ("columns", "rows"):
        found = sparse_jacobian(diffusion, by=by, jit=False)(x)
        np.testing.assert_allclose(found.toarray(), dense(diffusion, (X12,)), rtol=1e-6)


def test_rows_are_chosen_where_columns_need_more():
    jac = sparse_jacobian(lambda x: np.array([np.sum(x), x[0] * x[3]]), jit=False)
    x = np.linspace(0.1, 1.0, 50)
    assert jac.colouring(x).by == "rows"
    assert jac(x).shape == (2, 50)


# Hessians


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def chained(x):
    total = 0.0
    for i in range(len(x) - 3):
        total += x[i] * x[i + 1] * np.exp(x[i + 3]) + x[i] ** 2
    return total


def arrow(x):
    return np.sum(x[1:] ** 3) * 0.1 + x[0] * np.sum(np.sin(x[1:])) + x[0] ** 2


def network(x, w, b):
    return np.sum(np.tanh(x * w + b) ** 2) + w[0] * w[1]


@pytest.mark.parametrize("function", [rosenbrock, chained, arrow])
@pytest.mark.parametrize("colouring", ["star", "acyclic"])
def test_hessians(function, colouring):
    expected = hessian(function, jit=False)(X12)
    for format in ("csr", "csc"):
        made = sparse_hessian(function, format=format, colouring=colouring, jit=function is rosenbrock)
        np.testing.assert_allclose(made(X12).toarray(), expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(made.pattern(X12).toarray(), expected != 0.0)


def test_hessians_by_several_arguments():
    args = np.array([0.1, 0.5, -0.3]), np.array([0.7, 0.2, 0.4]), 0.3
    blocks = hessian(network, argnums=("w", "b"), jit=False)(*args)
    w, b = blocks
    expected = np.block([[w[0], w[1][:, None]], [b[0][None, :], np.array([[b[1]]])]])
    found = sparse_hessian(network, argnums=("w", "b"), jit=False)(*args)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12)


def test_a_star_needs_two_colours():
    assert sparse_hessian(arrow, jit=False).colouring(X12).count == 2


def test_acyclic_colours_are_fewer_for_bands_and_grids():
    five = SparsityPattern.of(np.tri(60, k=5) - np.tri(60, k=-6))
    row = np.tri(8, k=1) - np.tri(8, k=-2)
    grid = SparsityPattern.of(np.kron(row, row))
    counts = [[colouring_of(p, by).count for by in ("symmetric", "acyclic")] for p in (five, grid)]
    assert counts[0] == [11, 6]
    assert counts[1][1] < 0.7 * counts[1][0]


def test_there_is_no_other_colouring():
    with pytest.raises(DifferentiationError, match="there is no colouring 'cyclic'"):
        sparse_hessian(arrow, colouring="cyclic")


# colours


def random_pattern(rng, rows, columns, density):
    return SparsityPattern.of(rng.random((rows, columns)) < density)


@pytest.mark.parametrize("seed", range(20))
def test_colours_of_columns_and_rows(seed):
    rng = np.random.default_rng(seed)
    pattern = random_pattern(rng, *rng.integers(1, 25, 2), rng.uniform(0.02, 0.5))
    matrix = pattern.toarray()
    for by, whole in (("columns", matrix), ("rows", matrix.T)):
        colours = colouring_of(pattern, by).colours
        for colour in range(colours.max(initial=-1) + 1):
            assert whole[:, colours == colour].sum(axis=1).max(initial=0) == 1
        assert np.all((colours >= 0) == whole.any(axis=0))


@pytest.mark.parametrize("seed", range(20))
def test_star_colouring(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 20)
    pattern = random_pattern(rng, n, n, rng.uniform(0.02, 0.4)).symmetric
    matrix, colours = pattern.toarray(), colouring_of(pattern, "symmetric").colours
    for i, j in np.argwhere(matrix):
        alone = [np.sum(matrix[a] & (colours == colours[b])) == 1 for a, b in ((i, j), (j, i))]
        assert any(alone)


def has_cycle(edges):
    """Tell whether a graph has a cycle: leaves are taken off until nothing more comes off."""
    while edges:
        ends = [end for edge in edges for end in edge]
        kept = [edge for edge in edges if all(ends.count(end) > 1 for end in edge)]
        if len(kept) == len(edges):
            return True
        edges = kept
    return False


@pytest.mark.parametrize("seed", range(20))
def test_acyclic_colouring(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 20)
    pattern = random_pattern(rng, n, n, rng.uniform(0.02, 0.4)).symmetric
    colours = colouring_of(pattern, "acyclic").colours
    edges = [(i, j) for i, j in np.argwhere(pattern.toarray()).tolist() if i < j]
    assert all(colours[i] != colours[j] for i, j in edges)
    for pair in {frozenset((colours[i], colours[j])) for i, j in edges}:
        assert not has_cycle([(i, j) for i, j in edges if {colours[i], colours[j]} == pair])


@pytest.mark.parametrize("seed", range(10))
def test_entries_are_found_in_products(seed):
    """A product with the directions of the colours holds every entry where it is looked for."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 20)
    pattern = random_pattern(rng, n, n, rng.uniform(0.1, 0.6)).symmetric
    matrix = pattern.toarray() * rng.normal(size=(n, n))
    both = matrix + matrix.T
    for by, whole in (("columns", matrix), ("rows", matrix.T), ("symmetric", both), ("acyclic", both)):
        colouring = colouring_of(pattern, by)
        for format in ("csr", "csc"):
            colours, count, ((starts, order, places, lanes),), *sums = entries_of(pattern, colouring, format)
            values = np.empty(count)
            for chunk in range(len(starts) - 1):
                own = slice(starts[chunk], starts[chunk + 1])
                units = colours[:, None] == np.arange(8 * chunk, 8 * chunk + 8)
                values[order[own]] = (whole @ units)[places[own], lanes[own]]
            for target, source in zip(*sums, strict=True):
                values[target] -= values[source]
            found = pattern.matrix(values, format).toarray()
            np.testing.assert_allclose(found, whole.T if by == "rows" else whole)


def test_primitives_that_hand_elements_on():
    numbers = {
        "x": 7,
        "v": np.arange(1, 6),
        "m": np.arange(1, 10).reshape(3, 3),
        "b": np.array([True, False]),
    }
    known = {int(k) for value in numbers.values() for k in np.ravel(value)} | {0}
    for name, claims in CARDS.items():
        if claims.in_sets == name and claims.example:
            found = eval(claims.example, {"np": np}, numbers)
            assert {int(k) for k in np.ravel(found)} <= known, name


# what may be kept


def test_evaluations_are_pickled_and_called_in_compiled_code():
    evaluation = pickle.loads(pickle.dumps(sparse_jacobian(diffusion).evaluation(X12)))
    np.testing.assert_allclose(evaluation(X12).toarray(), dense(diffusion, (X12,)))
    values = evaluation.values

    @njit
    def largest(u, entries):
        return np.max(np.abs(values(u, entries)))

    assert largest(X12, evaluation.entries) == 2.0


def test_matrices_may_be_changed():
    jac = sparse_jacobian(lambda u: u[1:] * u[:-1], jit=False)
    first = jac(np.zeros(4))
    first.eliminate_zeros()
    assert first.nnz == 0
    np.testing.assert_array_equal(jac(np.ones(4)).toarray().sum(axis=1), [2.0, 2.0, 2.0])


def test_other_sizes_have_other_patterns():
    jac = sparse_jacobian(diffusion, jit=False)
    assert [jac(X12[:n]).nnz for n in (5, 7, 5)] == [9, 15, 9]
    assert len(jac.known) == 2


def test_what_is_read_of_surroundings_is_frozen():
    far = 1

    def shifted(x):
        return x[far:] * x[0]

    jac = sparse_jacobian(shifted, jit=False)
    assert jac(X12).shape == (11, 12)
    far = 2
    assert jac(X12).shape == (11, 12)
    jac.recompile()
    assert jac(X12).shape == (10, 12)


def test_without_compiling(tmp_path):
    program = """
import numpy as np
from adcompiler import sparse_hessian, sparse_jacobian
assert np.all(sparse_jacobian(lambda x: x[1:] * x[:-1])(np.ones(4)).toarray().sum(axis=1) == 2.0)
assert sparse_hessian(lambda x: np.sum(x[1:] * x[:-1]))(np.ones(4)).nnz == 6
"""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, cwd=Path(__file__).parent.parent
    )


def test_patterns():
    pattern = sparsity(lambda x: x[1:] * x[0], jit=False)(X12[:3])
    assert repr(pattern) == "<SparsityPattern of 2 × 3, with 4 entries>"
    np.testing.assert_array_equal(pattern.transposed.toarray(), pattern.toarray().T)
    np.testing.assert_array_equal(pattern.matrix(format="csc").toarray(), pattern.toarray())
    again = SparsityPattern.of(csc_array(pattern.toarray()))
    np.testing.assert_array_equal(again.columns, pattern.columns)


def test_chains_of_any_length():
    """The book of unions grows with what is entered."""

    def all_of_all(x):
        total, found = 0.0, np.zeros(len(x))
        for i in range(len(x)):
            for j in range(len(x)):
                total += x[(7 * i + j * j) % len(x)]
                found[i] = total
        return found

    found = sparsity(all_of_all, jit=False)(np.ones(40)).toarray()
    np.testing.assert_array_equal(found, dense(all_of_all, (np.ones(40),)) != 0.0)


# programs


def assert_superset(function, args, **options):
    """Hold patterns against the Jacobian; return whether there were any."""
    wrt = floats(args)
    try:
        expected = dense(function, args, wrt)
        patterns = [sparsity(function, wrt, local=local, jit=False)(*args) for local in (True, False)]
    except DifferentiationError:
        return False
    for pattern in patterns:
        assert not np.any((expected != 0.0) & ~pattern.toarray())
    for _ in range(2):  # other branches
        moved = tuple(RNG.normal(size=np.shape(arg)) if k in wrt else arg for k, arg in enumerate(args))
        elsewhere = dense(
            function, tuple(arg if np.ndim(arg) else np.asarray(arg).item() for arg in moved), wrt
        )
        assert not np.any((np.nan_to_num(elsewhere) != 0.0) & ~patterns[1].toarray())
    found = sparse_jacobian(function, wrt, pattern=patterns[1], jit=False)(*args)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-10, atol=1e-11)
    return True


def test_jacobians_of_the_corpus():
    cases = CORPUS[3::12]
    done = [assert_superset(function, (*args, *(function.__defaults__ or ()))) for function, args in cases]
    assert sum(done) > 0.7 * len(done)


@pytest.mark.parametrize("generator", [ProgramGenerator, NestGenerator, SmallGenerator, FunctionGenerator])
def test_random_programs(generator):
    for seed in range(3000, 3003):
        rng = random.Random(seed)
        function = make(generator(rng).program(), f"sparse {generator.__name__} {seed}")
        args = (function_inputs if generator is FunctionGenerator else inputs)(rng)
        if not fails(function, args):
            assert_superset(function, args)


def held_again(x):
    """A list that holds one array several times."""
    v = [x * x]
    for k in range(3):
        v.append(v[-1] if k % 2 == 0 else np.sin(v[-1]) * x[0])
    v[0][1] *= x[2]
    total = 0.0
    while len(v) > 0:
        w = v.pop()
        total += w[0] * w[1]
    return total


def held_by_all_items(x):
    a, v, total = x * x, [], 0.0
    for _ in range(3):
        v.append(a)
    for w in v:
        w[0] = w[0] * x[1]
    for w in v:
        total += w[0] * w[1]
    return total


@pytest.mark.parametrize("function", [held_again, held_by_all_items])
def test_hessian_of_a_list_that_holds_an_array_several_times(function):
    x = np.array([0.3, 0.5, 0.7])
    found = sparse_hessian(function, 0, jit=False)(x)
    np.testing.assert_allclose(found.toarray(), hessian(function, 0, jit=False)(x), rtol=1e-10, atol=1e-14)


def test_hessians_of_the_corpus():
    programs = [
        *CORPUS[7::40],
        *(case for case in CORPUS if case[0].__name__ == "array_appended_in_each_iteration"),
    ]
    for function, args in programs:
        args = (*args, *(function.__defaults__ or ()))
        wrt = floats(args)
        if len(wrt) == 1:
            try:
                expected = hessian(function, wrt[0], jit=False)(*args)
                found = sparse_hessian(function, wrt[0], jit=False)(*args)
            except DifferentiationError:
                continue
            np.testing.assert_allclose(
                found.toarray(), np.reshape(expected, found.shape), rtol=1e-9, atol=1e-10
            )


def test_a_gradient_has_a_sparse_jacobian():
    found = sparse_jacobian(grad(rosenbrock), jit=False)(X12)
    np.testing.assert_allclose(found.toarray(), jacobian(grad(rosenbrock), jit=False)(X12), rtol=1e-12)
