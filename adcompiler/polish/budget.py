"""Let loops that keep states within some memory leave room for all other arrays of the derivative."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from numba import int64

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.sizes import Axis, Shapes, form_of
from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.kinds import bytes_of
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Role, Value, While
from adcompiler.graph.walk import map_region, walk
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import card

Taken = list[tuple[tuple[Linear, ...], int]]
"""Bytes that arrays take for each element, by their sizes."""


def leave_room(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph in which the memory for states is what other arrays leave of it.

    Args:
        graph: the final graph of a derivative.
        shapes: the shapes of its arrays.
    """
    askers = [node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "slots_within"]
    if not askers:
        return graph
    taken = _bytes_by_sizes(graph, shapes)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if node in askers:
                assert isinstance(node, Apply)
                left = _left(node.args[0], taken, len(askers), nodes)
                node = replace(node, args=(left, *node.args[1:]))
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _bytes_by_sizes(graph: Graph, shapes: Shapes) -> Taken:
    """Return how many bytes arrays take for each element of some shape that arguments tell.

    What a loop makes is there twice: one iteration's array is given up when the next one has made its own.
    """
    found: dict[object, tuple[tuple[Linear, ...], int]] = {}
    loops = [node for node in walk(graph.body) if isinstance(node, For | While)]
    again = {node for loop in loops for node in walk(loop.body)}
    for node in walk(graph.body):
        kind = node.out.type if isinstance(node, Apply) else None
        if not isinstance(node, Apply) or not is_array(kind) or card(node.fn).is_view:
            continue
        sizes = tuple(form_of(size) for size in shapes.get(node.out, ()))
        if len(sizes) == rank(kind) and _are_known(sizes, graph.body.params):
            key = tuple((frozenset(size.terms.items()), size.constant) for size in sizes)
            bytes_so_far = found.get(key, (sizes, 0))[1]
            found[key] = sizes, bytes_so_far + bytes_of(kind) * (2 if node in again else 1)
    return [*found.values()]


def _are_known(sizes: tuple[Linear, ...], params: Container[Value]) -> bool:
    symbols = [s.array if isinstance(s, Axis) else s for size in sizes for s in size.terms]
    return all(symbol in params for symbol in symbols)


def _left(memory: Atom, taken: Taken, parts: int, nodes: list[Node]) -> Atom:
    """Append what tells how much memory one of several loops has for its states."""

    def whole(fn: str, *args: Atom) -> Value:
        out = Value("size", temporary=True, type=int64)
        nodes.append(Apply(out, fn, args, role=Role.TAPE))
        return out

    left = memory
    for sizes, size in taken:
        product: Atom = Literal(size)
        for form in sizes:
            product = whole("mul", product, write_form(form, nodes))
        left = whole("sub", left, product)
    if parts > 1:
        left = whole("floordiv", left, Literal(parts))
    if isinstance(left, Value):
        left.name, left.temporary = "left", False
    return left
