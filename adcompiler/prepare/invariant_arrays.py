"""Compute before a loop the arrays that each iteration computes alike.

A time step that evaluates `np.exp(-k * grid)`, or fills scratch with the coefficients of an elimination,
does so in every iteration, keeps it for each, and reverses it each time. Before the loop it is done once, and
its adjoint is what all iterations add to it: loop-invariant code motion, for arrays and loops that fill them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.alias import is_opaque, shared_memory, written_arrays
from adcompiler.analysis.cannot_fail import CannotFail, Facts, cannot_fail
from adcompiler.analysis.sizes import Shapes, Size
from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import (
    all_reads,
    clone,
    defined,
    operands,
    regions,
    results,
    values,
    walk,
    with_regions,
)
from adcompiler.prepare.fission import split_off
from adcompiler.prepare.tabulated import tabulated
from adcompiler.primitives import Follows, Shows, card

_OF_ONE_ARRAY = (Shows.NOTHING, Shows.FIRST, Shows.FIRST_IF_CONTIGUOUS, Shows.MAYBE_FIRST)


def compute_once(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with what loops compute alike in each iteration before them.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    classes = shared_memory(graph.body)
    known = _Known(classes, _handed_on(graph.body, classes), cannot_fail(graph, shapes, sizes))

    def region(body: Region, facts: Facts) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inside = (*facts, *known.safe.integers.of_index(node)) if isinstance(node, For) else facts
            node = with_regions(node, tuple(region(inner, inside) for inner in regions(node)))
            while isinstance(node, For | While) and _is_in_order(node):
                node, moved, guarded = _unchanging(node, known, facts)
                numbers = {inner for inner in guarded if results(inner)}  # the loop may need them, too
                if numbers.issuperset(moved):
                    break
                nodes += [inner for inner in moved if inner not in guarded]
                nodes += _if_it_runs(node, [inner for inner in moved if inner in guarded], known)
                kept = tuple(inner for inner in node.body.nodes if inner not in moved or inner in numbers)
                node = replace(node, body=replace(node.body, nodes=kept))
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _is_in_order(loop: For | While) -> bool:
    """Tell whether a loop runs on one thread, and does nothing unknown."""
    is_independent = isinstance(loop, For) and loop.independent
    return not is_independent and not any(map(is_opaque, walk(loop.body)))


Found = tuple[For | While, list[Node], set[Node]]
"""A loop, what to move before it, and what of this only if it runs."""


def _unchanging(loop: For | While, known: _Known, facts: Facts) -> Found:
    """Return what is worth moving before a loop, and the loop; loops inside are split where that helps."""
    whole, _ = _Iteration(loop, known, facts).unchanging()
    ways = {node: [*_ways_to_split(node, loop, known)] for node in loop.body.nodes if node not in whole}
    while True:
        split = {node: found[0] for node, found in ways.items() if found}
        nodes = [part for node in loop.body.nodes for part in split.get(node, (node,))]
        own = replace(loop, body=replace(loop.body, nodes=tuple(nodes)))
        moved, guarded = _Iteration(own, known, facts).unchanging()
        useless = [node for node, parts in split.items() if not {*parts[:-1]} <= {*moved}]
        if not useless:
            return own, moved, guarded
        for node in useless:
            ways[node].pop(0)


def _ways_to_split(node: Node, outer: For | While, known: _Known) -> Iterator[Sequence[Node]]:
    """Yield a loop in parts, of which all but the last fill arrays."""
    if not isinstance(node, For):
        return
    stores = [inner for inner in node.body.nodes if isinstance(inner, Store)]
    for memory in dict.fromkeys(known.classes.get(store.array, store.array) for store in stores):
        if parts := split_off(node, memory, known.classes, known.safe.integers):
            yield parts
    changed = {memory for inner in outer.body.nodes for memory in known.written(inner)}
    tables = tabulated(node, outer, lambda array: known.classes.get(array, array) in changed, known.safe)
    if tables:
        known.tables.update(tables[:-1])
        yield tables


def _if_it_runs(loop: For | While, nodes: Sequence[Node], known: _Known) -> list[Node]:
    """Return copies of nodes in a branch that is taken if a loop runs."""
    if not nodes:
        return []
    assert isinstance(loop, For)
    test, empty = Value("runs", temporary=True, type=nt.boolean), Region((), (), ())
    ends = (loop.stop, loop.start) if loop.step == Literal(1) else (loop.start, loop.stop)
    arm = clone(Region((), tuple(nodes), ()), {})
    for node in walk(arm):
        if isinstance(node, Apply):
            known.safe.integers.enter(node, ())
    return [Apply(test, "gt", ends), If(test, arm, empty, ())]


@dataclass
class _Known:
    """What is known of a graph.

    Attributes:
        classes: which values share memory.
        handed_on: memory that may be known under other names than those of its views.
        safe: tells what cannot fail.
        tables: what fills tables of numbers.
    """

    classes: Mapping[Value, Value]
    handed_on: set[Value]
    safe: CannotFail
    tables: set[Node] = field(default_factory=set)

    def memory(self, arrays: Iterable[Value]) -> set[Value]:
        """Return the memory of values."""
        return {self.classes.get(array, array) for array in arrays if not is_scalar(type_of(array))}

    def written(self, node: Node) -> set[Value]:
        """Return the memory that a node writes."""
        return self.memory(written_arrays(Region((), (node,), ())))


def _handed_on(body: Region, classes: Mapping[Value, Value]) -> set[Value]:
    """Return the memory of which loops or branches hand on a reference, or a tuple or a list holds one."""
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
    return {
        memory
        for value, memory in classes.items()
        if value not in makers or card(makers[value].fn).shows not in _OF_ONE_ARRAY
    }


class _Iteration:
    """One iteration of a loop, and which of its nodes do the same in all of them."""

    def __init__(self, loop: For | While, known: _Known, facts: Facts) -> None:
        self.runs = isinstance(loop, For) and known.safe.integers.runs(loop, facts)
        self.is_counted = isinstance(loop, For) and loop.step in (Literal(1), Literal(-1))
        self.nodes, self.known = loop.body.nodes, known
        self.inside = set(defined(loop.body))
        self.from_outside = {own for array, own in known.classes.items() if array not in self.inside}
        self.reads = {node: all_reads(node) for node in self.nodes}
        self.writes = {node: known.written(node) for node in self.nodes}
        effects = (k for k, node in enumerate(self.nodes) if _has_effect(node))
        self.before_effects = {*self.nodes[: next(effects, len(self.nodes))]}
        self.by_condition = [*walk(loop.cond)] if isinstance(loop, While) else []

    def unchanging(self) -> tuple[list[Node], set[Node]]:
        """Return the nodes worth moving, with all that they need, and which of these go into a branch."""
        moving = {node for node in self.nodes if self.may_move(node)}
        while True:
            moving = self.those_unchanging(moving)
            found = self.with_needs([node for node in moving if self.is_worth(node)], moving)
            guarded = self.guarded(found)
            in_doubt = [node for node in guarded if not _is_for_memory(node)]
            if not in_doubt:
                return (found, guarded) if self.is_written_before_it_is_read(found) else ([], set())
            moving -= {*in_doubt}

    def those_unchanging(self, moving: set[Node]) -> set[Node]:
        """Return those nodes that read what stays the same if these are moved."""
        size = -1
        while size != len(moving):
            size = len(moving)
            made = {value for node in moving for value in results(node)}
            fixed = self.known.memory(made) - self.from_outside
            changed = {memory for node in self.nodes if node not in moving for memory in self.writes[node]}
            changed |= {memory for node in self.by_condition for memory in self.known.written(node)}
            moving = {node for node in moving if self.is_unchanging(node, made, fixed, changed)}
        return moving

    def guarded(self, moved: Sequence[Node]) -> set[Node]:
        """Return those nodes that may fail if the loop does not run, or need or write what these make."""
        found = set() if self.runs else {node for node in moved if not self.known.safe.node(node)}
        size = -1
        while size != len(found):
            size = len(found)
            made = {value for node in found for value in results(node)}
            in_doubt = made.union(*(self.writes[node] for node in found))
            found |= {n for n in moved if not in_doubt.isdisjoint(self.memory(n) | self.reads[n])}
        return {node for node in found if not _allocates(node)}

    def memory(self, node: Node) -> set[Value]:
        """Return the memory that a node reads or writes."""
        return self.known.memory(self.reads[node]) | self.writes[node]

    def may_move(self, node: Node) -> bool:
        """Tell whether a node makes numbers or arrays that have one name, and fails only if it does now."""
        arrays = [value for value in results(node) if not is_scalar(type_of(value))]
        if not self.known.memory(arrays).isdisjoint(self.known.handed_on):
            return False
        may_be_guarded = self.runs or (self.is_counted and _is_for_memory(node))
        return self.known.safe.node(node) or (may_be_guarded and node in self.before_effects)

    def is_unchanging(self, node: Node, made: set[Value], fixed: set[Value], changed: set[Value]) -> bool:
        """Tell whether a node reads what stays the same, and writes what it alone makes anew.

        Args:
            node: the node.
            made: what is computed by nodes that may be moved.
            fixed: memory that these allocate.
            changed: memory that other nodes write.
        """
        is_from_outside = all(value in made or value not in self.inside for value in self.reads[node])
        memory = self.known.memory((*self.reads[node], *results(node)))
        return is_from_outside and memory.isdisjoint(changed) and self.writes[node] <= fixed

    def is_worth(self, node: Node) -> bool:
        """Tell whether computing something again takes longer than reading it from an array."""
        if node in self.known.tables and isinstance(node, For):
            return True
        if isinstance(node, If):  # it holds what was moved before a loop that need not run
            inner = [*walk(node.then), *walk(node.orelse)]
            return bool(self.writes[node]) and any(_takes_long(part) for part in inner)
        if isinstance(node, For):
            inner = [*walk(node.body)]
            is_recurrence = not self.writes[node].isdisjoint(self.known.memory(_loaded_from(inner)))
            takes_long = any(_takes_long(part) or _divides(part) for part in inner)
            return bool(self.writes[node]) and (is_recurrence or takes_long)
        return is_array(type_of(results(node)[0])) and _takes_long(node) if results(node) else False

    def with_needs(self, worth: list[Node], moving: set[Node]) -> list[Node]:
        """Return nodes with those that make what they read, and those that write what they read or make."""
        found: set[Node] = set()
        todo = worth
        while todo:
            found.update(todo)
            needed = {value for node in todo for value in self.reads[node]}
            made = {value for node in todo for value in results(node)}
            memory = self.known.memory(needed | made).union(*(self.writes[node] for node in todo))
            todo = [
                node
                for node in moving - found
                if not needed.isdisjoint(results(node)) or not memory.isdisjoint(self.writes[node])
            ]
        return [node for node in self.nodes if node in found]

    def is_written_before_it_is_read(self, moved: Sequence[Node]) -> bool:
        """Tell whether the other nodes find in memory what stood there when they read it."""
        position = {node: k for k, node in enumerate(self.nodes)}
        others = [node for node in self.nodes if node not in moved]
        return all(
            position[node] < position[other]
            for node in moved
            for other in others
            if not self.writes[node].isdisjoint(self.known.memory(self.reads[other]))
        )


def _allocates(node: Node) -> bool:
    return isinstance(node, Apply) and card(node.fn).allocates is not None


def _is_for_memory(node: Node) -> bool:
    """Tell whether a node makes no value that others need: of a number, they may have another copy."""
    return not results(node) or (isinstance(node, Apply) and is_scalar(type_of(node.out)))


def _has_effect(node: Node) -> bool:
    """Tell whether a node does more than to compute, to write arrays and to check what it is given."""
    for inner in walk(Region((), (node,), ())):
        match inner:
            case Effect() if not card(inner.fn).is_guard:
                return True
            case While():
                return True
            case Apply() if not card(inner.fn).is_pure or card(inner.fn).is_call:
                return True
    return False


def _takes_long(node: Node) -> bool:
    """Tell whether a node is an elementary function, a product, a sum or a loop."""
    if not isinstance(node, Apply):
        return isinstance(node, For)
    known = card(node.fn)
    is_call = known.is_elementwise and not known.is_cheap_on_arrays and not known.is_cheap
    return is_call or known.follows in (Follows.PRODUCT, Follows.REDUCED)


def _divides(node: Node) -> bool:
    return isinstance(node, Apply) and node.fn == "truediv" and isinstance(node.args[1], Value)


def _loaded_from(nodes: Iterable[Node]) -> Iterable[Value]:
    """Return the arrays that nodes load from."""
    loads = (node for node in nodes if isinstance(node, Apply) and node.fn == "getitem")
    return (value for node in loads for value in values(operands(node)[:1]))
