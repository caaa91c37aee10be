"""Expressions of which only the truth matters; that of a list is whether it has items at that time."""

from __future__ import annotations

import gast

from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom


def test_of(state: Lowering, node: gast.expr) -> Atom:
    """Lower a test."""
    return state.atom(asked(state, node))


def asked(state: Lowering, node: gast.expr) -> gast.expr:
    """Return a test with `len(items) > 0` for each list in it."""
    match node:
        case gast.Name() | gast.Call() if (items := _list_in(state, node)) is not None:
            size = gast.Call(gast.Name("len", gast.Load(), None, None), [items], [])
            return _at(gast.Compare(_at(size, node), [gast.Gt()], [_at(gast.Constant(0, None), node)]), node)
        case gast.UnaryOp(op=gast.Not()):
            return _at(gast.UnaryOp(node.op, asked(state, node.operand)), node)
        case gast.BoolOp():
            return _at(gast.BoolOp(node.op, [asked(state, part) for part in node.values]), node)
    return node


def _list_in(state: Lowering, node: gast.expr) -> gast.Name | None:
    """Return the list that `items` or `bool(items)` asks for."""
    match node:
        case gast.Name(id=name) if "len" not in state.env:
            found = state.env.get(name)
            return node if found is not None and state.is_list(found) else None
        case gast.Call(func=gast.Name(id="bool"), args=[argument], keywords=[]) if "bool" not in state.env:
            return _list_in(state, argument)
    return None


def _at(new: gast.expr, node: gast.expr) -> gast.expr:
    return gast.copy_location(new, node)
