"""The cheapest set of values to store, as a minimum cut.

The needed values of one iteration are separated from what cannot be recomputed. The cut is found as a maximum
flow through the dependence graph, with the cost of storing each value as its capacity; the partitioners of
Enzyme and of PyTorch's AOTAutograd work likewise.
"""

from __future__ import annotations

from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import Value, type_of
from adcompiler.storage.flow import sink_side
from adcompiler.storage.recompute import Frame

_LIMIT = 10**8
_SCALAR, _INTEGER, _ARRAY = 100, 80, 5000


def minimum_cut(frame: Frame, needed: list[Value]) -> set[Value]:
    """Return the cheapest set of values to store, by maximum flow."""
    todo = [v for v in needed if v is not frame.index]
    goals = set(todo)
    frame.alike = {value: out for value, out in frame.handed_on.items() if out in goals}
    reach = _reach(frame, todo)
    frame.states = {
        after: param
        for after, param in frame.carried.items()
        if frame.sources(after) is None or (after in reach and param in reach)
    }
    numbers: dict[Value, int] = {}
    while todo:
        value = todo.pop()
        if value not in numbers:
            vertex = frame.states.get(value, value)  # a state and its next value share one tape
            numbers[value] = numbers.setdefault(vertex, len(numbers))
            todo += frame.sources(value) or []
    return _solve(frame, goals, numbers)


def _reach(frame: Frame, needed: list[Value]) -> set[Value]:
    """Return the needed values, and all from which they could be recomputed."""
    found: set[Value] = set()
    todo = list(needed)
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += frame.sources(value) or []
    return found


def _solve(frame: Frame, goals: set[Value], numbers: dict[Value, int]) -> set[Value]:
    """Vertex i enters at 2 + 2i and leaves at 3 + 2i; 0 is what cannot be recomputed, 1 the needs."""
    capacities: dict[tuple[int, int], int] = {}
    for value, k in numbers.items():
        enter, leave = 2 + 2 * k, 3 + 2 * k
        capacities[enter, leave] = max(capacities.get((enter, leave), 0), _weight(frame, value))
        if value in goals:
            capacities[leave, 1] = _LIMIT
        sources = frame.sources(value)
        if sources is None:
            capacities[0, enter] = _LIMIT
        for source in sources or []:
            start = 3 + 2 * numbers[source]
            if start != leave:
                capacities[start, enter] = _LIMIT
    reaching = sink_side(capacities, source=0, sink=1)
    return {v for v, k in numbers.items() if 2 + 2 * k not in reaching and 3 + 2 * k in reaching}


def _weight(frame: Frame, value: Value) -> int:
    kind = type_of(value)
    if is_scalar(kind):
        return _INTEGER if str(kind).startswith(("int", "bool", "uint")) else _SCALAR
    return _ARRAY if is_array(kind) or kind is None else _LIMIT
