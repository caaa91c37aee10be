"""Arguments of pandas and xarray, and gradients with their labels."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from adcompiler.api.derivative import Derivative

_MODES = ("grad", "value_and_grad", "hvp")


def with_labels(derivative: Derivative[..., Any]) -> Callable[..., Any]:
    """Return a gradient that takes Series, DataFrames and DataArrays, and has their labels.

    The function itself is given arrays without labels, so that positions count in it. Arguments of which one
    has the labels of another one in a different order are refused.

    Args:
        derivative: what `grad`, `value_and_grad` or `hvp` made.

    Returns:
        a function of the same arguments, anywhere in which a Series or DataFrame of pandas, or a DataArray
        of xarray, may stand for an array. The gradient by a Series has its index and name, the gradient by
        a DataFrame its index and columns, the gradient by a DataArray its dimensions and coordinates, but
        no `attrs`. All else comes back as from the derivative.

    Raises:
        TypeError: for other derivatives, and for columns that are no numbers.
        ValueError: where arguments are not in the same order.

    Example:
        >>> import pandas as pd  # doctest: +SKIP
        >>> slope = with_labels(grad(lambda x: np.sum(x * x)))  # doctest: +SKIP
        >>> slope(pd.Series([1.0, 2.0], ["a", "b"]))  # doctest: +SKIP
        a    2.0
        b    4.0
        dtype: float64
    """
    if not isinstance(derivative, Derivative) or derivative.mode not in _MODES:
        raise TypeError(f"labels are for what one of {', '.join(_MODES)} makes, not for {derivative!r}")

    @functools.wraps(derivative)
    def called(*args: Any, **kwargs: Any) -> Any:
        bound = derivative.signature.bind(*args, **kwargs)
        _check_order([index for value in bound.arguments.values() for index in _indexes(value)])
        plain = [_mapped(_numbers, value) for value in bound.args]
        found = derivative(*plain, **{name: _mapped(_numbers, value) for name, value in bound.kwargs.items()})
        bound.apply_defaults()
        varied = tuple(bound.arguments[derivative.names[k]] for k in derivative.wrt)
        return _labelled(derivative, found, varied[0] if derivative.style.single else varied)

    return called


def _labelled(derivative: Derivative[..., Any], found: Any, varied: Any) -> Any:
    """Return what a derivative found with labels on the gradient that it holds."""
    if derivative.mode == "value_and_grad":
        value, gradient = found
        return value, _mapped(_like, varied, gradient)
    if derivative.has_aux:
        gradient, aux = found
        return _mapped(_like, varied, gradient), aux
    return _mapped(_like, varied, found)


def _check_order(indexes: list[Any]) -> None:
    """Refuse labels of which some are others in a different order."""
    for one, other in itertools.combinations(indexes, 2):
        is_same = len(one) == len(other) and one.equals(other)
        if not is_same and len(one) == len(other) and set(one) == set(other):
            reason = f"two arguments have the same labels in different orders: {one[:3]} …, {other[:3]} …"
            raise ValueError(f"{reason}; the function sees positions only: reindex one like the other")


def _is_labelled(value: Any) -> bool:
    package = type(value).__module__.partition(".")[0]
    return (package, type(value).__name__) in (
        ("pandas", "Series"),
        ("pandas", "DataFrame"),
        ("xarray", "DataArray"),
    )


def _indexes(value: Any) -> Iterator[Any]:
    """Yield the labels along the axes of what has labels in an argument; columns of frames are left out."""
    for one in _leaves(value):
        if _is_labelled(one):
            yield from one.indexes.values() if hasattr(one, "dims") else [one.index]


def _leaves(value: Any) -> Iterator[Any]:
    for part in _parts(value):
        yield from [value] if part is value else _leaves(part)


def _parts(value: Any) -> list[Any]:
    """Return the parts of a structure; itself for what is none."""
    if isinstance(value, tuple | list):
        return [*value]
    if isinstance(value, dict):
        return [*value.values()]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return [value]


def _mapped(change: Callable[..., Any], value: Any, *others: Any) -> Any:
    """Return a structure with each value in it changed, together with the values there in others."""
    parts = _parts(value)
    if len(parts) == 1 and parts[0] is value:
        return change(value, *others)
    made = [_mapped(change, *each) for each in zip(parts, *map(_parts, others), strict=True)]
    if isinstance(value, dict):
        return dict(zip(value, made, strict=True))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: part for f, part in zip(fields(value), made, strict=True)})
    return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)


def _numbers(value: Any) -> Any:
    """Return what the function is given: an array without labels, in C's order."""
    if not _is_labelled(value):
        return value
    array = np.asarray(value.to_numpy(), order="C")
    if array.dtype.kind not in "fciub":
        raise TypeError(f"a {type(value).__name__} holds {array.dtype}, and no numbers: convert it first")
    return array if array.ndim else array.item()


def _like(value: Any, found: Any) -> Any:
    """Return a part of a gradient with the labels of the argument that it belongs to."""
    if not _is_labelled(value) or found is None:
        return found
    if hasattr(value, "dims"):
        return type(value)(found, value.coords, value.dims, name=value.name)
    if hasattr(value, "columns"):
        return type(value)(found, value.index, value.columns)
    return type(value)(found, value.index, name=value.name)
