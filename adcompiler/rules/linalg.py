"""Decompositions, solutions and norms of matrices.

Formulas: Giles (2008), An extended collection of matrix derivative results; of Cholesky's factor, Murray
(2016), Differentiation of the Cholesky decomposition; of singular vectors, Townsend (2016), Differentiating
the singular value decomposition; of the pseudo-inverse, Golub and Pereyra (1973). Where LAPACK reads only the
lower triangle of a symmetric matrix, the derivative is that of the function of this triangle: zero above.
"""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call,arg-type"

import numpy as np

from adcompiler.rules.table import constant, linear, structured, tangent
from adcompiler.runtime.factors import solved


@structured("np.linalg.norm", 1)
@structured("np.linalg.norm", 2)
def norm(x, y, d):
    scale = d / y if y > 0.0 else 0.0  # at the origin, the middle of all directions
    return scale * x


@tangent("np.linalg.norm", 1)
@tangent("np.linalg.norm", 2)
def norm_tangent(x, y, t):
    scale = 1.0 / y if y > 0.0 else 0.0
    return scale * np.sum(x * t)


linear("np.trace")


@structured("np.trace", 2)
def trace(x, y, d):
    return d * np.eye(x.shape[0], x.shape[1])


@structured("np.linalg.inv", 2)
def inverse(x, y, d):
    return -(y.T @ d @ y.T)


@tangent("np.linalg.inv", 2)
def inverse_tangent(x, y, t):
    return -(y @ t @ y)


@structured("np.linalg.pinv", 2)
def pseudo_inverse(x, y, d):
    rest = d.T - x @ (y @ d.T)
    other = d.T - (d.T @ y) @ x
    return -(y.T @ d @ y.T) + rest @ y @ y.T + y.T @ y @ other


@tangent("np.linalg.pinv", 2)
def pseudo_inverse_tangent(x, y, t):
    rest = t.T - (t.T @ x) @ y
    other = t.T - y @ (x @ t.T)
    return -(y @ t @ y) + y @ y.T @ rest + other @ y.T @ y


@structured("np.linalg.det", 2)
def determinant(x, y, d):
    return d * y * np.linalg.inv(x).T


@tangent("np.linalg.det", 2)
def determinant_tangent(x, y, t):
    return y * np.trace(np.linalg.solve(x, t))


@structured("np.linalg.slogdet[1]", 2)
def logarithm_of_determinant(x, sign, logarithm, d):
    return d * np.linalg.inv(x).T


@tangent("np.linalg.slogdet[1]", 2)
def logarithm_of_determinant_tangent(x, sign, logarithm, t):
    return np.trace(np.linalg.solve(x, t))


@structured("np.linalg.solve", 2, 1)
def solve_vector(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -np.outer(w, y), w


@structured("np.linalg.solve", 2, 2)
def solve_matrix(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -(w @ y.T), w


@tangent("np.linalg.solve", 2, 1)
@tangent("np.linalg.solve", 2, 2)
def solve_tangent(a, b, y, ta, tb):
    return -np.linalg.solve(a, ta @ y), np.linalg.solve(a, tb)


@structured("np.linalg.solve[1]", 2, 1)
def solve_vector_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -np.outer(w, y), w


@structured("np.linalg.solve[1]", 2, 2)
def solve_matrix_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -(w @ y.T), w


@tangent("np.linalg.solve[1]", 2, 1)
@tangent("np.linalg.solve[1]", 2, 2)
def solve_tangent_again(a, b, factors, y, ta, tb):
    return -solved(factors, ta @ y, False), solved(factors, tb, False)


@structured("np.linalg.cholesky", 2)
def cholesky(x, y, d):
    p = np.tril(y.T @ d)
    p = p - 0.5 * np.diag(np.diag(p))
    s = np.linalg.solve(y.T, np.linalg.solve(y.T, p.T).T)
    s = np.tril(s + s.T)
    return s - 0.5 * np.diag(np.diag(s))


def symmetric(t):
    """The symmetric matrix with this lower triangle."""
    return np.tril(t) + np.tril(t, -1).T


@tangent("np.linalg.cholesky", 2)
def cholesky_tangent(x, y, t):
    p = np.linalg.solve(y, np.linalg.solve(y, symmetric(t)).T)
    return y @ (np.tril(p) - 0.5 * np.diag(np.diag(p)))


@structured("np.linalg.eigh[0]", 2)
def eigenvalues(x, values, vectors, d):
    s = vectors @ (np.expand_dims(d, 1) * vectors.T)
    return np.tril(2.0 * s) - np.diag(np.diag(s))


@tangent("np.linalg.eigh[0]", 2)
def eigenvalues_tangent(x, values, vectors, t):
    return np.diag(vectors.T @ symmetric(t) @ vectors)


@structured("np.linalg.eigh[1]", 2)
def eigenvectors(x, values, vectors, d):
    gaps = np.expand_dims(values, 0) - np.expand_dims(values, 1)
    inner = np.where(gaps == 0.0, 0.0, vectors.T @ d / np.where(gaps == 0.0, 1.0, gaps))
    s = vectors @ inner @ vectors.T
    return np.tril(s + s.T) - np.diag(np.diag(s))


@tangent("np.linalg.eigh[1]", 2)
def eigenvectors_tangent(x, values, vectors, t):
    gaps = np.expand_dims(values, 0) - np.expand_dims(values, 1)
    inner = vectors.T @ symmetric(t) @ vectors
    return vectors @ np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))


