"""Derivatives without a compiler: by differences and by complex steps, one number after the other.

Complex steps: W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM
Review 40 (1998). They know no rounding error, and are for functions that are analytic where they are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_CONTINUOUS = (float, complex, np.ndarray, np.inexact)
Slope = Callable[[Callable[[Any], Any], float], float]
"""From a function of one number, and a number, to the derivative there."""


def central_difference(
    function: Callable[..., float], args: Sequence[Any], position: int, step: float = 1e-5
) -> Any:
    """Return the derivative with respect to one argument by central differences, built as the argument is.

    Two step sizes are combined so that the error is of fourth order (Richardson extrapolation). That
    by a complex number is that by its real part, minus i times that by its imaginary part.

    Args:
        function: returns one number.
        args: its arguments; it may change them.
        position: the argument to differentiate: a number, an array, or a structure of these.
        step: the step for numbers between -1 and 1; it is taken relative to larger ones, and to smaller ones
            where differences do not settle.

    >>> round(central_difference(lambda x: x * x * x, (2.0,), 0), 6)
    12.0
    """

    def slope(of: Callable[[Any], Any], x: float) -> float:
        found, doubt = _extrapolated(of, x, step * max(1.0, abs(x)))
        if not doubt <= 1e-3 * abs(found) + 1e-9 and 0 < abs(x) < 1:
            found, doubt = min((found, doubt), _extrapolated(of, x, step * abs(x)), key=_doubt)
        return found

    return _by_each_number(function, args, position, slope)


def complex_step(function: Callable[..., Any], args: Sequence[Any], position: int) -> Any:
    """Return the derivative with respect to one argument by complex steps, built as the argument is.

    Args:
        function: returns one number, and is analytic: what it does to complex numbers is not checked.
        args: its arguments.
        position: the argument to differentiate.

    >>> complex_step(lambda x: x * x * x, (2.0,), 0)
    12.0
    """

    def slope(of: Callable[[Any], Any], x: float) -> float:
        return float(np.imag(of(complex(x, 1e-100)))) / 1e-100

    return _by_each_number(function, args, position, slope)


def _extrapolated(of: Callable[[Any], Any], x: float, step: float) -> tuple[float, float]:
    """Return the derivative by differences of two step sizes, and how far these are apart."""
    far, near = (float((of(x + h) - of(x - h)) / (2 * h)) for h in (step, step / 2))
    return (4 * near - far) / 3, abs(near - far)


def _doubt(estimate: tuple[float, float]) -> float:
    return math.inf if math.isnan(estimate[1]) else estimate[1]


def _by_each_number(function: Callable[..., Any], args: Sequence[Any], position: int, slope: Slope) -> Any:
    """Return the derivatives by all numbers of an argument; None for what is no float."""
    argument = args[position]
    if is_structure(argument):
        items = [*items_of(argument)]

        def part(k: int) -> Any:
            def of_item(value: Any) -> Any:
                changed = rebuilt(argument, [*items[:k], value, *items[k + 1 :]])
                return function(*fresh([*args[:position], changed, *args[position + 1 :]]))

            return _by_each_number(of_item, (items[k],), 0, slope)

        return rebuilt(argument, [part(k) for k in range(len(items))])
    if not is_continuous(argument):
        return None
    if np.iscomplexobj(argument):
        real, imag = _parts_apart(function, args, position, slope)
        return real - 1j * imag
    base = np.array(argument, dtype=np.float64)
    result = np.zeros_like(base)
    for index in np.ndindex(base.shape):

        def of_number(value: Any, at: tuple[int, ...] = index) -> Any:
            moved = base.astype(type(value))
            moved[at] = value
            given = fresh(args)
            return function(*given[:position], moved if base.shape else value, *given[position + 1 :])

        result[index] = slope(of_number, float(base[index]))
    return result if base.shape else float(result)


def _parts_apart(
    function: Callable[..., Any], args: Sequence[Any], position: int, slope: Slope
) -> tuple[Any, Any]:
    """Return the derivatives by the real and the imaginary part of a complex argument."""
    argument = args[position]

    def of_parts(real: Any, imag: Any) -> Any:
        given = fresh(args)
        return function(*given[:position], real + 1j * imag, *given[position + 1 :])

    parts = np.real(argument), np.imag(argument)
    real, imag = (_by_each_number(of_parts, parts, k, slope) for k in (0, 1))
    return real, imag


# structures


def is_structure(value: Any) -> bool:
    """Tell whether an argument has parts."""
    return isinstance(value, tuple | list | dict) or (is_dataclass(value) and not isinstance(value, type))


def items_of(value: Any) -> Iterable[Any]:
    """Return the parts of a structure."""
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    return value.values() if isinstance(value, dict) else value


def rebuilt(like: Any, items: Sequence[Any]) -> Any:
    """Return a structure with other parts."""
    if isinstance(like, dict):
        return dict(zip(like, items, strict=True))
    return type(like)(*items) if hasattr(like, "_fields") or is_dataclass(like) else type(like)(items)


def fresh(value: Any) -> Any:
    """Copy the arrays in a structure, so that a function may change them."""
    if is_structure(value):
        return rebuilt(value, [fresh(item) for item in items_of(value)])
    return value.copy() if isinstance(value, np.ndarray) else value


def is_continuous(value: Any) -> bool:
    """Tell whether an argument is, or holds, floats or complex numbers."""
    if is_structure(value):
        return any(map(is_continuous, items_of(value)))
    return isinstance(value, _CONTINUOUS) and np.asarray(value).dtype.kind in "fc"
