"""Nested functions that read nothing of a call, as functions that stand by themselves.

A function with rules of its own is compiled as it stands, and so is a function that it is given: that one can
read what is fixed, of the module and of the functions around it, and not what a call computes.
"""

from __future__ import annotations

import functools
import textwrap
import types
from typing import Any

import gast
from numba.core.dispatcher import Dispatcher

from adcompiler.frontend import resolve
from adcompiler.frontend.bindings import Closure
from adcompiler.frontend.lifting import around, free
from adcompiler.frontend.parse import Source
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.texts import function_of
from adcompiler.graph.nodes import Global, Literal

_FIXED = (int, float, complex, str, type(None), types.FunctionType, types.ModuleType, Dispatcher)
_MOVING, _OUTSIDE = object(), object()
"""What a name stands for that calls may change, and one of the module."""


def standalone(state: Lowering, node: gast.AST, callee: str, closure: Closure) -> Global:
    """Return a nested function or lambda as one of the module.

    Args:
        state: the state.
        node: the call that it is given to.
        callee: the name of what is called.
        closure: the function.

    Raises:
        DifferentiationError: AD203 where it reads a value that the call computes.
    """
    found = {name: _fixed(state, node, callee, closure, name) for name in free(closure)}
    reads = next((name for name, value in found.items() if value is _MOVING), None)
    if reads or closure.defaults:
        what = f"reads '{reads}'" if reads else f"has a default for '{next(iter(closure.defaults))}'"
        reason = f"'{callee}' has a rule of its own, and is given a function made inside that {what}"
        cure = f"hand it on as an argument of '{callee}', and let that function have a parameter for it"
        raise state.refuse("AD203", reason, node, cure)
    inside = {name: value for name, value in found.items() if value is not _OUTSIDE}
    values = tuple(inside.values())
    made = _made(closure.source.function, _text(closure.source), (*inside,), values, (*map(type, values),))
    return Global(made.__name__, made)


def _fixed(state: Lowering, node: gast.AST, callee: str, closure: Closure, name: str) -> Any:
    """Return what a free name of a nested function stands for in every call, `_MOVING`, or `_OUTSIDE`."""
    function = closure.source.function
    match around(closure, name):
        case None if name in closure.frame.local_names:
            return _MOVING
        case None if name in function.__code__.co_freevars:
            value = resolve.lookup(function, name)
            return value if isinstance(value, _FIXED) else _MOVING
        case None:
            resolve.lookup(function, name)
            return _OUTSIDE
        case Literal(value=value) | Global(value=value) if isinstance(value, _FIXED):
            return value
        case Closure() as inner:
            return standalone(state, node, callee, inner).value
    return _MOVING


def _text(source: Source) -> str:
    """Return the text of a nested function as a `def` statement."""
    tree = source.tree
    first, *rest = source.lines[tree.lineno - 1 : tree.end_lineno]
    if isinstance(tree, gast.FunctionDef):
        return textwrap.dedent("".join([first, *rest]))
    lines = [first, *rest]
    lines[-1] = _columns(lines[-1], 0, tree.end_col_offset)
    lines[0] = _columns(lines[0], tree.col_offset, None)
    return f"inner = ({''.join(lines)})\n"


def _columns(line: str, start: int, end: int | None) -> str:
    """Return a part of a line, whose columns are counted in bytes, as in trees."""
    return line.encode()[start:end].decode()


@functools.lru_cache(maxsize=256)
def _made(
    outer: types.FunctionType,
    text: str,
    names: tuple[str, ...],
    values: tuple[Any, ...],
    kinds: tuple[type, ...],
) -> types.FunctionType:
    """Return the function of a text that stands in another one.

    Args:
        outer: the function that it stands in.
        text: its text.
        names, values: what it reads of the functions around it.
        kinds: types of the values, which tell 1 from 1.0.
    """
    name = text[4 : text.index("(")].strip() if text.startswith("def") else "inner"
    body = textwrap.indent(text, "    ")
    known = dict(zip(names, values, strict=True))
    surroundings = outer.__globals__ | {}
    maker = function_of(f"def around({', '.join(names)}):\n{body}    return {name}\n", surroundings, outer)
    made: types.FunctionType = maker(**known)
    vars(made)["remade"] = _made, (outer, text, names, values, kinds)
    return made
