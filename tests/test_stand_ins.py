"""What stands for a function of NumPy while types are inferred has the types that Numba finds for it."""

import operator
import warnings

import numpy as np
import pytest
from numba import float64, njit, types
from numba.core.registry import cpu_target

from adcompiler.analysis import stand_ins
from adcompiler.runtime.guards import times

MATRIX = {name: getattr(np.linalg, name) for name in ("inv", "pinv", "det", "slogdet", "cholesky")}
MATRIX |= {name: getattr(np.linalg, name) for name in ("eigvalsh", "eigh", "svd", "qr")}


def array(rank, layout="C"):
    return types.Array(float64, rank, layout)


def by_numba(function, kinds):
    call = {1: lambda a: function(a), 2: lambda a, b: function(a, b), 3: lambda a, b, c: function(a, b, c)}
    made = njit(call[len(kinds)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.compile(tuple(kinds))
    return made.nopython_signatures[0].return_type


def by_stand_in(stand_in, kinds):
    return stand_in._defn(cpu_target.typing_context, *kinds)[0].return_type


@pytest.mark.parametrize("layout", "CFA")
@pytest.mark.parametrize("name", MATRIX)
def test_functions_of_a_matrix(name, layout):
    kinds = (array(2, layout),)
    assert by_stand_in(getattr(stand_ins, name), kinds) == by_numba(MATRIX[name], kinds)


@pytest.mark.parametrize("name", ["slogdet", "cholesky", "eigh", "svd"])
def test_functions_of_a_complex_matrix(name):
    kinds = (types.Array(types.complex128, 2, "C"),)
    assert by_stand_in(getattr(stand_ins, name), kinds) == by_numba(MATRIX[name], kinds)


MASK, REAL, COMPLEX = (types.Array(kind, 1, "C") for kind in (types.boolean, float64, types.complex128))


@pytest.mark.parametrize("others", [(COMPLEX, REAL), (types.complex128, REAL), (COMPLEX, types.int64)])
def test_a_choice_of_complex_numbers(others):
    assert by_stand_in(stand_ins.where, (MASK, *others)) == by_numba(np.where, (MASK, *others))


PAIRS = [(1, "C", 1, "A"), (1, "C", 2, "F"), (2, "F", 1, "C"), (2, "A", 2, "C"), (2, "F", 2, "F")]


@pytest.mark.parametrize("pair", PAIRS)
def test_products(pair):
    kinds = (array(*pair[:2]), array(*pair[2:]))
    assert by_stand_in(stand_ins.matmul, kinds) == by_numba(operator.matmul, kinds)


def single(kind):
    """The same type in single precision."""
    return kind.copy(dtype=types.float32)


def test_single_precision():
    vector, mask = single(array(1)), types.Array(types.boolean, 1, "C")
    assert by_stand_in(stand_ins.matmul, (single(array(2)), vector)) == vector
    assert by_stand_in(stand_ins.of_all, (vector,)) == types.float32
    assert by_stand_in(stand_ins.where, (mask, vector, vector)) == by_numba(np.where, (mask, vector, vector))
    assert by_stand_in(stand_ins.where, (mask, vector, float64)) == by_numba(
        np.where, (mask, vector, float64)
    )


@pytest.mark.parametrize("other", [(1, "C"), (1, "A"), (2, "C"), (2, "F")])
@pytest.mark.parametrize("layout", "CA")
def test_systems(layout, other):
    kinds = (array(2, layout), array(*other))
    assert by_stand_in(stand_ins.solve, kinds) == by_numba(np.linalg.solve, kinds)


@pytest.mark.parametrize("function", [np.sum, np.max, np.min])
@pytest.mark.parametrize("kind", [(1, "A"), (2, "F"), (3, "C")])
def test_functions_of_all_elements(function, kind):
    assert by_stand_in(stand_ins.of_all, (array(*kind),)) == by_numba(function, (array(*kind),))


NUMBERS = [types.float64, types.float32, types.int64, types.complex128]
FACTORS = [(one, two) for one in NUMBERS for two in NUMBERS]
FACTORS += [(array(2, "F"), array(2)), (array(2, "A"), array(2, "F")), (array(1, "A"), float64)]
FACTORS += [(float64, array(2)), (array(1), array(2))]
FACTORS += [(types.Array(types.float32, 1, "C"), float64), (types.Array(types.complex128, 1, "C"), array(1))]


@pytest.mark.parametrize("kinds", FACTORS, ids=str)
def test_products_that_keep_zeros(kinds):
    assert by_stand_in(stand_ins.times, kinds) == by_numba(times, kinds)


def test_what_is_not_known_is_left_to_numba():
    for kinds in ((types.Array(types.int64, 2, "C"),), (array(3),)):
        assert stand_ins.inv._defn(cpu_target.typing_context, *kinds) is None
    for kinds in ((array(2, "F"), array(2, "F")), (array(2, "F"), float64)):
        assert stand_ins.times._defn(cpu_target.typing_context, *kinds) is None
