"""Views that are the same in every iteration, taken before the loop: Numba counts references to each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adcompiler.analysis.types import is_array, is_array_atom
from adcompiler.graph.nodes import Apply, For, Graph, Node, Region, While, type_of
from adcompiler.graph.walk import defined, operands, regions, values, with_regions


def hoist_views(graph: Graph) -> Graph:
    """Return the graph with views taken outside the loops in which they stay the same.

    Args:
        graph: a typed graph.
    """

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(map(region, regions(node))))
            if isinstance(node, For | While):
                moved = taken_alike(node, lambda inner: inner.fn == "slice" or _is_view(inner))
                nodes += moved
                kept = tuple(inner for inner in node.body.nodes if inner not in moved)
                node = replace(node, body=replace(node.body, nodes=kept))
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def taken_alike(loop: For | While, is_wanted: Callable[[Apply], bool]) -> list[Apply]:
    """Return the primitives of a loop that are wanted and do not depend on the iteration, in order."""
    inside = set(defined(loop.body))
    moved: list[Apply] = []
    for node in loop.body.nodes:
        if isinstance(node, Apply) and is_wanted(node) and not inside.intersection(values(operands(node))):
            moved.append(node)
            inside.discard(node.out)
    return moved


def _is_view(node: Apply) -> bool:
    """Tell whether a node surely makes a view of an array: nothing is copied."""
    if node.fn not in ("getitem", "T") or not is_array(node.out.type):
        return False
    return is_array(type_of(node.args[0])) and not any(map(is_array_atom, node.args[1:]))
