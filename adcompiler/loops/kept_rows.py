"""Arrays of which each iteration of a loop writes and reads a row of its own, as that row.

What one innermost loop leaves for the next within the same outer iteration has no use later: the row is
written over, and stays in the cache (array contraction, Warren 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Store, Value, entry
from adcompiler.graph.walk import all_reads, map_region, operands, regions, walk, walk_regions, with_regions
from adcompiler.prepare.allocation import allocate


def keep_rows(graph: Graph) -> Graph:
    """Return the graph with such arrays shrunk.

    Args:
        graph: the final graph of a derivative.
    """
    return replace(graph, body=_region(graph.body))


def _region(region: Region) -> Region:
    nodes = [with_regions(node, tuple(map(_region, regions(node)))) for node in region.nodes]
    made = {node.out: node for node in nodes if isinstance(node, Apply)}
    for array, node in made.items():
        bounds = _bounds(node, made)
        users = [k for k, user in enumerate(nodes) if array in all_reads(user)]
        if len(bounds) < 2 or len(users) != 1 or array in region.yields:
            continue
        loop = nodes[users[0]]
        axes = _private_axes(loop, array, len(bounds))
        if axes:
            row = Value(array.name, array.temporary)
            row.type = nt.Array(element(array.type), len(bounds) - axes, "C")
            (nodes[users[0]],) = _by_rows(Region((), (loop,), ()), array, row, axes).nodes
            place = nodes.index(node)
            nodes[place : place + 1] = allocate("np.empty", row, bounds[axes:])
            return _region(replace(region, nodes=tuple(nodes)))
    return replace(region, nodes=tuple(nodes))


def _bounds(node: Apply, made: dict[Value, Apply]) -> Sequence[Atom]:
    """Return the sizes of an array that is not initialised."""
    shape = entry(made, node.args[0]) if node.fn == "np.empty" else None
    return shape.args if shape is not None and shape.fn == "tuple" else ()


def _private_axes(node: Node, array: Value, axes: int) -> int:
    """Return how many of the first axes only stand for iterations of a nest, from its outermost loop on."""
    found = 0
    while found < axes - 1 and isinstance(node, For) and isinstance(node.step, Literal):
        if node.parallel or node.independent or not _goes_at(node.body, array, found, node.body.params[0]):
            break
        found += 1
        users = [inner for inner in node.body.nodes if array in all_reads(inner)]
        if len(users) != 1:
            break
        (node,) = users
    return found


def _goes_at(region: Region, array: Value, axis: int, index: Value) -> bool:
    """Tell whether all accesses to an array in a region are to elements at one index of an axis."""
    for node in walk(region):
        match node:
            case Apply(fn="getitem", args=(base, *place)) if base is array:
                others: Sequence[Atom] = place
            case Store(array=base, index=place, value=value) if base is array:
                others = (*place, value)
            case _ if array in operands(node):
                return False
            case _:
                continue
        if len(place) != array.type.ndim or place[axis] is not index or array in others:
            return False
    return all(array not in part.yields for part in walk_regions(region))


def _by_rows(region: Region, array: Value, row: Value, axes: int) -> Region:
    """Return a region in which a row stands for the array."""

    def change(node: Node) -> Node:
        match node:
            case Apply(fn="getitem", args=(base, *place)) if base is array:
                return replace(node, args=(row, *place[axes:]))
            case Store(array=base) if base is array:
                return replace(node, array=row, index=node.index[axes:])
        return node

    return map_region(region, lambda part: replace(part, nodes=tuple(map(change, part.nodes))))
