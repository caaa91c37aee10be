"""Whether what was read of a function's surroundings is still there, found out fast where identity tells."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

Read = tuple[Callable[[Any], Any], Any, Any]
"""A function that reads, what it is given, and the object that it found."""

_FIXED = (int, float, complex, str, bytes, types.FunctionType, type(None))
_PARTS = tuple(map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__")))
_content = attrgetter("cell_contents")


def of_name(function: types.FunctionType, name: str, kept: Any) -> list[Read]:
    """Return how to read a free name of a function again."""
    if name in function.__code__.co_freevars and function.__closure__ is not None:
        cell = function.__closure__[function.__code__.co_freevars.index(name)]
        return [(_content, cell, kept)]
    if name in function.__globals__:
        return [(function.__globals__.get, name, kept)]
    return [(function.__globals__.__contains__, name, False), (vars(builtins).get, name, kept)]


def of_attribute(owner: Any, name: str, kept: Any) -> list[Read]:
    """Return how to read an attribute again."""
    return [(attrgetter(name), owner, kept)]


def of_function(function: types.FunctionType, parts: tuple[Any, ...]) -> list[Read] | None:
    """Return how to read a function's code and defaults again; None where a default may change inside."""
    _, defaults, keywords = parts
    if keywords or not all(isinstance(value, _FIXED) for value in defaults or ()):
        return None
    return [(read, function, kept) for read, kept in zip(_PARTS, parts, strict=True)]


def hold(reads: Sequence[Read] | None) -> bool:
    """Tell whether each finds the same object; False where there are none that tell.

    >>> hold([({"a": 1}.get, "a", 1)]), hold([({"a": 1}.get, "a", 2)])
    (True, False)
    """
    if reads is None:
        return False
    try:
        for read, what, kept in reads:
            if read(what) is not kept:
                return False
    except (AttributeError, ValueError):  # it is gone
        return False
    return True
