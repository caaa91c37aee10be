"""What gives warnings, or says which are given, is left out: `with np.errstate(...):` is its block."""

from __future__ import annotations

import types
import warnings
from collections.abc import Sequence
from typing import Any

import gast
import numpy as np

from adcompiler.frontend.facts import looked_up

_QUIET = (np.errstate, warnings.catch_warnings)
_ABOUT_WARNINGS = (warnings.warn, warnings.simplefilter, warnings.filterwarnings, np.seterr)
_STRICT = ("raise", "call", "log", "error")
"""What makes errors of warnings, or runs something: this is no way to be quiet."""
_LISTS = ("body", "orelse")


def without_quiet_blocks(stmts: list[gast.stmt], function: types.FunctionType) -> list[gast.stmt]:
    """Return statements with those of quiet blocks in their place, and without any about warnings.

    Args:
        stmts: the statements; their tree is kept as it is.
        function: the function that they are of.
    """
    found: list[gast.stmt] = []
    for stmt in stmts:
        if isinstance(stmt, gast.With) and all(_is_quiet(item, function) for item in stmt.items):
            found += without_quiet_blocks(stmt.body, function)
        elif isinstance(stmt, gast.Expr) and _calls(stmt.value, _ABOUT_WARNINGS, function):
            found.append(gast.copy_location(gast.Pass(), stmt))
        else:
            found.append(_with_inner(stmt, function))
    return found


def _with_inner(stmt: gast.stmt, function: types.FunctionType) -> gast.stmt:
    """Return a statement without quiet blocks among those inside of it."""
    if not isinstance(stmt, gast.If | gast.For | gast.While):
        return stmt
    inner = {key: without_quiet_blocks(getattr(stmt, key), function) for key in _LISTS}
    if all(new == getattr(stmt, key) for key, new in inner.items()):
        return stmt
    fields = {key: getattr(stmt, key) for key in stmt._fields} | inner
    return gast.copy_location(type(stmt)(**fields), stmt)


def _is_quiet(item: gast.withitem, function: types.FunctionType) -> bool:
    return item.optional_vars is None and _calls(item.context_expr, _QUIET, function)


def _calls(node: gast.expr, wanted: Sequence[Any], function: types.FunctionType) -> bool:
    if not isinstance(node, gast.Call) or not any(_object(node.func, function) is one for one in wanted):
        return False
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return not any(isinstance(value, gast.Constant) and value.value in _STRICT for value in given)


def _object(node: gast.expr, function: types.FunctionType) -> Any:
    """Return what a dotted name stands for outside the function, None for all else."""
    match node:
        case gast.Name():
            return looked_up(function, node.id)
        case gast.Attribute():
            return getattr(_object(node.value, function), node.attr, None)
    return None
