"""Let a system of equations and its adjoint share one factorisation."""

from __future__ import annotations

from dataclasses import replace

from numba import float64
from numba.core import types as nt

from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import map_region
from adcompiler.prepare.triangles import is_solve


def share_factors(graph: Graph) -> Graph:
    """Return the primal with `np.linalg.solve(a, b)` in two steps; the reverse sweep reuses the first.

    Args:
        graph: the typed primal.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += _in_steps(node) if is_solve(node) else [node]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


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
