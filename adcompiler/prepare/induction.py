"""Compute counters from the index of the loop that counts them, instead of carrying them along."""

from __future__ import annotations

from dataclasses import replace

from numba.core import types as nt

from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, For, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, select, substitute
from adcompiler.primitives import hint


def index_counters(graph: Graph) -> Graph:
    """Return the graph with `p += 1` in a counted loop replaced by `p + i`.

    Args:
        graph: the typed primal.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        mapping: dict[Value, Atom] = {}
        for node in region.nodes:
            made = _indexed(node, mapping) if isinstance(node, For) else [node]
            nodes += made
        return substitute(Region(region.params, tuple(nodes), region.yields), mapping)

    return replace(graph, body=map_region(graph.body, rewrite))


def _indexed(loop: For, mapping: dict[Value, Atom]) -> list[Node]:
    """Return the loop without the counters that it carries, and what computes their last values."""
    steps = _steps(loop)
    if not steps:
        return [loop]
    index, *params = loop.body.params
    before: list[Node] = []
    after: list[Node] = []

    def apply(nodes: list[Node], fn: str, *args: Atom) -> Atom:
        out = Value(hint(fn), temporary=True, type=nt.int64)
        nodes.append(Apply(out, fn, args, loc=loop.loc, role=loop.role))
        return out

    up = loop.step == Literal(1)
    ends = (loop.stop, loop.start) if up else (loop.start, loop.stop)
    done: Atom = index
    if not up or loop.start != Literal(0):
        done = apply(before, "sub", *((index, loop.start) if up else (loop.start, index)))
    trips = apply(after, "max", apply(after, "sub", *ends), Literal(0))
    for k, step in steps.items():
        init = loop.inits[k]
        for nodes, count, target in ((before, done, params[k]), (after, trips, loop.outs[k])):
            more = count if step == 1 else apply(nodes, "mul", Literal(step), count)
            mapping[target] = more if init == Literal(0) else apply(nodes, "add", init, more)
    body = replace(loop.body, nodes=(*before, *loop.body.nodes))
    kept = [k for k in range(len(params)) if k not in steps]
    found = select(replace(loop, body=body), kept)
    return [found, *after]


def _steps(loop: For) -> dict[int, int]:
    """Return by how much each counter among the carried values grows in every iteration."""
    if loop.breaks or loop.step not in (Literal(1), Literal(-1)):
        return {}
    makers = {node.out: node for node in loop.body.nodes if isinstance(node, Apply)}
    found: dict[int, int] = {}
    for k, (param, after) in enumerate(zip(loop.carried, loop.body.yields, strict=True)):
        made = makers.get(after) if isinstance(after, Value) else None
        is_whole = type_of(param) == nt.int64 and loop.inits[k] != UNDEFINED
        if made is None or not is_whole or made.fn not in ("add", "sub") or made.args[0] is not param:
            continue
        step = made.args[1]
        if isinstance(step, Literal) and type(step.value) is int:
            found[k] = step.value if made.fn == "add" else -step.value
    return found
