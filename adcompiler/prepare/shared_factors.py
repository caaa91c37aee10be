"""Let a system of equations and its adjoint share one factorisation."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from numba import float64
from numba.core import types as nt

from adcompiler.analysis.types import element, rank
from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region


def share_factors(graph: Graph) -> Graph:
    """Return the primal with `np.linalg.solve(a, b)` in two steps; the reverse sweep reuses the first.

    Args:
        graph: the typed primal.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += _in_steps(node) if _is_solve(node) else [node]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _is_solve(node: Node) -> TypeGuard[Apply]:
    if not isinstance(node, Apply) or node.fn != "np.linalg.solve" or node.keywords:
        return False
    kinds = [type_of(atom) for atom in node.args]
    return all(kind is not None and element(kind) == float64 and rank(kind) > 0 for kind in kinds)


def _in_steps(node: Apply) -> list[Node]:
    matrix, right = node.args
    factors, result = Value("lu", temporary=True), Value(node.out.name, node.out.temporary)
    factors.type = nt.Array(float64, 2, "C")
    result.type = node.out.type
    return [
        Apply(factors, "factors.factorise", (matrix,), loc=node.loc, role=node.role),
        Apply(result, "factors.solved", (factors, right, Literal(False)), loc=node.loc, role=node.role),
        replace(node, fn="np.linalg.solve[1]", args=(matrix, right, factors, result)),
    ]
