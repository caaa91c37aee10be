"""Decompositions, solutions and norms of matrices.

Formulas: Giles (2008), An extended collection of matrix derivative results; of Cholesky's factor, Murray
(2016), Differentiation of the Cholesky decomposition; of singular vectors, Townsend (2016), Differentiating
the singular value decomposition; of the pseudo-inverse, Golub and Pereyra (1973). Where LAPACK reads only the
lower triangle of a symmetric matrix, the derivative is that of the function of this triangle: zero above.
"""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call,arg-type"

from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Triangle
from adcompiler.primitives.deck import enter, jvp, vjp
from adcompiler.primitives.numpy_reductions import product_of_others
from adcompiler.runtime.guards import times
from adcompiler.runtime.plain_factors import lower_solved, solved, upper_solved

_MATRIX: dict[str, Any] = {"arity": (1, 1), "follows": Follows.SAME_RANK}
enter(
    "np.linalg.norm",
    follows=Follows.NUMBER,
    takes_array=True,
    holds_for_complex=True,
    example="np.linalg.norm(v)",
)
enter(
    "np.trace",
    method="trace",
    order_of_matrix="",
    follows=Follows.NUMBER,
    takes_array=True,
    is_analytic=True,
    is_linear=True,
    example="np.trace(m)",
)
enter(
    "np.linalg.det",
    arity=(1, 1),
    order_of_matrix="",
    follows=Follows.NUMBER,
    takes_array=True,
    is_analytic=True,
    example="np.linalg.det(m)",
)
enter("np.linalg.inv", order_of_matrix="F", is_analytic=True, example="np.linalg.inv(m)", **_MATRIX)
enter("np.linalg.pinv", arity=(1, 2), follows=Follows.SAME_RANK, example="np.linalg.pinv(m)")
enter(
    "np.linalg.cholesky",
    triangle=Triangle.LOWER,
    order_of_matrix="C",
    example="np.linalg.cholesky(m)",
    **_MATRIX,
)
enter(
    "np.linalg.solve",
    arity=(2, 2),
    order_of_matrix="F",
    part_names=("factors", "result"),
    takes_one_type=True,
    is_analytic=True,
    example="np.linalg.solve(m, v)",
)
enter("np.linalg.solve[1]", arity=(4, 4))
enter("np.linalg.eigh", arity=(1, 2), part_names=("values", "vectors"), part_ranks=(1, 2), is_constant=True)
enter("np.linalg.eigh[0] np.linalg.eigh[1]", arity=(3, 3))
enter("np.linalg.qr", arity=(1, 1), part_names=("q", "r"), part_ranks=(2, 2), is_constant=True)
enter("np.linalg.qr[0] np.linalg.qr[1]", arity=(3, 3))
enter("np.linalg.svd", arity=(1, 2), part_names=("u", "s", "vt"), part_ranks=(2, 1, 2), is_constant=True)
enter(
    "np.linalg.svd[0] np.linalg.svd[2]",
    arity=(4, 4),
    cure_for_complex="write np.linalg.eigh of a @ np.conj(a.T) or np.conj(a.T) @ a",
)
enter("np.linalg.svd[1]", arity=(4, 4))
enter(
    "np.linalg.slogdet", arity=(1, 1), part_names=("sign", "logarithm"), part_ranks=(0, 0), is_constant=True
)
enter("np.linalg.slogdet[0]", arity=(3, 3), is_constant=True, is_constant_of_reals=True)
enter("np.linalg.slogdet[1]", arity=(3, 3), holds_for_complex=True)
enter("np.linalg.matrix_rank", arity=(1, 2), is_constant=True)
enter("factors.factorise", order_of_matrix="C", is_constant=True)
enter("factors.solved", order_of_matrix="F", is_constant=True)
enter("factors.lower_solved factors.upper_solved", arity=(2, 2), order_of_matrix="F", is_analytic=True)


