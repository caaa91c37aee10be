"""Nodes that compute whole numbers: bounds of loops, and indices."""

from __future__ import annotations

from numba import int64

from adcompiler.graph.nodes import Apply, Atom, Literal, Node, Value


def whole_number(fn: str, nodes: list[Node] | list[Apply], *args: Atom, name: str = "") -> Value:
    """Return a whole number that a new node computes; the node is added to `nodes`."""
    out = Value(name or fn, temporary=not name, type=int64)
    nodes.append(Apply(out, fn, args))
    return out


def shifted(nodes: list[Node], number: Atom, distance: int) -> Atom:
    """Return a whole number plus a distance.

    >>> nodes = []
    >>> shifted(nodes, Literal(1), -1), nodes
    (Literal(value=0), [])
    """
    if isinstance(number, Literal) and isinstance(number.value, int):
        return Literal(number.value + distance)
    if distance == 0:
        return number
    return whole_number("add" if distance > 0 else "sub", nodes, number, Literal(abs(distance)))


def counted_from(nodes: list[Node], index: Atom, start: Atom, first: int = 0) -> Atom:
    """Return the place of an iteration of a loop by one, where that of the first is `first`."""
    if isinstance(start, Literal) and isinstance(start.value, int):
        return shifted(nodes, index, first - start.value)
    return shifted(nodes, whole_number("sub", nodes, index, start), first)
