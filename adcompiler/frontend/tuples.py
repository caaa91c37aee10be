"""Tuples that are known while lowering: spreading, joining, picking, searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gast

from adcompiler.frontend import expressions, resolve
from adcompiler.frontend.bindings import Binding, Record
from adcompiler.graph.nodes import Apply, Atom, Effect, Global, If, Literal, Node, Region, Value

if TYPE_CHECKING:
    from adcompiler.frontend.lower import Lowering


def items(state: Lowering, nodes: list[gast.expr]) -> list[Binding]:
    """Lower the items of a display or the arguments of a call; `*t` stands for the items of a tuple."""
    found: list[Binding] = []
    for node in nodes:
        if not isinstance(node, gast.Starred):
            found.append(expressions.binding(state, node))
            continue
        spread = expressions.binding(state, node.value)
        if isinstance(spread, Global) and isinstance(spread.value, tuple):
            spread = tuple(resolve.constant("item", item) for item in spread.value)
        if not isinstance(spread, tuple):
            raise state.refuse("AD102", "only a tuple of known length can be spread with '*'", node)
        found.extend(spread)
    return found


def joined(state: Lowering, node: gast.BinOp) -> Binding | None:
    """`(a, b) + t` and `2 * (a,)`, where the tuples are known here."""
    if not isinstance(node.op, gast.Add | gast.Mult) or not _may_be_tuple(state, node):
        return None
    left, right = expressions.binding(state, node.left), expressions.binding(state, node.right)
    if isinstance(node.op, gast.Add) and isinstance(left, tuple) and isinstance(right, tuple):
        return (*left, *right)
    for one, two in ((left, right), (right, left)):
        if isinstance(node.op, gast.Mult) and isinstance(one, tuple) and isinstance(two, Literal):
            assert isinstance(two.value, int)
            return tuple(one) * two.value
    parts = expressions.materialise(state, left, node), expressions.materialise(state, right, node)
    return expressions.apply(state, node, expressions.symbol(node.op), parts)


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
    if not isinstance(container, tuple):
        whole = expressions.materialise(state, container, node)
        return expressions.apply(state, node, "operator.contains", (whole, item))
    if isinstance(item, Literal) and all(isinstance(c, Literal) for c in container):
        return Literal(item in container)
    tests = [
        expressions.apply(state, node, "eq", (item, expressions.materialise(state, c, node)))
        for c in container
    ]
    found: Atom = tests[0] if tests else Literal(False)
    for test in tests[1:]:
        found = expressions.apply(state, node, "or", (found, test))
    return found


def chosen(state: Lowering, node: gast.AST, items: tuple[Binding, ...], index: Value) -> Binding:
    """Pick an item of a tuple that is known here by a number that is not: a chain of branches."""
    if all(isinstance(item, tuple) and len(item) == len(items[0]) for item in items):  # type: ignore[arg-type]
        columns = zip(*items, strict=True)
        return tuple(chosen(state, node, column, index) for column in columns)
    atoms = [expressions.materialise(state, item, node) for item in items]
    if all(isinstance(item, Literal) for item in atoms):
        whole = expressions.apply(state, node, "tuple", tuple(atoms))
        return expressions.apply(state, node, "getitem", (whole, index))
    where = state.where(node)
    inside = expressions.apply(state, node, "lt", (index, Literal(len(items))))
    state.nodes.append(Effect("assert", (inside, Literal("tuple index out of range")), where))
    position = expressions.apply(state, node, "mod", (index, Literal(len(items))))

    def rest(k: int) -> tuple[list[Node], Atom]:
        if k == len(atoms) - 1:
            return [], atoms[k]
        test, out = Value("test", temporary=True), Value("choice", temporary=True)
        nodes, other = rest(k + 1)
        then, orelse = Region((), (), (atoms[k],)), Region((), tuple(nodes), (other,))
        made: list[Node] = [
            Apply(test, "eq", (position, Literal(k)), loc=where),
            If(test, then, orelse, (out,), where),
        ]
        return made, out

    made, picked = rest(0)
    state.nodes += made
    return picked


def item(state: Lowering, node: gast.Subscript, base: tuple[Binding, ...]) -> Binding:
    if isinstance(node.slice, gast.Slice):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        bounds = [Literal(None) if part is None else expressions.atom(state, part) for part in parts]
        known: list[Any] = [bound.value for bound in bounds if isinstance(bound, Literal)]
        if len(known) == len(bounds):
            return tuple(base[slice(*known)])
        raise state.refuse("AD102", "a tuple can only be sliced by constants", node)
    index = expressions.atom(state, node.slice)
    if isinstance(index, Value) and not isinstance(base, Record) and base:
        return chosen(state, node, base, index)
    if isinstance(index, Literal):
        if isinstance(base, Record) and index.value in base.names:
            return base[base.names.index(index.value)]  # type: ignore[no-any-return]
        if isinstance(index.value, int) and -len(base) <= index.value < len(base):
            return base[index.value]
    raise state.refuse("AD102", "the tuple or dictionary has no such item", node)
