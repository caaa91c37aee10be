"""Divide once: adjoint statements that divide by the same number multiply by its reciprocal.

A division takes several times as long as a product, and LLVM may not share one, as the results differ in the
last digit. In the primal, values stay what the program says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from adcompiler.analysis.types import is_float
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import regions, substitute, with_regions

_ONE = (Literal(1), Literal(1.0))


def share_reciprocals(graph: Graph) -> Graph:
    """Return the graph with repeated divisions by one number replaced.

    Args:
        graph: the graph of a gradient.
    """

    def rewrite(region: Region, everywhere: bool) -> Region:
        nodes: list[Node] = []
        is_reverse = everywhere
        for node in region.nodes:
            is_reverse = is_reverse or (isinstance(node, Effect) and node.fn == "reverse_sweep")
            inside = is_reverse or (isinstance(node, For | While) and node.role is Role.ADJOINT)
            nodes.append(with_regions(node, tuple(rewrite(part, inside) for part in regions(node))))
        return _shared(replace(region, nodes=tuple(nodes)), everywhere)

    return replace(graph, body=rewrite(graph.body, False))


def _shared(region: Region, everywhere: bool) -> Region:
    """Share the reciprocals of one region; `everywhere` tells that it is run for the derivative only."""
    divisions = {
        node
        for node in region.nodes
        if isinstance(node, Apply) and _is_division(node) and (everywhere or node.role is Role.ADJOINT)
    }
    counts = Counter(node.args[1] for node in divisions)
    reciprocals: dict[Atom, Atom] = {}
    same: dict[Value, Atom] = {}
    nodes: list[Node] = []
    for node in region.nodes:
        if not isinstance(node, Apply) or not _is_division(node):
            nodes.append(node)
            continue
        dividend, divisor = node.args
        if dividend in _ONE and divisor not in reciprocals:
            reciprocals[divisor] = node.out
            nodes.append(node)
            continue
        if node in divisions and divisor not in reciprocals and counts[divisor] > 1:
            reciprocals[divisor] = made = Value("reciprocal", temporary=True, type=type_of(divisor))
            nodes.append(Apply(made, "truediv", (Literal(1.0), divisor), loc=node.loc, role=node.role))
        if node not in divisions or divisor not in reciprocals:
            nodes.append(node)
        elif dividend in _ONE:
            same[node.out] = reciprocals[divisor]
        else:
            nodes.append(replace(node, fn="mul", args=(dividend, reciprocals[divisor])))
    return substitute(replace(region, nodes=tuple(nodes)), same)


def _is_division(node: Apply) -> bool:
    divisor = node.args[1] if node.fn == "truediv" else None
    return is_float(type_of(divisor)) and node.out.type == type_of(divisor)
