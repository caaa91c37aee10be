"""Loops whose iterations run at once: the same derivatives, no races, on any number of threads."""

import os
import random
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from array_generator import ArrayGenerator
from fuzzing import fails, inputs, make
from nest_generator import NestGenerator
from numba import njit, prange
from parallel_generator import ParallelGenerator
from program_generator import ProgramGenerator
from races import run_watched

from adcompiler import DifferentiationError, grad, hessian, jvp, value_and_grad, vmap
from adcompiler.threads import parts


def check_watched(function, args, wrt, threads=3):
    """Compare with the derivative on one core, and let no two iterations meet; return the text."""
    value, expected = value_and_grad(function, argnums=wrt, jit=False)(*args)
    derivative = value_and_grad(function, argnums=wrt, jit=False, parallel=True)
    (found_value, found), watch = run_watched(derivative, args, threads)
    assert not watch.races
    np.testing.assert_allclose(found_value, value, rtol=1e-9)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-9 * max(1.0, np.max(np.abs(two))))
    return derivative.source


GENERATORS = {
    "prange": ParallelGenerator,
    "nests": NestGenerator,
    "arrays": ArrayGenerator,
    "programs": ProgramGenerator,
}


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("seed", range(6))
def test_random_programs(kind, seed):
    """Also iterations that are few and light go to several threads here."""
    rng = random.Random(seed)
    function, args = make(GENERATORS[kind](rng).program(), f"parallel {kind} {seed}"), inputs(rng)
    if fails(function, args):
        return
    with mock.patch.object(parts, "_LIGHT", 1), np.errstate(all="ignore"):
        try:
            check_watched(function, args, range(4))
        except DifferentiationError as refusal:
            assert refusal.code == "AD303"


def paths(z, sigma, strike):
    total = 0.0
    for p in prange(z.shape[0]):
        s = 0.0
        for t in range(z.shape[1]):
            s += sigma * z[p, t] - 0.5 * sigma * sigma
        total += max(np.exp(s) - strike, 0.0)
    return total / z.shape[0]


def layers(w, x):
    total = 0.0
    for p in prange(x.shape[0]):
        a = np.zeros(w.shape[1])
        for i in range(w.shape[0]):
            for j in range(w.shape[1]):
                a[j] += x[p, i] * w[i, j]
        for j in range(w.shape[1]):
            total += np.tanh(a[j]) ** 2
    return total


