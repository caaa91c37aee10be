"""Assignments: to names, tuples of targets and elements of arrays."""

from __future__ import annotations

import gast

from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.dictionaries import iterated
from adcompiler.frontend.operators import symbol
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.structure import RESULT
from adcompiler.frontend.subscripts import field_refused, place
from adcompiler.graph.nodes import Atom, Literal, Store


def _hint(target: gast.AST) -> str | None:
    """Return the name that a value assigned to a target takes; results of calls have none of their own."""
    return target.id.lstrip("$") if isinstance(target, gast.Name) and target.id != RESULT else None


def assign(state: Lowering, targets: list[gast.expr], value: gast.expr) -> None:
    """Lower an assignment; tuples assigned to tuples are assigned item by item."""
    if isinstance(value, gast.Tuple) and all(isinstance(target, gast.Tuple) for target in targets):
        first = targets[0].elts
        hints = [_hint(target) for target in first] if len(first) == len(value.elts) else []
        hints += [None] * (len(value.elts) - len(hints))
        pairs = zip(value.elts, hints, strict=True)
        found: Binding = tuple(state.binding(item, hint) for item, hint in pairs)
    else:
        found = state.binding(value, _hint(targets[0]))
    for target in targets:
        bind(state, target, found)


def bind(state: Lowering, target: gast.AST, value: Binding) -> None:
    """Bind a target (name, tuple of targets, or element of an array) to a value."""
    match target:
        case gast.Name():
            state.env[target.id] = value
        case gast.Starred():
            bind(state, target.value, value)
        case gast.Tuple() | gast.List():
            for part, item in zip(target.elts, _unpack(state, target, value), strict=True):
                bind(state, part, item)
        case gast.Subscript():
            array, index = place(state, target)
            is_row = isinstance(value, tuple) and isinstance(state.ranks.get(array), int)
            item_atom = _row(state, target, value) if is_row else state.materialise(value, target)
            state.nodes.append(Store(array, index, item_atom, False, loc=state.where(target)))
        case gast.Attribute():
            raise field_refused(state, target)
        case _:
            raise state.refuse("AD101", "cannot assign to this target", target)


def _row(state: Lowering, target: gast.Subscript, value: Binding) -> Atom:
    """Return a tuple that is assigned to a part of an array as an array."""
    assert isinstance(value, tuple)
    items = state.apply(target, "list", tuple(state.materialise(item, target) for item in value))
    return state.apply(target, "np.array", (items,))


def _unpack(state: Lowering, target: gast.Tuple, value: Binding) -> list[Binding]:
    parts, value = target.elts, iterated(value)
    starred = [k for k, part in enumerate(parts) if isinstance(part, gast.Starred)]
    if starred:
        if not isinstance(value, tuple) or len(value) < len(parts) - 1:
            raise state.refuse("AD101", "'*' unpacks a tuple of known length only", target)
        first, last = starred[0], len(value) - (len(parts) - starred[0] - 1)
        return [*value[:first], tuple(value[first:last]), *value[last:]]
    if isinstance(value, tuple):
        if len(value) != len(parts):
            raise state.refuse("AD101", f"cannot unpack {len(value)} values into {len(parts)}", target)
        return list(value)
    whole = state.materialise(value, target)
    return [state.apply(target, "getitem", (whole, Literal(k)), _hint(part)) for k, part in enumerate(parts)]


def augmented(state: Lowering, stmt: gast.AugAssign) -> None:
    """Lower `a += b` and the like; of an element, `+=` and `-=` add to memory."""
    op = symbol(stmt.op)
    if isinstance(stmt.target, gast.Name):
        name = gast.copy_location(gast.Name(stmt.target.id, gast.Load(), None, None), stmt.target)
        old = writable(state, state.atom(name), stmt)
        if op == "add" and isinstance(stmt.value, gast.List) and state.is_list(old):
            for new_item in [state.atom(part) for part in stmt.value.elts]:
                state.append(stmt, old, new_item)
            return
        value = state.atom(stmt.value)
        new = state.apply(stmt, f"i{op.removesuffix('_')}", (old, value), stmt.target.id)
        state.env[stmt.target.id] = new
        return
    array, index = place(state, stmt.target)
    accumulates = op in ("add", "sub")
    item = None if accumulates else state.apply(stmt, "getitem", (array, *index))
    value = state.atom(stmt.value)
    if op == "sub":
        value = state.apply(stmt, "neg", (value,))
    elif item is not None:
        of_item = (("of_item", Literal(True)),)
        value = state.apply(stmt, f"i{op.removesuffix('_')}", (item, value), None, of_item)
    state.nodes.append(Store(array, index, value, accumulates, loc=state.where(stmt)))
