"""Tuples that are known while lowering: spreading, joining, picking, searching."""

from __future__ import annotations

from typing import Any

import gast

from adcompiler.frontend import resolve
from adcompiler.frontend.bindings import Binding, Record
from adcompiler.frontend.dictionaries import iterated
from adcompiler.frontend.ranks import Items
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, If, Literal, Node, Region, Value


def items(state: Lowering, nodes: list[gast.expr]) -> list[Binding]:
    """Lower the items of a display or the arguments of a call; `*t` stands for the items of a tuple."""
    found: list[Binding] = []
    for node in nodes:
        if not isinstance(node, gast.Starred):
            found.append(state.binding(node))
            continue
        spread = state.binding(node.value)
        if isinstance(spread, Global) and isinstance(spread.value, tuple):
            spread = tuple(resolve.constant("item", item) for item in spread.value)
        count = state.ranks.get(spread) if isinstance(spread, Value) else None
        if isinstance(spread, Value) and isinstance(count, Items):  # a shape
            spread = tuple(state.apply(node, "getitem", (spread, Literal(k))) for k in range(count))
        spread = iterated(spread)
        if not isinstance(spread, tuple):
            raise state.refuse("AD102", "only a tuple of known length can be spread with '*'", node)
        found.extend(spread)
    return found


def joined(state: Lowering, node: gast.BinOp) -> Binding | None:
    """`(a, b) + t` and `2 * (a,)`, where the tuples are known here."""
    if not isinstance(node.op, gast.Add | gast.Mult) or not _may_be_tuple(state, node):
        return None
    left, right = state.binding(node.left), state.binding(node.right)
    if isinstance(node.op, gast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        return (*left, *right)
    for one, two in ((left, right), (right, left)):
        if isinstance(node.op, gast.Mult) and isinstance(one, tuple) and isinstance(two, Literal):
            assert isinstance(two.value, int)
            return tuple(one) * two.value
    parts = state.materialise(left, node), state.materialise(right, node)
    return state.apply(node, "add" if isinstance(node.op, gast.Add) else "mul", parts)


def _may_be_tuple(state: Lowering, node: gast.expr) -> bool:
    """Tell whether an expression is a tuple as far as can be seen without lowering it."""
    match node:
        case gast.Tuple():
            return True
        case gast.Name():
            found = state.env.get(node.id)
            return isinstance(found, tuple)
        case gast.BinOp(op=gast.Add()):
            return _may_be_tuple(state, node.left) or _may_be_tuple(state, node.right)
        case gast.BinOp(op=gast.Mult()):
            return _may_be_tuple(state, node.left) or _may_be_tuple(state, node.right)
        case gast.Subscript(slice=gast.Slice()):
            return _may_be_tuple(state, node.value)
    return False


def contained(state: Lowering, node: gast.AST, item: Atom, container: Binding) -> Atom:
    """`x in (a, b)` compares with each; other containers are searched when the program runs."""
    container = iterated(container)
    if not isinstance(container, tuple):
        whole = state.materialise(container, node)
        return state.apply(node, "operator.contains", (whole, item))
    if isinstance(item, Literal) and all(isinstance(c, Literal) for c in container):
        return Literal(item in container)
    tests = [state.apply(node, "eq", (item, state.materialise(c, node))) for c in container]
    found: Atom = tests[0] if tests else Literal(False)
    for test in tests[1:]:
        found = state.apply(node, "or", (found, test))
    return found


def chosen(state: Lowering, node: gast.AST, items: tuple[Binding, ...], index: Value) -> Binding:
    """Pick an item of a tuple that is known here by a number that is not: a chain of branches."""
    if all(isinstance(item, tuple) and len(item) == len(items[0]) for item in items):  # type: ignore[arg-type]
        columns = zip(*items, strict=True)
        return tuple(chosen(state, node, column, index) for column in columns)
    atoms = [state.materialise(item, node) for item in items]
    if all(isinstance(item, Literal) for item in atoms):
        whole = state.apply(node, "tuple", tuple(atoms))
        return state.apply(node, "getitem", (whole, index))
    return _picked(state, node, atoms, index)


def _picked(state: Lowering, node: gast.AST, items: list[Atom], index: Value) -> Atom:
    """Append the chain of branches that picks a value by its number."""
    where = state.where(node)
    inside = state.apply(node, "lt", (index, Literal(len(items))))
    state.nodes.append(Effect("assert", (inside, Literal("tuple index out of range")), loc=where))
    position = state.apply(node, "mod", (index, Literal(len(items))))

    def rest(k: int) -> tuple[list[Node], Atom]:
        if k == len(items) - 1:
            return [], items[k]
        test, out = Value("test", temporary=True), Value("choice", temporary=True)
        nodes, other = rest(k + 1)
        then, orelse = Region((), (), (items[k],)), Region((), tuple(nodes), (other,))
        made: list[Node] = [
            Apply(test, "eq", (position, Literal(k)), loc=where),
            If(test, then, orelse, (out,), loc=where),
        ]
        return made, out

    made, picked = rest(0)
    state.nodes += made
    return picked


def item(state: Lowering, node: gast.Subscript, base: tuple[Binding, ...]) -> Binding:
    """Pick an item or slice of a tuple that is known here."""
    if isinstance(node.slice, gast.Slice):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        bounds = [Literal(None) if part is None else state.atom(part) for part in parts]
        known: list[Any] = [bound.value for bound in bounds if isinstance(bound, Literal)]
        if len(known) == len(bounds):
            return tuple(base[slice(*known)])
        raise state.refuse("AD102", "a tuple can only be sliced by constants", node)
    index = state.atom(node.slice)
    if isinstance(index, Value) and not isinstance(base, Record) and base:
        return chosen(state, node, base, index)
    if isinstance(index, Literal):
        if isinstance(base, Record) and index.value in base.names:
            return base[base.names.index(index.value)]  # type: ignore[no-any-return]
        if isinstance(base, Record) and base.maker is dict:
            raise state.refuse("AD102", f"the dictionary has no item {index.value!r}", node, _keys(base))
        if isinstance(index.value, int) and -len(base) <= index.value < len(base):
            return base[index.value]
    raise state.refuse("AD102", "the tuple or dictionary has no such item", node)


def _keys(record: Record) -> str:
    return f"its keys are {', '.join(map(repr, record.names))}"
