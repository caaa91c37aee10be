"""Derivatives as pointers to functions of C."""

import ctypes
import subprocess

import numpy as np
import pytest
from numba import float64
from scipy import LowLevelCallable
from scipy.integrate import quad

from adcompiler import DifferentiationError, grad, hvp, jacobian, value_and_grad

DOUBLES = ctypes.POINTER(ctypes.c_double)
X = np.array([0.3, -0.7, 1.1])


def pointer(array):
    return array.ctypes.data_as(DOUBLES)


def energy(x, k):
    total = 0.0
    for i in range(1, len(x)):
        total += k * (x[i] - x[i - 1]) ** 2 + np.sin(x[i])
    return total


def test_value_and_gradients():
    derivative = value_and_grad(energy, argnums=("x", "k"))
    d_x, d_k = np.empty(3), np.empty(1)
    made = derivative.cfunc(float64[:], float64)
    value = made.ctypes(pointer(X), 3, 0.5, pointer(d_x), pointer(d_k))
    expected, (by_x, by_k) = derivative(X, 0.5)
    assert value == expected and d_k[0] == by_k
    np.testing.assert_array_equal(d_x, by_x)


def test_types_of_the_latest_call_are_taken():
    derivative = grad(lambda x: np.exp(-x * x))
    derivative(1.0)
    assert derivative.cfunc().ctypes(0.5) == derivative(0.5)


def test_scipy_integrates_a_gradient():
    made = grad(lambda x: np.sin(x) * x).cfunc(1.0)
    assert quad(LowLevelCallable(made.ctypes), 0.0, 2.0)[0] == pytest.approx(2.0 * np.sin(2.0))


def test_products_and_matrices():
    v, found = np.array([1.0, 0.0, 2.0]), np.empty(3)
    status = hvp(energy).cfunc(X, 0.5, v).ctypes(pointer(X), 3, 0.5, pointer(v), 3, pointer(found))
    assert status == 0
    np.testing.assert_allclose(found, hvp(energy)(X, 0.5, v))
    whole = np.empty((3, 3))
    assert jacobian(lambda x: x[0] * x).cfunc(X).ctypes(pointer(X), 3, pointer(whole)) == 0
    np.testing.assert_allclose(whole, jacobian(lambda x: x[0] * x)(X))


def test_what_runs_as_plain_python_is_compiled():
    assert grad(lambda x: x**3, jit=False).cfunc(2.0).ctypes(2.0) == 12.0


def test_exceptions_are_told():
    def picked(x, k):
        if k < 0.0:
            raise ValueError("negative")
        return k * x[0]

    d_x = np.full(3, 7.0)
    assert np.isnan(value_and_grad(picked).cfunc(X, 1.0).ctypes(pointer(X), 3, -1.0, pointer(d_x)))
    assert grad(picked).cfunc(X, 1.0).ctypes(pointer(X), 3, -1.0, pointer(d_x)) == 1
    np.testing.assert_array_equal(d_x, 7.0)


def test_what_has_no_form_in_c_is_refused():
    with pytest.raises(DifferentiationError, match="argument 'p' is of type UniTuple"):
        grad(lambda p: p[0] * p[1]).cfunc((1.0, 2.0))
    with pytest.raises(DifferentiationError, match="a result is of type complex128"):
        grad(lambda x: (x * x, x * 1j), has_aux=True).cfunc(1.0)


PROGRAM = """
#include <stdint.h>
typedef double (*energy_grad)(const double *, int64_t, double, double *);

double descend(energy_grad f, double *x, int64_t n, int64_t steps) {
    double d[8], value = 0.0;
    for (int64_t s = 0; s < steps; s++) {
        value = f(x, n, 0.5, d);
        for (int64_t k = 0; k < n; k++) x[k] -= 0.1 * d[k];
    }
    return value;
}
"""


def test_a_loop_in_c(tmp_path):
    (tmp_path / "descend.c").write_text(PROGRAM)
    library = tmp_path / "descend.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "descend.c"], check=True)
    descend = ctypes.CDLL(str(library)).descend
    descend.restype, descend.argtypes = ctypes.c_double, [ctypes.c_void_p, DOUBLES, *[ctypes.c_int64] * 2]
    derivative, x = value_and_grad(energy), X.copy()
    made = derivative.cfunc(X, 0.5)
    value = descend(made.address, pointer(x), 3, 20)
    expected = X.copy()
    for _ in range(20):
        last, slope = derivative(expected, 0.5)
        expected = expected - 0.1 * slope
    np.testing.assert_allclose(x, expected)
    assert value == pytest.approx(last)
