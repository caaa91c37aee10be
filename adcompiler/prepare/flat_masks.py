"""Masks of several axes as masks of one: `m[m > 0.0]` is `m.ravel()[(m > 0.0).ravel()]`.

Numba knows masks of one axis only. What is written through a mask goes into a view of the array as one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import element, enter_types, infer, is_array, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Node, Region, Role, Store, Value, type_of
from adcompiler.graph.walk import alike, map_region
from adcompiler.primitives import hint


def typed_with_flat_masks(graph: Graph, arguments: Sequence[nt.Type]) -> Graph:
    """Return the graph with arrays of several axes and their masks as one row each, where they meet.

    Numba's types of what such masks pick are wrong; all types are inferred anew where there are any.

    Args:
        graph: the typed primal.
        arguments: types of its arguments.
    """
    changed = replace(graph, body=map_region(graph.body, _rewritten))
    if alike(graph, changed):
        return graph
    enter_types(infer(changed, arguments))
    return changed


def _rewritten(region: Region) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        match node:
            case Apply(fn="getitem", args=(array, mask)) if _masks(mask, array):
                node = replace(node, args=(_flat("ravel", array, nodes), _flat("ravel", mask, nodes)))
            case Store(array=array, index=(mask,)) if _masks(mask, array) and type_of(array).layout == "C":
                node = replace(node, array=_row(array, nodes), index=(_flat("ravel", mask, nodes),))
        nodes.append(node)
    return replace(region, nodes=tuple(nodes))


def _masks(mask: Atom, array: Atom) -> bool:
    """Tell whether an index is a mask with all axes of an array, which are several."""
    kinds = type_of(mask), type_of(array)
    if not all(map(is_array, kinds)) or not isinstance(element(kinds[0]), nt.Boolean):
        return False
    return rank(kinds[0]) == rank(kinds[1]) > 1


def _flat(fn: str, array: Atom, nodes: list[Node], *args: Atom) -> Value:
    out = Value(hint(fn), temporary=True, type=nt.Array(element(type_of(array)), 1, "C"))
    nodes.append(Apply(out, fn, (array, *args)))
    return out


def _row(array: Atom, nodes: list[Node]) -> Value:
    """Return a view of an array as one row."""
    size = Value("size", temporary=True, type=int64)
    nodes.append(Apply(size, "size", (array,), role=Role.TAPE))
    return _flat("reshape", array, nodes, size)
