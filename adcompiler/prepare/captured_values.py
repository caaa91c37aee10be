"""Captured arrays as values: what is known of arguments is known of them, too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Node, Region, Value
from adcompiler.graph.walk import map_operands, map_region, substitute

_CAPTURED = "captured"


def as_values(graph: Graph) -> Graph:
    """Return the graph with a value for each array that it reads from outside, made before all else.

    Args:
        graph: a graph without types yet, which writes none of them.
    """
    values: dict[Global, Value] = {}

    def change(atom: Atom) -> Atom:
        if not isinstance(atom, Global) or not isinstance(atom.value, np.ndarray):
            return atom
        if atom not in values:
            values[atom] = Value(atom.name.rsplit(".", 1)[-1])
        return values[atom]

    def rewrite(region: Region) -> Region:
        nodes: tuple[Node, ...] = tuple(map_operands(node, change) for node in region.nodes)
        return Region(region.params, nodes, tuple(map(change, region.yields)))

    body = map_region(graph.body, rewrite)
    made = tuple(Apply(value, _CAPTURED, (array,)) for array, value in values.items())
    return replace(graph, body=replace(body, nodes=(*made, *body.nodes))) if made else graph


def as_captured(graph: Graph) -> Graph:
    """Return the graph with these values as what they are: arrays from outside."""
    found = [node for node in graph.body.nodes if isinstance(node, Apply) and node.fn == _CAPTURED]
    if not found:
        return graph
    nodes = tuple(node for node in graph.body.nodes if node not in found)
    body = replace(graph.body, nodes=nodes)
    return replace(graph, body=substitute(body, {node.out: node.args[0] for node in found}))
