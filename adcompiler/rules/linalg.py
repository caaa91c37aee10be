"""Decompositions, solutions and norms of matrices.

Formulas: Giles (2008), An extended collection of matrix derivative results; of Cholesky's factor, Murray
(2016), Differentiation of the Cholesky decomposition; of singular vectors, Townsend (2016), Differentiating
the singular value decomposition; of the pseudo-inverse, Golub and Pereyra (1973). Where LAPACK reads only the
lower triangle of a symmetric matrix, the derivative is that of the function of this triangle: zero above.
"""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

import numpy as np

from adcompiler.rules.table import constant, structured
from adcompiler.runtime.factors import solved


@structured("np.linalg.norm", 1)
@structured("np.linalg.norm", 2)
def norm(x, y, d):
    scale = d / y if y > 0.0 else 0.0  # at the origin, the middle of all directions
    return scale * x


@structured("np.trace", 2)
def trace(x, y, d):
    return d * np.eye(x.shape[0], x.shape[1])


@structured("np.linalg.inv", 2)
def inverse(x, y, d):
    return -(y.T @ d @ y.T)


@structured("np.linalg.pinv", 2)
def pseudo_inverse(x, y, d):
    rest = d.T - x @ (y @ d.T)
    other = d.T - (d.T @ y) @ x
    return -(y.T @ d @ y.T) + rest @ y @ y.T + y.T @ y @ other


@structured("np.linalg.det", 2)
def determinant(x, y, d):
    return d * y * np.linalg.inv(x).T


@structured("np.linalg.slogdet[1]", 2)
def logarithm_of_determinant(x, sign, logarithm, d):
    return d * np.linalg.inv(x).T


@structured("np.linalg.solve", 2, 1)
def solve_vector(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -np.outer(w, y), w


@structured("np.linalg.solve", 2, 2)
def solve_matrix(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -(w @ y.T), w


@structured("np.linalg.solve[1]", 2, 1)
def solve_vector_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -np.outer(w, y), w


@structured("np.linalg.solve[1]", 2, 2)
def solve_matrix_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -(w @ y.T), w


@structured("np.linalg.cholesky", 2)
def cholesky(x, y, d):
    p = np.tril(y.T @ d)
    p = p - 0.5 * np.diag(np.diag(p))
    s = np.linalg.solve(y.T, np.linalg.solve(y.T, p.T).T)
    s = np.tril(s + s.T)
    return s - 0.5 * np.diag(np.diag(s))


@structured("np.linalg.eigh[0]", 2)
def eigenvalues(x, values, vectors, d):
    s = vectors @ (np.expand_dims(d, 1) * vectors.T)
    return np.tril(2.0 * s) - np.diag(np.diag(s))


@structured("np.linalg.eigh[1]", 2)
def eigenvectors(x, values, vectors, d):
    gaps = np.expand_dims(values, 0) - np.expand_dims(values, 1)
    inner = np.where(gaps == 0.0, 0.0, vectors.T @ d / np.where(gaps == 0.0, 1.0, gaps))
    s = vectors @ inner @ vectors.T
    return np.tril(s + s.T) - np.diag(np.diag(s))


@structured("np.linalg.qr[0]", 2)
def orthogonal_factor(x, q, r, d):
    m = np.tril(-(d.T @ q))
    m = m + m.T - np.diag(np.diag(m))
    return np.linalg.solve(r, (d + q @ m).T).T


@structured("np.linalg.qr[1]", 2)
def triangular_factor(x, q, r, d):
    m = np.tril(r @ d.T)
    m = m + m.T - np.diag(np.diag(m))
    return np.linalg.solve(r, (q @ m).T).T


@structured("np.linalg.svd[1]", 2)
def singular_values(x, u, s, vt, d):
    return (u[:, : s.size] * d) @ vt[: s.size]


@structured("np.linalg.svd[0]", 2)
def left_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    inner = u.T @ d - d.T @ u
    inner = np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))
    outside = (d - u @ (u.T @ d)) / s
    return (u @ (inner * s) + outside) @ vt


@structured("np.linalg.svd[2]", 2)
def right_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    gaps = np.expand_dims(s * s, 0) - np.expand_dims(s * s, 1)
    inner = vt @ d.T - d @ vt.T
    inner = np.where(gaps == 0.0, 0.0, inner / np.where(gaps == 0.0, 1.0, gaps))
    outside = np.expand_dims(1.0 / s, 1) * (d - d @ vt.T @ vt)
    return u @ (np.expand_dims(s, 1) * inner @ vt + outside)


constant("factors.factorise factors.solved")
