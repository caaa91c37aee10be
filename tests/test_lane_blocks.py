"""Recurrences side by side: in blocks, derivatives are those of one path after the other."""

import math
import random
from unittest import mock

import numpy as np
import pytest
from array_generator import ArrayGenerator
from batch_generator import BatchGenerator, batch_inputs
from column_generator import ColumnGenerator, column_inputs
from fuzzing import disagreement, inputs
from nest_generator import NestGenerator
from parallel_generator import ParallelGenerator
from program_generator import ProgramGenerator

from adcompiler import grad, jvp, value_and_grad
from adcompiler.loops import block_statements, lane_blocks, lane_choice


def heston(z, v0, kappa, theta, xi, rho):
    total = 0.0
    for p in range(z.shape[0]):
        s, v = 0.0, v0
        for t in range(z.shape[1]):
            now = max(v, 1e-6)
            s += math.sqrt(0.1 * now) * z[p, t, 0] - 0.05 * now
            v += kappa * (theta - now) * 0.1 + xi * math.sqrt(0.1 * now) * (rho * z[p, t, 0] + z[p, t, 1])
        total += max(math.exp(s) - 1.0, 0.0)
    return total / z.shape[0]


def populations(rates, start, steps):
    """Each element has parameters, a start and a result of its own."""
    ends = np.empty(start.shape[0])
    for i in range(start.shape[0]):
        x, y = start[i], 1.0 / (1.0 + start[i])
        for _ in range(steps):
            dx = rates[i, 0] * x - rates[i, 1] * x * y
            dy = rates[i, 2] * x * y - 0.4 * y
            x, y = x + 0.05 * dx, y + 0.05 * dy + 0.001 * math.sin(x)
        ends[i] = x * y
    return np.sum(ends * ends)


def nested(a, x):
    """A recurrence within a recurrence, numbers that are swapped, and a branch."""
    total = 0.0
    for i in range(len(x)):
        u, w = x[i], 0.5
        for k in range(4):
            y = u
            for t in range(5):
                y = 0.9 * y + a * math.cos(y + 0.1 * t) * w - 0.2 * y * y / (1.0 + y * y)
            if y > 0.3:
                u, w = w, y
            else:
                u, w = 0.7 * w, y * u
        total += u * w
    return total


def layers(w, b, out, x, labels):
    """Each sample goes through two layers, written out, and is judged by its label."""
    n, hidden = len(labels), np.empty(w.shape[0])
    total = 0.0
    for i in range(n):
        row = x[i]
        for j in range(w.shape[0]):
            a = b[j]
            for k in range(w.shape[1]):
                a += w[j, k] * row[k]
            hidden[j] = a if a > 0.0 else 0.1 * a
        scores = np.zeros(out.shape[1])
        for j in range(out.shape[1]):
            for k in range(w.shape[0]):
                scores[j] += hidden[k] * out[k, j]
        top, rest = scores.max(), 0.0
        for j in range(out.shape[1]):
            rest += math.exp(scores[j] - top)
        total += math.log(rest) + top - scores[labels[i]]
    return total / n


