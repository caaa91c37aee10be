"""Arrays put together and taken apart: repeated, picked, padded, split."""

import numpy as np

from adcompiler.definitions.axes import blocks, shape_with
from adcompiler.definitions.common import number, within
from adcompiler.definitions.table import Given, Ranks, define, has, refuse


@define("np.repeat", is_analytic=True)
def repeat(a, repeats, axis=None):
    x = np.ravel(a) if axis is None or a.ndim == 1 else blocks(a, axis % a.ndim)
    if x.ndim == 1:
        if repeats.ndim == 1:
            return _repeat_each(x, repeats)
        y = np.empty(x.size * repeats, a.dtype)
        for k in range(x.size):
            for i in range(repeats):
                y[k * repeats + i] = x[k]
        return y
    if repeats.ndim == 1:
        refuse("np.repeat with as many counts as elements along an axis")
    y = np.empty((x.shape[0], x.shape[1] * repeats, x.shape[2]), a.dtype)
    for k in range(x.shape[1]):
        for i in range(repeats):
            y[:, k * repeats + i, :] = x[:, k, :]
    return y.reshape(shape_with(a, axis % a.ndim, a.shape[axis] * repeats))


def _repeat_each(x, repeats):
    y = np.empty(np.sum(repeats), x.dtype)
    place = 0
    for k in range(x.size):
        for _ in range(repeats[k]):
            y[place] = x[k]
            place += 1
    return y


def _is_tuple(given: Given, ranks: Ranks) -> bool:
    return isinstance(given.get("reps"), tuple)


@define("np.tile", when=_is_tuple, is_analytic=True)
def tile_axes(A, reps):  # noqa: N803 - NumPy's name
    if A.ndim == 1 and len(reps) == 1:
        return np.tile(A, reps[0])
    if A.ndim > 2 or len(reps) != 2:
        refuse("np.tile other than of a vector, or of a matrix along two axes")
    x = A[None, :] if A.ndim == 1 else A
    n, m = x.shape
    y = np.empty((n * reps[0], m * reps[1]), A.dtype)
    for i in range(reps[0]):
        for j in range(reps[1]):
            y[i * n : (i + 1) * n, j * m : (j + 1) * m] = x
    return y


@define("np.tile", is_analytic=True)
def tile(A, reps):  # noqa: N803 - NumPy's name
    if A.ndim > 1:
        return np.tile(A, (1, reps))
    y = np.empty(A.size * reps, A.dtype)
    for i in range(reps):
        y[i * A.size : (i + 1) * A.size] = A
    return y


@define("np.append", is_analytic=True)
def append(arr, values, axis=None):
    if axis is None:
        first = np.full(1, arr) if arr.ndim == 0 else np.ravel(arr)
        return np.concatenate((first, np.full(1, values) if values.ndim == 0 else np.ravel(values)))
    return np.concatenate((arr, values), axis=axis)


@define("np.delete", is_analytic=True)
def delete(arr, obj):
    flat = np.ravel(arr)
    place = obj % flat.size
    return np.concatenate((flat[:place], flat[place + 1 :]))


@define("np.take", is_analytic=True)
def take(a, indices, axis=None):
    if axis is None or a.ndim == 1:
        flat = np.ravel(a)
        if indices.ndim < 2:
            return flat[indices]
        return flat[np.ravel(indices)].reshape(indices.shape)
    axis = axis % a.ndim
    x = blocks(a, axis)
    if indices.ndim == 0:
        return x[:, indices, :].copy().reshape(shape_with(a, axis, None))
    if indices.ndim > 1:
        refuse("np.take along an axis with more than one axis of indices")
    y = np.empty((x.shape[0], indices.size, x.shape[2]), a.dtype)
    for k in range(indices.size):
        y[:, k, :] = x[:, indices[k], :]
    return y.reshape(shape_with(a, axis, indices.size))


@define("np.take_along_axis", is_analytic=True)
def take_along_axis(arr, indices, axis):
    axis = axis % arr.ndim
    x, places = blocks(arr, axis), blocks(indices, axis)
    y = np.empty(places.shape, arr.dtype)
    for i in range(places.shape[0]):
        for k in range(places.shape[1]):
            for j in range(places.shape[2]):
                y[i, k, j] = x[i, places[i, k, j], j]
    return y.reshape(indices.shape)


@define("np.compress", is_analytic=True)
def compress(condition, a):
    return np.ravel(a)[condition]


@define("np.extract", is_analytic=True)
def extract(condition, arr):
    return np.ravel(arr)[np.ravel(condition)]


@define("np.select", is_analytic=True)
def select(condlist, choicelist, default=0.0):
    count = len(condlist)
    chosen = np.where(condlist[count - 1], choicelist[count - 1], default)
    for k in (1, 2, 3, 4, 5, 6, 7, 8, 9):
        if k < count:
            chosen = np.where(condlist[count - 1 - k], choicelist[count - 1 - k], chosen)
    return chosen


