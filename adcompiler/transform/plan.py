"""Decide, loop by loop, which primal values the reverse sweep stores and which it recomputes.

The needed values of one iteration are separated by a minimum cut from what cannot be recomputed: a
value in the cut is stored once per iteration, everything between the cut and the needs is
recomputed from it. The cut is found as a maximum flow through the dependence graph, with the cost of
storing each value as its capacity; the partitioners of Enzyme and of PyTorch's AOTAutograd work likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numba.core import types as nt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from adcompiler.analysis.alias import VIEWS, Memory, content_reads
from adcompiler.analysis.types import Types, is_array, is_list, is_memory, is_mutable, is_scalar
from adcompiler.graph.nodes import Apply, Effect, For, If, Node, Region, Store, Value, While
from adcompiler.graph.walk import defined, free, operands, regions, results, values, walk
from adcompiler.optimize.dead import is_pure

CHEAP = frozenset(
    [
        "add",
        "sub",
        "mul",
        "truediv",
        "neg",
        "pos",
        "abs",
        "min",
        "max",
        "mod",
        "floordiv",
        "float",
        "int",
        "bool",
        "not",
        "and",
        "or",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "getitem",
        "slice",
        "shape",
        "len",
        "size",
        "tuple",
        "math.sqrt",
        "math.fabs",
        "math.floor",
        "np.abs",
        "np.sqrt",
        "np.square",
        "np.float32",
        "np.float64",
        "range",
    ]
)
"""Primitives that cost less to repeat than to store and load."""

_LIMIT = 10**8
_SCALAR, _INTEGER, _ARRAY = 100, 80, 5000


@dataclass
class LoopPlan:
    """What is done about the values of one loop.

    Attributes:
        loop: the loop of the primal.
        replayed: True if the reverse loop repeats the whole iteration before reversing it.
        stored: values stored once per iteration.
        recomputed: values computed again in the reverse loop.
        states: (parameter, its next value) where both are read: the next value is what the
            later iteration stored for the parameter.
        counters: integer parameters that the reverse loop counts back, with their next values.
    """

    loop: For | While
    replayed: bool = False
    stored: list[Value] = field(default_factory=list)
    recomputed: set[Value] = field(default_factory=set)
    states: dict[Value, Value] = field(default_factory=dict)
    counters: dict[Value, Value] = field(default_factory=dict)


def plan_loop(loop: For | While, body: Region, needed: list[Value], types: Types, info: Memory) -> LoopPlan:
    """Plan one loop.

    Args:
        loop: the loop of the primal.
        body: its body, in which inner loops already record what they need.
        needed: values of the body that the reverse loop reads.
        types: type of every value.
        info: where memory is written.
    """
    frame = _Frame(loop, body, types, info)
    plan = LoopPlan(loop)
    stored = frame.cut(needed)
    _demand(frame, needed, stored, plan)
    if plan.stored and isinstance(loop, For) and frame.can_replay(needed):
        return LoopPlan(loop, replayed=True)
    return plan


class _Frame:
    """One iteration of a loop: the values it defines and how each could be recomputed."""

    def __init__(self, loop: For | While, body: Region, types: Types, info: Memory) -> None:
        self.loop, self.body, self.types, self.info = loop, body, types, info
        self.inside = defined(body)
        self.index = body.params[0] if isinstance(loop, For) else None
        self.makers: dict[Value, Node] = {}
        self.collect(body)
        params = body.params[isinstance(loop, For) :]
        pairs = zip(params, body.yields[loop.breaks :], strict=True)
        self.states = {
            after: param
            for param, after in pairs
            if isinstance(after, Value) and after in self.makers and is_scalar(types.get(param))
        }
        self.counters: dict[Value, Value] = {}
        self.counters = {
            param: after for after, param in self.states.items() if self.is_counter(param, after)
        }
        self.states = {after: param for after, param in self.states.items() if self.sources(after) is None}

    def collect(self, region: Region) -> None:
        for node in region.nodes:
            self.makers.update((value, node) for value in results(node))
            if isinstance(node, If):
                for arm in regions(node):
                    self.collect(arm)

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
        node = self.makers.get(value)
        if isinstance(node, Apply) and self.is_cheap(node):
            reads = values(operands(node))
        elif isinstance(node, If) and len(node.outs) == 1 and self.is_cheap_branch(node):
            reads = iter([*values((node.test,)), *free(node.then), *free(node.orelse)])
        else:
            return None
        return [v for v in reads if v in self.inside and v is not self.index]

    def is_cheap(self, node: Apply) -> bool:
        if any(is_array(self.types.get(index)) for index in values(node.args[1:])) and node.fn == "getitem":
            return False  # a copy, picked by an array that may have changed since
        if node.fn in VIEWS and is_array(self.types.get(node.out)):
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
        is_number = not is_array(self.types.get(node.out))
        return node.fn in CHEAP and is_number and is_pure(node)

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
        numbers: dict[Value, int] = {}
        while todo:
            value = todo.pop()
            if value not in numbers:
                vertex = self.states.get(value, value)  # a state and its next value share one tape
                numbers[value] = numbers.setdefault(vertex, len(numbers))
                todo += self.sources(value) or []
        return self._solve(goals, numbers)

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
        seen: set[Value] = set()
        nodes: set[Node] = set()
        local = {node.out for node in walk(self.body) if isinstance(node, Apply)}
        todo = list(needed)
        while todo:
            value = todo.pop()
            if value in seen or value not in self.inside:
                continue
            seen.add(value)
            if value in params:
                return False
            node = self.makers.get(value)
            found = [] if node is None else [node, *self._stores(value)]
            for part in found:
                if part in nodes:
                    continue
                nodes.add(part)
                todo += self._reads(part)
        return all(self._repeats(node, local) for node in nodes)

    def _stores(self, value: Value) -> list[Node]:
        """Return the nodes of the iteration that write the memory or list behind a value."""
        key = self.info.classes.get(value, value)

        def writes(node: Node) -> bool:
            if isinstance(node, Store):
                return self.info.classes.get(node.array, node.array) is key
            return isinstance(node, Effect) and node.fn == "append" and node.args[0] is value

        return [n for n in self.body.nodes if any(writes(m) for m in (n, *_inner(n)))]

    def _reads(self, node: Node) -> list[Value]:
        found = list(values(operands(node)))
        for region in regions(node):
            found += free(region)
        return found

    def _repeats(self, node: Node, local: set[Value]) -> bool:
        for part in (node, *_inner(node)):
            if isinstance(part, Apply) and not is_pure(part):
                return False
            if isinstance(part, Store) and not self._is_plain(part, local):
                return False
            if _is_load(part) and self._is_unchanged(part):  # type: ignore[arg-type]
                continue
            for value in self._element_reads(part):
                owner = self.info.owners.get(value, value)
                if not is_mutable(self.types.get(value)) or owner in local:
                    continue
                if part not in self.info.access or self.info.written_after(value, part):
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


def _inner(node: Node) -> list[Node]:
    return [inner for region in regions(node) for inner in walk(region)]


def _demand(frame: _Frame, needed: list[Value], cut: set[Value], plan: LoopPlan) -> None:
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
