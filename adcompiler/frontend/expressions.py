"""From gast expressions to nodes of the graph."""

from __future__ import annotations

import gast

from adcompiler.frontend import branches, calls, dictionaries, operators, resolve, scope, tuples
from adcompiler.frontend.bindings import Binding, Closure, Record
from adcompiler.frontend.iteration import range_bounds
from adcompiler.frontend.loops import comprehension
from adcompiler.frontend.parse import Source, default_trees
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.subscripts import subscript
from adcompiler.frontend.truth import asked
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    Literal,
)
from adcompiler.primitives import card


def closure(state: Lowering, node: gast.FunctionDef | gast.Lambda) -> Closure:
    """Return the binding of a nested function.

    It reads the variables around it as they are when it is called, and its defaults as they are now.
    """
    source = Source(state.source.function, node, state.source.file, state.source.lines)
    defaults = {key: state.binding(tree) for key, tree in default_trees(node.args).items()}
    return Closure(source, state, defaults)


def expression(state: Lowering, node: gast.expr, name: str | None = None) -> Binding:
    """Lower an expression; `name` is the variable that it is about to be assigned to."""
    match node:
        case gast.Constant():
            return _constant(state, node)
        case gast.Name():
            return scope.read(state, node)
        case gast.Tuple():
            return tuple(tuples.items(state, node.elts))
        case gast.List():
            parts = [state.materialise(item, node) for item in tuples.items(state, node.elts)]
            return state.apply(node, "list", tuple(parts), name)
        case gast.ListComp():
            return comprehension(state, node, name)
        case gast.Dict() if dictionaries.is_record(state.source.tree, node):
            names = tuple(key.value for key in node.keys)
            return Record([state.binding(item) for item in node.values], names, dict)
        case gast.Dict() if None not in node.keys:
            return _dictionary(state, node, name)
        case gast.JoinedStr():
            return _text(state, node)
        case gast.BinOp():
            return operators.binary(state, node, name)
        case gast.UnaryOp():
            return operators.unary(state, node, name)
        case gast.Compare():
            return operators.compare(state, node, name)
        case gast.BoolOp():
            return branches.boolean(state, node, node.values, name)
        case gast.IfExp():
            return branches.ternary(state, node, name)
        case gast.Call() if (test := asked(state, node)) is not node:
            return state.atom(test)
        case gast.Call():
            return calls.call(state, node, name)
        case gast.Subscript() if (bounds := range_bounds(state, node)) is not None:
            return state.apply(node, "range", bounds, name)
        case gast.Subscript():
            return subscript(state, node, name)
        case gast.Attribute():
            return _attribute(state, node, name)
        case gast.NamedExpr():
            target = node.target.id
            value = state.env[target] = state.binding(node.value, None if target.startswith("$") else target)
            return value
        case gast.Lambda():
            return closure(state, node)
        case _:
            kind = type(node).__name__
            raise state.refuse("AD102", f"'{kind}' expressions are not part of the language", node)


def _dictionary(state: Lowering, node: gast.Dict, name: str | None) -> Atom:
    pairs = [
        state.apply(node, "tuple", (state.atom(key), state.atom(value)))
        for key, value in zip(node.keys, node.values, strict=True)
    ]
    return state.apply(node, "dict", (state.apply(node, "list", tuple(pairs)),), name)


def _text(state: Lowering, node: gast.JoinedStr) -> Atom:
    """An f-string: its parts joined; formats are left to `str`."""
    parts: list[Atom] = []
    for part in node.values:
        if isinstance(part, gast.FormattedValue):
            parts.append(state.apply(node, "str", (state.atom(part.value),)))
        else:
            parts.append(state.atom(part))
    whole: Atom = parts[0] if parts else Literal("")
    for part in parts[1:]:
        whole = state.apply(node, "add", (whole, part))
    return whole


def _constant(state: Lowering, node: gast.Constant) -> Literal:
    if node.value is None or isinstance(node.value, bool | int | float | str | complex):
        return Literal(node.value)
    raise state.refuse("AD102", f"constants of type {type(node.value).__name__} are not supported", node)


def _attribute(state: Lowering, node: gast.Attribute, name: str | None) -> Binding:
    value = scope.dotted(state, node)
    if value is not resolve.MISSING:
        return scope.captured(state, node, node.attr, value)
    found = state.binding(node.value)
    if isinstance(found, Record):
        if node.attr not in found.names:
            raise state.refuse("AD102", f"it has no field '{node.attr}'", node)
        return found[found.names.index(node.attr)]  # type: ignore[no-any-return]
    base = state.materialise(found, node)
    followed = calls.member(state, node, base, node.attr, name)
    if followed is not None:
        return followed
    return _of_value(state, node, base, name)


def _of_value(state: Lowering, node: gast.Attribute, base: Atom, name: str | None) -> Binding:
    """Read an attribute of a value of the graph."""
    rank = atom_rank(base, state.ranks)
    if node.attr == "ndim" and rank is not None:
        return Literal(int(rank))  # without what a rank says beside, such as that the elements are complex
    if node.attr == "shape" and rank == 0:
        return ()
    if node.attr == "ndim" and str(state.source.function.__module__).startswith("adcompiler.definitions"):
        reason = "the number of axes of an argument is not known before the program runs"
        raise state.refuse("AD102", reason, node, "give the array its axes: x.reshape(n, m)")
    if node.attr == "dtype" and rank == 0:  # np.asarray(x) of a number is the number
        base = state.apply(node, "np.full", (Literal(1), base))
    if node.attr in resolve.ATTRIBUTES:
        return state.apply(node, node.attr, (base,), name)
    if node.attr in ("real", "imag"):
        return state.apply(node, f"np.{node.attr}", (base,), name or node.attr)
    return state.apply(node, "getattr", (base, Literal(node.attr)), name or node.attr)


def _is_idle(node: Apply) -> bool:
    """Tell whether a call as a statement, `np.sum(x)`, has no effect: it gets no array to write."""
    known = card(node.fn)
    is_alone = len(node.args) == 1 and not node.keywords
    return is_alone and bool(known.partials or known.vjps) and known.is_pure and not known.is_statement


def effect(state: Lowering, node: gast.expr) -> None:
    """Lower an expression statement: a call made for what it does."""
    if not isinstance(node, gast.Call):
        state.atom(node)
        return
    result = calls.call(state, node, None)
    last = state.nodes[-1] if state.nodes else None
    is_call = isinstance(last, Apply) and result is last.out and last.loc == state.where(node)  # not inlined
    if isinstance(last, Apply) and is_call and last.fn != "pop" and not _is_idle(last):
        state.nodes[-1] = Effect(last.fn, last.args, last.keywords, loc=last.loc)
