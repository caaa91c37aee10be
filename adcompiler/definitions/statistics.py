"""Order statistics, covariances, interpolation and histograms."""

import numpy as np

from adcompiler.custom import stop_gradient
from adcompiler.definitions.axes import blocks, shape_with
from adcompiler.definitions.common import conjugate, empty, number, real, zeros
from adcompiler.definitions.table import define


@define("np.median")
def median(a, axis=None):
    if axis is None or a.ndim == 1:
        return _at(np.sort(np.ravel(a)), 0.5)
    return np.quantile(a, 0.5, axis=axis)


@define("np.percentile")
def percentile(a, q, axis=None):
    return np.quantile(a, q / 100.0, axis=axis)


@define("np.quantile")
def quantile(a, q, axis=None):
    if axis is None or a.ndim == 1:
        ordered = np.sort(np.ravel(a))
        if q.ndim == 0:
            return _at(ordered, q)
        y = np.empty(q.size)
        for k in range(q.size):
            y[k] = _at(ordered, q[k])
        return y
    x = blocks(a, axis % a.ndim)
    z = np.empty((x.shape[0], x.shape[2]))
    for i in range(x.shape[0]):
        for j in range(x.shape[2]):
            z[i, j] = _at(np.sort(x[i, :, j].copy()), q)
    return z.reshape(shape_with(a, axis % a.ndim, None))