@vjp("np.linalg.norm", 1)
@vjp("np.linalg.norm", 2)
def norm(x, y, d):
    scale = d / y if y > 0.0 else 0.0  # at the origin, the middle of all directions
    return scale * np.conj(x)


@jvp("np.linalg.norm", 1)
@jvp("np.linalg.norm", 2)
def norm_tangent(x, y, t):
    scale = 1.0 / y if y > 0.0 else 0.0
    return scale * np.sum(np.real(np.conj(x) * t))


@vjp("np.trace", 2)
def trace(x, y, d):
    return d * np.eye(x.shape[0], x.shape[1])


@vjp("np.linalg.inv", 2)
def inverse(x, y, d):
    return -(y.T @ d @ y.T)


@jvp("np.linalg.inv", 2)
def inverse_tangent(x, y, t):
    return -(y @ t @ y)


@vjp("np.linalg.pinv", 2)
def pseudo_inverse(x, y, d):
    rest = d.T - x @ (y @ d.T)
    other = d.T - (d.T @ y) @ x
    return -(y.T @ d @ y.T) + rest @ y @ y.T + y.T @ y @ other


@jvp("np.linalg.pinv", 2)
def pseudo_inverse_tangent(x, y, t):
    rest = t.T - (t.T @ x) @ y
    other = t.T - y @ (x @ t.T)
    return -(y @ t @ y) + y @ y.T @ rest + other @ y.T @ y


def cofactors(x, y):
    """Return the determinants of what remains without one row and column, with alternating signs."""
    if y != 0.0:
        return y * np.linalg.inv(x).T
    u, s, vt = np.linalg.svd(x)
    return np.linalg.det(u) * np.linalg.det(vt) * (np.conj(u) * product_of_others(s)) @ np.conj(vt)


@vjp("np.linalg.det", 2)
def determinant(x, y, d):
    return d * cofactors(x, y)


@jvp("np.linalg.det", 2)
def determinant_tangent(x, y, t):
    return np.sum(cofactors(x, y) * t)


@vjp("np.linalg.slogdet[1]", 2)
def logarithm_of_determinant(x, sign, logarithm, d):
    return d * np.linalg.inv(x).T


@jvp("np.linalg.slogdet[1]", 2)
def logarithm_of_determinant_tangent(x, sign, logarithm, t):
    return np.real(np.trace(np.linalg.solve(x, t)))


