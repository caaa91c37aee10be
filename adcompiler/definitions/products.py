"""Products of arrays beyond those of vectors and matrices."""

import numpy as np

from adcompiler.definitions.axes import AXES
from adcompiler.definitions.common import conjugate, empty
from adcompiler.definitions.table import Given, Ranks, define, refuse


def _has_stacks(given: Given, ranks: Ranks) -> bool:
    return max(ranks.get("x1") or 0, ranks.get("x2") or 0) > 2


@define("matmul", when=_has_stacks, is_analytic=True)
def matmul(x1, x2):
    if x2.ndim <= 2:
        inner = x1.shape[-1]
        flat = np.ascontiguousarray(x1).reshape((x1.size // max(inner, 1), inner)) @ x2
        return flat.reshape(x1.shape[:-1] if x2.ndim == 1 else x1.shape[:-1] + x2.shape[1:])
    if x1.ndim > 3 or x2.ndim > 3 or x1.ndim < 2:
        refuse("'@' of stacks of more than three axes, or of a vector and a stack of matrices")
    n = x2.shape[0]
    if x1.ndim == 3:
        assert x1.shape[0] == n, "the stacks of matrices differ in length"
    y = empty((n, x1.shape[-2], x2.shape[2]), x1, x2)
    for k in range(n):
        y[k] = (x1[k] if x1.ndim == 3 else x1) @ x2[k]
    return y


@define("np.inner", is_analytic=True)
def inner(a, b):
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim == 1:
        return a @ b
    if b.ndim > 2 or a.ndim > 2:
        refuse("np.inner of more than two axes")
    return a @ b.T


def _is_no_vector(given: Given, ranks: Ranks) -> bool:
    return ranks.get("a") not in (1, None) or ranks.get("b") not in (1, None)


@define("np.outer", when=_is_no_vector, is_analytic=True)
def outer(a, b):
    return np.outer(_flat(a), _flat(b))


def _flat(a):
    return np.full(1, a) if a.ndim == 0 else np.ravel(a)


@define("np.vdot", when=_is_no_vector, is_analytic=True)
def vdot(a, b):
    return conjugate(np.ravel(a)) @ np.ravel(b)


def _is_more(given: Given, ranks: Ranks) -> bool:
    known = [ranks.get("a"), ranks.get("b")]
    return None not in known and (0 in known or max(rank or 0 for rank in known) > 2)


@define("np.dot", when=_is_more, is_analytic=True)
def dot(a, b):
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim > 2:
        refuse("np.dot with more than two axes on the right")
    return a @ b


def of_lists(given, ranks):
    """The definition is for lists or tuples of numbers where arrays are meant."""
    return any(isinstance(vector, tuple) for vector in given.values())


@define("np.cross", when=of_lists, is_analytic=True)
def cross_of_lists(a, b):
    return np.cross(np.asarray(a), np.asarray(b))


@define("np.dot", when=of_lists, is_analytic=True)
def dot_of_lists(a, b):
    return np.dot(np.asarray(a) * 1.0, np.asarray(b) * 1.0)


@define("np.cross", is_analytic=True)
def cross(a, b):
    assert a.shape[-1] == 3, "vectors must have three components"
    assert b.shape[-1] == 3, "vectors must have three components"
    if a.ndim == 1 and b.ndim == 1:
        y = empty(3, a, b)
        y[0] = a[1] * b[2] - a[2] * b[1]
        y[1] = a[2] * b[0] - a[0] * b[2]
        y[2] = a[0] * b[1] - a[1] * b[0]
        return y
    if a.ndim > 2 or b.ndim > 2:
        refuse("np.cross of more than two axes")
    left = a[None, :] if a.ndim == 1 else a
    right = b[None, :] if b.ndim == 1 else b
    x = left[:, 1] * right[:, 2] - left[:, 2] * right[:, 1]
    y = left[:, 2] * right[:, 0] - left[:, 0] * right[:, 2]
    z = left[:, 0] * right[:, 1] - left[:, 1] * right[:, 0]
    return np.column_stack((x, y, z))


@define("np.kron", is_analytic=True)
def kron(a, b):
    if a.ndim == 1 and b.ndim == 1:
        return np.ravel(np.outer(a, b))
    if a.ndim != 2 or b.ndim != 2:
        refuse("np.kron of other than two vectors or two matrices")
    blocks = a[:, None, :, None] * b[None, :, None, :]
    return blocks.reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])


@define("np.tensordot", is_analytic=True)
def tensordot(a, b, axes=2):
    """Sum products over axes: both arrays become matrices with the axes of the sum inside."""
    if isinstance(axes, tuple):
        left, right = _each(axes[0], a.ndim), _each(axes[1], b.ndim)
    else:
        left, right = _last(a.ndim, axes), _first(axes)
    if len(left) != len(right):
        refuse("np.tensordot over different numbers of axes")
    for k in AXES:
        if k < len(left):
            assert a.shape[left[k]] == b.shape[right[k]], "the axes of the sum differ in size"
    inside, outside_a, outside_b = 1, 1, 1
    order_a, order_b, shape = (), (), ()
    for k in AXES:
        if k < a.ndim and k not in left:
            order_a, shape, outside_a = (*order_a, k), (*shape, a.shape[k]), outside_a * a.shape[k]
    for k in left:
        order_a, inside = (*order_a, k), inside * a.shape[k]
    for k in right:
        order_b = (*order_b, k)
    for k in AXES:
        if k < b.ndim and k not in right:
            order_b, shape, outside_b = (*order_b, k), (*shape, b.shape[k]), outside_b * b.shape[k]
    rows = np.ascontiguousarray(np.transpose(a, order_a)).reshape((outside_a, inside))
    columns = np.ascontiguousarray(np.transpose(b, order_b)).reshape((inside, outside_b))
    product = rows @ columns
    return product[0, 0] if len(shape) == 0 else product.reshape(shape)


def _each(axes, ndim):
    if not isinstance(axes, tuple):
        return (axes % ndim,)
    found = ()
    for k in axes:
        found = (*found, k % ndim)
    return found


def _last(ndim, count):
    found = ()
    for k in AXES:
        if k < count:
            found = (*found, ndim - count + k)
    return found


def _first(count):
    found = ()
    for k in AXES:
        if k < count:
            found = (*found, k)
    return found
