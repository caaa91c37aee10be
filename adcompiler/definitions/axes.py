"""What definitions along an axis have in common: an array as blocks before, along and after that axis."""

import numpy as np

from adcompiler.definitions.common import conjugate, real

AXES = (0, 1, 2, 3, 4, 5)


def blocks(a, axis):
    """Return a view or copy with three axes: those before the axis, the axis itself, and those after it."""
    before, after = 1, 1
    for k in AXES:
        if k < axis:
            before = before * a.shape[k]
        elif axis < k and k < a.ndim:
            after = after * a.shape[k]
    return np.ascontiguousarray(a).reshape((before, a.shape[axis], after))


def shape_with(a, axis, size):
    """Return the shape of an array with another size along one axis; None leaves the axis out."""
    shape = ()
    for k in AXES:
        if k < a.ndim and k != axis:
            shape = (*shape, a.shape[k])
        elif k == axis and size is not None:
            shape = (*shape, size)
    return shape


def kept(total, a, axis, keepdims):
    """Give what a reduction returns the axes that it has under `keepdims`."""
    if keepdims and axis is None:
        return np.full(ones(a), total)
    return np.expand_dims(total.copy(), axis) if keepdims else total


def squares(x):
    """Return the squares of the moduli of numbers."""
    return real(x * conjugate(x))


def root(total):
    """Return the root of a sum of squares; at the origin, its slope is the mean of all directions: zero."""
    if total.ndim == 0:
        return np.sqrt(total) if total != 0.0 else 0.0
    return np.where(total == 0.0, 0.0, np.sqrt(np.where(total == 0.0, 1.0, total)))


def ones(a):
    """Return the shape of one element with the axes of `a`."""
    shape = ()
    for k in AXES:
        if k < a.ndim:
            shape = (*shape, 1)
    return shape
