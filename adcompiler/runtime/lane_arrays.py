"""What compiled code does with whole arrays of lanes, most of it on the numbers that their lanes are."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

import numpy as np
from numba.core import types
from numba.extending import overload, register_jitable

from adcompiler.runtime import plain_lanes as lanes
from adcompiler.runtime.blas import matmul
from adcompiler.runtime.guards import times
from adcompiler.runtime.lane_numbers import LANES
from adcompiler.runtime.plain_lanes import WIDTH, empty, empty_like, numbers, of, spread, zeros


def _has_lanes(kind):
    return getattr(kind, "dtype", kind) == LANES


def beside(value):
    """Return numbers that fit to those of lanes: in compiled code only."""
    raise NotImplementedError


@overload(beside)
def _beside(value):
    if _has_lanes(value):
        return lambda value: numbers(value)
    if isinstance(value, types.Array):
        return lambda value: np.expand_dims(value, -1)
    return lambda value: value


@overload(lanes.add)
def _add(a, b):
    return lambda a, b: of(beside(a) + beside(b))


@overload(lanes.sub)
def _sub(a, b):
    return lambda a, b: of(beside(a) - beside(b))


@overload(lanes.mul)
def _mul(a, b):
    return lambda a, b: of(beside(a) * beside(b))


@overload(lanes.truediv)
def _truediv(a, b):
    return lambda a, b: of(beside(a) / beside(b))


@overload(lanes.neg)
def _neg(a):
    return lambda a: of(-numbers(a))


@overload(lanes.times)
def _times(d, slope):
    if isinstance(d, types.Array) or isinstance(slope, types.Array):
        return lambda d, slope: of(times(beside(d), beside(slope)))
    return None


@overload(lanes.add_to)
def _add_to(array, part):
    def add(array, part):
        whole = numbers(array)
        whole += beside(part)

    return add


@overload(lanes.full)
def _full(shape, value):
    def fill(shape, value):
        found = empty(shape)
        found[...] = value
        return found

    return fill


@overload(lanes.full_like)
def _full_like(array, value):
    def fill(array, value):
        found = empty_like(array)
        found[...] = value
        return found

    return fill


@overload(lanes.longer)
def _longer(stack):
    def copy(stack):
        found = empty(2 * len(stack))
        found[: len(stack)] = stack
        return found

    return copy


@overload(lanes.matmul)
def _matmul(a, b):
    if not _has_lanes(a):
        return _of_rows if b.ndim == 1 else _of_matrices
    if not _has_lanes(b):
        return {(1, 1): _dot, (2, 1): _times_vector, (1, 2): _vector_times}.get((a.ndim, b.ndim), _product)
    return None


def _of_rows(a, b):
    return of(matmul(np.ascontiguousarray(a), np.ascontiguousarray(numbers(b))))


def _of_matrices(a, b):
    n, p = b.shape
    rows = np.ascontiguousarray(numbers(b)).reshape((n, p * WIDTH))
    found = matmul(np.ascontiguousarray(a), rows)
    return of(found.reshape(a.shape[:-1] + (p, WIDTH)))  # noqa: RUF005


def _dot(a, b):
    _check(len(a), len(b))
    total = spread(0.0)
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


def _times_vector(a, b):
    _check(a.shape[1], len(b))
    found = zeros(a.shape[0])
    for i in range(a.shape[0]):
        for k in range(len(b)):
            found[i] += a[i, k] * b[k]
    return found


def _vector_times(a, b):
    _check(len(a), b.shape[0])
    found = zeros(b.shape[1])
    for k in range(len(a)):
        for j in range(b.shape[1]):
            found[j] += a[k] * b[k, j]
    return found


def _product(a, b):
    _check(a.shape[1], b.shape[0])
    found = zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                found[i, j] += a[i, k] * b[k, j]
    return found


@register_jitable
def _check(one, two):
    if one != two:
        raise ValueError("arrays that are multiplied do not fit: the sizes of which sums are formed differ")
