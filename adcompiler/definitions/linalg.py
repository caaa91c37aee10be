"""Linear algebra that is made of products, solutions and decompositions."""

import numpy as np

from adcompiler.custom import stop_gradient
from adcompiler.definitions.axes import kept, root, squares
from adcompiler.definitions.table import Given, Ranks, define, refuse


def _is_not_plain(given: Given, ranks: Ranks) -> bool:
    is_plain = all(given.get(key) is None for key in ("ord", "axis")) and not given.get("keepdims")
    return not is_plain or (ranks.get("x") or 1) > 2


@define("np.linalg.norm", when=_is_not_plain, is_analytic=True)
def norm(x, ord=None, axis=None, *, keepdims=False):
    if axis is None and ord is None:
        return kept(root(np.sum(squares(x))), x, None, keepdims)
    if axis is None and x.ndim == 2:
        return kept(_matrix_norm(x, ord), x, None, keepdims)
    if isinstance(axis, tuple):
        if ord is not None and ord != "fro":
            refuse("np.linalg.norm of matrices in a stack, other than Frobenius' norm")
        return root(np.sum(squares(x), axis=axis, keepdims=keepdims))
    if ord is None or ord == 2:
        return root(np.sum(squares(x), axis=axis, keepdims=keepdims))
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.where(x != 0, 1.0, 0.0), axis=axis, keepdims=keepdims)
    total = np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims)
    if total.ndim == 0:
        return total ** (1.0 / ord) if total != 0.0 else 0.0
    return np.where(total == 0.0, 0.0, np.where(total == 0.0, 1.0, total) ** (1.0 / ord))


def _matrix_norm(x, ord):
    if ord == "fro":
        return np.linalg.norm(x)
    if ord == 1:
        return np.max(np.sum(np.abs(x), axis=0))
    if ord == -1:
        return np.min(np.sum(np.abs(x), axis=0))
    if ord == np.inf:
        return np.max(np.sum(np.abs(x), axis=1))
    if ord == -np.inf:
        return np.min(np.sum(np.abs(x), axis=1))
    values = np.linalg.svd(x)[1]
    if ord == 2:
        return values[0]
    if ord == -2:
        return values[-1]
    if ord == "nuc":
        return np.sum(values)
    return refuse("this norm of a matrix")


@define("np.linalg.cond", is_analytic=True)
def cond(x, p=None):
    if p is None or p == 2:
        values = np.linalg.svd(x)[1]
        return values[0] / values[-1]
    if p == -2:
        values = np.linalg.svd(x)[1]
        return values[-1] / values[0]
    return np.linalg.norm(x, p) * np.linalg.norm(np.linalg.inv(x), p)


@define("np.linalg.matrix_power", is_analytic=True)
def matrix_power(a, n):
    base = np.linalg.inv(a) if n < 0 else a
    if n == 0:
        return np.eye(a.shape[0])
    y = base.copy()
    for _ in range(abs(n) - 1):
        y = y @ base
    return y


@define("np.linalg.lstsq", is_analytic=True)
def lstsq(a, b, rcond=-1.0):
    """Return the solution for a matrix of full rank, residuals, and the matrix' rank and singular values."""
    x = np.linalg.pinv(a) @ b
    error = b - a @ x
    return x, np.sum(squares(error), axis=0), np.linalg.matrix_rank(a), np.linalg.svd(a)[1]


@define("np.linalg.eigvalsh", is_analytic=True)
def eigvalsh(a, UPLO="L"):  # noqa: N803 - NumPy's name
    return np.linalg.eigh(a)[0]


@define("np.linalg.multi_dot", is_analytic=True)
def multi_dot(arrays):
    y = arrays[0]
    for k in (1, 2, 3, 4, 5, 6, 7, 8, 9):
        if k < len(arrays):
            y = y @ arrays[k]
    return y


@define("linalg.expm", is_analytic=True)
def expm(A):  # noqa: N803 - SciPy's name
    """Return the exponential of a matrix by Taylor's series after scaling, and squaring afterwards.

    Method: Moler and Van Loan (2003), Nineteen dubious ways, method 3.
    """
    size = np.max(np.sum(np.abs(A), axis=0))
    squarings = max(0, int(np.ceil(np.log2(size + 1e-300))) + 3)
    term = np.eye(A.shape[0]) + 0.0 * stop_gradient(A)  # complex, if A is
    scaled = A.astype(term.dtype) / 2.0**squarings
    y = term
    for k in range(1, 16):
        term = term @ scaled / k
        y = y + term
    for _ in range(squarings):
        y = y @ y
    return y


def _eigenbasis(A):  # noqa: N803
    """Return eigenvalues and vectors as constants, and the change of the matrix in this basis: zero."""
    a = A.astype(np.float64)
    fixed = stop_gradient(a)
    assert np.max(np.abs(fixed - fixed.T)) <= 1e-10 * np.max(np.abs(fixed)), "the matrix is not symmetric"
    w, v = np.linalg.eigh(fixed)
    assert w[0] > 0.0, "the matrix is not positive definite"
    return w, v, v.T @ (a - fixed) @ v


@define("linalg.sqrtm")
def sqrtm(A):  # noqa: N803 - SciPy's name
    """Return the square root of a symmetric positive definite matrix.

    In the basis of eigenvectors, where it is diagonal, steps of Newton's method change no value; the divided
    differences 1 / (root + root) of Daleckii and Krein make derivatives right to one more order each.
    """
    w, v, change = _eigenbasis(A)
    roots = np.sqrt(w)
    slopes = 1.0 / (roots[:, None] + roots[None, :])
    y = np.diag(roots)
    for _ in range(4):
        y = y + (np.diag(w) + change - y @ y) * slopes
    return v @ y @ v.T


@define("linalg.logm")
def logm(A):  # noqa: N803 - SciPy's name
    """Return the logarithm of a symmetric positive definite matrix, by the method of the square root."""
    w, v, change = _eigenbasis(A)
    sums = w[:, None] + w[None, :]
    ratios = (w[:, None] - w[None, :]) / sums
    is_equal = ratios == 0.0
    quotients = np.where(is_equal, 1.0, np.arctanh(ratios) / np.where(is_equal, 1.0, ratios))
    y = np.diag(np.log(w))
    for _ in range(4):
        y = y + (np.diag(w) + change - expm(y)) * quotients * 2.0 / sums
    return v @ y @ v.T
