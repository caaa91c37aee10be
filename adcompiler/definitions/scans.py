"""Running sums and products, and differences."""

import numpy as np

from adcompiler.definitions.axes import blocks
from adcompiler.definitions.common import within
from adcompiler.definitions.table import Given, Ranks, define, has_more_axes, refuse


def _along_axis(given: Given, ranks: Ranks) -> bool:
    return has_more_axes(given, ranks) or given.get("axis") is not None


@define("np.cumsum", when=_along_axis, is_analytic=True)
def cumsum(a, axis=None):
    if axis is None or a.ndim == 1:
        return np.cumsum(np.ravel(a))
    x = blocks(a, axis % a.ndim)
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            total = 0.0
            for k in range(x.shape[1]):
                total = total + x[i, k, j]
                y[i, k, j] = total
    return y.reshape(a.shape)


@define("np.cumprod", is_analytic=True)
def cumprod(a, axis=None):
    if axis is None and a.ndim > 1:
        return np.cumprod(np.ravel(a))
    if a.ndim == 1:
        y = np.empty_like(a)
        product = 1.0
        for k in range(a.size):
            product = product * a[k]
            y[k] = product
        return y
    x = blocks(a, axis % a.ndim)
    z = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            product = 1.0
            for k in range(x.shape[1]):
                product = product * x[i, k, j]
                z[i, k, j] = product
    return z.reshape(a.shape)


@define("np.gradient", is_analytic=True)
def gradient(f, h=1.0, k=None, *, axis=None):
    if f.ndim > 2:
        refuse("np.gradient of more than two axes")
    if f.ndim == 1:
        return _slopes_at(f, within(h, f)) if h.ndim == 1 else _slopes(f, within(h, f))
    if h.ndim == 1:
        refuse("np.gradient of a matrix at places of their own")
    if axis is None:
        return _slopes(f, within(h, f)), _slopes(f.T, within(h if k is None else k, f)).T
    return _slopes(f, within(h, f)) if axis % 2 == 0 else _slopes(f.T, within(h, f)).T


def _slopes(f, h):
    assert len(f) > 1, "np.gradient of one place"
    y = f / h
    y[1:-1] = (f[2:] - f[:-2]) / (2 * h)
    y[0] = (f[1] - f[0]) / h
    y[-1] = (f[-1] - f[-2]) / h
    return y


def _slopes_at(f, x):
    assert f.size > 1 and f.size == x.size, "np.gradient needs two places, and a number at each"
    y = f / 1.0
    for k in range(1, f.size - 1):
        before, after = x[k] - x[k - 1], x[k + 1] - x[k]
        inner = before**2 * f[k + 1] + (after**2 - before**2) * f[k] - after**2 * f[k - 1]
        y[k] = inner / (before * after * (before + after))
    y[0] = (f[1] - f[0]) / (x[1] - x[0])
    y[-1] = (f[-1] - f[-2]) / (x[-1] - x[-2])
    return y


@define("np.nancumsum", is_analytic=True)
def nancumsum(a, axis=None):
    return np.cumsum(np.where(np.isnan(a), 0.0, a), axis=axis)


@define("np.nancumprod", is_analytic=True)
def nancumprod(a, axis=None):
    return np.cumprod(np.where(np.isnan(a), 1.0, a), axis=axis)


@define("np.diff", is_analytic=True)
def diff(a, n=1, axis=-1):
    if n > 6:
        refuse("np.diff of an order greater than 6")
    axis = axis % a.ndim
    for k in (0, 1, 2, 3, 4, 5):
        if k < n:
            if axis == a.ndim - 1:
                a = a[..., 1:] - a[..., :-1]
            elif axis == 0:
                a = a[1:] - a[:-1]
            else:
                a = a[:, 1:] - a[:, :-1]
    return a


@define("np.ediff1d", is_analytic=True)
def ediff1d(ary, to_end=None, to_begin=None):
    steps = np.diff(np.ravel(ary))
    if to_begin is not None:
        steps = np.append(to_begin, steps)
    if to_end is not None:
        steps = np.append(steps, to_end)
    return steps


@define("np.trapezoid", "np.trapz", is_analytic=True)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    axis = axis % y.ndim
    if x is None:
        steps = dx
    elif x.ndim == y.ndim:
        steps = np.diff(x, axis=axis)
    elif axis == y.ndim - 1:
        steps = x[1:] - x[:-1]
    elif axis == 0 and y.ndim == 2:
        steps = (x[1:] - x[:-1])[:, None]
    else:
        steps = refuse("np.trapezoid over points along an axis in the middle")
    if axis == y.ndim - 1:
        means = 0.5 * (y[..., 1:] + y[..., :-1])
    elif axis == 0:
        means = 0.5 * (y[1:] + y[:-1])
    else:
        means = 0.5 * (y[:, 1:] + y[:, :-1])
    return np.sum(means * steps, axis=None if y.ndim == 1 else axis)
