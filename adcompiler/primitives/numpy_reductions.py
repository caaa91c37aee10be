"""Sums, extrema, products and other reductions; scans and sorting."""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Vanishes
from adcompiler.primitives.deck import RANKS, enter, jvp, vjp

_REDUCTION: dict[str, Any] = {"follows": Follows.REDUCED, "takes_array": True}
_LINEAR: dict[str, Any] = {"is_linear": True, "is_analytic": True} | _REDUCTION
enter("np.sum", hint="total", method="sum", vanishes=Vanishes.WITH_FIRST, example="np.sum(v)", **_LINEAR)
enter("np.mean", method="mean", example="np.mean(v)", **_LINEAR)
enter("np.max", hint="larger", also="np.amax", method="max", example="np.max(v)", **_REDUCTION)
enter("np.min", hint="smaller", also="np.amin", method="min", example="np.min(v)", **_REDUCTION)
enter("np.prod", method="prod", is_analytic=True, example="np.prod(v)", **_REDUCTION)
enter("np.std", method="std", holds_for_complex=True, example="np.std(v)", **_REDUCTION)
enter("np.var", method="var", holds_for_complex=True, example="np.var(v)", **_REDUCTION)
enter("np.ptp", method="ptp", **_REDUCTION)
enter("np.median", **_REDUCTION)
enter("np.nansum", is_analytic=True, is_choice=True, example="np.nansum(v)", **_REDUCTION)
enter("np.nanmax np.nanmin np.nanprod", is_choice=True)
enter("np.nanmean np.average np.convolve", takes_array=True)
enter("np.take", method="take", is_choice=True)
_COUNT: dict[str, Any] = {"is_constant": True} | _REDUCTION
enter("np.any", method="any", **_COUNT)
enter("np.all", method="all", **_COUNT)
enter("np.argmax", method="argmax", example="np.argmax(v)", **_COUNT)
enter("np.argmin", method="argmin", example="np.argmin(v)", **_COUNT)
enter("np.count_nonzero", follows=Follows.REDUCED, is_constant=True)

# scans and order

enter(
    "np.cumsum",
    in_sets="sets.accumulated",
    also="np.cumulative_sum",
    method="cumsum",
    follows=Follows.SAME_RANK,
    takes_array=True,
    is_analytic=True,
    is_linear=True,
    example="np.cumsum(v)",
)
enter("np.cumprod", method="cumprod", follows=Follows.SAME_RANK, takes_array=True)
enter("np.sort", follows=Follows.SAME_RANK, takes_array=True, example="np.sort(v)")
enter(
    "np.argsort",
    method="argsort",
    follows=Follows.SAME_RANK,
    takes_array=True,
    is_constant=True,
    example="np.argsort(v)",
)
enter("np.searchsorted", method="searchsorted", takes_array=True, is_constant=True)
enter("np.bincount np.ediff1d", follows=Follows.VECTOR)
enter("np.flatnonzero", follows=Follows.VECTOR, is_constant=True, example="np.flatnonzero(b)")
enter("np.nonzero", method="nonzero", is_constant=True)
enter("np.histogram np.unravel_index np.broadcast_shapes np.digitize np.argpartition", is_constant=True)
enter("np.allclose np.isclose np.array_equal np.array_equiv np.isin np.in1d", is_constant=True)
enter("np.iscomplexobj np.isrealobj np.nanargmax np.nanargmin np.ndindex np.ndenumerate", is_constant=True)
enter("np.indices np.bartlett np.blackman np.hamming np.hanning np.kaiser", is_constant=True)
enter(
    "np.argwhere np.tril_indices np.triu_indices np.tril_indices_from np.triu_indices_from", is_constant=True
)
enter("np.diag_indices np.diag_indices_from np.mask_indices", is_constant=True)


def sum_all(x, y, d):
    return d


def sum_axis_0(x, y, d):
    return d


def sum_axis_1(x, y, d):
    return np.expand_dims(d, 1)


def sum_axis_2(x, y, d):
    return np.expand_dims(d, 2)


def sum_axis_3(x, y, d):
    return np.expand_dims(d, 3)


def sum_axis_4(x, y, d):
    return np.expand_dims(d, 4)


def sum_axis_5(x, y, d):
    return np.expand_dims(d, 5)


vjp("np.sum", 0)(sum_all)
for _rank in RANKS:
    vjp("np.sum", _rank, broadcasts=True)(sum_all)
    for _axis, _rule in enumerate((sum_axis_0, sum_axis_1, sum_axis_2, sum_axis_3, sum_axis_4, sum_axis_5)):
        if _axis < _rank:
            vjp("np.sum", _rank, axis=_axis, broadcasts=True)(_rule)


def mean_all(x, y, d):
    return d / x.size


def extremum(x, y, d):
    chosen = np.where(x == y, 1.0, 0.0)
    return d * chosen / np.sum(chosen)


def extremum_tangent(x, y, t):
    chosen = np.where(x == y, 1.0, 0.0)
    return np.sum(chosen * t) / np.sum(chosen)


def variance(x, y, d):
    return 2.0 * d / x.size * np.conj(x - np.mean(x))


def variance_tangent(x, y, t):
    return 2.0 / x.size * np.sum(np.real(np.conj(x - np.mean(x)) * t))


def deviation(x, y, d):
    scale = d / (x.size * y) if y > 0.0 else 0.0
    return scale * np.conj(x - np.mean(x))


def deviation_tangent(x, y, t):
    scale = 1.0 / (x.size * y) if y > 0.0 else 0.0
    return scale * np.sum(np.real(np.conj(x - np.mean(x)) * t))


for _rank in RANKS:
    vjp("np.mean", _rank, broadcasts=True)(mean_all)
    vjp("np.max np.min", _rank)(extremum)
    vjp("np.var", _rank)(variance)
    vjp("np.std", _rank)(deviation)
    jvp("np.max np.min", _rank)(extremum_tangent)
    jvp("np.var", _rank)(variance_tangent)
    jvp("np.std", _rank)(deviation_tangent)


@vjp("np.cumsum", 1)
def cumulative_sum(x, y, d):
    return np.cumsum(d[::-1])[::-1]


@vjp("np.sort", 1)
def sort(x, y, d):
    return d[np.argsort(np.argsort(x))]


@jvp("np.sort", 1)
def sort_tangent(x, y, t):
    return t[np.argsort(x)]


def product_of_others(x):
    """The product of all other elements, without dividing: elements may be zero."""
    flat = x.flatten()
    others = np.empty_like(flat)
    product = 1.0
    for i in range(flat.size):
        others[i] = product
        product = product * flat[i]
    product = 1.0
    for i in range(flat.size - 1, -1, -1):
        others[i] = others[i] * product
        product = product * flat[i]
    return others


def product_all(x, y, d):
    return (d * product_of_others(x)).reshape(x.shape)


def product_tangent(x, y, t):
    return np.sum(product_of_others(x) * t.flatten())


def without_nan(x, y, d):
    return np.where(np.isnan(x), 0.0, d)


def without_nan_tangent(x, y, t):
    return np.sum(np.where(np.isnan(x), 0.0, t))


for _rank in RANKS:
    vjp("np.prod", _rank)(product_all)
    jvp("np.prod", _rank)(product_tangent)
    vjp("np.nansum", _rank)(without_nan)
    jvp("np.nansum", _rank)(without_nan_tangent)
