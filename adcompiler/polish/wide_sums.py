"""Sums of single precision in numbers of double precision: their error does not grow with their length.

A number that a loop adds up is kept in a register, so that its width costs no memory. Adding in double
precision is one conversion more for each term; Kahan's sum would be four operations, each waiting for the one
before, and would lose what reordering gains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import float32, float64

from adcompiler.analysis.sums import SUM, carried_kinds, running_sum
from adcompiler.graph.atoms import entry as value_of
from adcompiler.graph.nodes import Apply, For, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, walk


def widen_sums(graph: Graph) -> Graph:
    """Return the graph with what loops add up in double precision, rounded when the loop has run.

    Args:
        graph: the final graph of a function.
    """
    inside: set[Value] = set()
    for loop in (node for node in walk(graph.body) if isinstance(node, For)):
        for k in _sums(loop):
            inside |= running_sum(loop.body, loop.carried[k]) or set()
    for value in inside:
        value.type = float64

    constants = {
        node.out: Literal(float(node.args[0].value))
        for node in walk(graph.body)
        if isinstance(node, Apply) and node.fn == "np.float32" and isinstance(node.args[0], Literal)
    }

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += _rounded(node, inside, constants) if isinstance(node, For) else [node]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite)) if inside else graph


def _sums(loop: For) -> list[int]:
    """Return the positions of what a loop carries in single precision to add to it."""
    if loop.breaks:
        return []
    kinds = zip(loop.carried, carried_kinds(loop.body), strict=True)
    return [k for k, (entry, kind) in enumerate(kinds) if kind == SUM and type_of(entry) == float32]


def _rounded(loop: For, inside: set[Value], constants: Mapping[Value, Literal]) -> list[Node]:
    """Return a loop whose sums are rounded behind it, unless a loop around goes on with them."""
    wide = {
        out: Value(out.name, True, float64)
        for entry, out in zip(loop.carried, loop.outs, strict=True)
        if entry in inside and out not in inside
    }
    before: list[Node] = []
    inits = [*loop.inits]
    for k, (init, out) in enumerate(zip(loop.inits, loop.outs, strict=True)):
        constant = value_of(constants, init)
        if out in wide and constant is not None:
            inits[k] = constant
        elif out in wide and init not in inside and not isinstance(init, Literal):
            inits[k] = start = Value(out.name, True, float64)
            before.append(Apply(start, "np.float64", (init,), loc=loop.loc, role=loop.role))
    made = [Apply(out, "np.float32", (total,), loc=loop.loc, role=loop.role) for out, total in wide.items()]
    outs = tuple(wide.get(out, out) for out in loop.outs)
    return [*before, replace(loop, inits=tuple(inits), outs=outs), *made]
