"""Factors of a matrix, and solutions with triangular ones, as plain Python, which SciPy is imported for.

`factors.py` says what they are in compiled code, which has to be linked with LAPACK.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import numpy as np

SINGULAR = "Matrix is singular to machine precision."


def factorise(a):
    """Return the factors of a square matrix.

    Raises:
        numpy.linalg.LinAlgError: where it is singular, or not square.
    """
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("The matrix of a system of equations must be square.")
    from scipy.linalg import lapack

    lu, pivots, info = lapack.dgetrf(a)
    if info != 0:
        raise np.linalg.LinAlgError(SINGULAR)
    factors = np.empty((len(a) + 1, len(a)))
    factors[:-1] = lu.T
    factors[-1] = pivots
    return factors


def solved(factors, b, transposed):
    """Return the solution for one or more right sides, of the matrix or of the transposed one.

    Raises:
        numpy.linalg.LinAlgError: where the sizes do not fit.
    """
    if b.shape[0] != factors.shape[1]:
        raise np.linalg.LinAlgError("The right side has another number of rows than the matrix.")
    from scipy.linalg import lapack

    pivots = factors[-1].astype(np.int32)
    x, _ = lapack.dgetrs(np.asfortranarray(factors[:-1].T), pivots, b, trans=int(transposed))
    return x


def lower_solved(a, b):
    """Return the solution of `a @ x == b` for a matrix that is zero above its diagonal.

    Raises:
        numpy.linalg.LinAlgError: where it is singular, or sizes do not fit.
    """
    return _substituted(a, b, True)


def upper_solved(a, b):
    """Return the solution of `a @ x == b` for a matrix that is zero below its diagonal."""
    return _substituted(a, b, False)


def _substituted(a, b, lower):
    from scipy.linalg import solve_triangular

    if b.shape[0] != a.shape[0] or a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("The right side has another number of rows than the matrix.")
    return solve_triangular(a, b, lower=lower)
