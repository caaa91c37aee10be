"""Calls that return several values: their results are unpacked in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from numba.core import types as nt

from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import map_region, uses, walk
from adcompiler.primitives import card

Unpacked = Mapping[Value, Sequence[Value | None]]


def unpack_results(graph: Graph) -> tuple[Graph, Unpacked]:
    """Return a graph in which parts of a result stand right after the call, and these parts.

    Args:
        graph: the graph.

    Returns:
        the graph, and for each call that is unpacked the values in its place: None for those that nobody
        reads. The parts themselves, whose nodes are not written, have no values.
    """
    parts = _parts(graph)
    if not parts:
        return graph, {}
    moved = {part for found in parts.values() for part in found}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if node not in moved:
                nodes.append(node)
            if isinstance(node, Apply):
                nodes += parts.get(node.out, ())
        return replace(region, nodes=tuple(nodes))

    unpacked: dict[Value, Sequence[Value | None]] = {part.out: () for part in moved}
    for whole, found in parts.items():
        places = {_place(part): part.out for part in found}
        unpacked[whole] = [places.get(k) for k in range(len(whole.type))]
    return replace(graph, body=map_region(graph.body, rewrite)), unpacked


def _parts(graph: Graph) -> dict[Value, list[Apply]]:
    """Return the parts of each result of which several are read, each once."""
    made = (node for node in walk(graph.body) if isinstance(node, Apply))
    calls = {node.out for node in made if _returns_several(node)}
    if not calls:
        return {}
    found: dict[Value, list[Apply]] = {}
    for node in walk(graph.body):
        match node:
            case Apply(fn="getitem", args=(Value() as whole, *_)) if whole in calls:
                found.setdefault(whole, []).append(node)
    counts = uses(graph.body)
    return {whole: parts for whole, parts in found.items() if _is_apart(parts, counts[whole])}


def _returns_several(node: Apply) -> bool:
    return card(node.fn).is_bundle and isinstance(node.out.type, nt.BaseTuple)


def _is_apart(parts: Sequence[Apply], reads: int) -> bool:
    """Tell whether a result is read part by part only, and no part twice."""
    places = [_place(part) for part in parts]
    return len({*places}) == reads > 1 and None not in places


def _place(part: Apply) -> int | None:
    match part.args[1:]:
        case (Literal(value=int() as k),):
            return k
    return None
