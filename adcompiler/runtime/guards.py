"""Checks of array sizes in generated code: what it assumes may not hold for each call."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from numba import njit


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


GUARDS = {"same_size": same_size, "at_least": at_least}
