"""The same elements in another order: axes, diagonals, triangles, flips and turns."""

import numpy as np

from adcompiler.definitions.axes import AXES, blocks
from adcompiler.definitions.table import Given, Ranks, define, has, refuse


@define("np.broadcast_to", is_analytic=True)
def broadcast_to(array, shape):
    return np.full(shape, array) if array.ndim == 0 else np.zeros(shape, array.dtype) + array


@define("np.squeeze", is_analytic=True)
def squeeze(a, axis=None):
    if axis is None:
        refuse("np.squeeze without an axis: which axes have size 1 is not known before the program runs")
    axis = axis % a.ndim
    assert a.shape[axis] == 1, "cannot select an axis to squeeze out which has size not equal to one"
    if axis == 0:
        return a[0]
    if axis == 1:
        return a[:, 0]
    if axis == 2:
        return a[:, :, 0]
    return a[:, :, :, 0]


@define("np.swapaxes", is_analytic=True)
def swapaxes(a, axis1, axis2):
    order = ()
    for k in AXES:
        if k < a.ndim:
            other = axis2 % a.ndim if k == axis1 % a.ndim else axis1 % a.ndim if k == axis2 % a.ndim else k
            order = (*order, other)
    return np.transpose(a, order)


@define("np.moveaxis", is_analytic=True)
def moveaxis(a, source, destination):
    order = ()
    rest = ()
    for k in AXES:
        if k < a.ndim and k != source % a.ndim:
            rest = (*rest, k)
    for k in AXES:
        if k < a.ndim:
            if k == destination % a.ndim:
                order = (*order, source % a.ndim)
            else:
                order = (*order, rest[k - 1 if k > destination % a.ndim else k])
    return np.transpose(a, order)


@define("np.atleast_1d", is_analytic=True)
def atleast_1d(a):
    return np.full(1, a) if a.ndim == 0 else a


@define("np.atleast_2d", is_analytic=True)
def atleast_2d(a):
    if a.ndim == 0:
        return np.full((1, 1), a)
    return a[None, :] if a.ndim == 1 else a


@define("np.atleast_3d", is_analytic=True)
def atleast_3d(a):
    if a.ndim == 0:
        return np.full((1, 1, 1), a)
    if a.ndim == 1:
        return a[None, :, None]
    return a[:, :, None] if a.ndim == 2 else a


@define("np.diagflat", is_analytic=True)
def diagflat(v, k=0):
    return np.diag(np.ravel(v), k)


def _has_offset(given: Given, ranks: Ranks) -> bool:
    return given.get("k", 0) != 0


@define("np.diag", when=_has_offset, is_analytic=True)
def diag(v, k=0):
    rows, columns = max(-k, 0), max(k, 0)
    if v.ndim == 1:
        n = v.size
        y = np.zeros((n + rows + columns, n + rows + columns), v.dtype)
        for i in range(n):
            y[i + rows, i + columns] = v[i]
        return y
    return np.diag(v[rows:, columns:])


@define("np.diagonal", is_analytic=True)
def diagonal(a, offset=0):
    return np.diag(a, offset)


@define("np.trace", when=has("offset"), is_analytic=True)
def trace(a, offset=0):
    return np.sum(np.diag(a, offset))


@define("np.tril", when=_has_offset, is_analytic=True)
def tril(m, k=0):
    y = np.zeros_like(m)
    for i in range(m.shape[0]):
        for j in range(min(max(i + k + 1, 0), m.shape[1])):
            y[i, j] = m[i, j]
    return y


@define("np.triu", when=_has_offset, is_analytic=True)
def triu(m, k=0):
    y = np.zeros_like(m)
    for i in range(m.shape[0]):
        for j in range(max(i + k, 0), m.shape[1]):
            y[i, j] = m[i, j]
    return y


def _is_clear(given: Given, ranks: Ranks) -> bool:
    return given.get("axis") is not None or ranks.get("m") is not None


@define("np.flip", when=_is_clear, is_analytic=True)
def flip(m, axis=None):
    if axis is None:
        if m.ndim == 1:
            return m[::-1]
        if m.ndim == 2:
            return m[::-1, ::-1]
        if m.ndim == 3:
            return m[::-1, ::-1, ::-1]
        return m[::-1, ::-1, ::-1, ::-1]
    axis = axis % m.ndim
    if axis == 0:
        return m[::-1]
    if axis == 1:
        return m[:, ::-1]
    if axis == 2:
        return m[:, :, ::-1]
    return m[:, :, :, ::-1]


@define("np.roll", when=has("axis"), is_analytic=True)
def roll(a, shift, axis=None):
    x = blocks(a, axis % a.ndim)
    y = np.empty_like(x)
    n = x.shape[1]
    for k in range(n):
        y[:, (k + shift) % n, :] = x[:, k, :]
    return y.reshape(a.shape)


@define("np.flipud", is_analytic=True)
def flipud(m):
    return m[::-1]


@define("np.fliplr", is_analytic=True)
def fliplr(m):
    return m[:, ::-1]


@define("np.rollaxis", is_analytic=True)
def rollaxis(a, axis, start=0):
    source = axis % a.ndim
    end = start + a.ndim if start < 0 else start
    return np.moveaxis(a, source, end - 1 if source < end else end)


@define("np.rot90", is_analytic=True)
def rot90(m, k=1):
    if k % 4 == 0:
        return m[:]
    if k % 4 == 1:
        return np.swapaxes(m[:, ::-1], 0, 1)
    if k % 4 == 2:
        return m[::-1, ::-1]
    return np.swapaxes(m[::-1], 0, 1)
