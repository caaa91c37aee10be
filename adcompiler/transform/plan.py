"""Decide, loop by loop, which primal values the reverse sweep stores and which it recomputes.

The needed values of one iteration are separated by a minimum cut from what cannot be recomputed: a
value in the cut is stored once per iteration, everything between the cut and the needs is
recomputed from it. The cut is found as a maximum flow through the dependence graph, with the cost of
storing each value as its capacity; the partitioners of Enzyme and of PyTorch's AOTAutograd work likewise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numba.core import types as nt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from adcompiler.analysis.alias import Memory, content_reads
from adcompiler.analysis.types import (
    Types,
    is_array,
    is_array_atom,
    is_list,
    is_memory,
    is_mutable,
    is_scalar,
    rank,
)
from adcompiler.graph.nodes import Apply, Atom, Effect, For, If, Literal, Node, Region, Store, Value, While
from adcompiler.graph.walk import defined, free, operands, regions, results, values, walk
from adcompiler.primitives import card, part_of
from adcompiler.transform.bind import SHADOW

_LIMIT = 10**8
_SCALAR, _INTEGER, _ARRAY = 100, 80, 5000


@dataclass
class LoopPlan:
    """What is done about the values of one loop.

    Attributes:
        loop: the loop of the primal.
        replayed: True if the reverse loop repeats the whole iteration before reversing it.
        merged: True if each iteration is reversed right after it has run.
        stored: values stored once per iteration.
        recomputed: values computed again in the reverse loop.
        states: (parameter, its next value) where both are read: the next value is what the
            later iteration stored for the parameter.
        counters: integer parameters that the reverse loop counts back, with their next values.
        kept: loads of values that the primal itself keeps in an array.
    """

    loop: For | While
    replayed: bool = False
    merged: bool = False
    stored: list[Value] = field(default_factory=list)
    recomputed: set[Value] = field(default_factory=set)
    states: dict[Value, Value] = field(default_factory=dict)
    counters: dict[Value, Value] = field(default_factory=dict)
    kept: dict[Value, Apply] = field(default_factory=dict)


def plan_loop(loop: For | While, body: Region, needed: list[Value], types: Types, info: Memory) -> LoopPlan:
    """Plan one loop.

    Args:
        loop: the loop of the primal.
        body: its body, in which inner loops already record what they need.
        needed: values of the body that the reverse loop reads.
        types: type of every value.
        info: where memory is written.
    """
    frame = Frame(loop, body, types, info)
    plan = LoopPlan(loop)
    stored = frame.cut(needed)
    _demand(frame, needed, stored, plan)
    return plan


def may_repeat(loop: For | While, needed: Iterable[Value], types: Types, info: Memory) -> bool:
    """Tell whether an iteration can be run again, for its reversal, from what stands outside the loop alone.

    Args:
        loop: the loop of the primal.
        needed: values that the ideal reversal of one iteration reads.
        types: type of every value.
        info: where memory is written.
    """
    if not isinstance(loop, For):
        return False
    frame = Frame(loop, loop.body, types, info)
    return frame.can_replay([value for value in needed if value in frame.inside])


Origins = dict[Value | Node, tuple[Node, tuple[Atom, ...]]]


class Frame:
    """One iteration of a loop: the values it defines and how each could be recomputed."""

    def __init__(self, loop: For | While, body: Region, types: Types, info: Memory) -> None:
        self.loop, self.body, self.types, self.info = loop, body, types, info
        self.inside = defined(body)
        self.index = body.params[0] if isinstance(loop, For) else None
        self.makers: dict[Value, Node] = {}
        self.collect(body)
        self.kept = self.kept_by_the_primal(body)
        params = body.params[isinstance(loop, For) :]
        pairs = zip(params, body.yields[loop.breaks :], strict=True)
        carried = {
            after: param
            for param, after in pairs
            if isinstance(after, Value) and after in self.makers and is_scalar(types.get(param))
        }
        self.states: dict[Value, Value] = {}
        self.counters = {p: after for after, p in carried.items() if self.is_counter(p, after)}
        self.carried = {after: p for after, p in carried.items() if p not in self.counters}

    def collect(self, region: Region) -> None:
        for node in region.nodes:
            self.makers.update((value, node) for value in results(node))
            if isinstance(node, If):
                for arm in regions(node):
                    self.collect(arm)

    def kept_by_the_primal(self, region: Region) -> dict[Value, Apply]:
        """Return the numbers that a region puts into arrays where they stay, with loads that read them."""
        found: dict[Value, Apply] = {}
        for node in region.nodes:
            if isinstance(node, If):
                for arm in regions(node):
                    found |= self.kept_by_the_primal(arm)
            if not isinstance(node, Store) or node.accumulate or node not in self.info.access:
                continue
            if node.array in self.inside:
                continue
            made = next((n for n in region.nodes if isinstance(n, Apply) and n.out is node.value), None)
            kind = self.types.get(node.array)
            indices = [atom for atom in node.index if self.is_number(atom)]
            is_element = is_array(kind) and len(indices) == len(node.index) == rank(kind)
            if made is None or not is_element or self.types.get(made.out) != kind.dtype or _is_load(made):  # type: ignore[union-attr]
                continue
            load = Apply(made.out, "getitem", (node.array, *node.index), loc=node.loc)
            self.info.access[load] = self.info.access[node]
            if not self.info.read_is_overwritten(load):
                found[made.out] = load
        return found

    def is_number(self, atom: Atom) -> bool:
        return isinstance(atom, Literal) or (isinstance(atom, Value) and is_scalar(self.types.get(atom)))

    def is_counter(self, param: Value, after: Value) -> bool:
        """Tell whether an integer changes by what is known without it, so that it can be counted back."""
        made = self.makers.get(after)
        if not isinstance(made, Apply) or made.fn not in ("add", "sub") or made not in self.body.nodes:
            return False
        step = made.args[1]
        is_known = step not in self.inside or step is self.index
        return made.args[0] is param and is_known and isinstance(self.types.get(param), nt.Integer)

    def sources(self, value: Value) -> list[Value] | None:
        """Return the values of this iteration that `value` is recomputed from; None if it must be stored."""
        if value in self.counters:
            return []
        if value in self.states:
            return None
        node = self.kept.get(value, self.makers.get(value))
        part = part_of(node.fn, len(node.args)) if isinstance(node, Apply) else None
        if part is not None:
            reads = values(node.args[part : part + 1])  # type: ignore[union-attr]
        elif isinstance(node, Apply) and (value in self.kept or self.is_cheap(node)):
            reads = values(operands(node))
        elif isinstance(node, If) and len(node.outs) == 1 and self.is_cheap_branch(node):
            reads = iter([*values((node.test,)), *free(node.then), *free(node.orelse)])
        else:
            return None
        return [v for v in reads if v in self.inside and v is not self.index]

    def is_cheap(self, node: Apply) -> bool:
        if node.fn == "getitem" and any(is_array_atom(index, self.types) for index in node.args[1:]):
            return False  # a copy, picked by an array that may have changed since
        maker = self.makers.get(node.args[0]) if node.args and isinstance(node.args[0], Value) else None
        if isinstance(maker, Apply) and card(maker.fn).part_ranks:
            return False
        if node.fn == SHADOW:
            return False
        if card(node.fn).is_view and is_array(self.types.get(node.out)) and not self.is_of_list(node):
            return True
        if node.fn == "getitem" and isinstance(node.args[0], Value):
            base = node.args[0]
            if isinstance(self.types.get(base), nt.BaseTuple):
                return True
            return (
                is_memory(self.types.get(base))
                and node in self.info.access
                and not self.info.read_is_overwritten(node)
            )
        if self.is_length_of_list(node):
            return False
        if node.fn == "pow":
            return isinstance(getattr(node.args[1], "value", None), int)
        if is_array(self.types.get(node.out)):
            is_written = self.info.is_written(node.out)
            return card(node.fn).is_cheap_on_arrays and not is_written and self.reads_the_same_later(node)
        return card(node.fn).is_cheap and card(node.fn).is_pure

    def is_of_list(self, node: Apply) -> bool:
        return any(is_list(self.types.get(value)) for value in values(node.args[:1]))

    def reads_the_same_later(self, node: Apply) -> bool:
        """Tell whether no array that a node reads is overwritten after it has run."""
        arrays = [v for v in values(node.args) if is_memory(self.types.get(v))]
        is_known = node in self.info.access
        return is_known and not any(self.info.written_after(array, node) for array in arrays)

    def is_cheap_branch(self, node: If) -> bool:
        inner = [*walk(node.then), *walk(node.orelse)]
        return all(isinstance(n, Apply) and self.is_cheap(n) for n in inner)

    def weight(self, value: Value) -> int:
        kind = self.types.get(value)
        if is_scalar(kind):
            return _INTEGER if str(kind).startswith(("int", "bool", "uint")) else _SCALAR
        return _ARRAY if is_array(kind) or kind is None else _LIMIT

    def cut(self, needed: list[Value]) -> set[Value]:
        """Return the cheapest set of values to store, by maximum flow."""
        todo = [v for v in needed if v is not self.index]
        goals = set(todo)
        reach = self.reach(todo)
        self.states = {
            after: param
            for after, param in self.carried.items()
            if self.sources(after) is None or (after in reach and param in reach)
        }
        numbers: dict[Value, int] = {}
        while todo:
            value = todo.pop()
            if value not in numbers:
                vertex = self.states.get(value, value)  # a state and its next value share one tape
                numbers[value] = numbers.setdefault(vertex, len(numbers))
                todo += self.sources(value) or []
        return self._solve(goals, numbers)

    def reach(self, needed: list[Value]) -> set[Value]:
        """Return the needed values, and all from which they could be recomputed."""
        found: set[Value] = set()
        todo = list(needed)
        while todo:
            value = todo.pop()
            if value not in found:
                found.add(value)
                todo += self.sources(value) or []
        return found

    def _solve(self, goals: set[Value], numbers: dict[Value, int]) -> set[Value]:
        """Vertex i enters at 2 + 2i and leaves at 3 + 2i; 0 is what cannot be recomputed, 1 the needs."""
        if not goals:
            return set()
        size = 2 + 2 * (max(numbers.values()) + 1)
        capacity = np.zeros((size, size), dtype=np.int32)
        for value, k in numbers.items():
            enter, leave = 2 + 2 * k, 3 + 2 * k
            capacity[enter, leave] = max(capacity[enter, leave], self.weight(value))
            if value in goals:
                capacity[leave, 1] = _LIMIT
            sources = self.sources(value)
            if sources is None:
                capacity[0, enter] = _LIMIT
            for source in sources or []:
                start = 3 + 2 * numbers[source]
                if start != leave:
                    capacity[start, enter] = _LIMIT
        flow = maximum_flow(csr_matrix(capacity), 0, 1).flow.toarray()
        residual = csr_matrix((capacity - flow > 0).astype(np.int8))
        reaching = set(breadth_first_order(residual.T.tocsr(), 1, return_predecessors=False).tolist())
        return {v for v, k in numbers.items() if 2 + 2 * k not in reaching and 3 + 2 * k in reaching}

    def can_replay(self, needed: list[Value]) -> bool:
        """Tell whether an iteration can be run again from what stands outside the loop alone."""
        params = set(self.body.params) - {self.index}
        origins = _origins(self.body)
        local = {node.out for node in walk(self.body) if isinstance(node, Apply)}
        seen: set[Value] = set()
        nodes: dict[Node, None] = {}
        todo = list(needed)
        while todo:
            value = todo.pop()
            if value in seen or value not in self.inside:
                continue
            seen.add(value)
            if value in params:
                return False
            node, reads = origins.get(value, (None, ()))
            todo += values(reads)
            nodes |= {} if node is None else {node: None}
            for store, reads in self._stores(value, origins):
                nodes[store] = None
                todo += values(reads)
        return all(self._repeats(node, local) for node in nodes)

    def _stores(self, value: Value, origins: Origins) -> Iterator[tuple[Node, tuple[Atom, ...]]]:
        """Yield what writes the memory or list behind a value in an iteration, and what that reads."""
        key = self.info.classes.get(value, value)
        for node, reads in origins.values():
            is_store = isinstance(node, Store) and self.info.classes.get(node.array, node.array) is key
            is_append = isinstance(node, Effect) and node.fn == "append" and node.args[0] is value
            if is_store or is_append:
                yield node, reads

    def _repeats(self, node: Node, local: set[Value]) -> bool:
        if isinstance(node, Apply) and (not card(node.fn).is_pure or node.fn == SHADOW):
            return False
        if isinstance(node, Store) and not self._is_plain(node, local):
            return False
        if _is_load(node) and self._is_unchanged(node):  # type: ignore[arg-type]
            return True
        for value in self._element_reads(node):
            owner = self.info.owners.get(value, value)
            if not is_mutable(self.types.get(value)) or owner in local:
                continue
            if node not in self.info.access or self.info.written_after(value, node):
                return False
        return True

    def _is_unchanged(self, load: Apply) -> bool:
        """Tell whether a load gives the same when it is repeated in the reverse sweep."""
        is_array_read = load in self.info.access and is_array(self.types.get(load.args[0]))  # type: ignore[arg-type]
        return is_array_read and not self.info.read_is_overwritten(load)

    def _element_reads(self, node: Node) -> Iterator[Value]:
        """Yield the memory that a node reads; the length of a list counts, as it may change."""
        if _is_load(node) or self.is_length_of_list(node):
            return values(operands(node))
        return content_reads(node)

    def is_length_of_list(self, node: Node) -> bool:
        is_length = isinstance(node, Apply) and node.fn == "len"
        return is_length and any(is_list(self.types.get(value)) for value in values(operands(node)))

    def _is_plain(self, store: Store, local: set[Value]) -> bool:
        """Tell whether a store is to an array made in this iteration, or from outside and to be left out."""
        owner = self.info.owners.get(store.array, store.array)
        return owner in local or owner not in self.inside or owner in self.body.params


def _is_load(node: Node) -> bool:
    return isinstance(node, Apply) and node.fn == "getitem"


def _origins(region: Region, above: tuple[Atom, ...] = ()) -> Origins:
    """Map each value, and each statement, below a region to its node and to all that this reads.

    Args:
        region: the region.
        above: what decides whether, and how often, it runs.
    """
    found: Origins = {}
    for node in region.nodes:
        match node:
            case Apply():
                found[node.out] = node, (*operands(node), *above)
            case Store() | Effect():
                found[node] = node, (*operands(node), *above)
            case If():
                for out, left, right in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    found[out] = node, (node.test, left, right, *above)
                for arm in regions(node):
                    found |= _origins(arm, (*above, node.test))
            case For() | While():
                inner = (*above, *control(node))
                params = node.body.params[isinstance(node, For) :]
                after = node.body.yields[node.breaks :]
                for param, init, last, out in zip(params, node.inits, after, node.outs, strict=True):
                    found[param] = found[out] = node, (init, last, *inner)
                if isinstance(node, For):
                    found[node.body.params[0]] = node, inner
                for part in regions(node):
                    found |= _origins(part, inner)
    return found


def control(loop: For | While) -> tuple[Atom, ...]:
    """Return what decides how often a loop runs."""
    bounds = (loop.start, loop.stop, loop.step) if isinstance(loop, For) else loop.cond.yields
    return (*bounds, *loop.body.yields[: loop.breaks])


def _demand(frame: Frame, needed: list[Value], cut: set[Value], plan: LoopPlan) -> None:
    """Follow the needs down to the cut: what is loaded, what recomputed, which states serve twice."""
    leaves: dict[Value, None] = {}
    todo = list(needed)
    seen: set[Value] = set()
    while todo:
        value = todo.pop()
        if value in seen or value is frame.index:
            continue
        seen.add(value)
        sources = frame.sources(value)
        if value in frame.counters:
            plan.counters[value] = frame.counters[value]
        elif value in cut or sources is None:
            leaves[value] = None
        else:
            plan.recomputed.add(value)
            if value in frame.kept:
                plan.kept[value] = frame.kept[value]
            todo += sources
    for value in leaves:
        state = frame.states.get(value)
        if state is not None and state in leaves:
            plan.states[state] = value
    plan.recomputed -= set(plan.counters.values())
    after = set(plan.states.values())
    order = {value: k for k, value in enumerate(_in_order(frame.body))}
    plan.stored = sorted((v for v in leaves if v not in after), key=order.__getitem__)


def _in_order(region: Region) -> list[Value]:
    found = list(region.params)
    for node in region.nodes:
        for inner in regions(node):
            found += _in_order(inner)
        found += results(node)
    return found