def diffusion(u, k):
    for t in range(4):
        v = np.zeros_like(u)
        for i in prange(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                near = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
                v[i, j] = u[i, j] + k[i, j] * np.sin(near - 4.0 * u[i, j])
        u = v
    return np.sum(u * u)


def particles(x, charge):
    total = 0.0
    for i in prange(x.shape[0]):
        for j in range(x.shape[0]):
            if i != j:
                r = 0.1
                for k in range(x.shape[1]):
                    r += (x[i, k] - x[j, k]) ** 2
                total += charge[i] * charge[j] / np.sqrt(r)
    return total


def roots(a, b):
    y = np.empty(a.shape[0])
    for i in prange(a.shape[0]):
        z = 1.0
        while abs(z * z * z + a[i] * z - b[i]) > 1e-10:
            z -= (z * z * z + a[i] * z - b[i]) / (3.0 * z * z + a[i])
        y[i] = z
    return np.sum(y * np.cos(y))


def permuted(x, order):
    y = np.zeros(x.shape[0])
    for i in prange(x.shape[0]):
        y[order[i]] = np.exp(-x[i]) * x[order[i]]
    return np.sum(y**3)


def in_place(x, order):
    for i in prange(x.shape[0]):
        x[order[i]] = np.sin(x[order[i]]) * 2.0
    return np.sum(x * x)


def red_and_black(u, c):
    """What a loop keeps stands on lists: Numba must not take that for dead."""
    for _ in range(3):
        for i in prange(u.shape[0] // 2):
            k = 2 * i
            if 0 < k < u.shape[0] - 1:
                u[k] = u[k] + c * u[k - 1] * u[k + 1]
        for i in prange(u.shape[0] // 2):
            k = 2 * i + 1
            if k < u.shape[0] - 1:
                u[k] = u[k] * (1.0 + c * (u[k - 1] + u[k + 1]))
    return np.sum(u * u)


def squashed(x, c):
    y = np.empty_like(x)
    for i in prange(x.shape[0]):
        y[i] = np.tanh(c * x[i])
    return y


def in_helpers(x, c):
    """Several parallel loops with the same names in each."""
    y = squashed(x, c)
    for _ in range(3):
        for i in prange(x.shape[0]):
            y[i] += c * x[i] * x[x.shape[0] - 1 - i]
        y = squashed(y, c)
    return np.sum(y * y)


def extremes(x, w, c):
    """A maximum and where it was found, a product, a filter; sums beside them, in each part."""
    top, least, product, where, total, last = -1e300, 1e300, 1.0, 0, 0.0, 0.0
    for i in prange(x.shape[0]):
        s = 0.0
        for j in range(x.shape[1]):
            s += np.sin(x[i, j] * w[j])
        total += s * c
        if s * c > top:
            top, where = s * c, i
        least = min(least, s + c)
        product *= 1.0 + 0.1 * s
        last = 0.5 * last + c * s
        total += last * s
        for j in range(x.shape[1]):
            total += w[j] * last
    return top + least + product + where + total + last


R = np.random.default_rng(0)
PROGRAMS = {
    "extremes": (extremes, (R.normal(size=(9, 5)), R.normal(size=5), 0.7), (0, 1, 2)),
    "paths": (paths, (R.normal(size=(9, 5)), 0.3, 0.9), (0, 1, 2)),
    "layers": (layers, (R.normal(size=(3, 4)), R.normal(size=(7, 3))), (0, 1)),
    "diffusion": (diffusion, (R.random((7, 6)), 0.1 * R.random((7, 6))), (0, 1)),
    "particles": (particles, (R.random((8, 3)), R.random(8)), (0, 1)),
    "roots": (roots, (R.random(9) + 1.0, R.random(9) + 1.0), (0, 1)),
    "permuted": (permuted, (R.random(9), R.permutation(9)), (0,)),
    "red_and_black": (red_and_black, (R.random(9), 0.1), (0, 1)),
    "in_helpers": (in_helpers, (R.random(9), 0.4), (0, 1)),
    "in_place": (in_place, (R.random(9), R.permutation(9)), (0,)),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_programs(name, threads):
    function, args, wrt = PROGRAMS[name]
    text = check_watched(function, args, wrt, threads)
    assert text.count("prange(") >= 1


@pytest.mark.parametrize("name", ["layers", "diffusion", "particles"])
def test_the_reverse_runs_at_once(name):
    function, args, wrt = PROGRAMS[name]
    derivative = value_and_grad(function, argnums=wrt, jit=False, parallel=True)
    derivative(*args)
    assert "one after the other" not in derivative.explain(*args)


def test_neighbours_need_no_copies():
    """Sums to neighbours: every second part runs, then the others."""

    def roughness(x):
        total = 0.0
        for i in prange(1, x.shape[0] - 1):
            for j in range(x.shape[1]):
                e = x[i - 1, j] - 2.0 * x[i, j] + x[i + 1, j]
                total += e * e * e
        return total

    for threads in (1, 3, 8):
        text = check_watched(roughness, (R.random((20, 3)),), (0,), threads)
        assert "for half in range(2)" in text and "d_x_parts" not in text


def largest(x, w):
    top = -1e300
    for i in prange(x.shape[0]):
        s = 0.0
        for j in range(x.shape[1]):
            s += x[i, j] * w[j]
        top = max(top, s * s)
    return top


def test_of_equal_values_the_same_one_wins():
    """The maximum stays a loop of its own, in the order of the program: not one digit is another."""
    x = np.tile(R.integers(-2, 3, size=(20, 3)).astype(float), (2, 1))
    derivative = value_and_grad(largest, argnums=(0, 1), jit=False, parallel=True)
    value, found = derivative(x, np.ones(3))
    expected_value, expected = value_and_grad(largest, argnums=(0, 1), jit=False)(x, np.ones(3))
    assert value == expected_value
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.count_nonzero(found[0].any(axis=1)) > 1
    assert derivative.source.count(" in prange(") == 2
    reason = "part of it one after the other, as an iteration needs what the one before hands on"
    assert derivative.explain(x, np.ones(3)).count(reason) == 2


def test_light_recurrences_stay_one_loop():
    def running(x):
        top = -1e300
        for i in range(x.shape[0]):
            top = max(top, 2.0 * x[i])
        return top

    assert " in prange(" not in value_and_grad(running, jit=False, parallel=True).source


def test_what_needs_its_order_keeps_it():
    def chain(x):
        y = x.copy()
        for i in range(1, x.shape[0]):
            y[i] = y[i] * y[i - 1]
        return y[-1]

    derivative = grad(chain, parallel=True, jit=False)
    assert "for i in range(1, size)" in derivative.source
    assert "for i in range(size - 1, 0, -1)" in derivative.source
    assert "one after the other, as iterations may write elements of 'y'" in derivative.explain()
    np.testing.assert_allclose(derivative(np.array([2.0, 3.0, 4.0])), [12.0, 8.0, 6.0])


def test_prange_alone_changes_nothing():
    assert "prange(" not in grad(paths, jit=False).source.split("def ", 1)[1]


def test_a_parallel_dispatcher_is_followed():
    @njit(parallel=True)
    def f(x):
        total = 0.0
        for i in prange(x.shape[0]):
            total += x[i] ** 3
        return total

    assert " in prange(" in grad(f, jit=False).source
    assert " in prange(" not in grad(f, jit=False, parallel=False).source


def test_other_derivatives():
    function, args, _ = PROGRAMS["paths"]
    z, *_ = args
    expected = jvp(function, args, (z, 1.0, 0.5), jit=False)
    np.testing.assert_allclose(jvp(function, args, (z, 1.0, 0.5), jit=False, parallel=True), expected)

    def of_sigma(sigma):
        return paths(z, sigma, 0.9)

    again = hessian(of_sigma, jit=False, parallel=True)(0.3)
    np.testing.assert_allclose(again, hessian(of_sigma, jit=False)(0.3))
    batch = vmap(grad(of_sigma), parallel=True, jit=False)(np.array([0.2, 0.3]))
    np.testing.assert_allclose(batch, vmap(grad(of_sigma), jit=False)(np.array([0.2, 0.3])))


def test_all_of_it_in_one_file(tmp_path):
    function, args, wrt = PROGRAMS["layers"]
    derivative = value_and_grad(function, argnums=wrt, parallel=True)
    derivative.export(tmp_path / "layers_grad.py", *args)
    code = "import numpy as np, layers_grad as m; r = np.random.default_rng(1)\n"
    code += "v, (d, e) = m.layers_value_and_grad(r.random((3, 4)), r.random((7, 3))); print(float(np.sum(d)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    again = np.random.default_rng(1)
    _, (expected, _) = value_and_grad(function, argnums=wrt, jit=False)(
        again.random((3, 4)), again.random((7, 3))
    )
    np.testing.assert_allclose(float(run.stdout), np.sum(expected))
    derivative.export(tmp_path / "layers_grad.c", *args)
    assert "number_of_parts" in (tmp_path / "layers_grad.c").read_text()


COMPILED = """
import numba, numpy as np, random, sys
sys.path.insert(0, {tests!r})
import test_parallel as t
from adcompiler.threads import parts
parts._LIGHT = 1
for name, (function, args, wrt) in t.PROGRAMS.items():
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    if all(a.dtype == float for a in arrays) and name not in ("layers", "red_and_black"):
        args = tuple(np.concatenate([a] * 40) if isinstance(a, np.ndarray) else a for a in args)
    expected = t.value_and_grad(function, argnums=wrt, jit=False)(*args)
    derivative = t.value_and_grad(function, argnums=wrt, parallel=True)
    for threads in (1, 2, 8):
        numba.set_num_threads(threads)
        found = [derivative(*args) for _ in range(3)]
        for value, gradients in found:
            np.testing.assert_allclose(value, expected[0], rtol=1e-9)
            for one, two in zip(gradients, expected[1], strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-9)
        assert all(one[0] == found[0][0] for one in found), "sums are formed in one order"
for name in ("large", "few"):  # zeros and sums on several threads; blocks that are few
    function, args, wrt = {{
        "large": (t.diffusion, (t.R.random((211, 173)), 0.1 * t.R.random((211, 173))), (0, 1)),
        "few": (t.layers, (t.R.normal(size=(150, 90)), t.R.normal(size=(70, 150))), (0, 1)),
    }}[name]
    expected = t.value_and_grad(function, argnums=wrt)(*args)
    derivative = t.value_and_grad(function, argnums=wrt, parallel=True)
    for threads in (1, 2, 3, 8):
        numba.set_num_threads(threads)
        found = [derivative(*args) for _ in range(5)]
        for value, gradients in found:
            np.testing.assert_allclose(value, expected[0], rtol=1e-9)
            for one, two, first in zip(gradients, expected[1], found[0][1], strict=True):
                np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-9)
                np.testing.assert_array_equal(one, first)
print("the same on 1, 2 and 8 threads")
"""


def test_compiled_on_several_threads():
    code = COMPILED.format(tests=str(Path(__file__).parent))
    here = os.environ | {"NUMBA_NUM_THREADS": "8"}
    run = subprocess.run([sys.executable, "-c", code], env=here, capture_output=True, text=True)
    assert run.stdout.strip().endswith("the same on 1, 2 and 8 threads"), run.stderr