@structured("np.linalg.qr[0]", 2)
def orthogonal_factor(x, q, r, d):
    m = np.tril(-(d.T @ q))
    m = m + m.T - np.diag(np.diag(m))
    return np.linalg.solve(r, (d + q @ m).T).T


@tangent("np.linalg.qr[0]", 2)
def orthogonal_factor_tangent(x, q, r, t):
    p = np.linalg.solve(r.T, t.T).T
    m = q.T @ p
    turn = np.tril(m, -1)
    return p - q @ (m - turn + turn.T)


@structured("np.linalg.qr[1]", 2)
def triangular_factor(x, q, r, d):
    m = np.tril(r @ d.T)
    m = m + m.T - np.diag(np.diag(m))
    return np.linalg.solve(r, (q @ m).T).T


@tangent("np.linalg.qr[1]", 2)
def triangular_factor_tangent(x, q, r, t):
    m = np.linalg.solve(r.T, (q.T @ t).T).T
    turn = np.tril(m, -1)
    return (m - turn + turn.T) @ r


@structured("np.linalg.svd[1]", 2)
def singular_values(x, u, s, vt, d):
    return (u[:, : s.size] * d) @ vt[: s.size]


@tangent("np.linalg.svd[1]", 2)
def singular_values_tangent(x, u, s, vt, t):
    return np.sum((u[:, : s.size].T @ t) * vt[: s.size], axis=1)


@structured("np.linalg.svd[0]", 2)
def left_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    inner = u.T @ d - d.T @ u
    inner = np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))
    outside = (d - u @ (u.T @ d)) / s
    return (u @ (inner * s) + outside) @ vt


@tangent("np.linalg.svd[0]", 2)
def left_singular_vectors_tangent(x, u, s, vt, t):
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    left = np.ascontiguousarray(u[:, : s.size])
    p = t @ vt[: s.size].T
    m = left.T @ p
    inner = m * s + (m * s).T
    inner = np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))
    found = np.full(
        u.shape, np.nan
    )  # the vectors without a singular value turn in a way that is not determined
    found[:, : s.size] = left @ inner + (p - left @ m) / s
    return found


@structured("np.linalg.svd[2]", 2)
def right_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    inner = vt @ d.T - d @ vt.T
    inner = np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))
    outside = np.expand_dims(1.0 / s, 1) * (d - d @ vt.T @ vt)
    return u @ (np.expand_dims(s, 1) * inner @ vt + outside)


@tangent("np.linalg.svd[2]", 2)
def right_singular_vectors_tangent(x, u, s, vt, t):
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    right = np.ascontiguousarray(vt[: s.size])
    p = u[:, : s.size].T @ t
    m = p @ right.T
    turned = np.expand_dims(s, 1) * m
    inner = np.where(gaps == 0.0, 0.0, (turned + turned.T) / np.where(gaps == 0.0, 1.0, gaps))
    found = np.full(vt.shape, np.nan)
    found[: s.size] = inner.T @ right + np.expand_dims(1.0 / s, 1) * (p - m @ right)
    return found


constant("factors.factorise factors.solved")
