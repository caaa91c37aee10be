"""Methods of NumPy's elementwise functions: `np.add.at`, `np.subtract.outer`, `np.maximum.accumulate`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from adcompiler.definitions.table import define, refuse

# places that are named by an array of integers, or by one for each axis


@define("np.add.at", is_analytic=True)
def add_at(a, indices, b):
    if isinstance(indices, tuple):
        rows, columns = _two(indices)
        assert len(rows) == len(columns) and (b.ndim == 0 or len(b) == len(rows))
        for k in range(len(rows)):
            a[rows[k], columns[k]] += b if b.ndim == 0 else b[k]
    else:
        if indices.ndim != 1:
            refuse("'at' with indices other than a vector of them")
        assert b.ndim < a.ndim or len(b) == len(indices)
        for k in range(len(indices)):
            a[indices[k]] += b if b.ndim < a.ndim else b[k]


@define("np.subtract.at", is_analytic=True)
def subtract_at(a, indices, b):
    np.add.at(a, indices, -b)


def _two(indices):
    if len(indices) != 2 or indices[0].ndim != 1 or indices[1].ndim != 1:
        refuse("'at' with indices other than a vector of them, or two for a matrix")
    return indices


# pairs


def outer(of: Callable[..., Any]) -> Callable[..., Any]:
    """Return the definition of `np.subtract.outer` and its like."""

    def pairs(a, b):
        if b.ndim == 0:
            return of(a, b)
        if b.ndim > 2:
            refuse("'outer' with more than two axes in the second array")
        return of(a[..., None], b) if b.ndim == 1 else of(a[..., None, None], b)

    return pairs


for _name in ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "hypot", "arctan2"):
    define(f"np.{_name}.outer", is_analytic=_name in ("add", "subtract", "multiply", "divide", "power"))(
        outer(getattr(np, _name))
    )

# reductions, which go along the first axis if none is named


@define("np.add.reduce", is_analytic=True)
def add_reduce(array, axis=0, *, keepdims=False):
    return np.sum(array, axis=axis, keepdims=keepdims)


@define("np.multiply.reduce", is_analytic=True)
def multiply_reduce(array, axis=0, *, keepdims=False):
    return np.prod(array, axis=axis, keepdims=keepdims)


@define("np.maximum.reduce")
def maximum_reduce(array, axis=0, *, keepdims=False):
    return np.max(array, axis=axis, keepdims=keepdims)


@define("np.minimum.reduce")
def minimum_reduce(array, axis=0, *, keepdims=False):
    return np.min(array, axis=axis, keepdims=keepdims)


@define("np.add.reduceat", is_analytic=True)
def add_reduceat(array, indices):
    if array.ndim > 1:
        refuse("'reduceat' of more than one axis")
    y = np.empty(len(indices), array.dtype)
    for k in range(len(indices)):
        stop = indices[k + 1] if k + 1 < len(indices) else array.size
        y[k] = np.sum(array[indices[k] : stop]) if stop > indices[k] else array[indices[k]]
    return y


# what is so far


@define("np.add.accumulate", is_analytic=True)
def add_accumulate(array, axis=0):
    return np.cumsum(array, axis=axis)


@define("np.multiply.accumulate", is_analytic=True)
def multiply_accumulate(array, axis=0):
    return np.cumprod(array, axis=axis)


def running(of: Callable[..., Any]) -> Callable[..., Any]:
    """Return the definition of `np.maximum.accumulate` and its like."""

    def accumulate(array, axis=0):
        if array.ndim > 2:
            refuse("'accumulate' of more than two axes")
        y = array.copy()
        along = y if axis % array.ndim == 0 else y.T
        for k in range(1, len(along)):
            along[k] = of(along[k - 1], along[k])
        return y

    return accumulate


define("np.maximum.accumulate")(running(np.maximum))
define("np.minimum.accumulate")(running(np.minimum))
