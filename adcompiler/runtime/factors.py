"""Factors of a matrix that serve a solution and its adjoint: LAPACK's getrf, getrs, trtrs in compiled code.

The factors of an n by n matrix are one array of n + 1 rows: the transposed LU factors, and the pivots.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
from numba import njit, types
from numba.extending import get_cython_function_address, overload

from adcompiler.runtime.plain_factors import factorise, lower_solved, solved, upper_solved


def _linked(name, *kinds):
    """Return a routine of LAPACK as an external function, which compiled code on disk finds by its name."""
    symbol = f"scipy_lapack_{name}"
    llvm.add_symbol(symbol, get_cython_function_address("scipy.linalg.cython_lapack", name))
    return types.ExternalFunction(symbol, types.void(*(types.CPointer(kind) for kind in kinds)))


_int, _double, _char = types.int32, types.float64, types.uint8
_getrf = _linked("dgetrf", _int, _int, _double, _int, _int, _int)
_trtrs = _linked("dtrtrs", _char, _char, _char, _int, _int, _double, _int, _double, _int, _int)
_getrs = _linked("dgetrs", _char, _int, _int, _double, _int, _int, _double, _int, _int)


@njit(cache=True)
def _factorise(a):
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("The matrix of a system of equations must be square.")
    n = a.shape[0]
    factors = np.empty((n + 1, n))
    factors[:n] = a.T
    pivots, size, info = np.empty(n, np.int32), np.array([n], np.int32), np.zeros(1, np.int32)
    _getrf(size.ctypes, size.ctypes, factors.ctypes, size.ctypes, pivots.ctypes, info.ctypes)
    if info[0] != 0:
        raise np.linalg.LinAlgError("Matrix is singular to machine precision.")
    factors[n] = pivots
    return factors


@njit(cache=True)
def _solve_rows(factors, rows, transposed):
    """Solve for right sides that stand in rows, in place."""
    n = factors.shape[1]
    if rows.shape[-1] != n:
        raise np.linalg.LinAlgError("The right side has another number of rows than the matrix.")
    pivots = factors[n].astype(np.int32)
    size, count = np.array([n], np.int32), np.array([rows.size // max(n, 1)], np.int32)
    mode, info = np.array([84 if transposed else 78], np.uint8), np.zeros(1, np.int32)  # T or N
    _getrs(
        mode.ctypes,
        size.ctypes,
        count.ctypes,
        factors.ctypes,
        size.ctypes,
        pivots.ctypes,
        rows.ctypes,
        size.ctypes,
        info.ctypes,
    )


@overload(factorise)
def _overload_factorise(a):
    return lambda a: _factorise(a)


@overload(solved)
def _overload_solved(factors, b, transposed):
    if b.ndim == 1:

        def solve_vector(factors, b, transposed):
            x = b.copy()
            _solve_rows(factors, x, transposed)
            return x

        return solve_vector

    def solve_matrix(factors, b, transposed):
        rows = b.T.copy()
        _solve_rows(factors, rows, transposed)
        return rows.T

    return solve_matrix


@njit(cache=True)
def _substitute_rows(a, rows, upper, transposed):
    """Solve for right sides that stand in rows, in place; to LAPACK, the rows of `a` are columns."""
    n = a.shape[0]
    if rows.shape[-1] != n or a.shape[1] != n:
        raise np.linalg.LinAlgError("The right side has another number of rows than the matrix.")
    size, count = np.array([n], np.int32), np.array([rows.size // max(n, 1)], np.int32)
    info = np.zeros(1, np.int32)
    triangle = np.array([85 if upper else 76], np.uint8)  # U or L
    mode = np.array([84 if transposed else 78], np.uint8)  # T or N
    diagonal = np.array([78], np.uint8)  # N: not all ones
    _trtrs(
        triangle.ctypes,
        mode.ctypes,
        diagonal.ctypes,
        size.ctypes,
        count.ctypes,
        a.ctypes,
        size.ctypes,
        rows.ctypes,
        size.ctypes,
        info.ctypes,
    )
    if info[0] != 0:
        raise np.linalg.LinAlgError("Matrix is singular to machine precision.")


def _substitution(a, b, lower):
    if a.dtype != types.float64 or b.dtype != types.float64:
        return lambda a, b: np.linalg.solve(a, b)
    by_columns = a.layout == "F"
    upper = lower != by_columns

    def solve_vector(a, b):
        x = b.copy()
        matrix = a.T if by_columns else np.ascontiguousarray(a)
        _substitute_rows(matrix, x, upper, not by_columns)
        return x

    def solve_matrix(a, b):
        rows = b.T.copy()
        matrix = a.T if by_columns else np.ascontiguousarray(a)
        _substitute_rows(matrix, rows, upper, not by_columns)
        return rows.T

    return solve_vector if b.ndim == 1 else solve_matrix


@overload(lower_solved)
def _overload_lower_solved(a, b):
    return _substitution(a, b, True)


@overload(upper_solved)
def _overload_upper_solved(a, b):
    return _substitution(a, b, False)
