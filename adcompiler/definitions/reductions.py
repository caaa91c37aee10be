"""Reductions along axes."""

import numpy as np

from adcompiler.definitions.axes import AXES, blocks, kept, ones, root, shape_with, squares
from adcompiler.definitions.common import real
from adcompiler.definitions.table import define, has, has_several_axes, is_number


@define("np.sum", "np.prod", "np.max", "np.min", when=is_number, is_analytic=True)
def of_a_number(a, axis=None, *, keepdims=False):  # Numba knows it from 0.66 on
    return a


@define("np.sum", when=has_several_axes, is_analytic=True)
def sum_over_axes(a, axis=None, *, keepdims=False):
    return _one_by_one(np.sum, a, axis, keepdims)


def _one_by_one(reduce, a, axes, keepdims):
    """Reduce over several axes, the last first."""
    y = a if len(axes) else a.copy()
    for k in (5, 4, 3, 2, 1, 0):
        if k < a.ndim and (k in axes or k - a.ndim in axes):
            y = reduce(y, axis=k)
    if keepdims and y.ndim == 0:
        return np.full(ones(a), y)
    for k in AXES:
        if keepdims and k < a.ndim and (k in axes or k - a.ndim in axes):
            y = np.expand_dims(y, k)
    return y


@define("np.sum", when=has("keepdims"), is_analytic=True)
def sum_keeping(a, axis=None, *, keepdims=False):
    if axis is None or a.ndim == 1:
        return np.full(ones(a), np.sum(a))
    return np.expand_dims(np.sum(a, axis=axis), axis)


@define("np.mean", when=has_several_axes, is_analytic=True)
def mean_over_axes(a, axis=None, *, keepdims=False):
    count = 1
    for k in axis:
        count = count * a.shape[k]
    return np.sum(a, axis=axis, keepdims=keepdims) / count


@define("np.mean", when=has("axis", "keepdims"), is_analytic=True)
def mean(a, axis=None, *, keepdims=False):
    if axis is None:
        return np.full(ones(a), np.mean(a))
    return np.sum(a, axis=axis, keepdims=keepdims) / a.shape[axis]


@define("np.var", when=has("axis", "ddof", "keepdims"), is_analytic=True)
def var(a, axis=None, *, ddof=0, keepdims=False):
    if axis is None:
        centered = a - np.mean(a)
        total = np.sum(squares(centered)) / (a.size - ddof)
        return np.full(ones(a), total) if keepdims else total
    centered = a - np.mean(a, axis=axis, keepdims=True)
    mean_square = np.mean(squares(centered), axis=axis, keepdims=keepdims)
    if ddof == 0:
        return mean_square
    count = _count(a, axis)
    return mean_square * (count / (count - ddof))


def _count(a, axis):
    return real(np.sum(np.ones_like(a)) / np.sum(np.ones_like(np.sum(a, axis=axis))))


@define("np.std", when=has("axis", "ddof", "keepdims"), is_analytic=True)
def std(a, axis=None, *, ddof=0, keepdims=False):
    return root(np.var(a, axis=axis, ddof=ddof, keepdims=keepdims))


@define("np.max", when=has_several_axes)
def max_over_axes(a, axis=None, *, keepdims=False):
    return _one_by_one(np.max, a, axis, keepdims)


@define("np.max", when=has("axis", "keepdims"))
def max_(a, axis=None, *, keepdims=False):
    if axis is None:
        return np.full(ones(a), np.max(a))
    axis = axis % a.ndim
    if a.ndim == 1:
        return kept(np.max(a), a, None, keepdims)
    if a.ndim == 2:
        return kept(_largest_of_rows(a if axis == 1 else a.T), a, axis, keepdims)
    x = blocks(a, axis)
    best = np.empty((x.shape[0], x.shape[2]), a.dtype)
    for i in range(x.shape[0]):
        best[i] = _largest_of_rows(x[i].T)
    return kept(best.reshape(shape_with(a, axis, None)), a, axis, keepdims)


def _largest_of_rows(a):
    """Return the largest element of each row."""
    best = np.empty(a.shape[0], a.dtype)
    for i in range(a.shape[0]):
        best[i] = np.max(a[i])
    return best


