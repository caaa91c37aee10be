"""Functions for Numba whose helpers are plain Python functions: these are compiled along with them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numba
from numba.core.registry import cpu_target

from adcompiler.enabled import enabled

Helpers = dict[types.FunctionType, Any]


def compiled_with_helpers(function: Callable[..., Any], helpers: Helpers | None = None) -> Any:
    """Return a dispatcher for a function, which may call plain functions by their names.

    Which ones these are is seen when it is compiled: they may be defined later, and are compiled with it.

    Args:
        function: the function.
        helpers: what has been compiled for the function that this one is a helper of.

    >>> def half(x):
    ...     return x / 2.0
    >>> compiled_with_helpers(lambda x: half(x) + 1.0)(3.0)
    2.5
    """
    with enabled():
        made: Any = numba.njit(function)
    if isinstance(function, types.FunctionType) and hasattr(made, "_compiler"):
        made._compiler._get_implementation = lambda args, kws: _with_helpers(
            function, {} if helpers is None else helpers
        )
    return made


def _with_helpers(function: types.FunctionType, helpers: Helpers) -> types.FunctionType:
    """Return the function with dispatchers in place of the plain functions that it names."""
    code, scope = function.__code__, function.__globals__
    names = {name: scope[name] for name in code.co_names if name in scope}
    cells = function.__closure__ or ()
    if not any(map(_is_plain, (*names.values(), *map(_content, cells)))):
        return function
    known = scope | {name: _compiled(value, helpers) for name, value in names.items()}
    closure = tuple(types.CellType(_compiled(_content(cell), helpers)) for cell in cells)
    made = types.FunctionType(code, known, function.__name__, function.__defaults__, closure or None)
    made.__kwdefaults__, made.__qualname__ = function.__kwdefaults__, function.__qualname__
    made.__module__ = function.__module__
    return made


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has no value yet
        return None


def _is_plain(value: object) -> bool:
    """Tell whether a value is a function that Numba does not know."""
    if not isinstance(value, types.FunctionType):
        return False
    try:
        cpu_target.typing_context.resolve_value_type(value)
    except ValueError:
        return True
    return False


def _compiled(value: Any, helpers: Helpers) -> Any:
    if not _is_plain(value):
        return value
    if value not in helpers:
        helpers[value] = compiled_with_helpers(value, helpers)
    return helpers[value]
