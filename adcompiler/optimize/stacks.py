"""Keep numbers of loops of unknown length in arrays that grow, instead of in lists.

A list of numbers that is only appended to and popped from is a stack: an array, made twice as long whenever
it is full, and the number of its elements that are in use. The loops that push or pop carry both along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import boolean, int64
from numba.core import types as nt

from adcompiler.analysis.types import Types, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    hint,
)
from adcompiler.graph.walk import free, operands, regions, values, walk, walk_regions, with_regions

_FIRST = 64
"""Elements that a stack has room for at first."""

State = Mapping[Value, tuple[Atom, Atom]]
"""For each list, the array and the number of its elements."""


def lists_to_arrays(graph: Graph, types: Types) -> Graph:
    """Return the graph with stacks of numbers as arrays.

    Args:
        graph: the graph of a gradient.
        types: type of every value, extended with the values made here.
    """
    stacks = _stacks(graph.body, types)
    if not stacks:
        return graph
    nodes, _ = _threaded(graph.body, {}, stacks, types)
    return replace(graph, body=replace(graph.body, nodes=nodes))


def _stacks(body: Region, types: Types) -> set[Value]:
    """Return the lists of numbers that serve as stacks only."""
    found: set[Value] = set()
    other: set[Value] = set()
    for region in walk_regions(body):
        other.update(values(region.yields))
    for node in walk(body):
        match node:
            case Apply(fn="list", args=()) if _is_numbers(types.get(node.out)):
                found.add(node.out)
            case Effect(fn="append") | Apply(fn="pop") if isinstance(node.args[0], Value):
                other.update(values(node.args[1:]))
            case _:
                other.update(values(operands(node)))
        if isinstance(node, While):
            other |= free(node.cond).keys()
    return found - other


def _is_numbers(kind: nt.Type | None) -> bool:
    return isinstance(kind, nt.List) and is_scalar(kind.dtype)


def _threaded(
    region: Region, state: State, stacks: set[Value], types: Types
) -> tuple[tuple[Node, ...], State]:
    """Return the nodes of a region, with what is in the stacks after them."""
    nodes: list[Node] = []
    now = dict(state)
    for node in region.nodes:
        match node:
            case Apply(fn="list") if node.out in stacks:
                made = _array(node.out, types)
                kind = str(types[node.out].dtype)
                dtype = () if kind == "float64" else (Global(_NAMES.get(kind, f"np.{kind}"), None),)
                nodes.append(replace(node, out=made, fn="np.empty", args=(Literal(_FIRST), *dtype)))
                now[node.out] = made, Literal(0)
            case Effect(fn="append", args=(Value() as stack, value)) if stack in now:
                now[stack] = _pushed(stack, value, now[stack], nodes, types)
            case Apply(fn="pop", args=(Value() as stack, *_)) if stack in now:
                array, top = now[stack]
                last = _count("sub", nodes, types, top)
                nodes.append(replace(node, fn="getitem", args=(array, last)))
                now[stack] = array, last
            case If() | For() | While() if touched := [stack for stack in now if _touches(node, stack)]:
                node, ends = _carrying(node, touched, now, stacks, types)
                nodes.append(node)
                now |= ends
            case _ if regions(node):
                parts = [
                    replace(part, nodes=_threaded(part, now, stacks, types)[0]) for part in regions(node)
                ]
                nodes.append(with_regions(node, tuple(parts)))
            case _:
                nodes.append(node)
    return tuple(nodes), now


_NAMES = {"bool": "np.bool_", "boolean": "np.bool_"}


def _array(stack: Value, types: Types) -> Value:
    made = Value(stack.name, stack.temporary)
    types[made] = nt.Array(types[stack].dtype, 1, "C")
    return made


def _top(types: Types) -> Value:
    made = Value("top")
    types[made] = int64
    return made


def _count(fn: str, nodes: list[Node], types: Types, top: Atom) -> Value:
    made = _top(types)
    nodes.append(Apply(made, fn, (top, Literal(1))))
    return made


def _pushed(
    stack: Value, value: Atom, entry: tuple[Atom, Atom], nodes: list[Node], types: Types
) -> tuple[Atom, Atom]:
    """Append to a stack, which is made longer if it is full."""
    array, top = entry
    size, full = Value(hint("len"), temporary=True), Value(hint("eq"), temporary=True)
    longer, room = _array(stack, types), _array(stack, types)
    types[size], types[full] = int64, boolean
    grown = Region((), (Apply(longer, "longer", (array,)),), (longer,))
    nodes += [
        Apply(size, "len", (array,)),
        Apply(full, "eq", (top, size)),
        If(full, grown, Region((), (), (array,)), (room,)),
        Store(room, (top,), value),
    ]
    return room, _count("add", nodes, types, top)


def _touches(node: Node, stack: Value) -> bool:
    return any(stack in free(part) for part in regions(node))


def _carrying(
    node: If | For | While, touched: list[Value], state: State, stacks: set[Value], types: Types
) -> tuple[Node, State]:
    """Let a branch or loop hand on the stacks that it touches; return it with what is in them after it."""
    outs = {stack: (_array(stack, types), _top(types)) for stack in touched}
    results = (*node.outs, *_flat(outs, touched))
    if isinstance(node, If):
        arms = []
        for arm in regions(node):
            nodes, ends = _threaded(arm, state, stacks, types)
            arms.append(Region((), nodes, (*arm.yields, *_flat(ends, touched))))
        return replace(node, then=arms[0], orelse=arms[1], outs=results), outs  # type: ignore[return-value, arg-type]
    entries: State = {stack: (_array(stack, types), _top(types)) for stack in touched}
    nodes, ends = _threaded(node.body, {**state, **entries}, stacks, types)
    body = Region(
        (*node.body.params, *_flat(entries, touched)),  # type: ignore[arg-type]
        nodes,
        (*node.body.yields, *_flat(ends, touched)),
    )
    inits = (*node.inits, *_flat(state, touched))
    return replace(node, inits=inits, body=body, outs=results), outs  # type: ignore[return-value, arg-type]


def _flat(state: State, stacks: list[Value]) -> tuple[Atom, ...]:
    return tuple(atom for stack in stacks for atom in state[stack])
