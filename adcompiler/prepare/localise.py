"""Make scratch arrays anew where they are filled anew: no iteration then depends on others through them.

An array that is allocated before a loop, and of which each iteration writes every element before it reads
any, holds nothing from one iteration to the next. Compilers call it private to the iteration (Tu and Padua
1993).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import float64

from adcompiler.analysis.integers import Integers, integers_of, whole_slices
from adcompiler.analysis.sizes import Shapes, size_of
from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Store, Value, While
from adcompiler.graph.walk import all_reads, free, operands, regions, walk, walk_regions, with_regions
from adcompiler.prepare.filled_in_order import fills_in_order
from adcompiler.primitives import card


def localise(graph: Graph, shapes: Shapes, sizes: dict[Value, object]) -> Graph:
    """Return the graph with allocations moved into the loops that fill the arrays.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
        sizes: symbols of numbers that are sizes.
    """
    known = Known(shapes, sizes, whole_slices(graph.body), integers_of(graph.body, sizes))
    return replace(graph, body=_region(graph.body, known))


@dataclass(frozen=True)
class Known:
    """What is known of a graph.

    Attributes:
        shapes: symbolic shape of every array.
        sizes: symbols of numbers that are sizes.
        whole: the slices that are `:`.
        integers: integers as forms.
    """

    shapes: Shapes
    sizes: dict[Value, object]
    whole: set[Value]
    integers: Integers


def _region(region: Region, known: Known) -> Region:
    nodes = list(region.nodes)
    reads = {node: all_reads(node) for node in nodes}
    for made in [node for node in nodes if isinstance(node, Apply) and card(node.fn).allocates is not None]:
        if made.out not in known.shapes or not _may_be_blank(made):
            continue
        users = [node for node in nodes if made.out in reads[node]]
        if made.out in region.yields or len(users) != 1 or not isinstance(users[0], For | While):
            continue
        loop = _with_allocation(users[0], made, known.shapes[made.out], known)
        if loop is not None:
            nodes[nodes.index(users[0])] = loop
            reads[loop] = all_reads(loop)
            nodes.remove(made)
    found = [with_regions(node, tuple(_region(inner, known) for inner in regions(node))) for node in nodes]
    return replace(region, nodes=tuple(found))


def _may_be_blank(made: Apply) -> bool:
    """Tell whether `np.empty` makes an array of the same type: `np.full` takes it from the number."""
    return element(made.out.type) == float64 or not made.fn.startswith("np.full")


def _with_allocation(loop: For | While, made: Apply, shape: tuple[object, ...], known: Known) -> Node | None:
    """Return the loop with an allocation before what fills the array, None if it may be read before."""
    users = _users(loop, made.out)
    body = list(loop.body.nodes)
    if not users:
        return None
    place = body.index(users[0])
    is_filled = _fills(users[0], made.out, shape, known) or _fill_one_by_one(users, made.out, shape)
    if is_filled or fills_in_order(users, made.out, shape, known.integers):
        body.insert(place, _uninitialised(made))
    else:
        only = users[0] if len(users) == 1 else None
        inner = _with_allocation(only, made, shape, known) if isinstance(only, For | While) else None
        if inner is None:
            return None
        body[place] = inner
    return replace(loop, body=replace(loop.body, nodes=tuple(body)))


def _users(loop: For | While, array: Value) -> list[Node]:
    """Return the nodes of an iteration that use an array; none if it is used in another way, too."""
    outside = [*loop.inits, *loop.body.yields]
    if array in outside or (isinstance(loop, While) and array in free(loop.cond)):
        return []
    return [node for node in loop.body.nodes if array in all_reads(node)]


def _fills(
    node: Node,
    array: Value,
    shape: tuple[object, ...],
    known: Known,
    index: tuple[Atom, ...] = (),
) -> bool:
    """Tell whether a node writes every element of an array, at the indices of the loops around it."""
    match node:
        case Store(accumulate=False) if node.array is array:
            first, rest = node.index[: len(index)], node.index[len(index) :]
            return first == index and all(atom in known.whole for atom in rest) and node.value is not array
        case For(start=Literal(value=0), step=Literal(value=1), breaks=False) if len(index) < len(shape):
            if size_of(node.stop, known.sizes) != shape[len(index)]:
                return False
            users = [inner for inner in node.body.nodes if array in all_reads(inner)]
            inner = (*index, node.body.params[0])
            is_filled = bool(users) and _fills(users[0], array, shape, known, inner)
            return is_filled and all(_stays_at(user, array, inner) for user in users[1:])
    return False


def _stays_at(node: Node, array: Value, index: tuple[Atom, ...]) -> bool:
    """Tell whether a node reads and writes no other elements of an array than those at an index."""
    for inner in walk(Region((), (node,), ())):
        match inner:
            case Apply(fn="getitem", args=(Value() as base, *at)) if base is array:
                is_fine = tuple(at[: len(index)]) == index and array not in at
            case Store() if inner.array is array:
                is_fine = inner.index[: len(index)] == index and array not in (*inner.index, inner.value)
            case _:
                is_fine = array not in operands(inner)
        if not is_fine:
            return False
    return all(array not in part.yields for part in walk_regions(Region((), (node,), ())))


def _fill_one_by_one(users: list[Node], array: Value, shape: tuple[object, ...]) -> bool:
    """Tell whether nodes write every element of a small array before they use it otherwise."""
    sizes = [size for size in shape if isinstance(size, int)]
    if len(sizes) < len(shape) or not shape:
        return False
    missing = set(np.ndindex(*sizes))
    for node in users:
        place = place_of(node, array, shape)
        if place is None or (isinstance(node, Store) and node.accumulate):
            return False
        if isinstance(node, Store):
            missing.discard(place)
        elif place in missing:
            return False
        if not missing:
            return True
    return False


Place = tuple[int, ...]


def place_of(access: Node, array: Value, shape: tuple[object, ...]) -> Place | None:
    """Return the element that a node reads or writes, None where its index is not constant or not inside."""
    match access:
        case Apply(fn="getitem", args=(Value() as base, *index)) if base is array:
            pass
        case Store(array=base) if base is array and access.value is not array:
            index = [*access.index]
        case _:
            return None
    if len(index) != len(shape):
        return None
    place: list[int] = []
    for atom, size in zip(index, shape, strict=True):
        k = atom.value if isinstance(atom, Literal) else None
        if type(k) is not int or not isinstance(size, int) or not -size <= k < size:
            return None
        place.append(k % size)
    return tuple(place)


def _uninitialised(made: Apply) -> Apply:
    """Return the allocation without its contents, which are not read."""
    args = (made.args[0], *made.args[2:]) if made.fn.startswith("np.full") else made.args
    fn = "np.empty_like" if made.fn.endswith("_like") else "np.empty"
    return replace(made, fn=fn, args=args, keywords=tuple(k for k in made.keywords if k[0] == "dtype"))
