"""Write out loops over three coordinates and the like, inside a loop that is reversed.

What they add to an element of the outer iteration can then be summed in a number, and the loop around them is
an innermost loop, which LLVM vectorises.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.graph.nodes import Atom, For, Graph, Node, Region, Role, Store, Value, While
from adcompiler.graph.walk import defined, map_region, regions, substitute, walk
from adcompiler.prepare.short_loops import iterations, trips

_TRIPS, _NODES = 8, 80
"""At most so many iterations, and so many nodes written out in one loop."""


def unroll(graph: Graph) -> Graph:
    """Return the graph with such loops written out.

    Args:
        graph: the graph of a gradient.
    """

    def rewrite(body: Region) -> Region:
        nodes = tuple(_unrolled(node) if isinstance(node, For) else node for node in body.nodes)
        return replace(body, nodes=nodes)

    return replace(graph, body=map_region(graph.body, rewrite))


def _unrolled(loop: For) -> For:
    """Return a loop without the short loops in it, if it is innermost then."""
    short = {
        node: indices
        for node in loop.body.nodes
        if isinstance(node, For) and (indices := trips(node, _TRIPS, {}))
    }
    inner = [node for node in walk(loop.body) if isinstance(node, For | While)]
    size = sum(len(regions(node)[0].nodes) * len(indices) for node, indices in short.items())
    if len(inner) > len(short) or size > _NODES or not any(_adds_outside(node, loop) for node in short):
        return loop
    nodes: list[Node] = []
    mapping: dict[Value, Atom] = {}
    for node in loop.body.nodes:
        if isinstance(node, For) and node in short:
            nodes += iterations(node, short[node], mapping)
        else:
            nodes.append(node)
    return replace(loop, body=substitute(replace(loop.body, nodes=tuple(nodes)), mapping))


def _adds_outside(short: Node, loop: For) -> bool:
    """Tell whether a short loop adds to elements that stay the same in the loop around it."""
    inside = defined(loop.body)
    assert isinstance(short, For)
    for node in short.body.nodes:
        if isinstance(node, Store) and node.accumulate and node.role is Role.ADJOINT:
            places = [atom for atom in (node.array, *node.index) if atom is not short.body.params[0]]
            if len(places) == len(node.index) and not any(atom in inside for atom in places):
                return True
    return False
