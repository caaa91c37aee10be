"""Split loops that add to neighbouring elements, so that LLVM vectorises each part.

The reversal of `b[i] = a[i - 1] + a[i + 1]` adds to d_a[i - 1] and d_a[i + 1] in one iteration, and two
iterations at once would add to the same element. As two loops, each adds to every element once. What the
second loop needs of the first is kept in an array (loop distribution, Kuck et al. 1981, section 4).
"""

from __future__ import annotations

from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.affine import linear
from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations, runs_rarely
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import is_array, is_complex
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import clone, free, makers_of, operands, regions, values, with_regions
from adcompiler.prepare.allocation import allocate
from adcompiler.primitives import card

_SHORT = 8
"""Loops that run less often are not worth splitting."""


def distribute(graph: Graph) -> Graph:
    """Return the graph with such loops split.

    Args:
        graph: the graph of a gradient.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            parts = _split(node, loops, iterations) if isinstance(node, For) else None
            if parts is not None:
                nodes += parts
                continue
            inner = (*loops, node) if isinstance(node, For | While) else loops
            nodes.append(with_regions(node, tuple(region(part, inner) for part in regions(node))))
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _split(loop: For, loops: Loops, iterations: Iterations) -> list[Node] | None:
    """Return a loop in parts, None if it is not of that kind."""
    is_short = runs_rarely(loop, iterations.dependences.makers, _SHORT)
    counts = loop.step == Literal(1) or (loop.step == Literal(-1) and loop.role is Role.ADJOINT)
    if loop.breaks or not counts or (is_short and loop.step == Literal(1)):
        return None
    if not all(map(_is_simple, loop.body.nodes)) or None in carried_kinds(loop.body):
        return None
    later = _later_stores(loop, loops, iterations)
    rest = tuple(node for node in loop.body.nodes if node not in later)
    if not later or not iterations.are_apart(replace(loop, body=replace(loop.body, nodes=rest)), loops):
        return None
    nodes: list[Node] = []
    if loop.step == Literal(-1):  # in any order, now that sums that others read come last
        ends = [whole_number("add", nodes, end, Literal(1)) for end in (loop.stop, loop.start)]
        loop = replace(loop, start=ends[0], stop=ends[1], step=Literal(1))
    return [*nodes, *_parts(loop, later, _loaded(loop, iterations))]


def _is_simple(node: Node) -> bool:
    """Tell whether a node computes numbers or stores an element."""
    return bool(node.index) if isinstance(node, Store) else _computes(node)


def _computes(node: Node) -> bool:
    if isinstance(node, If):
        return all(_computes(inner) for arm in regions(node) for inner in arm.nodes)
    return isinstance(node, Apply) and card(node.fn).is_pure


def _later_stores(loop: For, loops: Loops, iterations: Iterations) -> list[Store]:
    """Return the sums that have to wait: to another element, or row, than the first sum to the array.

    An iteration may read or overwrite an element of such an array only before others add to it.
    """
    makers = iterations.dependences.makers
    index = loop.body.params[0]
    used: set[Value] = set()
    found: dict[Value, list[Store]] = {}
    fixed: dict[Value, list[tuple[Atom, ...]]] = {}
    for node in loop.body.nodes:
        match node:
            case Store(accumulate=True):
                found.setdefault(node.array, []).append(node)
            case Store():
                fixed.setdefault(node.array, []).append(node.index)
                used.update(values((node.value,)))
            case Apply(fn="getitem", args=(Value() as array, *place)) if is_array(array.type):
                fixed.setdefault(array, []).append(tuple(place))
            case _:
                used.update(values(operands(node)), *(free(part) for part in regions(node)))
    later: list[Store] = []
    for array, stores in found.items():
        others = (used | found.keys() | fixed.keys()) - {array}
        if array in used or any(iterations.may_share(array, other) for other in others):
            continue
        offsets = [_offset(store.index[-1], index, makers) for store in stores]
        if None in offsets or any(index in store.index[:-1] for store in stores) or is_complex(array.type):
            continue
        own = fixed.get(array, [])
        base = own[0] if own else stores[offsets.index(max(offsets, key=offsets.count))].index
        waiting = [store for store in stores if _is_elsewhere(store.index, base, index, makers)]
        inside = (*loops, loop)
        if not any(
            iterations.dependences.may_return(array, store.index, place, inside)
            for store in waiting
            for place in own
        ):
            later += waiting
    return later


def _is_elsewhere(
    one: tuple[Atom, ...], two: tuple[Atom, ...], index: Value, makers: dict[Value, Apply]
) -> bool:
    """Tell whether two indices are of other elements of a row, or of rows at a fixed or unknown distance.

    LLVM looks before a nest whether two rows overlap in any iteration: `a[i % n, j]` and `a[i, j]` do.
    """
    if _offset(one[-1], index, makers) != _offset(two[-1], index, makers):
        return True
    forms = [(linear(left, makers), linear(right, makers)) for left, right in zip(one, two, strict=True)]
    distances = [None if left is None or right is None else left - right for left, right in forms]
    known = [
        distance
        for distance in distances
        if distance is not None and makers.keys().isdisjoint(distance.terms)
    ]
    are_fixed = not any(distance.terms for distance in known)
    return len(known) < len(distances) or (are_fixed and any(distance.constant for distance in known))


def _offset(atom: Atom, index: Value, makers: dict[Value, Apply]) -> int | None:
    """Return the distance of an element's index from the loop's, if it is a number."""
    form = linear(atom, makers)
    if form is None or form.terms != {index: 1}:
        return None
    return form.constant


def _loaded(loop: For, iterations: Iterations) -> set[Value]:
    """Return elements of arrays which the loop does not write: they can be read again."""
    written = [node.array for node in loop.body.nodes if isinstance(node, Store)]
    return {
        node.out
        for node in loop.body.nodes
        if isinstance(node, Apply) and node.fn == "getitem" and isinstance(node.args[0], Value)
        if not any(node.args[0] is array or iterations.may_share(node.args[0], array) for array in written)
    }


def _parts(loop: For, later: list[Store], loaded: set[Value]) -> list[Node]:
    """Return the loop without the later sums, and a loop for each of these."""
    waiting = set(later)
    index = loop.body.params[0]
    nodes: list[Node] = []
    count = whole_number("max", nodes, whole_number("sub", nodes, loop.stop, loop.start), Literal(0))
    kept: dict[Value, Value] = {}
    for store in later:
        if isinstance(store.value, Value) and store.value not in kept and store.value not in loaded:
            kept[store.value] = array = Value(store.value.name, temporary=True)
            array.type = nt.Array(store.value.type, 1, "C")
            nodes += [replace(made, role=loop.role) for made in allocate("np.empty", array, (count,))]
    body: list[Node] = [node for node in loop.body.nodes if node not in waiting]
    place = whole_number("sub", body, index, loop.start)
    body += [Store(array, (place,), value, role=loop.role) for value, array in kept.items()]
    parts: list[Node] = [replace(loop, body=replace(loop.body, nodes=tuple(body)))]
    parts += [_sum(loop, store, kept) for store in later]
    return [*nodes, *parts]


def _sum(loop: For, store: Store, kept: dict[Value, Value]) -> For:
    """Return the loop that runs one of the sums."""
    is_kept = store.value in kept
    nodes = makers_of(store.index if is_kept else (*store.index, store.value), loop.body.nodes)
    if isinstance(store.value, Value) and is_kept:
        place = whole_number("sub", nodes, loop.body.params[0], loop.start)
        item = Value("item", temporary=True, type=store.value.type)
        nodes.append(Apply(item, "getitem", (kept[store.value], place), loc=store.loc, role=store.role))
        store = replace(store, value=item)
    nodes.append(store)
    index = loop.body.params[0]
    mapping: dict[Value, Atom] = {}
    body = clone(Region((index,), tuple(nodes), ()), mapping)
    return replace(loop, inits=(), body=body, outs=())


def whole_number(fn: str, nodes: list[Node], *args: Atom, name: str = "") -> Value:
    """Return a whole number that a new node computes; the node is added to `nodes`."""
    out = Value(name or fn, temporary=not name, type=int64)
    nodes.append(Apply(out, fn, args))
    return out
