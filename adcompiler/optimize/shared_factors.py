"""Let a system of equations and its adjoint share one factorisation."""

from __future__ import annotations

from dataclasses import replace

from numba import float64
from numba.core import types as nt

from adcompiler.analysis.types import Types, element, rank
from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import map_region


def share_factors(graph: Graph, types: Types) -> Graph:
    """Return the primal with `np.linalg.solve(a, b)` in two steps; the reverse sweep reuses the first.

    Args:
        graph: the typed primal.
        types: type of every value, extended with the values made here.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += _in_steps(node, types) if _is_solve(node, types) else [node]  # type: ignore[arg-type]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _is_solve(node: Node, types: Types) -> bool:
    if not isinstance(node, Apply) or node.fn != "np.linalg.solve" or node.keywords:
        return False
    kinds = [types.get(atom) if isinstance(atom, Value) else None for atom in node.args]
    return all(kind is not None and element(kind) == float64 and rank(kind) > 0 for kind in kinds)


def _in_steps(node: Apply, types: Types) -> list[Node]:
    matrix, right = node.args
    factors, result = Value("lu", temporary=True), Value(node.out.name, node.out.temporary)
    types[factors] = nt.Array(float64, 2, "C")
    types[result] = types[node.out]
    return [
        Apply(factors, "factors.factorise", (matrix,), loc=node.loc),
        Apply(result, "factors.solved", (factors, right, Literal(False)), loc=node.loc),
        replace(node, fn="np.linalg.solve[1]", args=(matrix, right, factors, result)),
    ]