@define("np.meshgrid", is_analytic=True)
def meshgrid(x, y, indexing="xy"):
    if indexing == "ij":
        shape = (x.size, y.size)
        return np.zeros(shape, x.dtype) + x[:, None], np.zeros(shape, y.dtype) + y[None, :]
    shape = (y.size, x.size)
    return np.zeros(shape, x.dtype) + x[None, :], np.zeros(shape, y.dtype) + y[:, None]


@define("np.fill_diagonal", is_analytic=True)
def fill_diagonal(a, val):
    for i in range(min(a.shape[0], a.shape[1])):
        a[i, i] = val


@define("np.nan_to_num", when=has("nan", "posinf", "neginf"))
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    y = np.where(np.isnan(x), nan, np.nan_to_num(x))
    if posinf is not None:
        y = np.where(x == np.inf, posinf, y)
    if neginf is not None:
        y = np.where(x == -np.inf, neginf, y)
    return y


@define("np.dstack", is_analytic=True)
def dstack(tup):
    if tup[0].ndim == 1:
        return np.stack(tup, axis=1)[None]
    if tup[0].ndim == 2:
        return np.stack(tup, axis=2)
    return np.concatenate(tup, axis=2)


@define("np.pad", is_analytic=True)
def pad(array, pad_width, mode="constant", constant_values=0.0):
    if array.ndim == 1:
        return _pad_vector(array, *_widths(pad_width, 0, 1), mode, constant_values)
    if array.ndim > 2:
        refuse("np.pad of arrays with more than two axes")
    above, below = _widths(pad_width, 0, 2)
    left, right = _widths(pad_width, 1, 2)
    n, m = array.shape
    y = np.full((above + n + below, left + m + right), number(within(constant_values, array) + 0.0, array))
    for i in range(y.shape[0]):
        row = _source(i - above, n, mode)
        for j in range(y.shape[1]):
            column = _source(j - left, m, mode)
            if row >= 0 and column >= 0:
                y[i, j] = array[row, column]
    return y


def _widths(pad_width, axis, axes):
    """Return how much is added before and after an axis, given a number, a pair, or a pair for each axis."""
    if not isinstance(pad_width, tuple):
        return pad_width, pad_width
    if isinstance(pad_width[0], tuple):
        return pad_width[axis % len(pad_width)]
    return (pad_width[0], pad_width[0]) if len(pad_width) == 1 else pad_width


def _pad_vector(array, before, after, mode, constant_values):
    y = np.full(before + array.size + after, number(within(constant_values, array) + 0.0, array))
    for i in range(y.size):
        place = _source(i - before, array.size, mode)
        if place >= 0:
            y[i] = array[place]
    return y


def _source(place, size, mode):
    """Return the element that stands at a place beyond the end, or -1 for the constant."""
    if mode == "constant":
        return place if place >= 0 and place < size else -1
    if mode == "edge":
        return min(max(place, 0), size - 1)
    if mode == "wrap":
        return place % size
    if mode == "reflect":
        period = max(2 * size - 2, 1)
        return min(place % period, period - place % period)
    if mode == "symmetric":
        return min(place % (2 * size), 2 * size - 1 - place % (2 * size))
    return refuse("np.pad in a mode other than constant, edge, wrap, reflect and symmetric")


def _cut(a, start, stop, axis):
    if axis == 0:
        return a[start:stop]
    if axis == 1:
        return a[:, start:stop]
    if axis == 2:
        return a[:, :, start:stop]
    return refuse("np.split along more than three axes")


def _is_count(given: Given, ranks: Ranks) -> bool:
    return isinstance(given.get("indices_or_sections"), int)


def _are_places(given: Given, ranks: Ranks) -> bool:
    return isinstance(given.get("indices_or_sections"), tuple)


@define("np.split", "np.array_split", when=_is_count, is_analytic=True)
def split(ary, indices_or_sections, axis=0):
    n, sections = ary.shape[axis], indices_or_sections
    parts = ()
    for k in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15):
        if k < sections:  # the first parts are longer by one where the rest is not zero
            start = k * (n // sections) + min(k, n % sections)
            stop = (k + 1) * (n // sections) + min(k + 1, n % sections)
            parts = (*parts, _cut(ary, start, stop, axis % ary.ndim))
    if sections > 16:
        refuse("np.split into more than 16 parts")
    return parts


@define("np.split", "np.array_split", when=_are_places, is_analytic=True)
def split_at(ary, indices_or_sections, axis=0):
    parts = ()
    start = 0
    for stop in indices_or_sections:
        parts = (*parts, _cut(ary, start, stop, axis % ary.ndim))
        start = stop
    return (*parts, _cut(ary, start, ary.shape[axis], axis % ary.ndim))


@define("np.hsplit", is_analytic=True)
def hsplit(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=min(1, ary.ndim - 1))


@define("np.vsplit", is_analytic=True)
def vsplit(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=0)


@define("np.dsplit", is_analytic=True)
def dsplit(ary, indices_or_sections):
    return np.split(ary, indices_or_sections, axis=2)
