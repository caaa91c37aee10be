"""Numbers of several lanes: what derivatives along several directions at once are computed with.

Uncompiled, such a number is an object, and arrays of them are arrays of objects. In compiled code
(`lanes.py`) it is a vector that the processor keeps in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adcompiler.runtime import guards

WIDTH = 8
"""How many lanes there are: a few instructions for each operation, which do not wait for one another."""


class Lanes:
    """A number of several lanes, uncompiled; it never changes.

    >>> 2.0 * Lanes(np.arange(8.0)) + 1.0
    Lanes([ 1.  3.  5.  7.  9. 11. 13. 15.])
    """

    __slots__ = ("numbers",)
    __array_ufunc__ = None  # so that NumPy's numbers leave sums and products with it to the methods below

    def __init__(self, numbers: Any) -> None:
        self.numbers: np.ndarray[Any, Any] = np.broadcast_to(np.asarray(numbers, float), WIDTH)

    def __repr__(self) -> str:
        return f"Lanes({self.numbers})"

    def __add__(self, other: Any) -> Any:
        return _lanewise(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _lanewise(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return _lanewise(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return _lanewise(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return _lanewise(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _lanewise(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return _lanewise(np.true_divide, self, other)

    def __neg__(self) -> Lanes:
        return Lanes(-self.numbers)


def _numbers(value: Any) -> Any:
    return value.numbers if isinstance(value, Lanes) else value


def _lanewise(function: Callable[..., Any], *args: Any) -> Any:
    if any(isinstance(arg, np.ndarray) for arg in args):
        return _each(lambda *items: _lanewise(function, *items), *args)
    with np.errstate(all="ignore"):
        return Lanes(function(*map(_numbers, args)))


def _each(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function for each element of arrays, which numbers with lanes are combined with."""
    items = [np.array(arg, dtype=object) if np.ndim(arg) else _alone(arg) for arg in args]
    return np.frompyfunc(function, len(args), 1)(*items)


def _alone(item: Any) -> np.ndarray[Any, Any]:
    found = np.empty((), dtype=object)
    found[()] = item
    return found


def spread(number: float) -> Lanes:
    """Return a number that is the same in all lanes."""
    return Lanes(number)


def _times(d: Any, slope: Any) -> Any:
    if isinstance(d, Lanes) or isinstance(slope, Lanes):
        return _lanewise(guards.times, d, slope)
    product: Callable[..., Any] = guards.times
    return product(d, slope)


def times(d: Any, slope: Any) -> Any:
    """Return d * slope, but zero in the lanes where one of them is zero; also of arrays."""
    return _each(_times, d, slope) if np.ndim(d) or np.ndim(slope) else _times(d, slope)


def of(numbers: Any) -> Any:
    """Return an array of numbers as one of lanes, which are its last axis; one axis makes a number."""
    if numbers.ndim == 1:
        return Lanes(numbers.copy())
    return _filled(numbers.shape[:-1], lambda index: numbers[index].copy())


def numbers(lanes: Any) -> Any:
    """Return lanes as an array of numbers whose last axis they are."""
    if isinstance(lanes, Lanes):
        return lanes.numbers.copy()
    found = np.empty((*lanes.shape, WIDTH))
    for index in np.ndindex(lanes.shape):
        found[index] = _numbers(lanes[index])
    return found


def zeros(shape: Any) -> Any:
    """Return an array of zeros with lanes."""
    return _filled(shape, lambda index: 0.0)


def zeros_like(array: Any) -> Any:
    """Return an array of zeros with lanes, in the shape of another array."""
    return zeros(array.shape)


def full(shape: Any, value: Any) -> Any:
    """Return an array with lanes in which each element is the same."""
    return _filled(shape, lambda index: _numbers(value))


def full_like(array: Any, value: Any) -> Any:
    """Return an array with lanes, in the shape of another array, in which each element is the same."""
    return full(array.shape, value)


def longer(stack: Any) -> Any:
    """Return a copy of a stack with lanes with room for twice as many elements."""
    copy = zeros(2 * len(stack))
    copy[: len(stack)] = stack
    return copy


def empty(shape: Any) -> Any:
    """Return an array with lanes, of any content."""
    return zeros(shape)


def empty_like(array: Any) -> Any:
    """Return an array with lanes in the shape of another array, of any content."""
    return zeros(array.shape)


# whole arrays, for which compiled code needs functions of their own


def add(a: Any, b: Any) -> Any:
    """Return `a + b` for arrays with and without lanes."""
    return a + b


def sub(a: Any, b: Any) -> Any:
    """Return `a - b` for arrays with and without lanes."""
    return a - b


def mul(a: Any, b: Any) -> Any:
    """Return `a * b` for arrays with and without lanes."""
    return a * b


def truediv(a: Any, b: Any) -> Any:
    """Return `a / b` for arrays with and without lanes."""
    return a / b


def neg(a: Any) -> Any:
    """Return `-a` for an array with lanes."""
    return -a


def add_to(array: Any, part: Any) -> None:
    """Add to all of an array with lanes; NumPy has no sums of arrays and single numbers with lanes."""
    array += np.full(array.shape, part, object) if isinstance(part, Lanes) else part


def matmul(a: Any, b: Any) -> Any:
    """Return `a @ b`, where one of the two has lanes."""
    return a @ b


def _filled(shape: Any, content: Callable[[tuple[int, ...]], Any]) -> Any:
    found = np.empty(shape, object)
    for index in np.ndindex(found.shape):
        found[index] = Lanes(content(index))
    return found
