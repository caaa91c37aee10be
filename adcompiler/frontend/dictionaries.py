"""Dictionaries that are records: their keys are constants, and they are only read by these.

Compiled code has dictionaries of one type only, and no derivative goes through these. A record is taken apart
while the function is lowered; loops over its keys and items are written out.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from functools import lru_cache

import gast

from adcompiler.frontend.bindings import Binding, Record
from adcompiler.graph.nodes import Literal

Place = tuple[int, int]
VIEWS = ("keys", "values", "items", "get")
"""Methods of dictionaries that are known of a record."""


def iterated(found: Binding) -> Binding:
    """Return what loops, searches and unpacking see of a value: of a dictionary, its keys.

    >>> iterated(Record((Literal(1.0),), ("a",), dict)), iterated((Literal(1.0),))
    ((Literal(value='a'),), (Literal(value=1.0),))
    """
    if not isinstance(found, Record) or found.maker is not dict:
        return found
    return tuple(map(Literal, found.names))


def view(record: Record, method: str, args: Sequence[Binding]) -> Binding | None:
    """Return what a method of a record returns that is a dictionary; None where this is not known here."""
    match method, args:
        case "keys", ():
            return iterated(record)
        case "values", ():
            return tuple(record)
        case "items", ():
            return tuple((Literal(name), item) for name, item in zip(record.names, record, strict=True))
        case "get", (Literal(value=key), *other) if len(other) < 2:
            missing = other[0] if other else Literal(None)
            found: Binding = dict(zip(record.names, record, strict=True)).get(key, missing)
            return found
    return None


def is_record(tree: gast.FunctionDef | gast.Lambda, display: gast.Dict) -> bool:
    """Tell whether a dictionary display in a function is a record.

    Args:
        tree: the function.
        display: the display.
    """
    return (display.lineno, display.col_offset) in _records(tree)


@lru_cache(maxsize=256)
def _records(tree: gast.FunctionDef | gast.Lambda) -> frozenset[Place]:
    parents = {id(child): node for node in gast.walk(tree) for child in gast.iter_child_nodes(node)}
    displays = [node for node in gast.walk(tree) if isinstance(node, gast.Dict) and _has_names(node)]
    found = (node for node in displays if _is_read_only(tree, node, parents))
    return frozenset((node.lineno, node.col_offset) for node in found)


def _has_names(display: gast.Dict) -> bool:
    keys = [key.value if isinstance(key, gast.Constant) else None for key in display.keys]
    return bool(keys) and all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys)


def _is_read_only(tree: gast.AST, node: gast.AST, parents: dict[int, gast.AST]) -> bool:
    """Tell whether a value is only returned, or given a name of which only items are read."""
    parent = parents[id(node)]
    match parent:
        case gast.Return() | gast.Lambda():
            return True
        case gast.Tuple() | gast.Dict() | gast.IfExp():
            return _is_read_only(tree, parent, parents)
        case gast.Assign(targets=[gast.Name(id=name)]) if not isinstance(node, gast.Name):
            return all(_is_read_only(tree, use, parents) for use in _uses(tree, name))
        case gast.Call(func=gast.Name(id=name)) if node is not parent.func:
            return not hasattr(builtins, name)
        case gast.Call(func=gast.Call()) if node is not parent.func:
            return True  # of a derivative made there, say
        case gast.Subscript(value=value, slice=gast.Constant()) if value is node:
            return isinstance(parent.ctx, gast.Load)
        case gast.Attribute(attr="values" | "items"):
            return True
    return False


def _uses(tree: gast.AST, name: str) -> Iterator[gast.Name]:
    """Yield where a variable is read."""
    for node in gast.walk(tree):
        if isinstance(node, gast.Name) and node.id == name and isinstance(node.ctx, gast.Load):
            yield node