@define("np.min", when=has_several_axes)
def min_over_axes(a, axis=None, *, keepdims=False):
    return _one_by_one(np.min, a, axis, keepdims)


@define("np.min", when=has("axis", "keepdims"))
def min_(a, axis=None, *, keepdims=False):
    return -np.max(-a, axis=axis, keepdims=keepdims)


@define("np.prod", when=has_several_axes, is_analytic=True)
def prod_over_axes(a, axis=None, *, keepdims=False):
    return _one_by_one(np.prod, a, axis, keepdims)


@define("np.prod", when=has("axis", "keepdims"), is_analytic=True)
def prod(a, axis=None, *, keepdims=False):
    if axis is None:
        return np.full(ones(a), np.prod(a))
    axis = axis % a.ndim
    if a.ndim == 1:
        return kept(np.prod(a), a, None, keepdims)
    x = blocks(a, axis)
    total = np.empty((x.shape[0], x.shape[2]), a.dtype)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            product = x[i, 0, j]
            for k in range(1, x.shape[1]):
                product = product * x[i, k, j]
            total[i, j] = product
    return kept(total.reshape(shape_with(a, axis, None)), a, axis, keepdims)


@define("np.ptp")
def ptp(a, axis=None, *, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@define("np.any", when=has("axis", "keepdims"))
def any_(a, axis=None, *, keepdims=False):
    return np.sum(np.where(a, 1, 0), axis=axis, keepdims=keepdims) > 0


@define("np.all", when=has("axis", "keepdims"))
def all_(a, axis=None, *, keepdims=False):
    return np.sum(np.where(a, 0, 1), axis=axis, keepdims=keepdims) == 0


@define("np.average", is_analytic=True)
def average(a, axis=None, weights=None, *, keepdims=False):
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if axis is not None and weights.ndim == 1 and a.ndim > 1:
        weights = np.broadcast_to(weights.reshape(_along(a, axis % a.ndim)), a.shape)
    total = np.sum(a * weights, axis=axis, keepdims=keepdims)
    return total / np.sum(weights, axis=axis, keepdims=keepdims)


def _along(a, axis):
    shape = ()
    for k in AXES:
        if k < a.ndim:
            shape = (*shape, a.shape[k] if k == axis else 1)
    return shape


@define("np.nansum", when=has("axis", "keepdims"), is_analytic=True)
def nansum(a, axis=None, *, keepdims=False):
    return np.sum(np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims)


@define("np.nanmean", is_analytic=True)
def nanmean(a, axis=None, *, keepdims=False):
    number = np.sum(np.where(np.isnan(a), 0.0, 1.0), axis=axis, keepdims=keepdims)
    return np.sum(np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims) / number


@define("np.nanvar", is_analytic=True)
def nanvar(a, axis=None, *, ddof=0, keepdims=False):
    missing = np.isnan(a)
    mean = np.nanmean(a, axis=axis, keepdims=axis is not None)
    centered = np.where(missing, 0.0, np.where(missing, 0.0, a) - mean)
    number = np.sum(np.where(missing, 0.0, 1.0), axis=axis, keepdims=keepdims)
    return np.sum(squares(centered), axis=axis, keepdims=keepdims) / (number - ddof)


@define("np.nanstd", is_analytic=True)
def nanstd(a, axis=None, *, ddof=0, keepdims=False):
    return root(np.nanvar(a, axis=axis, ddof=ddof, keepdims=keepdims))


@define("np.nanmax")
def nanmax(a, axis=None, *, keepdims=False):
    return np.max(np.where(np.isnan(a), -np.inf, a), axis=axis, keepdims=keepdims)


@define("np.nanmin")
def nanmin(a, axis=None, *, keepdims=False):
    return np.min(np.where(np.isnan(a), np.inf, a), axis=axis, keepdims=keepdims)


@define("np.nanprod", is_analytic=True)
def nanprod(a, axis=None, *, keepdims=False):
    return np.prod(np.where(np.isnan(a), 1.0, a), axis=axis, keepdims=keepdims)
