"""Let loops of the reverse sweep count up where the order of their iterations does not matter.

A loop over rising indices is what compilers vectorise best. The order does not matter where iterations only
add to what they share, and where no iteration touches an element that another one writes.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import Types
from adcompiler.graph.nodes import Apply, For, Graph, Literal, Node, Region, Value, While
from adcompiler.graph.walk import regions, with_regions


def count_upwards(graph: Graph, types: Types) -> Graph:
    """Return the graph with downward loops turned round where that changes nothing but rounding.

    Args:
        graph: the graph of a gradient.
        types: type of every value.
    """
    iterations = Iterations(graph, types)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            new = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            turns = isinstance(node, For) and isinstance(new, For) and _may_turn(node, loops, iterations)
            nodes += _turned(new) if turns and isinstance(new, For) else [new]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _may_turn(loop: For, loops: Loops, iterations: Iterations) -> bool:
    if not loop.loc.quoted or loop.step != Literal(-1) or loop.breaks or None in carried_kinds(loop.body):
        return False
    return iterations.are_apart(loop, loops)


def _turned(loop: For) -> list[Node]:
    first, past = Value("add", temporary=True), Value("add", temporary=True)
    nodes: list[Node] = [
        Apply(first, "add", (loop.stop, Literal(1)), loc=loop.loc),
        Apply(past, "add", (loop.start, Literal(1)), loc=loop.loc),
    ]
    return [*nodes, replace(loop, start=first, stop=past, step=Literal(1))]
