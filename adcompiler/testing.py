"""Check derivatives against central differences, and against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcompiler.api.differences import central_difference as central_difference
from adcompiler.api.differences import fresh, is_continuous, is_structure, items_of
from adcompiler.api.pullback import derivative_of
from adcompiler.api.pushforward import jvp


def _assert_close(found: Any, expected: Any, rtol: float, atol: float, name: str) -> None:
    if is_structure(expected):
        assert type(found) is type(expected), f"{name}: {type(found)} instead of {type(expected)}"
        for k, (part, other) in enumerate(zip(items_of(found), items_of(expected), strict=True)):
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
        argnums: positions to differentiate; if None, all that hold floats or complex numbers.
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
        argnums = [k for k, arg in enumerate(args) if is_continuous(arg)]
    derivative = derivative_of(function, "value_and_grad", tuple(argnums), jit, _fixed(options))
    kept = fresh(args)
    value, gradients = derivative(*args)
    np.testing.assert_equal(args, kept, "an argument was changed")
    plain = getattr(function, "py_func", function)
    np.testing.assert_allclose(value, plain(*fresh(args)), rtol=1e-10, err_msg="value")
    for position, found in zip(argnums, gradients, strict=True):
        expected = central_difference(plain, args, position)
        _assert_close(found, expected, rtol, atol, f"argument {position}")
    return float(value), gradients


def _fixed(options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(options.items()))


def _direction(args: Sequence[Any], argnums: Sequence[int]) -> list[Any]:
    """Return a change of each argument to differentiate, the same each time; of the others, None."""
    random = np.random.default_rng(1)
    changes: list[Any] = [None] * len(args)
    for k in argnums:
        change = _change(random, np.shape(args[k]))
        changes[k] = change + 1j * _change(random, np.shape(args[k])) if np.iscomplexobj(args[k]) else change
    return changes


def _change(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    change = random.uniform(0.5, 1.5, shape) * random.choice([-1.0, 1.0], shape)
    return change if shape else float(change)


def _along(function: Callable[..., Any], args: Sequence[Any], changes: Sequence[Any], step: float) -> Any:
    """Return the derivative of a function along a direction, by central differences of two step sizes."""

    def moved(size: float) -> list[Any]:
        found = function(
            *(a if t is None else a + size * t for a, t in zip(fresh(args), changes, strict=True))
        )
        return [np.asarray(part) for part in (found if isinstance(found, tuple) else (found,))]

    def slope(size: float) -> list[Any]:
        return [(one - two) / (2 * size) for one, two in zip(moved(size), moved(-size), strict=True)]

    return [(4 * near - far) / 3 for near, far in zip(slope(step / 2), slope(step), strict=True)]


def check_jvp(
    function: Callable[..., float],
    args: Sequence[Any],
    argnums: Sequence[int],
    *,
    jit: bool = True,
    rtol: float = 1e-6,
    **options: Any,
) -> None:
    """Compare forward mode with central differences, and with the gradient: `jvp = gradient · tangent`.

    Args:
        function: a function that `grad` accepts.
        args: its arguments: numbers and arrays.
        argnums: positions to differentiate.
        jit: False checks the generated text uncompiled.
        rtol: tolerance against differences; the two modes have to agree to nine digits.
        **options: Numba options.

    Raises:
        AssertionError: where they disagree.

    >>> check_jvp(lambda x, y: x * y * y, (3.0, 2.0), (0, 1), jit=False)
    """
    changes = _direction(args, argnums)
    derivative = derivative_of(function, "value_and_grad", tuple(argnums), False, _fixed(options))
    value, gradients = derivative(*args)
    found_value, found = jvp(function, args, changes, jit=jit, **options)
    parts = [np.real(np.asarray(g) * changes[k]) for k, g in zip(argnums, gradients, strict=True)]
    scale = sum(float(np.sum(np.abs(part))) for part in parts) + 1.0
    np.testing.assert_allclose(found_value, value, rtol=1e-9, err_msg="value")
    total = sum(float(np.sum(part)) for part in parts)
    np.testing.assert_allclose(found, total, rtol=1e-9, atol=1e-9 * scale, err_msg="the two modes")
    (expected,) = _along(getattr(function, "py_func", function), args, changes, 1e-5)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale, err_msg="differences")


def check_hvp(
    function: Callable[..., float],
    args: Sequence[Any],
    argnums: Sequence[int],
    *,
    jit: bool = True,
    rtol: float = 1e-5,
    **options: Any,
) -> None:
    """Compare the product of the Hessian and a vector with central differences of the gradient.

    Args:
        function: a function that `grad` accepts.
        args: its arguments: numbers and arrays.
        argnums: positions to differentiate.
        jit: False checks the generated text uncompiled.
        rtol: tolerance relative to the largest element of the product.
        **options: Numba options.

    Raises:
        AssertionError: where they disagree.

    >>> check_hvp(lambda x, y: x * y * y, (3.0, 2.0), (0, 1), jit=False)
    """
    changes = _direction(args, argnums)
    derivative = derivative_of(function, "value_and_grad", tuple(argnums), False, _fixed(options))
    product = derivative_of(function, "hvp", tuple(argnums), jit, _fixed(options))
    found = product(*args, tuple(changes[k] for k in argnums))
    expected = _along(lambda *given: derivative(*given)[1], args, changes, 2e-5)
    scale = max(1.0, *(float(np.max(np.abs(part), initial=0.0)) for part in expected))
    for position, one, other in zip(argnums, found, expected, strict=True):
        assert np.shape(one) == np.shape(other), f"argument {position}: shape {np.shape(one)}"
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * scale, err_msg=f"argument {position}")
