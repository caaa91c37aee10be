"""Check gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcompiler.api import Derivative


def central_difference(
    function: Callable[..., float], args: Sequence[Any], position: int, step: float = 1e-5
) -> Any:
    """Return the derivative with respect to one float or array argument by central differences.

    Two step sizes are combined so that the error is of fourth order (Richardson extrapolation).

    >>> round(central_difference(lambda x: x * x * x, (2.0,), 0), 6)
    12.0
    """
    base = np.array(args[position], dtype=np.float64)
    result = np.zeros_like(base)
    for index in np.ndindex(base.shape):

        def slope(h: float, at: tuple[int, ...] = index) -> float:
            ends = []
            for signed in (h, -h):
                moved = base.copy()
                moved[at] += signed
                value = moved if base.shape else float(moved)
                fresh = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
                ends.append(function(*fresh[:position], value, *fresh[position + 1 :]))
            return float((ends[0] - ends[1]) / (2 * h))

        result[index] = (4 * slope(step / 2) - slope(step)) / 3
    return result if base.shape else float(result)


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
        args: one argument list; floats and float64 arrays among `argnums`.
        argnums: positions to differentiate; all floats and float arrays if None.
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
        argnums = [k for k, arg in enumerate(args) if np.asarray(arg).dtype.kind == "f"]
    derivative = Derivative(function, "value_and_grad", tuple(argnums), jit, options)
    kept = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    value, gradients = derivative(*args)
    for before, after in zip(kept, args, strict=True):
        np.testing.assert_array_equal(before, after, "an argument was changed")
    plain = getattr(function, "py_func", function)
    fresh = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    np.testing.assert_allclose(value, plain(*fresh), rtol=1e-10, err_msg="value")
    for position, found in zip(argnums, gradients, strict=True):
        expected = central_difference(plain, args, position)
        assert np.shape(found) == np.shape(expected), f"argument {position}: shape {np.shape(found)}"
        scale = float(np.max(np.abs(expected), initial=1.0))
        np.testing.assert_allclose(
            found, expected, rtol=rtol, atol=atol + rtol * scale, err_msg=f"argument {position}"
        )
    return float(value), gradients
