"""Arrays of which each iteration of a loop writes and reads a row of its own, as that row.

What one innermost loop leaves for the next within the same outer iteration has no use later: the row is
written over, and stays in the cache (array contraction, Warren 1984).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Role, Store, Value, entry
from adcompiler.graph.walk import all_reads, map_region, operands, regions, walk, walk_regions, with_regions
from adcompiler.prepare.allocation import allocate
from adcompiler.primitives import Fill, card


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
        if len(bounds) < 2 or array in region.yields:
            continue
        users = [k for k, user in enumerate(nodes) if array in all_reads(user)]
        if len(users) != 1:
            continue
        nest = _private_nest(nodes[users[0]], array, len(bounds))
        if nest:
            rest = bounds[len(nest) :]
            row = Value(array.name, array.temporary, nt.Array(element(array.type), len(rest), "C"))
            loop = _by_rows(nodes[users[0]], array, row, len(nest))
            blank = [_zeros(row, rest, (), node.role)] if card(node.fn).allocates is Fill.ZEROS else []
            nodes[users[0]] = _begun(loop, nest, row, blank)
            place = nodes.index(node)
            nodes[place : place + 1] = allocate("np.empty", row, rest)
            return _region(replace(region, nodes=tuple(nodes)))
    return replace(region, nodes=tuple(nodes))


def _bounds(node: Apply, made: dict[Value, Apply]) -> Sequence[Atom]:
    """Return the sizes of a new array that holds nothing, or zeros."""
    if card(node.fn).allocates not in (Fill.NOTHING, Fill.ZEROS):
        return ()
    first = entry(made, node.args[0])
    if node.fn.endswith("_like"):
        return () if first is None else _bounds(first, made)
    return first.args if first is not None and first.fn == "tuple" else ()


def _private_nest(node: Node, array: Value, axes: int) -> list[Value]:
    """Return the indices of a nest, from its outermost loop on, that the first axes only stand for."""
    found: list[Value] = []
    while len(found) < axes - 1 and isinstance(node, For) and isinstance(node.step, Literal):
        index = node.body.params[0]
        is_carried = array in operands(node)  # what it is then called hides what happens to it
        if (
            is_carried
            or node.parallel
            or node.independent
            or not _goes_at(node.body, array, len(found), index)
        ):
            break
        found.append(index)
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


def _by_rows(loop: Node, array: Value, row: Value, axes: int) -> Node:
    """Return a nest in which a row stands for the array."""

    def change(node: Node) -> Node:
        match node:
            case Apply(fn="getitem", args=(base, *place)) if base is array:
                return replace(node, args=(row, *place[axes:]))
            case Store(array=base) if base is array:
                return replace(node, array=row, index=node.index[axes:])
        return node

    changed = map_region(
        Region((), (loop,), ()), lambda part: replace(part, nodes=tuple(map(change, part.nodes)))
    )
    return changed.nodes[0]


def _begun(node: Node, nest: Sequence[Value], row: Value, blank: Sequence[Node]) -> Node:
    """Return a nest whose iterations begin with an empty row, and leave nothing in it that nobody reads."""
    assert isinstance(node, For)
    nodes = list(node.body.nodes)
    if len(nest) > 1:
        place = next(k for k, inner in enumerate(nodes) if row in all_reads(inner))
        nodes[place] = _begun(nodes[place], nest[1:], row, blank)
    else:
        place = max(k for k, inner in enumerate(nodes) if row in all_reads(inner))
        nodes[place] = _without_last_stores(nodes[place], row)
        nodes = [*blank, *nodes]
    return replace(node, body=replace(node.body, nodes=tuple(nodes)))


def _zeros(row: Value, bounds: Sequence[Atom], index: tuple[Atom, ...], role: Role) -> Node:
    """Return the loops that fill a row with zeros."""
    if len(index) == len(bounds):
        return Store(row, index, Literal(0.0), role=role)
    own = Value("ijklmn"[len(index)], temporary=True, type=int64)
    body = Region((own,), (_zeros(row, bounds, (*index, own), role),), ())
    return For(Literal(0), bounds[len(index)], Literal(1), (), body, (), role=role)


def _without_last_stores(node: Node, row: Value) -> Node:
    """Return the last node of an iteration that uses a row without stores that no read follows."""
    if not isinstance(node, For):
        return node
    index = node.body.params[0]
    nodes = list(node.body.nodes)
    users = [k for k, inner in enumerate(nodes) if row in all_reads(inner)]
    if not all(_is_at(nodes[k], row, index) for k in users):
        return node
    while users and isinstance(nodes[users[-1]], Store):
        del nodes[users.pop()]
    return replace(node, body=replace(node.body, nodes=tuple(nodes)))


def _is_at(node: Node, row: Value, index: Value) -> bool:
    """Tell whether a node reads or writes the element at an index, and no other one."""
    match node:
        case Apply(fn="getitem", args=(base, place)) | Store(array=base, index=(place,)):
            return base is row and place is index
    return False