@vjp("np.linalg.solve", 2, 1)
def solve_vector(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -np.outer(w, y), w


@vjp("np.linalg.solve", 2, 2)
def solve_matrix(a, b, y, d):
    w = np.linalg.solve(a.T, d)
    return -(w @ y.T), w


@jvp("np.linalg.solve", 2, 1)
@jvp("np.linalg.solve", 2, 2)
def solve_tangent(a, b, y, ta, tb):
    return -np.linalg.solve(a, ta @ y), np.linalg.solve(a, tb)


@vjp("np.linalg.solve[1]", 2, 1)
def solve_vector_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -np.outer(w, y), w


@vjp("np.linalg.solve[1]", 2, 2)
def solve_matrix_again(a, b, factors, y, d):
    w = solved(factors, d, True)
    return -(w @ y.T), w


@jvp("np.linalg.solve[1]", 2, 1)
@jvp("np.linalg.solve[1]", 2, 2)
def solve_tangent_again(a, b, factors, y, ta, tb):
    return -solved(factors, ta @ y, False), solved(factors, tb, False)


@vjp("factors.lower_solved", 2, 1)
def solve_vector_with_lower(a, b, y, d):
    w = upper_solved(a.T, d)
    return -np.outer(w, y), w


@vjp("factors.lower_solved", 2, 2)
def solve_matrix_with_lower(a, b, y, d):
    w = upper_solved(a.T, d)
    return -(w @ y.T), w


@jvp("factors.lower_solved", 2, 1)
@jvp("factors.lower_solved", 2, 2)
def solve_with_lower_tangent(a, b, y, ta, tb):
    return -lower_solved(a, ta @ y), lower_solved(a, tb)


@vjp("factors.upper_solved", 2, 1)
def solve_vector_with_upper(a, b, y, d):
    w = lower_solved(a.T, d)
    return -np.outer(w, y), w


@vjp("factors.upper_solved", 2, 2)
def solve_matrix_with_upper(a, b, y, d):
    w = lower_solved(a.T, d)
    return -(w @ y.T), w


@jvp("factors.upper_solved", 2, 1)
@jvp("factors.upper_solved", 2, 2)
def solve_with_upper_tangent(a, b, y, ta, tb):
    return -upper_solved(a, ta @ y), upper_solved(a, tb)


@vjp("np.linalg.cholesky", 2)
def cholesky(x, y, d):
    p = _half_below(y.T @ d)
    s = upper_solved(y.T, upper_solved(y.T, p.T).T)
    return _half_below(s + s.T)


def _half_below(x):
    """Return what is below the diagonal, and half of what is on it."""
    below = np.tril(x)
    for i in range(x.shape[0]):
        below[i, i] = 0.5 * below[i, i]
    return below


def symmetric(t):
    """The symmetric matrix with this lower triangle."""
    return np.tril(t) + np.tril(t, -1).T


@jvp("np.linalg.cholesky", 2)
def cholesky_tangent(x, y, t):
    p = lower_solved(y, lower_solved(y, symmetric(t)).T)
    return y @ _half_below(p)


@vjp("np.linalg.eigh[0]", 2)
def eigenvalues(x, values, vectors, d):
    s = vectors @ (np.expand_dims(d, 1) * vectors.T)
    return np.tril(2.0 * s) - np.diag(np.diag(s))


@jvp("np.linalg.eigh[0]", 2)
def eigenvalues_tangent(x, values, vectors, t):
    return np.diag(vectors.T @ symmetric(t) @ vectors)


def turning(values, size):
    """Return 1 / (difference) for each pair of values, zero for equal ones: how fast vectors turn.

    Differences of the order of rounding errors are none.
    """
    gaps = np.expand_dims(values, 0) - np.expand_dims(values, 1)
    equal = np.abs(gaps) <= 8 * size * np.spacing(np.max(np.abs(values)))
    return np.where(equal, 0.0, 1.0 / np.where(equal, 1.0, gaps))


def unknown_if_equal(rates):
    """Return NaN for each value that has an equal one, else 1.

    How vectors of equal values turn is not determined, and one point does not tell whether it matters.
    """
    return np.where(np.sum(np.where(rates == 0.0, 1.0, 0.0), axis=0) > 1.5, np.nan, 1.0)


def turned(rates, mixing):
    """Return rates * mixing for a tangent, NaN where it mixes vectors of equal values."""
    others = 1.0 - np.eye(mixing.shape[0])
    noise = 8 * mixing.shape[0] * np.spacing(np.max(np.abs(mixing)))
    mixes = np.where(rates == 0.0, others, 0.0) * np.where(np.abs(mixing) > noise, 1.0, 0.0)
    return np.where(mixes > 0.5, np.nan, rates) * mixing


@vjp("np.linalg.eigh[1]", 2)
def eigenvectors(x, values, vectors, d):
    rates = turning(values, values.size)
    inner = vectors.T @ times(d, unknown_if_equal(rates)) * rates
    s = vectors @ inner @ vectors.T
    return np.tril(s + s.T) - np.diag(np.diag(s))


@jvp("np.linalg.eigh[1]", 2)
def eigenvectors_tangent(x, values, vectors, t):
    rates = turning(values, values.size)
    return vectors @ turned(rates, vectors.T @ symmetric(t) @ vectors)


@vjp("np.linalg.qr[0]", 2)
def orthogonal_factor(x, q, r, d):
    m = np.tril(-(d.T @ q))
    m = m + m.T - np.diag(np.diag(m))
    return upper_solved(r, (d + q @ m).T).T


@jvp("np.linalg.qr[0]", 2)
def orthogonal_factor_tangent(x, q, r, t):
    p = lower_solved(r.T, t.T).T
    m = q.T @ p
    turn = np.tril(m, -1)
    return p - q @ (m - turn + turn.T)


@vjp("np.linalg.qr[1]", 2)
def triangular_factor(x, q, r, d):
    m = np.tril(r @ d.T)
    m = m + m.T - np.diag(np.diag(m))
    return upper_solved(r, (q @ m).T).T


@jvp("np.linalg.qr[1]", 2)
def triangular_factor_tangent(x, q, r, t):
    m = lower_solved(r.T, (q.T @ t).T).T
    turn = np.tril(m, -1)
    return (m - turn + turn.T) @ r


@vjp("np.linalg.svd[1]", 2)
def singular_values(x, u, s, vt, d):
    return (u[:, : s.size] * d) @ vt[: s.size]


@jvp("np.linalg.svd[1]", 2)
def singular_values_tangent(x, u, s, vt, t):
    return np.sum((u[:, : s.size].T @ t) * vt[: s.size], axis=1)


def turning_of_both(s, x):
    """Return 1 / (difference of squares) for each pair of singular values, zero for equal ones."""
    sums = np.expand_dims(s, 0) + np.expand_dims(s, 1)
    return turning(s, max(x.shape[0], x.shape[1])) / np.where(sums == 0.0, 1.0, sums)


def turning_out(s, x):
    """Return 1 / s: how fast vectors turn out of the space that they span; NaN for zeros."""
    zero = s <= 8 * max(x.shape[0], x.shape[1]) * np.spacing(np.max(s))
    return np.where(zero, np.nan, 1.0 / np.where(zero, 1.0, s))


@vjp("np.linalg.svd[0]", 2)
def left_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    rates = turning_of_both(s, x)
    known = times(d, unknown_if_equal(rates))
    inner = (u.T @ known - known.T @ u) * rates
    if x.shape[0] == s.size:
        return u @ (inner * s) @ vt
    return (u @ (inner * s) + times(d - u @ (u.T @ d), turning_out(s, x))) @ vt


@jvp("np.linalg.svd[0]", 2)
def left_singular_vectors_tangent(x, u, s, vt, t):
    left = np.ascontiguousarray(u[:, : s.size])
    p = t @ vt[: s.size].T
    m = left.T @ p
    found = np.full(u.shape, np.nan)  # vectors without a singular value turn in a way that is not determined
    found[:, : s.size] = left @ turned(turning_of_both(s, x), m * s + (m * s).T)
    if x.shape[0] > s.size:
        found[:, : s.size] += times(p - left @ m, turning_out(s, x))
    return found


@vjp("np.linalg.svd[2]", 2)
def right_singular_vectors(x, u, s, vt, d):
    assert u.shape[1] == vt.shape[0], "the singular vectors of a rectangle: write full_matrices=False"
    rates = turning_of_both(s, x)
    known = times(d, np.expand_dims(unknown_if_equal(rates), 1))
    inner = (vt @ known.T - known @ vt.T) * rates
    if x.shape[1] == s.size:
        return u @ (np.expand_dims(s, 1) * inner @ vt)
    outside = times(d - d @ vt.T @ vt, np.expand_dims(turning_out(s, x), 1))
    return u @ (np.expand_dims(s, 1) * inner @ vt + outside)


@jvp("np.linalg.svd[2]", 2)
def right_singular_vectors_tangent(x, u, s, vt, t):
    right = np.ascontiguousarray(vt[: s.size])
    p = u[:, : s.size].T @ t
    m = p @ right.T
    mixing = np.expand_dims(s, 1) * m
    found = np.full(vt.shape, np.nan)
    found[: s.size] = turned(turning_of_both(s, x), mixing + mixing.T).T @ right
    if x.shape[1] > s.size:
        found[: s.size] += times(p - m @ right, np.expand_dims(turning_out(s, x), 1))
    return found
