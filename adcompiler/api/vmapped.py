"""`vmap`: a function over a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from adcompiler.api.derivative import Derivative
from adcompiler.errors import DifferentiationError
from adcompiler.graph.steps import Axes, NamedAxes


@overload
def vmap(
    function: Callable[..., Any],
    in_axes: Any = ...,
    out_axes: Any = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Derivative[..., Any]: ...


@overload
def vmap(
    function: None = ...,
    in_axes: Any = ...,
    out_axes: Any = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[..., Any]], Derivative[..., Any]]: ...


def vmap(
    function: Callable[..., Any] | None = None,
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates another one for each element of a batch.

    It is the loop over the batch, written around the function: it can be differentiated, called in functions
    that are, and be a batch of derivatives, as in `vmap(grad(f))`.

    Args:
        function: a numeric Python function, an `@njit` dispatcher, or a derivative.
        in_axes: along which axis of the arguments the batch goes: a number for all, or a tuple with an item
            for each argument. An item is a number, None for what all elements share, or has the structure
            of the argument.
        out_axes: along which axis of the results the batch goes: a number, or the structure of the result.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function`. Its results have one axis more; numbers become arrays of
        float64, or of complex128. It can be called inside `@njit` code.

    Raises:
        DifferentiationError: where an argument has no such axis, or axes have another structure than what
            they are for.
        ValueError: where the batches of two arguments differ in size.

    >>> import numpy as np
    >>> def distance(x, y):
    ...     return np.sqrt(np.sum((x - y) ** 2))
    >>> vmap(distance, in_axes=(0, None))(np.array([[0.0, 0.0], [6.0, 8.0]]), np.array([3.0, 4.0]))
    array([5., 5.])
    >>> from adcompiler import grad
    >>> vmap(grad(lambda x: x * x))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    if function is None:
        return lambda f: vmap(f, in_axes, out_axes, jit=jit, **options)
    axes = axes_of(in_axes), axes_of(out_axes)
    return Derivative(function, "vmap", (), jit, options | {"axes": axes})


def axes_of(given: Any) -> Axes:
    """Return axes as they are written down: tuples for lists, keys and items for dictionaries.

    >>> axes_of((0, [None, {"w": 1}]))
    (0, (None, NamedAxes(names=('w',), parts=(1,))))
    """
    match given:
        case bool():
            pass
        case None | int() | NamedAxes():
            return given
        case dict():
            return NamedAxes(tuple(given), tuple(map(axes_of, given.values())))
        case tuple() | list():
            return tuple(map(axes_of, given))
    raise DifferentiationError(
        "AD305", f"{given!r} is no axis", None, "pass numbers, None, or tuples of them"
    )