def agrees_in_order(function, wrt, args, value, gradients):
    """Assert that value and gradients are those of one iteration after the other."""
    expected, others = value_and_grad(function, argnums=wrt, jit=False, accurate_math=True)(*args)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for one, two in zip(gradients, others, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


R = np.random.default_rng(0)
PROGRAMS = {
    "heston": (heston, lambda n: (R.normal(size=(n, 7, 2)), 0.04, 1.5, 0.04, 0.3, -0.6), (0, 1, 2, 3, 4, 5)),
    "populations": (populations, lambda n: (R.random((n, 3)), R.random(n), 9), (0, 1)),
    "nested": (nested, lambda n: (0.6, R.normal(size=n)), (0, 1)),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_programs(name, n):
    function, inputs, wrt = PROGRAMS[name]
    args = inputs(n)
    if n == 0 and name == "heston":
        return
    derivative = value_and_grad(function, argnums=wrt, jit=n == 65)
    value, gradients = derivative(*args)
    assert "for block in range(blocks)" in derivative.source
    in_order = value_and_grad(function, argnums=wrt, jit=False, accurate_math=True)
    expected, others = in_order(*args)
    assert "block" not in in_order.source
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for one, two in zip(gradients, others, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)


def roots(a, x):
    total = 0.0
    for i in range(len(x)):
        z = 1.0 + x[i]
        for _ in range(20):
            step = (z * z * z + a * z - x[i]) / (3.0 * z * z + a)
            if abs(step) < 1e-9:
                break
            z -= step
        total += z
    return total


def test_loops_that_end_early_stay_as_they_are():
    x = R.random(70)
    derivative = value_and_grad(roots, argnums=(0, 1), jit=False)
    found = derivative(0.7, x)[1]
    assert "block" not in derivative.source
    expected = value_and_grad(roots, argnums=(0, 1), jit=False, accurate_math=True)(0.7, x)[1]
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


@pytest.mark.parametrize("name", ["populations", "layers"])
def test_on_all_cores(name):
    if name == "layers":
        function, wrt = layers, (0, 1, 2, 3)
        args = (*(R.normal(size=size) for size in ((3, 4), 3, (3, 2), (100, 4))), R.integers(0, 2, 100))
    else:
        function, inputs, wrt = PROGRAMS[name]
        args = inputs(100)
    derivative = grad(function, argnums=wrt, jit=False, parallel=True)
    for one, two in zip(derivative(*args), grad(function, argnums=wrt, jit=False)(*args), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)
    assert "prange(" in derivative.source and "lane" in derivative.source


def test_forward_mode():
    args = PROGRAMS["populations"][1](70)
    directions = R.normal(size=(70, 3)), R.normal(size=70)
    found = jvp(lambda a, b: populations(a, b, 9), args[:2], directions, jit=False)
    expected = jvp(lambda a, b: populations(a, b, 9), args[:2], directions, jit=False, accurate_math=True)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_long_paths_take_little_room():
    """A block has fewer paths where their tapes would not fit caches."""
    function, inputs, wrt = PROGRAMS["heston"]
    derivative = value_and_grad(function, argnums=wrt, jit=False)
    derivative(*inputs(3))
    assert "width = min(width, max(131072 // max(size_1, 1), 8))" in derivative.source


def triangles(means, factors, packed, x):
    """Each sample meets each mean, with scratch, a packed triangle, and the largest of all terms."""
    count, d = means.shape
    diff, q, terms = np.empty(d), np.empty(d), np.empty(count)
    places = np.empty(d, np.int64)
    total = 0.0
    for i in range(x.shape[0]):
        for k in range(count):
            for j in range(d):
                diff[j] = x[i, j] - means[k, j]
                places[j] = d - 1 - j
            for a in range(d):
                q[a] = 0.0
                for b in range(d):
                    q[a] += factors[k, a, b] * diff[places[b]]
            position = 0
            for a in range(d):
                for b in range(a + 1, d):
                    q[b] += packed[k, position] * diff[a]
                    position += 1
            distance = 0.0
            for a in range(d):
                distance += q[a] * q[a]
            terms[k] = math.sin(distance) if distance < 3.0 else 0.1 * distance
        top, rest = np.max(terms), 0.0
        for k in range(count):
            rest += math.exp(terms[k] - top)
        total += (top + math.log(rest)) * x[i, 0]
    return total


@pytest.mark.parametrize("n", [0, 1, 64, 70])
def test_nests_over_scratch(n):
    args = R.normal(size=(2, 3)), R.normal(size=(2, 3, 3)), R.normal(size=(2, 3)), R.normal(size=(n, 3))
    derivative = value_and_grad(triangles, argnums=(0, 1, 2, 3), jit=n == 70)
    value, gradients = derivative(*args)
    assert "for lane in range(lanes)" in derivative.source
    agrees_in_order(triangles, (0, 1, 2, 3), args, value, gradients)


def column_scatter(x, w):
    """Two loops down each column of a matrix: LLVM vectorises along rows only."""
    total = 0.0
    for j in range(x.shape[1]):
        mean = 0.0
        for i in range(x.shape[0]):
            mean += w[i] * x[i, j]
        scatter = 0.1
        for i in range(x.shape[0]):
            scatter += (x[i, j] - mean) ** 2
        total += math.log(scatter)
    return total


@pytest.mark.parametrize("m", [0, 1, 7, 8, 64, 70])
@pytest.mark.parametrize("order", ["C", "F"])
def test_columns(m, order):
    x = np.asarray(R.normal(size=(4, m)), order=order)
    args = x, R.normal(size=4)
    derivative = value_and_grad(column_scatter, argnums=(0, 1), jit=m == 70)
    value, gradients = derivative(*args)
    is_by_rows = x.flags.c_contiguous
    assert ("for lane in range(lanes)" in derivative.source) == is_by_rows
    agrees_in_order(column_scatter, (0, 1), args, value, gradients)


def column_products(a, x):
    """What a loop around adds up is read by the next iteration of it; rows are summed for all columns."""
    y = np.zeros(a.shape[1])
    for t in range(3):
        for j in range(a.shape[1]):
            for i in range(a.shape[0]):
                y[j] += a[i, j] * x[i] * (1.0 + t)
        x = np.sin(x) + y[0]
    return np.sum(y * y)


def kernel_density(x, centres, widths):
    """Each sample meets a few parameters, in a loop that is too short for vectors."""
    total = 0.0
    for n in range(len(x)):
        density = 0.1
        for k in range(len(centres)):
            density += math.exp(-((x[n] - centres[k]) ** 2) / widths[k])
        total += math.log(density)
    return total


@pytest.mark.parametrize("size", [1, 9, 66])
def test_nests_in_loops_and_samples(size):
    args = R.normal(size=(3, size)), R.normal(size=3)
    derivative = value_and_grad(column_products, argnums=(0, 1), jit=size == 66)
    value, gradients = derivative(*args)
    assert "for lane in range(lanes)" in derivative.source
    agrees_in_order(column_products, (0, 1), args, value, gradients)
    args = R.normal(size=size), R.normal(size=3), np.exp(R.normal(size=3))
    derivative = value_and_grad(kernel_density, argnums=(0, 1, 2), jit=size == 66)
    value, gradients = derivative(*args)
    assert "for lane in range(lanes)" in derivative.source
    agrees_in_order(kernel_density, (0, 1, 2), args, value, gradients)


def sequences(w, x, y):
    """Each sample is a sequence that a recurrent network reads, with a state that begins at zero."""
    h, z = np.empty(w.shape[0]), np.empty(w.shape[0])
    total = 0.0
    for i in range(x.shape[0]):
        h[:] = 0.0
        for t in range(x.shape[1]):
            for a in range(w.shape[0]):
                z[a] = x[i, t]
                for b in range(w.shape[0]):
                    z[a] += w[a, b] * h[b]
            for a in range(w.shape[0]):
                h[a] = math.tanh(z[a])
        for a in range(w.shape[0]):
            total += (h[a] - y[i]) ** 2
    return total


@pytest.mark.parametrize("n", [1, 70])
def test_states_of_sequences_are_those_of_a_sample(n):
    args = R.normal(size=(3, 3)), R.normal(size=(n, 4)), R.normal(size=n)
    derivative = value_and_grad(sequences, argnums=(0, 1, 2), jit=n == 70)
    value, gradients = derivative(*args)
    assert "h[:] = 0.0" in derivative.source and "lane" in derivative.source
    agrees_in_order(sequences, (0, 1, 2), args, value, gradients)


@pytest.mark.parametrize("n", [1, 5, 64, 70])
def test_rows_are_copied_where_loops_read_them_again(n):
    x, labels = R.normal(size=(n, 4)), R.integers(-2, 2, n)
    args = R.normal(size=(3, 4)), R.normal(size=3), R.normal(size=(3, 2)), x, labels
    derivative = value_and_grad(layers, argnums=(0, 1, 2, 3), jit=n == 70)
    value, gradients = derivative(*args)
    assert "x_row[k, lane] = x[i, k]" in derivative.source
    assert "d_x[i, k] += d_x_row[k, lane]" in derivative.source
    agrees_in_order(layers, (0, 1, 2, 3), args, value, gradients)


def distances(centres, x, y):
    total = 0.0
    for i in range(len(y)):
        p = y[i]
        for k in range(centres.shape[0]):
            d = 0.0
            for j in range(centres.shape[1]):
                d += (x[i, j] - centres[k, j]) ** 2
            p -= math.exp(-d)
        total += p * p
    return total


@pytest.mark.parametrize("centres", [0, 2])
def test_rows_that_the_program_does_not_read_need_not_be_there(centres):
    x, y = R.normal(size=(5 if centres else 2, 3)), R.normal(size=5)
    args = R.normal(size=(centres, 3 if centres else 4)), x, y
    derivative = value_and_grad(distances, argnums=(0, 1, 2), jit=False)
    value, gradients = derivative(*args)
    assert "x_row[k, lane] = x[i, k]" in derivative.source
    agrees_in_order(distances, (0, 1, 2), args, value, gradients)


def diffused(rate, x, steps):
    total = 0.0
    u, v = np.empty(x.shape[1]), np.empty(x.shape[1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            u[j] = x[i, j]
        for _ in range(steps):
            for j in range(x.shape[1]):
                v[j] = u[j]
            for j in range(1, x.shape[1] - 1):
                u[j] = v[j] + rate * (v[j - 1] - 2.0 * v[j] + v[j + 1])
        for j in range(x.shape[1]):
            total += u[j] * u[j]
    return total


def by_component(means, x):
    total = 0.0
    for k in range(means.shape[0]):
        for i in range(x.shape[0]):
            d = 0.0
            for j in range(x.shape[1]):
                d += (x[i, j] - means[k, j]) ** 2
            total += math.exp(-d)
    return total


@pytest.mark.parametrize(
    ("function", "args"),
    [(diffused, (0.2, np.ones((70, 5)), 3)), (by_component, (np.ones((3, 4)), np.ones((70, 4))))],
)
def test_long_rows_and_few_components_stay_as_they_are(function, args):
    """Stencils are vectorised along the row, and components that have parameters of their own are few."""
    derivative = grad(function, jit=False)
    np.testing.assert_allclose(
        derivative(*args), grad(function, jit=False, accurate_math=True)(*args), rtol=1e-12
    )
    assert "lane" not in derivative.source


def test_no_terms_are_an_error_as_in_the_program():
    args = np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, 3)), np.zeros((2, 3))
    with pytest.raises((IndexError, ValueError)):
        value_and_grad(triangles, argnums=(0, 1), jit=False)(*args)


GENERATORS = {
    "nests": NestGenerator,
    "arrays": ArrayGenerator,
    "programs": ProgramGenerator,
    "batches": BatchGenerator,
    "prange": ParallelGenerator,
    "columns": ColumnGenerator,
}
INPUTS = {"batches": batch_inputs, "columns": column_inputs}


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("seed", range(8))
def test_random_programs(kind, seed):
    """All loops that may go side by side do, three by three, whether or not that pays."""
    rng = random.Random(seed)
    source = GENERATORS[kind](rng).program()
    make_inputs = INPUTS.get(kind, inputs)
    with (
        mock.patch.object(lane_blocks, "LANES", 3),
        mock.patch.object(block_statements, "LANES", 3),
        mock.patch.object(lane_blocks, "_LEAST", 3),
        mock.patch.object(lane_choice, "_is_over_nests", lambda loop: True),
    ):
        assert disagreement(source, f"blocks {kind} {seed}", rng, make_inputs=make_inputs) is None


def moved(x, w):
    """Places are read at an index that varies, and changed for all samples afterwards."""
    places, u = np.empty(3, np.int64), np.empty(3)
    total = 0.0
    for i in range(x.shape[0]):
        for k in range(w.shape[0]):
            for j in range(3):
                places[j] = j
                u[j] = x[i, j] * w[k, j]
            for j in range(3):
                for m in range(3):
                    u[m] += 0.1 * u[j]
            where = 1 if u[0] > 0.0 else 0
            s = u[places[where]] * u[0]
            places[1] = 2
            total += s * u[places[1]]
    return total


def test_what_is_the_same_for_all_changes_after_it_was_read():
    args = R.normal(size=(70, 3)), R.normal(size=(2, 3))
    derivative = value_and_grad(moved, argnums=(0, 1), jit=False)
    value, gradients = derivative(*args)
    assert "lane" in derivative.source
    np.testing.assert_allclose(value, moved(*args), rtol=1e-12)
    expected = value_and_grad(moved, argnums=(0, 1), jit=False, accurate_math=True)(*args)[1]
    for one, two in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-12)
