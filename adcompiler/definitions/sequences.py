"""Sequences of numbers: spaced, powers, sorted."""

import math

import numpy as np

from adcompiler.definitions.axes import blocks
from adcompiler.definitions.common import empty, number
from adcompiler.definitions.table import define, has, has_more_axes


def is_double(given, ranks):
    """The definition is for numbers in double precision."""
    return getattr(given.get("dtype"), "name", "np.float64") in ("np.float64", "float")


def has_no_dtype(given, ranks):
    """The definition is for what has the type of its arguments."""
    return given.get("dtype") is None


@define("np.linspace", when=is_double)
@define("np.linspace", when=has_no_dtype, is_analytic=True)  # the lower one comes first
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None):
    steps = max(num - 1, 1) if endpoint else num
    step = (stop - start) / steps
    if retstep:
        return start + step * np.arange(num), step
    return start + step * np.arange(num)


@define("np.logspace", is_analytic=True)
def logspace(start, stop, num=50, endpoint=True, base=10.0):
    return base ** np.linspace(start, stop, num, endpoint)


@define("np.geomspace", is_analytic=True)
def geomspace(start, stop, num=50, endpoint=True):
    return start * (stop / start) ** np.linspace(0.0, 1.0, num, endpoint)


@define("np.vander", is_analytic=True)
def vander(x, N=None, increasing=False):  # noqa: N803 - NumPy's name
    n = x.size if N is None else N
    y = empty((x.size, n), x)
    for i in range(x.size):
        power = 1.0
        for k in range(n):
            y[i, k if increasing else n - 1 - k] = power
            power = power * x[i]
    return y


@define("np.polyval", is_analytic=True)
def polyval(p, x):
    y = number(x * 0.0, p)
    for k in range(p.size):
        y = y * x + p[k]
    return y


@define("np.polyder", is_analytic=True)
def polyder(p):
    return p[:-1] * np.arange(p.size - 1, 0, -1)


@define("math.hypot", when=has("z"))
def hypot(x, y, z):
    return math.hypot(math.hypot(x, y), z)


@define("math.dist")
def dist(p, q):
    total = 0.0
    for a, b in zip(p, q):
        total = total + (a - b) ** 2
    return math.sqrt(total)


@define("math.factorial")
def factorial(n):
    assert n >= 0 and n <= 20, "whole numbers of 64 bits hold factorials of 0 to 20"
    product = 1
    for k in range(2, n + 1):
        product = product * k
    return product


@define("math.comb")
def comb(n, k):
    assert n >= 0 and k >= 0, "math.comb of what is negative"
    count = 1
    for i in range(k):
        assert count == 0 or n - i <= 9223372036854775807 // count, "more than whole numbers of 64 bits hold"
        count = count * (n - i) // (i + 1)
    return count


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


@define("np.sort", when=has("kind"))
def sort_by_kind(a, axis=-1, kind=None):
    return np.sort(a, axis)


@define("np.sort", when=has_more_axes)
def sort(a, axis=-1):
    x = blocks(a, axis % a.ndim)
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            y[i, :, j] = np.sort(x[i, :, j].copy())
    return y.reshape(a.shape)
