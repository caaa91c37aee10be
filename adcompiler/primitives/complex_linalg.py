"""Decompositions of complex matrices.

Formulas are those for real matrices with conjugate transposes in place of transposes (Giles 2008; Seeger et
al. 2017, Auto-differentiating linear algebra). They are about `g`, the conjugate of the adjoint: the result
changes by the real part of the sum of conj(g) * change. Of a Hermitian matrix, LAPACK reads the lower
triangle and the real parts of the diagonal, and the derivative is by these. Triangular factors have real
diagonals. An eigenvector may be turned by any phase: what depends on the phase is NaN.
"""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call,arg-type"

import numpy as np

from adcompiler.primitives.deck import jvp, vjp
from adcompiler.primitives.numpy_linalg import _half_below, turned, turning, unknown_if_equal
from adcompiler.runtime.guards import times
from adcompiler.runtime.plain_factors import lower_solved, upper_solved


def dagger(a):
    """Return the conjugate transpose."""
    return np.conj(a.T)


def solved_from_right(a, r):
    """Return `a` times the inverse of an upper triangular matrix."""
    return lower_solved(r.T, a.T).T


def of_lower_triangle(s):
    """Return the adjoint of the triangle that is read, given that of the whole Hermitian matrix as `g`."""
    return _half_below(np.conj(s) + s.T)


def hermitian(t):
    """Return the Hermitian matrix with this lower triangle."""
    below = _half_below(t)
    return below + dagger(below)


@vjp("np.linalg.cholesky", 2, of_complex=True)
def cholesky(x, y, d):
    p = _half_below(dagger(y) @ np.conj(d))
    s = upper_solved(dagger(y), dagger(upper_solved(dagger(y), dagger(p))))
    return of_lower_triangle(s)


@jvp("np.linalg.cholesky", 2, of_complex=True)
def cholesky_tangent(x, y, t):
    p = lower_solved(y, dagger(lower_solved(y, hermitian(t))))
    return y @ _half_below(p)


@vjp("np.linalg.eigh[0]", 2, of_complex=True)
def eigenvalues(x, values, vectors, d):
    return of_lower_triangle(vectors @ (np.expand_dims(d, 1) * dagger(vectors)))


@jvp("np.linalg.eigh[0]", 2, of_complex=True)
def eigenvalues_tangent(x, values, vectors, t):
    return np.real(np.diag(dagger(vectors) @ hermitian(t) @ vectors))


def unknown_phase(inner):
    """Return NaN for each vector whose phase matters, else 1."""
    turns = np.abs(np.imag(np.diag(inner)))
    return np.where(turns > 1e-7 * np.max(np.abs(inner)), np.nan, 1.0)


@vjp("np.linalg.eigh[1]", 2, of_complex=True)
def eigenvectors(x, values, vectors, d):
    rates = turning(values, values.size)
    inner = dagger(vectors) @ np.conj(d)
    known = unknown_if_equal(rates) * unknown_phase(inner)
    inner = dagger(vectors) @ np.conj(times(d, known)) * rates
    return of_lower_triangle(vectors @ inner @ dagger(vectors))


@jvp("np.linalg.eigh[1]", 2, of_complex=True)
def eigenvectors_tangent(x, values, vectors, t):
    rates = turning(values, values.size)
    return vectors @ turned(rates, dagger(vectors) @ hermitian(t) @ vectors)


@vjp("np.linalg.pinv", 2, of_complex=True)
def pseudo_inverse(x, y, d):
    g = d.T  # the conjugate transpose of the conjugate
    rest = g - x @ (y @ g)
    other = g - (g @ y) @ x
    found = rest @ y @ dagger(y) + dagger(y) @ y @ other
    return np.conj(found) - y.T @ d @ y.T


@jvp("np.linalg.pinv", 2, of_complex=True)
def pseudo_inverse_tangent(x, y, t):
    back = dagger(t)
    rest = back - (back @ x) @ y
    other = back - y @ (x @ back)
    return -(y @ t @ y) + y @ dagger(y) @ rest + other @ dagger(y) @ y


def turn_of(m):
    """Return how the columns of the first factor turn among each other, which keeps diagonals real."""
    below = np.tril(m)
    for i in range(m.shape[0]):
        below[i, i] = 0.5j * np.imag(m[i, i])
    return below - dagger(below)


@vjp("np.linalg.qr[0]", 2, of_complex=True)
def orthogonal_factor(x, q, r, d):
    g = np.conj(d)
    k = dagger(q) @ g
    m = _half_below(k - dagger(k))
    return np.conj(dagger(upper_solved(r, dagger(g - q @ (k - m)))))


@jvp("np.linalg.qr[0]", 2, of_complex=True)
def orthogonal_factor_tangent(x, q, r, t):
    p = solved_from_right(t, r)
    m = dagger(q) @ p
    return p - q @ (m - turn_of(m))


@vjp("np.linalg.qr[1]", 2, of_complex=True)
def triangular_factor(x, q, r, d):
    m = _half_below(r @ d.T)  # the conjugate transpose of conj(d) @ dagger(r)
    return np.conj(dagger(upper_solved(r, dagger(q @ (m + dagger(m))))))


@jvp("np.linalg.qr[1]", 2, of_complex=True)
def triangular_factor_tangent(x, q, r, t):
    m = solved_from_right(dagger(q) @ t, r)
    return (m - turn_of(m)) @ r


@vjp("np.linalg.svd[1]", 2, of_complex=True)
def singular_values(x, u, s, vt, d):
    return (np.conj(u[:, : s.size]) * d) @ np.conj(vt[: s.size])


@jvp("np.linalg.svd[1]", 2, of_complex=True)
def singular_values_tangent(x, u, s, vt, t):
    return np.sum(np.real((dagger(u[:, : s.size]) @ t) * np.conj(vt[: s.size])), axis=1)
