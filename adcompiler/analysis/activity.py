"""Activity: which values depend on the arguments to differentiate and influence the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from numba.core import types as nt

from adcompiler.analysis.alias import is_opaque, memory_classes, written_arrays
from adcompiler.analysis.complaints import pretty
from adcompiler.analysis.types import element, is_continuous, is_list, is_memory
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.custom_calls import taken_apart
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, merges, operands, values, walk
from adcompiler.primitives import card

_OF_LISTS = {
    "pop": "pop the last item, or keep the place of the first one in a number",
    "insert": "append the item, and go over the list backwards: for v in items[::-1]",
    "extend": "append the items one by one, in a loop",
}
"""Ways out for methods that move the items of a list."""


def active_values(graph: Graph, wrt: Iterable[Value]) -> set[Value]:
    """Return the values that carry a derivative.

    Args:
        graph: the primal.
        wrt: arguments to differentiate.
    """
    arrays = {value for value in defined(graph.body) if is_memory(value.type)}
    lists = {value for value in defined(graph.body) if is_list(value.type)}
    classes = memory_classes(graph.body, arrays, lists)
    written = {classes.get(value, value) for value in written_arrays(graph.body)}
    stopped = {
        node.out for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "stop_gradient"
    }
    apart = {value for value in stopped if classes.get(value, value) not in written}
    if apart:  # what is never written may share memory with what carries a derivative
        classes = memory_classes(graph.body, arrays, lists, apart)
    edges = list(_edges(graph))
    bundles = {node.out for node in walk(graph.body) if isinstance(node, Apply) and card(node.fn).is_bundle}
    continuous = {value for value in defined(graph.body) if is_continuous(value.type)} | bundles
    forward = _spread(set(wrt), edges, classes, continuous)
    _check_nothing_is_lost(graph, forward, bundles)
    backward = _spread(set(values(graph.body.yields)), [(b, a) for a, b in edges], classes, continuous)
    return forward & backward


def _check_nothing_is_lost(graph: Graph, varied: set[Value], bundles: set[Value]) -> None:
    """Refuse what takes a derivative in but cannot carry it on, or may do anything with it."""

    def is_varied(atoms: Iterable[Atom]) -> bool:
        return any(value in varied for value in values(atoms))

    def is_lost(target: Atom) -> bool:
        kind = type_of(target)
        if kind is None or kind is nt.undefined or target in bundles:  # in a branch that never runs
            return False
        whole = isinstance(element(kind), nt.Integer | nt.Boolean) and is_memory(kind)  # rounds on purpose
        return not is_continuous(kind) and not whole

    def refuse(node: Node, what: str, kind: object) -> DifferentiationError:
        if isinstance(node, Apply) and node.fn == "tuple":
            cure = "keep a list for each item of the tuples, or use an array"
            return DifferentiationError("AD202", f"no derivative goes through {what}", node.loc, cure)
        reason = f"{what} has type {pretty(str(kind))}, which carries no derivative"
        return DifferentiationError("AD202", reason, node.loc)

    for node in walk(graph.body):
        match node:
            case Effect(fn="append" | "pop") | Store() if is_varied(operands(node)[1:]):
                if is_lost(target := operands(node)[0]):
                    raise refuse(node, "what it is put into", type_of(target))
            case Effect() | Apply(fn="method" | "call") if is_opaque(node) and is_varied(operands(node)):
                name = next((a.value for a in node.args if isinstance(a, Literal | Global)), node.fn)
                name = getattr(name, "__name__", name) if card(node.fn).is_opaque else node.fn
                reason = f"nothing is known about what '{name}' does with a derivative"
                raise DifferentiationError("AD202", reason, node.loc, _OF_LISTS.get(name))
            case Apply(fn="getitem", args=(base, *_)) if base in bundles:
                pass
            case Apply(fn="custom[0]", args=(Global() as callee, *_)):
                is_beside = isinstance(element(node.out.type), nt.Integer | nt.Boolean)
                is_beside = is_beside and len(taken_apart(node).raws) > 1  # results that are differentiated
                if is_beside or not (is_lost(node.out) and is_varied(node.args)):
                    continue
                kind = pretty(str(node.out.type))
                reason = f"'{callee.value.__name__}' has a rule of its own, and returns {kind}"
                cure = "return numbers and arrays, and write tuples of them out in the return statement"
                raise DifferentiationError("AD202", reason, node.loc, cure)
            case Apply() if not card(node.fn).is_constant and card(node.fn).reads_elements:
                if is_lost(node.out) and is_varied(node.args[:1] if node.fn == "getitem" else operands(node)):
                    what = "a tuple in a list that is handed on, or in a dictionary that is written"
                    what = what if node.fn == "tuple" else f"the result of '{node.fn}'"
                    raise refuse(node, what, node.out.type)
            case If() | For() | While():
                for target, source in merges(node):
                    if is_lost(target) and is_varied((source,)):
                        raise refuse(node, f"'{target.name}'", type_of(target))


def _edges(graph: Graph) -> Iterable[tuple[Value, Value]]:
    """Yield (source, target) wherever a derivative can flow from one value to another."""

    def pairs(sources: Iterable[Atom], target: Value) -> Iterable[tuple[Value, Value]]:
        return ((source, target) for source in values(sources))

    for node in walk(graph.body):
        match node:
            case Apply(fn="getitem"):
                yield from pairs(node.args[:1], node.out)
            case Apply() if not card(node.fn).is_constant:
                yield from pairs(operands(node), node.out)
            case Store():
                yield from pairs((node.value,), node.array)
            case Effect(fn="append", args=(Value() as array, item)):
                yield from pairs((item,), array)
            case If() | For() | While():
                for target, source in merges(node):
                    yield from pairs((source,), target)


def _spread(
    seeds: set[Value],
    edges: list[tuple[Value, Value]],
    classes: Mapping[Value, Value],
    continuous: set[Value],
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
        if value in found or value not in continuous:
            continue
        found.add(value)
        todo += targets.get(value, [])
        if is_memory(type_of(value)):
            todo += members.get(classes.get(value, value), [])
    return found
