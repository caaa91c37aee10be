"""An element that one iteration writes and the next one reads is handed on as a number.

`c[i] = r / (b - a * c[i - 1])` waits for memory in each iteration: a compiler may not keep the element in a
register as long as another array that the loop writes may be the same memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from numba import boolean, float64, int64
from numba.core.types import Integer

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.alias import is_opaque, shared_memory, written_arrays
from adcompiler.analysis.cannot_fail import CannotFail, Facts, cannot_fail
from adcompiler.analysis.sizes import Shapes, Size
from adcompiler.analysis.types import element, is_scalar, rank
from adcompiler.graph.kinds import zero_of
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    type_of,
)
from adcompiler.graph.walk import defined, operands, regions, substitute, values, walk, with_regions
from adcompiler.primitives import hint

Access = Apply | Store


def hand_on_elements(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with such elements carried by their loops.

    Args:
        graph: the graph of a derivative.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    known = _Known(shared_memory(graph.body), cannot_fail(graph, shapes, sizes))

    def region(body: Region, facts: Facts) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inside = (*facts, *known.safe.integers.of_index(node)) if isinstance(node, For) else facts
            node = with_regions(node, tuple(region(inner, inside) for inner in regions(node)))
            if isinstance(node, For) and _is_plain(node):
                before, node = known.handing_on(node, nodes, facts)
                nodes += before
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _is_plain(loop: For) -> bool:
    is_by_one = loop.step in (Literal(1), Literal(-1))
    in_order = not (loop.breaks or loop.independent or loop.parallel or loop.checkpoints is not None)
    return is_by_one and in_order and not any(map(is_opaque, walk(loop.body)))


@dataclass
class _Line:
    """What a loop does to elements of an array along an axis, as its index counts.

    Attributes:
        array: the array.
        axis: the axis.
        places: loads and stores, with how far they are ahead of the first store.
    """

    array: Value
    axis: int
    places: dict[Access, int]

    def last_stores(self) -> list[Store]:
        """Return the stores that no later one in the iteration overwrites."""
        last = {place: node for node, place in self.places.items() if isinstance(node, Store)}
        return [*last.values()]

    def loads_after(self, store: Store, step: int) -> list[Apply]:
        """Return what reads, in each iteration, the element that a store has written in the one before."""
        at_place = [node for node, place in self.places.items() if place == self.places[store] - step]
        stores = (k for k, node in enumerate(at_place) if isinstance(node, Store))
        return [node for node in at_place[: next(stores, len(at_place))] if isinstance(node, Apply)]


class _Known:
    """What is known of a graph: which values share memory, and what cannot fail."""

    def __init__(self, classes: Mapping[Value, Value], safe: CannotFail) -> None:
        self.classes, self.safe = classes, safe

    def handing_on(self, loop: For, before: Sequence[Node], facts: Facts) -> tuple[list[Node], For]:
        """Return a loop that hands elements on, and what is to stand before it."""
        added: list[Node] = []
        for array in dict.fromkeys(node.array for node in loop.body.nodes if isinstance(node, Store)):
            line = self.line(loop, array)
            if line is not None:
                nodes, loop = self.along(line, loop, [*before, *added], facts)
                added += nodes
        return added, loop

    def along(self, line: _Line, loop: For, before: Sequence[Node], facts: Facts) -> tuple[list[Node], For]:
        """Return a loop that hands on the element of a line that a store writes, if there is one."""
        for store in line.last_stores():
            loads = line.loads_after(store, _step(loop))
            first = self.first_index(loads[0], loop, line.axis) if loads else None
            if first is not None:
                nodes, init = self.first_element(loads[0], first, loop, before, facts)
                return nodes, _carrying(loop, store, loads, init)
        return [], loop

    def line(self, loop: For, array: Value) -> _Line | None:
        """Return what a loop does along the way of its stores to an array; None if not all of it is known."""
        memory, counter = self.memory([array]), loop.body.params[0]
        touching = [node for node in walk(loop.body) if memory & self.memory(values(operands(node)))]
        first = next(node for node in touching if isinstance(node, Store) and node.array is array)
        axes = [k for k, atom in enumerate(first.index) if self.form(atom).terms.get(counter) == 1]
        if len(axes) != 1 or not _is_element(first, array) or array in defined(loop.body):
            return None
        found = _Line(array, axes[0], {})
        for node in touching:
            if not isinstance(node, Apply | Store) or node not in loop.body.nodes:
                return None
            if not _is_element(node, array):
                return None
            pairs = zip(_index(node), first.index, strict=True)
            gaps = [self.form(one) - self.form(two) for one, two in pairs]
            if any(gap.terms for gap in gaps):
                return None
            if not any(gap.constant for k, gap in enumerate(gaps) if k not in axes):  # else it is elsewhere
                found.places[node] = gaps[axes[0]].constant
        return found

    def memory(self, arrays: Iterable[Value]) -> set[Value]:
        return {self.classes.get(array, array) for array in arrays if not is_scalar(type_of(array))}

    def form(self, atom: Atom) -> Linear:
        """Return an integer as a form; one that has none stands for itself."""
        return self.safe.integers.form(atom) or Linear({atom: 1})

    def first_index(self, load: Apply, loop: For, axis: int) -> tuple[list[Node], list[Atom]] | None:
        """Return the index of what the first iteration loads, and what computes it; None if it cannot be."""
        inside, index = {*defined(loop.body)}, [*load.args[1:]]
        ahead = self.form(index[axis]) - Linear({loop.body.params[0]: 1})
        if ahead.terms or any(atom in inside for k, atom in enumerate(index) if k != axis):
            return None
        if isinstance(loop.start, Literal):
            index[axis] = Literal(loop.start.value + ahead.constant)
        elif not ahead.constant:
            index[axis] = loop.start
        else:
            index[axis] = place = Value(hint("add"), temporary=True, type=int64)
            made = Apply(place, "add", (loop.start, Literal(ahead.constant)))
            self.safe.integers.enter(made, ())
            return [made], index
        return [], index

    def first_element(
        self,
        load: Apply,
        first_index: tuple[list[Node], list[Atom]],
        loop: For,
        before: Sequence[Node],
        facts: Facts,
    ) -> tuple[list[Node], Atom]:
        """Return an element before a loop, and what computes it: nothing where it was stored just before."""
        (nodes, index), array = first_index, load.args[0]
        assert isinstance(array, Value)
        stored = self.stored_before(array, index, before)
        if stored is not None:
            return [], stored
        out = Value(load.out.name, temporary=True, type=load.out.type)
        first = replace(load, out=out, args=(array, *index))
        if self.safe.is_element(array, tuple(index), facts):
            return [*nodes, first], out
        runs = Value("runs", temporary=True, type=boolean)
        ends = (loop.stop, loop.start) if loop.step == Literal(1) else (loop.start, loop.stop)
        chosen = Value(load.out.name, temporary=True, type=load.out.type)
        arms = Region((), (first,), (out,)), Region((), (), (Literal(zero_of(out.type)),))
        return [*nodes, Apply(runs, "gt", ends), If(runs, *arms, (chosen,))], chosen

    def stored_before(self, array: Value, index: Sequence[Atom], before: Sequence[Node]) -> Atom | None:
        """Return what was stored in an element last; None if that is not seen."""
        for node in reversed(before):
            if _is_element(node, array) and isinstance(node, Store) and not node.accumulate:
                gaps = [self.form(one) - self.form(two) for one, two in zip(node.index, index, strict=True)]
                if not any(gap.terms or gap.constant for gap in gaps):
                    return node.value
            if self.memory([array]) & self.memory(written_arrays(Region((), (node,), ()))):
                return None
        return None


def _step(loop: For) -> int:
    return 1 if loop.step == Literal(1) else -1


def _is_element(node: Node, array: Value) -> bool:
    """Tell whether a node loads or stores one element of an array, as a number of its type."""
    match node:
        case Apply(fn="getitem", args=(base, *index)):
            number = node.out.type
        case Store(array=base, index=index, value=value):
            is_double = isinstance(value, Literal) and type(value.value) is float
            number = float64 if is_double else type_of(value)
        case _:
            return False
    is_whole = all(isinstance(type_of(atom), Integer) or isinstance(atom, Literal) for atom in index)
    return base is array and len(index) == rank(array.type) and is_whole and number == element(array.type)


def _index(access: Access) -> tuple[Atom, ...]:
    return access.index if isinstance(access, Store) else access.args[1:]


def _carrying(loop: For, store: Store, loads: list[Apply], init: Atom) -> For:
    """Return a loop that hands on what a store writes, in place of loads in the next iteration."""
    param = loads[0].out
    nodes: list[Node] = []
    after = store.value
    for node in loop.body.nodes:
        if node is store and store.accumulate:
            old, total = (Value(param.name, temporary=True, type=param.type) for _ in range(2))
            load = Apply(old, "getitem", (store.array, *store.index), loc=store.loc, role=store.role)
            nodes += [load, replace(load, out=total, fn="add", args=(old, store.value))]
            nodes.append(replace(store, value=total, accumulate=False))
            after = total
        elif node not in loads:
            nodes.append(node)
    body = Region((*loop.body.params, param), tuple(nodes), (*loop.body.yields, after))
    body = substitute(body, {load.out: param for load in loads[1:]})
    out = Value(param.name, temporary=True, type=param.type)
    return replace(loop, inits=(*loop.inits, init), outs=(*loop.outs, out), body=body)
