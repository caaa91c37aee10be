"""What threads do with large arrays between parallel loops: sums of copies, zeros; and blocks for each."""

import os
import subprocess
import sys

import numpy as np
from test_parallel import PROGRAMS, R, check_watched, layers

from adcompiler import value_and_grad

COMPILED = """
import itertools, numba, numpy as np
from numba import njit, prange
from adcompiler.runtime import numpy_forms
from adcompiler.runtime.thread_sums import add_parts

@njit(parallel=True)
def total(array, parts):
    count = 0
    for i in prange(3):
        count += i
    add_parts(array, parts)
    return count

@njit(parallel=True)
def zeros(n, m):
    found = numpy_forms.zeros((n, m))
    count = 0
    for i in prange(3):
        count += numpy_forms.zeros(2 * n).size
    return found

r = np.random.default_rng(0)
kinds = np.float32, np.float64, np.complex128
shapes = (3,), (41_003,), (211, 173), (0,)
for kind, shape, count in itertools.product(kinds, shapes, (1, 2, 5)):
    parts = r.normal(size=(count, *shape)).astype(kind)
    array = r.normal(size=shape).astype(kind)
    expected = array.copy()
    for part in parts:
        expected += part
    for threads in (1, 2, 3, 8):
        numba.set_num_threads(threads)
        found = array.copy()
        total(found, parts)
        np.testing.assert_array_equal(found, expected)
        for n, m in ((0, 3), (1, 16384), (127, 129), (300, 301)):
            del found
            found = np.full((n, m), 7.0)  # memory that is given back is not zero
            del found
            found = zeros(n, m)
            assert found.shape == (n, m) and not found.any()
print("done")
"""


def test_they_do_not_depend_on_the_number_of_threads():
    here = os.environ | {"NUMBA_NUM_THREADS": "8"}
    run = subprocess.run([sys.executable, "-c", COMPILED], env=here, capture_output=True, text=True)
    assert run.stdout.strip() == "done", run.stderr


def test_copies_are_added_up_at_once():
    function, args, wrt = PROGRAMS["layers"]
    assert "    add_parts(d_w, d_w_parts)\n" in check_watched(function, args, wrt)


def test_those_in_another_order_are_added_up_by_loops():
    function, (w, x), wrt = PROGRAMS["layers"]
    text = check_watched(function, (np.asfortranarray(w), x), wrt)
    assert "add_parts(d_w" not in text and "d_w[j, k] += d_w_parts[part, j, k]" in text


def test_few_samples_are_shared_by_all_threads():
    args = R.normal(size=(3, 4)), R.normal(size=(37, 3))
    for threads in (1, 2, 8):
        text = check_watched(layers, args, (0, 1), threads)
    assert "parts = number_of_parts(size, 8)" in text
    assert "number_of_parts" not in value_and_grad(layers, argnums=(0, 1), jit=False).source
