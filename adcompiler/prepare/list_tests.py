"""The truth of a list or dictionary, as a number: it may be longer when the reverse sweep asks again."""

from __future__ import annotations

from dataclasses import replace

from numba import boolean, int64

from adcompiler.analysis.types import is_array, is_mutable
from adcompiler.graph.nodes import Apply, Atom, Graph, If, Literal, Node, Region, Value, While, type_of
from adcompiler.graph.walk import map_region


def settle_list_tests(graph: Graph) -> Graph:
    """Return the graph in which branches and loops ask for the length of a list, not for the list.

    Args:
        graph: the typed primal.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            match node:
                case If() if _is_container(node.test):
                    node = replace(node, test=_has_items(node.test, node, nodes))
                case While() if _is_container(node.cond.yields[0]):
                    made = [*node.cond.nodes]
                    test = _has_items(node.cond.yields[0], node, made)
                    node = replace(node, cond=replace(node.cond, nodes=tuple(made), yields=(test,)))
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _is_container(test: Atom) -> bool:
    return is_mutable(type_of(test)) and not is_array(type_of(test))


def _has_items(items: Atom, node: Node, nodes: list[Node]) -> Value:
    """Append what tells whether a list has items."""
    length = Value("length", temporary=True, type=int64)
    test = Value("has_items", temporary=True, type=boolean)
    nodes.append(Apply(length, "len", (items,), loc=node.loc))
    nodes.append(Apply(test, "gt", (length, Literal(0)), loc=node.loc))
    return test
