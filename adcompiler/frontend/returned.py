"""What a function returns, as far as its `return` statements say: tuples, named tuples and dictionaries."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import resolve
from adcompiler.frontend.parse import parse
from adcompiler.graph.layout import Layout, Leaf, Packed, Static


def returned(function: types.FunctionType) -> Layout:
    """Return how the result of a function is built, of what no compiler has to run: constants are `Static`.

    >>> from adcompiler.samples import sigmoid
    >>> returned(sigmoid)
    Leaf(kind=None)
    """
    try:
        tree = parse(function).tree
    except DifferentiationError:  # there is no text
        return Leaf()
    if isinstance(tree, gast.Lambda):
        return _shape(tree.body, function, {})
    found = [stmt for stmt in _statements(tree) if isinstance(stmt, gast.Return | gast.Assign)]
    known = _displays(found)
    values = [stmt.value for stmt in found if isinstance(stmt, gast.Return) and stmt.value is not None]
    shapes = [_shape(value, function, known) for value in values]
    return next((shape for shape in shapes if isinstance(shape, Packed)), Leaf())


def _statements(tree: gast.AST) -> Iterator[gast.stmt]:
    """Yield the statements of a function, not those of functions inside."""
    for node in gast.iter_child_nodes(tree):
        if isinstance(node, gast.FunctionDef | gast.ClassDef):
            continue
        if isinstance(node, gast.stmt):
            yield node
        yield from _statements(node)


def _displays(statements: list[Any]) -> dict[str, Any]:
    """Return what is assigned to names that are assigned once."""
    found: dict[str, list[Any]] = {}
    for stmt in statements:
        for target in getattr(stmt, "targets", ()):
            if isinstance(target, gast.Name):
                found.setdefault(target.id, []).append(stmt.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _shape(node: Any, function: types.FunctionType, known: Mapping[str, Any]) -> Layout:
    match node:
        case gast.Tuple(elts=items):
            return Packed(tuple(_shape(item, function, known) for item in items))
        case gast.Dict(keys=keys, values=values) if keys and all(map(_is_text, keys)):
            parts = tuple(_shape(value, function, known) for value in values)
            return Packed(parts, tuple(key.value for key in keys), dict)
        case gast.Name(id=name) if name in known:
            return _shape(known[name], function, {key: known[key] for key in known if key != name})
        case gast.Constant(value=value):
            return Static(value)
        case gast.Call(func=gast.Name(id=name), args=args, keywords=keywords):
            return _record(
                resolve.lookup(function, name), args, keywords, lambda v: _shape(v, function, known)
            )
    return Leaf()


def _is_text(key: Any) -> bool:
    return isinstance(key, gast.Constant) and isinstance(key.value, str)


def _record(maker: Any, args: list[Any], keywords: list[Any], shape: Any) -> Layout:
    """Return the layout of a named tuple that is made; a leaf for any other call."""
    names = getattr(maker, "_fields", None)
    if not isinstance(maker, type) or names is None:
        return Leaf()
    given = dict(zip(names, args, strict=False)) | {k.arg: k.value for k in keywords}
    return Packed(tuple(shape(given[name]) if name in given else Leaf() for name in names), names, maker)