def _at(ordered, q):
    """Return the element at a fraction of the way through, between two elements by a straight line."""
    if ordered.size == 0:
        return np.nan
    place = q * (ordered.size - 1)
    if ordered[-1] != ordered[-1]:  # NaN is sorted to the end
        return ordered[-1]
    low = min(int(place), ordered.size - 1)
    high = min(low + 1, ordered.size - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


@define("np.nanmedian")
def nanmedian(a):
    flat = np.ravel(a)
    return np.median(flat[~np.isnan(flat)])


@define("np.nanpercentile")
def nanpercentile(a, q):
    flat = np.ravel(a)
    return np.percentile(flat[~np.isnan(flat)], q)


@define("np.nanquantile")
def nanquantile(a, q):
    flat = np.ravel(a)
    return np.quantile(flat[~np.isnan(flat)], q)


@define("np.cov", is_analytic=True)
def cov(m, y=None, rowvar=True, bias=False, ddof=None):
    rows = m[None, :] if m.ndim == 1 else m if rowvar else m.T
    if y is not None:
        more = y[None, :] if y.ndim == 1 else y if rowvar else y.T
        rows = np.concatenate((rows, more))
    lost = ddof if ddof is not None else 0 if bias else 1
    centered = rows - np.mean(rows, axis=1, keepdims=True)
    products = centered @ conjugate(centered.T) / (rows.shape[1] - lost)
    if m.ndim == 1 and y is None:
        return products[0, 0]
    return products


@define("np.corrcoef", is_analytic=True)
def corrcoef(x, y=None, rowvar=True):
    if x.ndim == 1 and y is None:
        return number(1.0, x)
    products = np.cov(x, y, rowvar)
    deviations = np.sqrt(real(np.diag(products)))
    return products / deviations[:, None] / deviations[None, :]


@define("np.interp", reals=("x", "xp"))
def interp(x, xp, fp, left=None, right=None):
    assert xp.size == fp.size, "fp and xp are not of the same length"
    if x.ndim == 0:
        return _interpolated(x, xp, fp, fp[0] if left is None else left, fp[-1] if right is None else right)
    flat = np.ravel(x)
    y = empty(x.size, fp)
    for k in range(x.size):
        first, last = fp[0] if left is None else left, fp[-1] if right is None else right
        y[k] = _interpolated(flat[k], xp, fp, first, last)
    return y.reshape(x.shape)


def _interpolated(x, xp, fp, left, right):
    y = number(x, fp[0])  # NaN
    if x < xp[0]:
        y = left
    elif x > xp[-1]:
        y = right
    elif x == xp[-1]:
        y = fp[-1]
    elif x == x:
        k = np.searchsorted(xp, x, side="right") - 1
        y = fp[k] + (x - xp[k]) * ((fp[k + 1] - fp[k]) / (xp[k + 1] - xp[k]))
    return y


@define("np.bincount")
def bincount(x, weights=None, minlength=0):
    count = max(np.max(x) + 1, minlength)
    if weights is None:
        tally = np.zeros(count, np.int64)
        for k in range(x.size):
            tally[x[k]] += 1
        return tally
    assert weights.size == x.size, "the weights and list don't have the same length"
    total = np.zeros(count)
    for k in range(x.size):
        total[x[k]] += weights[k]
    return total


@define("np.histogram", reals=("a", "bins", "range"))
def histogram(a, bins=10, range=None, density=False, weights=None):
    flat = np.ravel(a)
    if bins.ndim == 0:
        low, high = _limits(flat) if range is None else range
        edges = np.linspace(low, high, bins + 1)
    else:
        low, high, edges = bins[0], bins[-1], bins
    tally = np.zeros(edges.size - 1, np.int64) if weights is None else zeros(edges.size - 1, weights)
    heights = np.ones(flat.size, np.int64) if weights is None else np.ravel(weights)
    assert heights.size == flat.size, "weights should have the same shape as a"
    for k, place in enumerate(flat):
        if low <= place <= high:
            if bins.ndim == 0:
                tally[_equal_bin(place, edges)] += heights[k]
            else:
                tally[min(np.searchsorted(edges, place, side="right"), edges.size - 1) - 1] += heights[k]
    if density:
        return tally / (np.sum(tally) * np.diff(edges)), edges
    return tally, edges


def _equal_bin(place, edges):
    """Return which of equally wide bins a number is in: by its distance, then by the edges as they are."""
    count = edges.size - 1
    k = min(int((place - edges[0]) / (edges[-1] - edges[0]) * count), count - 1)
    if place < edges[k]:
        k -= 1
    elif k < count - 1 and place >= edges[k + 1]:
        k += 1
    return k


def _limits(flat):
    low, high = np.min(flat), np.max(flat)
    return (low - 0.5, high + 0.5) if low == high else (low, high)


@define("special.logsumexp")
def logsumexp(a, axis=None, b=None, keepdims=False):
    if axis is None and not keepdims:
        top = stop_gradient(np.max(a))  # whatever is taken out, the result is the same
        shift = top if top != -np.inf else 0.0
        terms = np.exp(a - shift) if b is None else b * np.exp(a - shift)
        total = np.sum(terms)
        return np.log(total if top != -np.inf else 1.0) + top
    top = stop_gradient(np.max(a, axis=axis, keepdims=True))
    shift = np.where(top != -np.inf, top, 0.0)
    terms = np.exp(a - shift) if b is None else b * np.exp(a - shift)
    sums = np.sum(terms, axis=axis, keepdims=True)
    total = np.log(np.where(top != -np.inf, sums, 1.0)) + top
    return total if keepdims else np.sum(total, axis=axis)


@define("special.softmax")
def softmax(x, axis=None):
    if axis is None:
        terms = np.exp(x - stop_gradient(np.max(x)))
        return terms / np.sum(terms)
    terms = np.exp(x - stop_gradient(np.max(x, axis=axis, keepdims=True)))
    return terms / np.sum(terms, axis=axis, keepdims=True)


@define("special.log_softmax")
def log_softmax(x, axis=None):
    if axis is None:
        lowered = x - stop_gradient(np.max(x))
        return lowered - np.log(np.sum(np.exp(lowered)))
    lowered = x - stop_gradient(np.max(x, axis=axis, keepdims=True))
    return lowered - np.log(np.sum(np.exp(lowered), axis=axis, keepdims=True))
