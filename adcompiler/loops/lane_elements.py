"""What iterations do with arrays that they make, element by element: only elements can have lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import int64

from adcompiler.analysis.types import is_float, rank
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Literal, Node, Region, Value, entry, type_of
from adcompiler.graph.walk import defined, map_region
from adcompiler.loops.lane_values import sizes_of
from adcompiler.simplify.direct import without_parts

_OF_TWO = {"np.max": "np.maximum", "np.min": "np.minimum"}


def by_elements(body: Region, makers: Mapping[Value, Apply]) -> Region:
    """Return an iteration in which rows have no names, and extrema of its own arrays are found by loops.

    Args:
        body: the body of a loop.
        makers: what computes each value of the graph.
    """
    inside = defined(body)

    def is_own(value: Atom) -> bool:
        return value in inside and sizes_of(entry(makers, value), makers) is not None

    def written_out(inner: Region) -> Region:
        nodes: list[Node] = []
        for node in inner.nodes:
            match node:
                case Apply(fn="np.max" | "np.min", args=(Value() as array,), keywords=()) if is_own(array):
                    nodes += _extremum(node, array, makers)
                case _:
                    nodes.append(node)
        return replace(inner, nodes=tuple(nodes))

    return map_region(without_parts(body, lambda node: True), written_out)


def _extremum(node: Apply, array: Value, makers: Mapping[Value, Apply]) -> list[Node]:
    """Return the loop that finds the largest or smallest element of a vector."""
    sizes = sizes_of(makers[array], makers)
    if sizes is None or rank(array.type) != 1 or not is_float(type_of(node.out)):
        return [node]
    kind = node.out.type
    first, item, best, after = (Value(node.out.name, node.out.temporary, kind) for _ in range(4))
    index = Value("k", type=int64)
    step = (
        Apply(item, "getitem", (array, index), loc=node.loc, role=node.role),
        Apply(after, _OF_TWO[node.fn], (best, item), loc=node.loc, role=node.role),
    )
    return [
        Effect("in_bounds", (sizes[0], Literal(0)), loc=node.loc),
        Apply(first, "getitem", (array, Literal(0)), loc=node.loc, role=node.role),
        For(
            Literal(1),
            sizes[0],
            Literal(1),
            (first,),
            Region((index, best), step, (after,)),
            (node.out,),
            loc=node.loc,
            role=node.role,
        ),
    ]
