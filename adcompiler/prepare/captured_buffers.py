"""Captured arrays that a function writes: each call works on a copy, as it does for written arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Node, Region, Role, Store, Value, entry
from adcompiler.graph.walk import map_operands, map_region, merges, operands, substitute, walk
from adcompiler.primitives import card


def with_buffers(graph: Graph) -> Graph:
    """Return the graph with one copy of each captured array that is written, which all of it reads.

    Raises:
        DifferentiationError: AD101 where something else may read the array, too.
    """
    written = _written(graph)
    if not written:
        return graph
    copies = {
        key: Apply(Value(array.name), "copy", (array,), role=Role.TAPE) for key, array in written.items()
    }
    same: dict[Value, Atom] = {}

    def change(atom: Atom) -> Atom:
        found = copies.get(id(atom.value)) if isinstance(atom, Global) else None
        return atom if found is None else found.out

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            node = map_operands(node, change)
            if isinstance(node, Apply) and node.fn == "buffer":
                same[node.out] = node.args[0]
            else:
                nodes.append(node)
        return Region(region.params, tuple(nodes), tuple(map(change, region.yields)))

    body = map_region(graph.body, rewrite)
    body = substitute(body, same)
    return replace(graph, body=replace(body, nodes=(*copies.values(), *body.nodes)))


def _written(graph: Graph) -> dict[int, Global]:
    """Return the captured arrays that are written, also as parts; by their identity."""
    shown = _shown(graph)
    calls = any(isinstance(n, Apply) and card(n.fn.partition("[")[0]).is_call for n in walk(graph.body))
    found: dict[int, Global] = {}
    for node in walk(graph.body):
        arrays: dict[int, Global] = {}
        if isinstance(node, Store):
            arrays = shown.get(node.array, {})
            _check(graph, arrays, node, calls)
        elif (
            isinstance(node, Apply) and card(node.fn).out_of_place and not calls
        ):  # of an array, or of a number
            arrays = entry(shown, node.args[0]) or {}
        found |= arrays
    return found


def _shown(graph: Graph) -> dict[Value, dict[int, Global]]:
    """Map values to the captured arrays that they may be, or be parts of."""
    slices = {node.out for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "slice"}
    flows = [flow for node in walk(graph.body) for flow in _flows(node, slices)]
    shown: dict[Value, dict[int, Global]] = {}
    is_new = True
    while is_new:
        is_new = False
        for target, source in flows:
            found = _arrays(source) if isinstance(source, Global) else (entry(shown, source) or {})
            known = shown.setdefault(target, {})
            is_new |= not found.keys() <= known.keys()
            known.update(found)
    return shown


def _arrays(atom: Global) -> dict[int, Global]:
    return {id(atom.value): atom} if isinstance(atom.value, np.ndarray) else {}


def _flows(node: Node, slices: set[Value]) -> Iterator[tuple[Value, Atom]]:
    """Yield (target, source) wherever a value may be an array or a part of it."""
    if isinstance(node, Apply):
        is_view = card(node.fn).is_view or card(node.fn).out_of_place or node.fn == "buffer"
        if is_view and not _is_element(node, slices):
            yield from ((node.out, atom) for atom in (node.args if node.fn == "tuple" else node.args[:1]))
    yield from merges(node)


def _is_element(node: Apply, slices: set[Value]) -> bool:
    """Tell whether a node reads a single element of a captured array, or picks some by an array."""
    axes = getattr(getattr(node.args[0], "value", None), "ndim", None) if node.args else None
    if node.fn == "nth":
        return axes == 1
    return node.fn == "getitem" and len(node.args) - 1 == axes and slices.isdisjoint(node.args[1:])


def _check(graph: Graph, arrays: dict[int, Global], node: Store, calls: bool) -> None:
    """Refuse to write an array that something else may read."""
    cure = "copy the array inside the function first"
    if arrays and calls:
        reason = "a captured array is written, and a function is called that may read it"
        raise DifferentiationError("AD101", reason, node.loc, cure)
    atoms = [atom for other in walk(graph.body) for atom in operands(other)]
    others = [atom.value for atom in atoms if isinstance(atom, Global)]
    for array in arrays.values():
        for other in others:
            is_other = isinstance(other, np.ndarray) and other is not array.value
            if is_other and np.shares_memory(other, array.value):
                reason = "a captured array is written that shares memory with another one"
                raise DifferentiationError("AD101", reason, node.loc, cure)
