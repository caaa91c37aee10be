"""Checks in generated code of what it assumes of sizes, and products that zeros pass through unharmed."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload


class SizeError(ValueError):
    """Sizes that were assumed to be equal differ: an array is stretched, or the program is at fault."""


@njit(cache=True)
def same_size(one, two):
    """Raise SizeError unless two sizes are equal."""
    if one != two:
        raise SizeError(
            "arrays that are combined differ in size; with broadcasting=True one may be stretched"
        )


@njit(cache=True)
def at_least(whole, needed):
    """Raise SizeError unless an array is large enough for a slice of it."""
    if whole < needed:
        raise SizeError("a slice reaches beyond its array; with broadcasting=True it may be cut off")


@njit(cache=True)
def fits(one, two):
    """Raise ValueError unless the sizes are equal along which arrays are multiplied."""
    if one != two:
        raise ValueError("arrays that are multiplied do not fit: the sizes of which sums are formed differ")


@njit(cache=True)
def fills(part, given):
    """Raise ValueError unless what is stored has the size of where it is stored, or may be stretched."""
    if given != part and given != 1:
        raise ValueError("what is stored to an array differs in size from where it is stored")


@njit(cache=True)
def in_bounds(size, index, runs=1):
    """Raise IndexError unless an axis of some size has an element at an index, or if nothing runs."""
    if runs > 0 and (index >= size or index < -size):
        raise IndexError("index out of bounds: an array is too short for the elements that are read of it")


@njit(cache=True)
def all_in_bounds(size, start, stop, runs=1):
    """Raise IndexError unless an axis has elements at all of range(start, stop), or if nothing runs."""
    if start < stop and runs > 0 and (stop > size or start < -size):
        raise IndexError("index out of bounds: an array is too short for the loop that goes over it")


@njit(cache=True)
def nonzero(divisor):
    """Raise ZeroDivisionError if a divisor is zero, as Python does."""
    if divisor == 0:
        raise ZeroDivisionError("division by zero")


def product(d, slope):
    """Return d * slope, but zero where one of them is zero."""
    if np.ndim(d) == 0 and np.ndim(slope) == 0:
        return d * slope if d != 0 and slope != 0 else 0 * (slope if slope == 0 else d)
    with np.errstate(all="ignore"):
        found = d * slope
        return np.where((d != 0) & (slope != 0), found, np.zeros_like(found))


@overload(product)
def _product(d, slope):
    if types.float64 in (d, slope) and isinstance(d, types.Float) and isinstance(slope, types.Float):
        return lambda d, slope: d * slope if (d != 0) & (slope != 0) else 0.0
    if isinstance(d, types.Number) and isinstance(slope, types.Number):
        return lambda d, slope: d * slope if d != 0 and slope != 0 else 0 * (slope if slope == 0 else d)
    if isinstance(d, types.Number):
        return lambda d, slope: _chosen(slope != 0, d * slope) if d != 0 else np.zeros_like(d * slope)
    if isinstance(slope, types.Number):
        return lambda d, slope: _chosen(d != 0, d * slope) if slope != 0 else np.zeros_like(d * slope)
    return lambda d, slope: _chosen((d != 0) & (slope != 0), d * slope)


@njit(cache=True)
def _chosen(mask, values):
    return np.where(mask, values, np.zeros_like(values))


@njit(cache=True)
def times(d, slope):
    """Return d * slope, but zero where one of them is zero: the other may be infinite or not a number."""
    return product(d, slope)


GUARDS: dict[str, Any] = {
    "same_size": same_size,
    "at_least": at_least,
    "fits": fits,
    "fills": fills,
    "in_bounds": in_bounds,
    "all_in_bounds": all_in_bounds,
    "nonzero": nonzero,
    "times": times,
}
