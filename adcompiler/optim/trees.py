"""Functions over structures of numbers and arrays, in Python and in compiled code alike.

A structure is a tuple or named tuple of arrays, numbers and further structures; from Python also a
dictionary, a list or a dataclass. Numba knows the types of tuples, so for each type a function is written
that has a call for each item.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from numba.core import types
from numba.extending import overload

from adcompiler.errors import DifferentiationError


def tree_map(function: Any, tree: Any, others: Any = (), settings: Any = ()) -> Any:
    """Return a structure like `tree`, of what a function makes of its numbers and arrays, in order.

    Args:
        function: called as `function(leaf, leaves of the others, settings)`; where `tree` holds None, so does
            the result.
        tree: a structure.
        others: a tuple of structures like it.
        settings: handed to each call.

    Raises:
        DifferentiationError: where the structures differ.

    >>> tree_map(lambda leaf, others, factor: factor * leaf, {"a": 1.0, "b": (2.0, None)}, (), 3.0)
    {'a': 3.0, 'b': (6.0, None)}
    """
    if tree is None:
        return None
    names = _names(tree)
    if names is None:
        return function(tree, others, settings)
    for other in others:
        _check_alike(names, other)
    parts = [
        tree_map(function, _item(tree, name), tuple(_item(other, name) for other in others), settings)
        for name in names
    ]
    return _like(tree, names, parts)


def tree_sum(function: Any, tree: Any, settings: Any = ()) -> Any:
    """Return the sum of what a function makes of the numbers and arrays of a structure.

    >>> tree_sum(lambda leaf, settings: leaf, (1.0, (2.0, 3.0)))
    6.0
    """
    if tree is None:
        return 0.0
    names = _names(tree)
    if names is None:
        return function(tree, settings)
    return sum((tree_sum(function, _item(tree, name), settings) for name in names), 0.0)


def _names(tree: Any) -> Sequence[Any] | None:
    """Return what the items of a structure are called; None for a number or an array."""
    if isinstance(tree, dict):
        return [*tree]
    if isinstance(tree, tuple | list):
        return range(len(tree))
    return [field.name for field in fields(tree)] if is_dataclass(tree) else None


def _item(tree: Any, name: Any) -> Any:
    return getattr(tree, name) if is_dataclass(tree) else tree[name]


def _check_alike(names: Sequence[Any], other: Any) -> None:
    found = _names(other)
    if found is None or len(found) != len(names) or {*found} != {*names}:
        there = "a single value" if found is None else f"the items {[*found]}"
        raise DifferentiationError(
            "AD305",
            f"a structure has the items {[*names]}, another one {there}",
            cure="pass parameters, gradients and state of the same structure",
        )


def _like(tree: Any, names: Sequence[Any], parts: list[Any]) -> Any:
    """Return the parts in a structure of the same kind."""
    if isinstance(tree, dict):
        return dict(zip(names, parts, strict=True))
    if isinstance(tree, list):
        return parts
    if isinstance(tree, tuple):
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return replace(tree, **dict(zip(names, parts, strict=True)))


@overload(tree_map)
def _tree_map(function, tree, others=(), settings=()):
    if isinstance(tree, types.NoneType):
        return lambda function, tree, others=(), settings=(): None
    if not isinstance(tree, types.BaseTuple):
        return lambda function, tree, others=(), settings=(): function(tree, others, settings)
    if not all(isinstance(other, types.BaseTuple) and len(other) == len(tree) for other in others):
        return None
    calls = (_call(k, len(others)) for k in range(len(tree)))
    text = f"make({', '.join(calls)})" if _is_named(tree) else f"({''.join(f'{call}, ' for call in calls)})"
    make = tree.instance_class if _is_named(tree) else tuple
    return _compiled(f"lambda function, tree, others=(), settings=(): {text}", make)


@overload(tree_sum)
def _tree_sum(function, tree, settings=()):
    if isinstance(tree, types.NoneType):
        return lambda function, tree, settings=(): 0.0
    if not isinstance(tree, types.BaseTuple):
        return lambda function, tree, settings=(): function(tree, settings)
    terms = (f"tree_sum(function, tree[{k}], settings)" for k in range(len(tree)))
    return _compiled(f"lambda function, tree, settings=(): {' + '.join(['0.0', *terms])}", tuple)


def _call(k: int, count: int) -> str:
    """Write the call for item k of a structure that has `count` others beside it."""
    items = "".join(f"others[{j}][{k}], " for j in range(count))
    return f"tree_map(function, tree[{k}], ({items}), settings)"


def _is_named(tree: Any) -> bool:
    return isinstance(tree, types.BaseNamedTuple)


def _compiled(text: str, make: Any) -> Callable[..., Any]:
    function: Callable[..., Any] = eval(text, {"tree_map": tree_map, "tree_sum": tree_sum, "make": make})
    return function
