"""Loops that run at once in C, with OpenMP and without: the same derivatives, and no races."""

import ctypes
import os
import subprocess
from unittest import mock

import numpy as np
import pytest
from numba import prange
from test_export_c import assert_same
from test_parallel import PROGRAMS

from adcompiler import grad, value_and_grad
from adcompiler.threads import parts
from benchmarks.c_calls import STRICT, CFunction

WITH_LISTS = {"diffusion", "red_and_black"}
NAMES = [name for name in PROGRAMS if name not in WITH_LISTS]
OPENMP = (*STRICT, "-fopenmp")


def exported(function, args, wrt, folder, flags):
    """Iterations that are few and light go to several threads, too."""
    with mock.patch.object(parts, "_LIGHT", 1):
        return CFunction(value_and_grad(function, argnums=wrt, jit=False, parallel=True), args, folder, flags)


def on_threads(compiled, number, args):
    ctypes.CDLL("libgomp.so.1").omp_set_num_threads(number)
    return compiled(*args)


@pytest.mark.parametrize("name", NAMES)
def test_programs(name, tmp_path):
    """Not one bit depends on which thread comes first."""
    function, args, wrt = PROGRAMS[name]
    expected = value_and_grad(function, argnums=wrt, jit=False)(*args)
    plain = exported(function, args, wrt, tmp_path, STRICT)
    assert_same(plain(*args), expected, rtol=1e-9)
    compiled = exported(function, args, wrt, tmp_path, OPENMP)
    assert "AD_OMP(parallel for" in compiled.module.source
    for number in (1, 2, 4):
        first = on_threads(compiled, number, args)
        assert_same(first, expected, rtol=1e-9)
        for _ in range(20):
            for one, other in zip(on_threads(compiled, number, args), first, strict=True):
                np.testing.assert_array_equal(one, other)


def weighted(x, w):
    total = 0.0
    for i in prange(x.shape[0]):
        s = 0.0
        for j in range(x.shape[1]):
            s += np.sin(x[i, j] * w[j])
        total += s * s
    return total


def test_the_program_beside_it_runs_on_as_many_threads_as_it_is_told(tmp_path):
    r = np.random.default_rng(0)
    derivative = value_and_grad(weighted, argnums=(0, 1), parallel=True, jit=False)
    args = r.normal(size=(31, 4)), r.normal(size=4)
    derivative.export(tmp_path / "m.c", *args)
    text = (tmp_path / "m.c").read_text()
    assert "Its loops run on all cores with OpenMP" in text
    command = ["gcc", *OPENMP, "m.c", "m_main.c", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    for number in (1, 2, 4):
        runs = [
            subprocess.run(
                ["./a.out"],
                cwd=tmp_path,
                env=os.environ | {"OMP_NUM_THREADS": str(number)},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for _ in range(5)
        ]
        assert set(runs) == {runs[0]}
        printed = [float(word) for word in runs[0].split()[-4:]]
        np.testing.assert_allclose(printed, derivative(*args)[1][1], rtol=1e-9)


def test_an_iteration_that_fails_is_a_status(tmp_path):
    def scratch(x, n):
        total = 0.0
        for i in prange(len(x)):
            kept = np.zeros(n)
            kept[i] = x[i]
            total += kept[i] * kept[0] * x[i]
        return total

    derivative = grad(scratch, jit=False, parallel=True)
    compiled = CFunction(derivative, (np.ones(3), 3), tmp_path, OPENMP)
    assert_same(on_threads(compiled, 2, (np.ones(3), 3)), derivative(np.ones(3), 3))
    with pytest.raises(RuntimeError, match="status 1"):
        on_threads(compiled, 2, (np.ones(3), 2**61))


def test_an_iteration_is_a_function_with_memory_of_its_own(tmp_path):
    function, args, wrt = PROGRAMS["layers"]
    source = exported(function, args, wrt, tmp_path, OPENMP).module.source
    iteration, rest = source.split("static int layers_value_and_grad_at_once_1(")[1].split("\nint layers")
    assert "    ad_drop(d_w_part.owner);" in iteration.split("done:")[1]
    assert "ad_wrap(" not in iteration, "a thread's share of the indices begins at zero or more"
    assert "AD_OMP(parallel for schedule(static) reduction(max : failed))\n    for (int64_t part = 0;" in rest
