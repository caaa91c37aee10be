"""Systems of equations whose matrix is triangular: substitution solves them, without factors."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from numba import float64

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.types import element, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, walk
from adcompiler.primitives import Triangle, card

_LOWER, _UPPER = "factors.lower_solved", "factors.upper_solved"


def substitute_in_triangles(graph: Graph) -> Graph:
    """Return the primal with `np.linalg.solve(a, b)` as a substitution, where `a` is known to be triangular.

    It is known of Cholesky's factor and of what `np.tril` returns, of transposes and copies of these, as long
    as nothing is stored to them.

    Args:
        graph: the typed primal.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    classes = shared_memory(graph.body)
    written = {classes.get(array, array) for array in written_arrays(graph.body)}

    def solver(atom: Atom) -> str | None:
        made = makers.get(atom) if isinstance(atom, Value) else None
        if made is None or classes.get(made.out, made.out) in written or rank(made.out.type) != 2:
            return None
        match card(made.fn).triangle:
            case Triangle.LOWER:
                return _LOWER if all(_is_number(atom, -1) for atom in made.args[1:]) else None
            case Triangle.UPPER:
                return _UPPER if all(_is_number(atom, 1) for atom in made.args[1:]) else None
            case Triangle.SAME:
                return solver(made.args[0])
            case Triangle.OTHER if len(made.args) == 1:
                return {_LOWER: _UPPER, _UPPER: _LOWER}.get(solver(made.args[0]) or "")
        return None

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            fn = solver(node.args[0]) if is_solve(node) else None
            nodes.append(node if fn is None or not isinstance(node, Apply) else replace(node, fn=fn))
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def is_solve(node: Node) -> TypeGuard[Apply]:
    """Tell whether a node solves a system of equations in float64."""
    if not isinstance(node, Apply) or node.fn != "np.linalg.solve" or node.keywords:
        return False
    kinds = [type_of(atom) for atom in node.args]
    return all(kind is not None and element(kind) == float64 and rank(kind) > 0 for kind in kinds)


def _is_number(diagonal: Atom, sign: int) -> bool:
    """Tell whether a diagonal is the main one, or on one side of it."""
    return isinstance(diagonal, Literal) and isinstance(diagonal.value, int) and sign * diagonal.value >= 0
