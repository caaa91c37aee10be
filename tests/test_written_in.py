"""What generated modules see under the name `np` returns what NumPy returns."""

import itertools

import numpy as np
import pytest
from numba import njit

from adcompiler.runtime import numpy_forms

RNG = np.random.default_rng(0)
SIZES = (0, 1, 3)


def matrices(rows, columns):
    plain = RNG.normal(size=(rows, columns))
    return (
        plain,
        np.asfortranarray(plain),
        RNG.normal(size=(rows, 2 * columns))[:, ::2],
        plain.astype(np.float32),
    )


@njit
def product(a, b):
    return numpy_forms.matmul(a, b)


@pytest.mark.filterwarnings("ignore:.*faster on contiguous arrays")
def test_products():
    for rows, inner, columns in itertools.product(SIZES, repeat=3):
        pairs = itertools.product(matrices(rows, inner), matrices(inner, columns))
        pairs = [(a, b) for a, b in pairs if a.dtype == b.dtype]
        pairs += [(a, RNG.normal(size=inner)) for a in matrices(rows, inner)[:3]]
        pairs += [(RNG.normal(size=inner), b) for b in matrices(inner, columns)[:3]]
        pairs += [(RNG.normal(size=inner), RNG.normal(size=2 * inner)[::2])]
        for a, b in pairs:
            np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-5 if a.dtype == np.float32 else 1e-13)


def test_products_are_those_of_numba():
    plain = njit(lambda a, b: a @ b)
    for a, b in itertools.product(matrices(7, 7)[:2], repeat=2):
        assert np.array_equal(product(a, b), plain(a, b))
        assert np.array_equal(product(a, b[0].copy()), plain(a, b[0].copy()))


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((3,), (2,)), ((2, 3), (2,)), ((2,), (3, 2))])
def test_products_that_do_not_fit(shapes):
    with pytest.raises(ValueError):
        product(*map(np.ones, shapes))


ARRAYS = [
    "np.zeros(3)",
    "np.zeros((2, 3))",
    "np.zeros((2, 3), np.int64)",
    "np.zeros(2, dtype=np.bool_)",
    "np.zeros((1, 2, 3), np.complex128)",
    "np.zeros_like(np.zeros(2, np.float32))",
    "np.zeros_like(2.0)",
    "np.zeros_like(np.zeros(2), np.int64)",
    "np.zeros_like(np.zeros((2, 3)).T)",
    "np.zeros_like(np.zeros((4, 3))[::2, 1:])",
    "np.empty((2, 0))",
    "np.empty(0, np.int8)",
    "np.empty_like(np.zeros((0, 3)))",
]


@pytest.mark.parametrize("text", ARRAYS)
def test_new_arrays(text):
    found = njit(eval(f"lambda: {text}", {"np": numpy_forms}))()
    expected = eval(text)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.flags.f_contiguous == expected.flags.f_contiguous


def test_negative_sizes_are_refused():
    with pytest.raises(ValueError, match="negative dimensions"):
        njit(lambda n: numpy_forms.zeros(n))(-1)
