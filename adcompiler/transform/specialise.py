"""Settle what depends on types: in-place operators, arguments that are written, undefined initial values."""

from __future__ import annotations

from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.alias import IN_PLACE, memory
from adcompiler.analysis.types import Types, element, is_array, is_float
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import map_region, substitute
from adcompiler.optimize.invariant import remove_invariants


def specialise(graph: Graph, types: Types) -> Graph:
    """Return the graph with typed nodes only; `types` is extended with the values made here."""
    graph = _resolve_in_place(graph, types)
    graph = _copy_written_arguments(graph, types)
    return _define_initial_values(graph, types)


def _resolve_in_place(graph: Graph, types: Types) -> Graph:
    """`a += v` is a store where `a` is an array and an assignment where it is a number."""
    same: dict[Value, Atom] = {}

    def in_place(node: Apply) -> list[Node]:
        op, (target, value) = IN_PLACE[node.fn], node.args
        if not is_array(types.get(target)) or not isinstance(target, Value):  # type: ignore[arg-type]
            return [replace(node, fn=op)]
        same[node.out] = target
        if op == "add":
            return [Store(target, (), value, True, node.loc)]
        name = "neg" if op == "sub" else op
        new = Value(name, temporary=True)
        operands = (value,) if op == "sub" else (target, value)
        kind = types.get(value) if op == "sub" else types[target]  # type: ignore[arg-type]
        types[new] = nt.float64 if kind is None else kind
        compute = Apply(new, name, operands, loc=node.loc)
        return [compute, Store(target, (), new, op == "sub", node.loc)]

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            is_in_place = isinstance(node, Apply) and node.fn in IN_PLACE
            nodes += in_place(node) if is_in_place else [node]  # type: ignore[arg-type]
        return Region(region.params, tuple(nodes), region.yields)

    body = map_region(graph.body, rewrite)
    return remove_invariants(replace(graph, body=substitute(body, same)))


def _copy_written_arguments(graph: Graph, types: Types) -> Graph:
    """The caller's arrays are never changed: an argument that is written is copied on entry."""
    arrays = {value for value, kind in types.items() if is_array(kind)}
    info = memory(graph.body, arrays)
    copies: list[Node] = []
    mapping: dict[Value, Atom] = {}
    for param in graph.body.params:
        if info.is_written(param):
            own = Value(param.name)
            types[own] = types[param].copy(layout="C") if types[param].layout == "A" else types[param]
            copies.append(Apply(own, "copy", (param,)))
            mapping[param] = own
    if not copies:
        return graph
    body = substitute(graph.body, mapping)
    return replace(graph, body=replace(body, nodes=(*copies, *body.nodes)))


def _define_initial_values(graph: Graph, types: Types) -> Graph:
    """A loop-carried number without a value before the loop starts as zero: nothing reads it."""

    def zero(atom: Atom, param: Value) -> Atom:
        kind = types.get(param)
        if atom != UNDEFINED or kind is None or is_array(kind):
            return atom
        if is_float(element(kind)):
            return Literal(0.0)
        if isinstance(kind, nt.Boolean):
            return Literal(False)
        return Literal(0) if isinstance(kind, nt.Integer) else atom

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, For | While):
                params = node.body.params[isinstance(node, For) :]
                node = replace(node, inits=tuple(map(zero, node.inits, params)))
            nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=map_region(graph.body, rewrite))
