"""Check gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from adcompiler.api import Derivative


def central_difference(
    function: Callable[..., float], args: Sequence[Any], position: int, step: float = 1e-5
) -> Any:
    """Return the derivative with respect to one argument by central differences, built as the argument is.

    Two step sizes are combined so that the error is of fourth order (Richardson extrapolation).

    >>> round(central_difference(lambda x: x * x * x, (2.0,), 0), 6)
    12.0
    """
    argument = args[position]
    if isinstance(argument, (tuple, list, dict)):
        items = [*_items(argument)]

        def part(k: int) -> Any:
            def of_item(value: Any) -> float:
                changed = _rebuilt(argument, [*items[:k], value, *items[k + 1 :]])
                return function(*_fresh([*args[:position], changed, *args[position + 1 :]]))

            return central_difference(of_item, (items[k],), 0, step)

        return _rebuilt(argument, [part(k) for k in range(len(items))])
    if not _is_continuous(argument):
        return None
    base = np.array(argument, dtype=np.float64)
    result = np.zeros_like(base)
    for index in np.ndindex(base.shape):

        def slope(h: float, at: tuple[int, ...] = index) -> float:
            ends = []
            for signed in (h, -h):
                moved = base.copy()
                moved[at] += signed
                value = moved if base.shape else float(moved)
                fresh = _fresh(args)
                ends.append(function(*fresh[:position], value, *fresh[position + 1 :]))
            return float((ends[0] - ends[1]) / (2 * h))

        result[index] = (4 * slope(step / 2) - slope(step)) / 3
    return result if base.shape else float(result)


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _rebuilt(like: Any, items: Sequence[Any]) -> Any:
    if isinstance(like, dict):
        return dict(zip(like, items, strict=True))
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def _fresh(value: Any) -> Any:
    """Copy the arrays in a structure, so that a function may change them."""
    if isinstance(value, (tuple, list, dict)):
        return _rebuilt(value, [_fresh(item) for item in _items(value)])
    return value.copy() if isinstance(value, np.ndarray) else value


def _is_continuous(value: Any) -> bool:
    if isinstance(value, (tuple, list, dict)):
        return any(map(_is_continuous, _items(value)))
    return isinstance(value, (float, np.ndarray, np.floating)) and np.asarray(value).dtype.kind == "f"


def _assert_close(found: Any, expected: Any, rtol: float, atol: float, name: str) -> None:
    if isinstance(expected, (tuple, list, dict)):
        assert type(found) is type(expected), f"{name}: {type(found)} instead of {type(expected)}"
        for k, (part, other) in enumerate(zip(_items(found), _items(expected), strict=True)):
            _assert_close(part, other, rtol, atol, f"{name}, part {k}")
    elif expected is None:
        assert found is None, f"{name}: {found} instead of None"
    else:
        assert np.shape(found) == np.shape(expected), f"{name}: shape {np.shape(found)}"
        scale = float(np.max(np.abs(expected), initial=1.0))
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol + rtol * scale, err_msg=name)


def check_grad(
    function: Callable[..., float],
    args: Sequence[Any],
    argnums: Sequence[int] | None = None,
    *,
    jit: bool = True,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    **options: Any,
) -> tuple[float, tuple[Any, ...]]:
    """Compare value and gradient of a function with itself and with central differences.

    Args:
        function: a function that `grad` accepts.
        args: one argument list.
        argnums: positions to differentiate; if None, all that hold a float or a float array.
        jit: False checks the generated text uncompiled.
        rtol: tolerance relative to the largest derivative of each argument.
        atol: absolute tolerance.
        **options: Numba options.

    Returns:
        the value and the tuple of gradients.

    Raises:
        AssertionError: where they disagree, or where an argument was changed.

    >>> value, (slope,) = check_grad(lambda x: x * x, (3.0,), jit=False)
    >>> float(slope)
    6.0
    """
    if argnums is None:
        argnums = [k for k, arg in enumerate(args) if _is_continuous(arg)]
    derivative = Derivative(function, "value_and_grad", tuple(argnums), jit, options)
    kept = _fresh(args)
    value, gradients = derivative(*args)
    np.testing.assert_equal(args, kept, "an argument was changed")
    plain = getattr(function, "py_func", function)
    np.testing.assert_allclose(value, plain(*_fresh(args)), rtol=1e-10, err_msg="value")
    for position, found in zip(argnums, gradients, strict=True):
        expected = central_difference(plain, args, position)
        _assert_close(found, expected, rtol, atol, f"argument {position}")
    return float(value), gradients
