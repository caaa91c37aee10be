"""Split loops that add to neighbouring elements, so that LLVM vectorises each part.

The reversal of `b[i] = a[i - 1] + a[i + 1]` adds to d_a[i - 1] and d_a[i + 1] in one iteration, and two
iterations at once would add to the same element. As two loops, each adds to every element once. What the
second loop needs of the first is kept in an array (loop distribution, Kuck et al. 1981, section 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from numba.core import types as nt

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations, runs_rarely, trips
from adcompiler.analysis.shapes import symbolic_sizes
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
    entry,
)
from adcompiler.graph.walk import clone, free, makers_of, operands, regions, results, values, with_regions
from adcompiler.loops.elements import Elements
from adcompiler.loops.gather import (
    Kept,
    Sums,
    distance,
    gathered,
    is_element,
    only_if,
    stays_inside,
    sums_to_gather,
    width,
)
from adcompiler.loops.sums_behind import sums_behind_choices
from adcompiler.loops.whole_numbers import counted_from, shifted, whole_number
from adcompiler.prepare.allocation import allocate
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import card

_SHORT = 8
"""Loops that run less often are not worth splitting."""


def distribute(graph: Graph, at_once: bool = False) -> Graph:
    """Return the graph with such loops split.

    Args:
        graph: the graph of a gradient.
        at_once: whether iterations of loops around may run at once: each then keeps arrays of its own.
    """
    splitter = _Splitter(graph, at_once)
    return replace(graph, body=splitter.region(graph.body, ()))


class _Splitter:
    """Splits the loops of a graph.

    Attributes:
        graph: the graph.
        at_once: whether iterations may run at once.
        iterations: tells which of them touch the same memory.
        before: what is to stand before a loop.
    """

    def __init__(self, graph: Graph, at_once: bool) -> None:
        self.graph, self.at_once = graph, at_once
        self.iterations = Iterations(graph)
        self.before: dict[Node, list[Node]] = defaultdict(list)

    @cached_property
    def elements(self) -> Elements:
        """What knows the sizes of arrays."""
        return Elements(*symbolic_sizes(self.graph), self.iterations.dependences.makers, {})

    def region(self, body: Region, loops: Loops) -> Region:
        """Return a region with the loops in it split."""
        nodes: list[Node] = []
        for node in body.nodes:
            made = self.split(node, loops) if isinstance(node, For) else None
            if made is None:
                inner = (*loops, node) if isinstance(node, For | While) else loops
                made = [with_regions(node, tuple(self.region(part, inner) for part in regions(node)))]
            nodes += [*self.before.pop(node, ()), *made]
        return replace(body, nodes=tuple(nodes))

    def split(self, loop: For, loops: Loops) -> list[Node] | None:
        """Return a loop in parts, None where it stays whole."""
        dependences = self.iterations.dependences
        later = _later_sums(loop, loops, self.iterations)
        if not later:
            loop = self.without_sums_in_arms(loop, loops)
            later = _later_sums(loop, loops, self.iterations)
        upwards: list[Apply] = []
        if loop.step == Literal(-1):  # in any order, now that sums that others read come last
            ends = [whole_number("add", upwards, end, Literal(1)) for end in (loop.stop, loop.start)]
            dependences.makers.update((node.out, node) for node in upwards)
            loop = replace(loop, start=ends[0], stop=ends[1], step=Literal(1))
        length = trips(loop, dependences.makers) if later else None
        if length is None:
            return None
        always = dependences.always_runs(loop, loops)
        parts = _Parts(loop, length, dependences.makers)
        parts.split(later, _loaded(loop, self.iterations))
        for row in parts.rows:
            is_safe = always or stays_inside(row, loop, self.elements, dependences.bounds(loops))
            parts.gather(row, behind_test=not is_safe)
        outer = None if self.at_once else _outermost(length, loops, self.iterations)
        if outer is None:
            return [*parts.scratch, *upwards, *parts.loops]
        self.before[outer] += parts.scratch
        return [*upwards, *parts.loops]

    def without_sums_in_arms(self, loop: For, loops: Loops) -> For:
        """Return a loop whose choices only compute, if that is possible."""
        bounds = self.iterations.dependences.bounds((*loops, loop))
        body = sums_behind_choices(
            loop.body, lambda store: is_element(store, self.elements, bounds), self.iterations.may_share
        )
        if body is None:
            return loop
        loop = replace(loop, body=body)
        self.iterations.enter(Region((), (loop,), ()), loops)
        return loop


def _later_sums(loop: For, loops: Loops, iterations: Iterations) -> list[Store]:
    """Return the sums that go to loops of their own; none if the loop is not of that kind."""
    is_short = runs_rarely(loop, iterations.dependences.makers, _SHORT)
    counts = loop.step == Literal(1) or (loop.step == Literal(-1) and loop.role is Role.ADJOINT)
    if loop.breaks or not counts or (is_short and loop.step == Literal(1)):
        return []
    if not all(map(_is_simple, loop.body.nodes)) or None in carried_kinds(loop.body):
        return []
    later = _later_stores(loop, loops, iterations)
    rest = tuple(node for node in loop.body.nodes if node not in later)
    apart = later and iterations.are_apart(replace(loop, body=replace(loop.body, nodes=rest)), loops)
    return later if apart else []


def _outermost(length: Linear, loops: Loops, iterations: Iterations) -> Node | None:
    """Return the outermost loop around in which a loop always runs as often."""
    homes = iterations.dependences.homes
    depth = max((len(entry(homes, symbol) or ()) for symbol in length.terms), default=0)
    return loops[depth] if depth < len(loops) else None


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
        others = {
            other for other in used | found.keys() | fixed.keys() if iterations.may_share(array, other)
        } - {array}
        places = [
            (other, place)
            for other in others - used
            for place in (*fixed.get(other, ()), *(store.index for store in found.get(other, ())))
        ]
        if array in used or not others.isdisjoint(used) or _meet(stores, places, loop, loops, iterations):
            continue
        offsets = [distance(store.index[-1], index, makers) for store in stores]
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


def _meet(
    stores: list[Store],
    places: list[tuple[Value, tuple[Atom, ...]]],
    loop: For,
    loops: Loops,
    iterations: Iterations,
) -> bool:
    """Tell whether sums may go to elements that a loop touches by way of other names of an array."""
    inside = (*loops, loop)
    return any(
        iterations.dependences.may_touch((store.array, store.index, inside), (other, place, inside), loop)
        for store in stores
        for other, place in places
    )


def _is_elsewhere(
    one: tuple[Atom, ...], two: tuple[Atom, ...], index: Value, makers: dict[Value, Apply]
) -> bool:
    """Tell whether two indices are of other elements of a row, or of rows at a fixed or unknown distance.

    LLVM looks before a nest whether two rows overlap in any iteration: `a[i % n, j]` and `a[i, j]` do.
    """
    if distance(one[-1], index, makers) != distance(two[-1], index, makers):
        return True
    forms = [(linear(left, makers), linear(right, makers)) for left, right in zip(one, two, strict=True)]
    apart = [None if left is None or right is None else left - right for left, right in forms]
    known = [form for form in apart if form is not None and makers.keys().isdisjoint(form.terms)]
    are_fixed = not any(form.terms for form in known)
    return len(known) < len(apart) or (are_fixed and any(form.constant for form in known))


def _loaded(loop: For, iterations: Iterations) -> set[Value]:
    """Return elements of arrays which the loop does not write: they can be read again."""
    written = [node.array for node in loop.body.nodes if isinstance(node, Store)]
    return {
        node.out
        for node in loop.body.nodes
        if isinstance(node, Apply) and node.fn == "getitem" and isinstance(node.args[0], Value)
        if not any(node.args[0] is array or iterations.may_share(node.args[0], array) for array in written)
    }


class _Parts:
    """A loop without its later sums, and a loop for each of these, or for all to one row.

    Attributes:
        loop: the loop, by one.
        makers: what computes each value.
        loops: the parts.
        scratch: what makes the arrays in which what is added is kept.
        count: how often the loop runs.
        rows: sums to neighbours that are to share a loop.
    """

    def __init__(self, loop: For, length: Linear, makers: Mapping[Value, Apply]) -> None:
        self.loop, self.makers = loop, makers
        self.loops: list[Node] = []
        self.scratch: list[Node] = []
        self.count = whole_number("max", self.scratch, write_form(length, self.scratch), Literal(0))
        self.rows: list[Sums] = []
        self.kept: dict[Atom, Kept] = {}

    def split(self, later: list[Store], loaded: set[Value]) -> None:
        """Write the loop, and those for single sums.

        Args:
            later: the later sums.
            loaded: what can be read again.
        """
        self.rows, staying = sums_to_gather(self.loop, later, self.makers)
        moved = {term.store for row in self.rows for term in row}
        single = [store for store in later if store not in moved | staying]
        nodes = self.loop.body.nodes
        body: list[Node] = [node for node in nodes if node not in moved and node not in single]
        padded = {term.value for row in self.rows for term in row}
        plain = {store.value for store in single if isinstance(store.value, Value)} - loaded - padded
        made = (*self.loop.body.params, *(value for node in nodes for value in results(node)))
        self.keep([value for value in made if value in padded | plain], padded)
        for value, own in self.kept.items():
            place = counted_from(body, self.loop.body.params[0], self.loop.start, own.first)
            body.append(Store(own.array, (place,), value, role=self.loop.role))
        self.loops = [replace(self.loop, body=replace(self.loop.body, nodes=tuple(body)))]
        self.loops += [_sum(self.loop, store, self.kept) for store in single]

    def keep(self, values: list[Value], padded: set[Value]) -> None:
        """Make arrays for values, those of sums to neighbours with zeros at both ends."""
        first = max(map(width, self.rows), default=0)
        wider = shifted(self.scratch, self.count, 2 * first) if padded else self.count
        for value in values:
            array = Value(value.name, temporary=True, type=nt.Array(value.type, 1, "C"))
            fn, size = ("np.zeros", wider) if value in padded else ("np.empty", self.count)
            self.scratch += [replace(node, role=self.loop.role) for node in allocate(fn, array, (size,))]
            self.kept[value] = Kept(array, first if value in padded else 0)

    def gather(self, row: Sums, behind_test: bool) -> None:
        """Write the loop for sums to one row, which may have to ask whether the first loop runs at all."""
        nodes = gathered(self.loop, row, self.kept)
        self.loops += only_if(self.count, nodes, self.loop.role) if behind_test else nodes


def _sum(loop: For, store: Store, kept: Mapping[Atom, Kept]) -> For:
    """Return the loop that runs one of the sums."""
    own = kept.get(store.value)
    nodes = makers_of(store.index if own else (*store.index, store.value), loop.body.nodes)
    if own is not None and isinstance(store.value, Value):
        place = counted_from(nodes, loop.body.params[0], loop.start, own.first)
        item = Value("item", temporary=True, type=store.value.type)
        nodes.append(Apply(item, "getitem", (own.array, place), loc=store.loc, role=store.role))
        store = replace(store, value=item)
    nodes.append(store)
    index = loop.body.params[0]
    mapping: dict[Value, Atom] = {}
    body = clone(Region((index,), tuple(nodes), ()), mapping)
    return replace(loop, inits=(), body=body, outs=())
