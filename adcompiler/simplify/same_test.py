"""Join branches on one test that follow each other: what a program chose is reversed where it was chosen."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Graph, If, Literal, Node, Region, type_of
from adcompiler.graph.walk import map_region, operands, substitute, values
from adcompiler.primitives import card


def join_branches(graph: Graph) -> Graph:
    """Return the graph with branches on the same test in one, where only arithmetic stands between them.

    >>> from adcompiler.graph.nodes import Value
    >>> test, x, y, z = Value("test"), Value("x"), Value("y"), Value("z")
    >>> first = If(test, Region((), (), (x,)), Region((), (), (x,)), (y,))
    >>> second = If(test, Region((), (), (y,)), Region((), (), (x,)), (z,))
    >>> joined = join_branches(Graph("f", Region((test, x), (first, second), (z,))))
    >>> len(joined.body.nodes), joined.body.nodes[0].then.yields
    (1, (%x, %x))
    """
    return replace(graph, body=map_region(graph.body, _joined))


def _joined(region: Region) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        place = _partner(nodes, node)
        if place is None:
            nodes.append(node)
            continue
        first = nodes.pop(place)
        assert isinstance(first, If) and isinstance(node, If)
        nodes.append(_in_one(first, node))
    return replace(region, nodes=tuple(nodes)) if len(nodes) < len(region.nodes) else region


def _partner(nodes: list[Node], node: Node) -> int | None:
    """Return the position of the branch that another one is joined with, None if there is none."""
    if not isinstance(node, If):
        return None
    for place in range(len(nodes) - 1, -1, -1):
        before = nodes[place]
        if isinstance(before, If):
            own = set(before.outs)
            reads = {value for between in nodes[place + 1 :] for value in values(operands(between))}
            return place if before.test is node.test and not own & reads else None
        if not _is_arithmetic(before):
            return None
    return None


def _is_arithmetic(node: Node) -> bool:
    """Tell whether a node computes a number of numbers: when that happens does not matter."""
    if not isinstance(node, Apply) or not card(node.fn).is_instruction:
        return False
    return all(isinstance(atom, Literal) or is_scalar(type_of(atom)) for atom in node.args)


def _in_one(first: If, second: If) -> If:
    arms: list[Region] = []
    for one, two in ((first.then, second.then), (first.orelse, second.orelse)):
        two = substitute(two, dict(zip(first.outs, one.yields, strict=True)))
        arms.append(Region((), (*one.nodes, *two.nodes), (*one.yields, *two.yields)))
    return replace(first, then=arms[0], orelse=arms[1], outs=(*first.outs, *second.outs))
