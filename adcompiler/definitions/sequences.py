"""Sequences of numbers: spaced, powers, sorted."""

import numpy as np

from adcompiler.definitions.axes import blocks
from adcompiler.definitions.table import define, has_more_axes


def is_double(given, ranks):
    """The definition is for numbers in double precision."""
    return getattr(given.get("dtype"), "name", "np.float64") in ("np.float64", "float")


@define("np.linspace", when=is_double)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None):
    steps = max(num - 1, 1) if endpoint else num
    step = (stop - start) / steps
    if retstep:
        return start + step * np.arange(num), step
    return start + step * np.arange(num)


@define("np.logspace")
def logspace(start, stop, num=50, endpoint=True, base=10.0):
    return base ** np.linspace(start, stop, num, endpoint)


@define("np.geomspace")
def geomspace(start, stop, num=50, endpoint=True):
    return start * (stop / start) ** np.linspace(0.0, 1.0, num, endpoint)


@define("np.vander")
def vander(x, N=None, increasing=False):  # noqa: N803 - NumPy's name
    n = x.size if N is None else N
    y = np.empty((x.size, n))
    for i in range(x.size):
        power = 1.0
        for k in range(n):
            y[i, k if increasing else n - 1 - k] = power
            power = power * x[i]
    return y


@define("np.partition")
def partition(a, kth):
    return np.sort(a)


@define("np.argsort", when=has_more_axes)
def argsort(a, axis=-1):
    x = blocks(a, axis % a.ndim)
    y = np.empty(x.shape, np.int64)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            y[i, :, j] = np.argsort(x[i, :, j].copy())
    return y.reshape(a.shape)


@define("np.sort", when=has_more_axes)
def sort(a, axis=-1):
    x = blocks(a, axis % a.ndim)
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            y[i, :, j] = np.sort(x[i, :, j].copy())
    return y.reshape(a.shape)
