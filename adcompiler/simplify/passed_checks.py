"""Checks that have passed before, and stand again for what they tell of sizes only.

The forward sweep checks that arrays are equally long. Where the reverse sweep computes these arrays again, or
reads them back, nothing says so any more; a check that counts as part of the tape does. It keeps nothing
alive, and is left out before the text is written.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from adcompiler.graph.nodes import Apply, Effect, Graph, Node, Region, Role, Value
from adcompiler.graph.walk import map_region, operands, values
from adcompiler.primitives import card


def is_passed(node: Node) -> bool:
    """Tell whether a node is a check that has passed before."""
    return _relates_sizes(node) and node.role is Role.TAPE


def as_passed(node: Node) -> Node:
    """Return a check of sizes as one that has passed before, and any other node as it is."""
    return replace(node, role=Role.TAPE) if _relates_sizes(node) else node


def passed_of(nodes: Iterable[Node], known: Container[Value]) -> list[Node]:
    """Return the checks of sizes in an iteration as passed, with what computes the sizes.

    Args:
        nodes: the nodes of a region of the iteration.
        known: its values that are known where they are to stand.
    """
    makers = {node.out: node for node in nodes if isinstance(node, Apply)}
    found: dict[Node, None] = {}
    for check in filter(_relates_sizes, nodes):
        computed = measured(check, makers, known)
        if computed is not None:
            found |= dict.fromkeys((*computed, as_passed(check)))
    return [*found]


def measured(check: Node, makers: Mapping[Value, Node], known: Container[Value]) -> list[Node] | None:
    """Return what computes the sizes that a check reads, in order; None if that takes more than measuring.

    Args:
        check: the check.
        makers: what makes each value.
        known: values that are there in any case.
    """
    found: dict[Node, None] = {}

    def enter(node: Node) -> bool:
        for value in values(operands(node)):
            made = makers.get(value)
            if value in known:
                continue
            if not isinstance(made, Apply) or not _measures(made, makers) or not enter(made):
                return False
            found[made] = None
        return True

    return [*found] if enter(check) else None


def without_passed(graph: Graph) -> Graph:
    """Return the graph without them."""

    def rewrite(region: Region) -> Region:
        kept = tuple(node for node in region.nodes if not is_passed(node))
        return region if len(kept) == len(region.nodes) else replace(region, nodes=kept)

    return replace(graph, body=map_region(graph.body, rewrite))


def _relates_sizes(node: Node) -> bool:
    return isinstance(node, Effect) and card(node.fn).relates_sizes


def _measures(node: Apply, makers: Mapping[Value, Node]) -> bool:
    if node.fn == "getitem":  # of the sizes of an array; another element may be dear to come by
        source = makers.get(node.args[0]) if isinstance(node.args[0], Value) else None
        return isinstance(source, Apply) and card(source.fn).measures
    return card(node.fn).measures or card(node.fn).is_cheap
