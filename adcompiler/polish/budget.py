"""Let loops that keep states within some memory leave room for all other arrays of the derivative."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from numba import int64

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.sizes import Axis, Shapes, Size, form_of
from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.kinds import bytes_of
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Role, Value, While, entry
from adcompiler.graph.walk import map_region, walk
from adcompiler.loops.elements import Elements
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import card

Taken = list[tuple[tuple[Linear, ...], int]]
"""Bytes that arrays take for each element, by their sizes."""


def leave_room(graph: Graph, sizes: Callable[[], tuple[Shapes, Mapping[Value, Size]]]) -> Graph:
    """Return the graph in which the memory for states is what other arrays leave of it.

    Args:
        graph: the final graph of a derivative.
        sizes: tells the shapes of its arrays, and what is known of the numbers that are sizes.
    """
    askers = [node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "slots_within"]
    if not askers:
        return graph
    taken = _bytes_by_sizes(graph, *sizes())

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


def _bytes_by_sizes(graph: Graph, shapes: Shapes, known: Mapping[Value, Size]) -> Taken:
    """Return how many bytes arrays take for each element of some shape that arguments tell.

    What a loop makes is there twice: one iteration's array is given up when the next one has made its own.
    """
    found: dict[object, tuple[tuple[Linear, ...], int]] = {}
    loops = [node for node in walk(graph.body) if isinstance(node, For | While)]
    again = {node for loop in loops for node in walk(loop.body)}
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    elements = Elements(shapes, known, makers, {})
    for node in walk(graph.body):
        kind = node.out.type if isinstance(node, Apply) else None
        if not isinstance(node, Apply) or not is_array(kind) or card(node.fn).is_view:
            continue
        sizes = tuple(form_of(size) for size in shapes.get(node.out, ()))
        if len(sizes) == 1 and not _are_known(sizes, graph.body.params):
            sizes = (_extent(node.args[0], elements),) if card(node.fn).allocates else ()
        if len(sizes) == rank(kind) and _are_known(sizes, graph.body.params):
            key = tuple((frozenset(size.terms.items()), size.constant) for size in sizes)
            bytes_so_far = found.get(key, (sizes, 0))[1]
            found[key] = sizes, bytes_so_far + bytes_of(kind) * (2 if node in again else 1)
    return [*found.values()]


def _extent(atom: Atom, elements: Elements) -> Linear:
    """Return a size such as `max(n - 2, 0) + 4`, where it is not the least that it can be."""
    made = entry(elements.makers, atom)
    match made:
        case Apply(fn="max", args=(size, Literal(value=0))):
            return _extent(size, elements)
        case Apply(fn="add", args=(size, Literal(value=int() as ends))):
            return _extent(size, elements) + ends
    return elements.in_sizes(linear(atom, elements.makers) or Linear({atom: 1}))


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
