"""Activity: which values depend on the arguments to differentiate and influence the result."""

from __future__ import annotations

from collections.abc import Container, Iterable

from numba.core import types as nt

from adcompiler.analysis.alias import SHAPE_ONLY, memory_classes, merges
from adcompiler.analysis.types import Types, is_continuous, is_memory
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, If, Store, Value, While
from adcompiler.graph.walk import values, walk


def active_values(graph: Graph, wrt: Iterable[Value], types: Types, constant: Container[str]) -> set[Value]:
    """Return the values that carry a derivative.

    Args:
        graph: the primal.
        wrt: arguments to differentiate.
        types: type of every value; only floats and float arrays can be active.
        constant: primitives whose result never carries a derivative (`floor`, `shape`, …).
    """
    arrays = {value for value, kind in types.items() if is_memory(kind)}
    classes = memory_classes(graph.body, arrays)
    edges = list(_edges(graph, constant))
    forward = _spread(set(wrt), edges, types, classes)
    _check_nothing_is_lost(graph, forward, types, constant)
    backward = _spread(set(values(graph.body.yields)), [(b, a) for a, b in edges], types, classes)
    return forward & backward


def _check_nothing_is_lost(graph: Graph, varied: set[Value], types: Types, constant: Container[str]) -> None:
    """Refuse a primitive that takes a derivative in but has a result which cannot carry it on."""
    for node in walk(graph.body):
        if (
            isinstance(node, Effect)
            and node.fn in ("method", "call")
            and any(a in varied for a in values(node.args))
        ):
            name = node.args[1] if node.fn == "method" else node.args[0]
            reason = f"nothing is known about what '{getattr(name, 'value', name)}' does with a derivative"
            raise DifferentiationError("AD202", reason, node.loc)
        if isinstance(node, Apply) and node.fn not in constant and node.fn not in SHAPE_ONLY:
            reads = node.args[:1] if node.fn == "getitem" else node.args
            known = types.get(node.out) != nt.undefined  # else in a branch that never runs
            if known and not is_continuous(types.get(node.out)) and any(a in varied for a in values(reads)):
                kind = types.get(node.out)
                reason = f"the result of '{node.fn}' has type {kind}, which carries no derivative"
                raise DifferentiationError("AD202", reason, node.loc)


def _edges(graph: Graph, constant: Container[str]) -> Iterable[tuple[Value, Value]]:
    """Yield (source, target) wherever a derivative can flow from one value to another."""

    def pairs(sources: Iterable[Atom], target: Value) -> Iterable[tuple[Value, Value]]:
        return ((source, target) for source in values(sources))

    for node in walk(graph.body):
        match node:
            case Apply(fn="getitem"):
                yield from pairs(node.args[:1], node.out)
            case Apply() if node.fn not in constant:
                yield from pairs(node.args, node.out)
            case Store():
                yield from pairs((node.value,), node.array)
            case Effect(fn="append", args=(Value() as array, item)):
                yield from pairs((item,), array)
            case If() | For() | While():
                for target, source in merges(node):
                    yield from pairs((source,), target)


def _spread(
    seeds: set[Value], edges: list[tuple[Value, Value]], types: Types, classes: dict[Value, Value]
) -> set[Value]:
    """Close a set under the edges; arrays that share memory are active together."""
    members: dict[Value, list[Value]] = {}
    for value, key in classes.items():
        members.setdefault(key, []).append(value)
    targets: dict[Value, list[Value]] = {}
    for source, target in edges:
        targets.setdefault(source, []).append(target)
    found: set[Value] = set()
    todo = list(seeds)
    while todo:
        value = todo.pop()
        if value in found or not is_continuous(types.get(value)):
            continue
        found.add(value)
        todo += targets.get(value, [])
        if is_memory(types[value]):
            todo += members.get(classes.get(value, value), [])
    return found
