"""Elements that still hold what an argument held are read from there.

A program that writes an argument works on a copy. What it reads of the copy before it writes there is
overwritten when the reverse sweep needs it, and would be kept; in the argument it is still at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import memory_classes, written_by
from adcompiler.analysis.dependence import Dependences, Loops
from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import Apply, For, Graph, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import map_region, regions

_Placed = tuple[int, Loops]
"""When a node stands in the text, and the loops around it."""


def read_originals(graph: Graph) -> Graph:
    """Return the graph with loads from arguments in place of those from their copies.

    Args:
        graph: a typed primal.
    """
    known = _Accesses(memory_classes(graph.body))
    _enter(graph.body, (), known)
    copies = {
        node.out: node.args[0] for node in graph.body.nodes if isinstance(node, Apply) and _copies(node)
    }
    written = {known.memory(array) for array in known.writers}
    sources = {
        copy: source
        for copy, source in copies.items()
        if isinstance(source, Value) and source in graph.body.params and known.memory(source) not in written
    }
    if not sources:
        return graph

    def rewrite(region: Region) -> Region:
        nodes = [
            replace(node, args=(sources[node.args[0]], *node.args[1:]))  # type: ignore[index]
            if isinstance(node, Apply) and node in known.loads and _is_original(node, sources, known)
            else node
            for node in region.nodes
        ]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


@dataclass
class _Accesses:
    """Where elements of arrays are read and written."""

    classes: Mapping[Value, Value]
    dependences: Dependences = field(default_factory=Dependences)
    loads: dict[Apply, _Placed] = field(default_factory=dict)
    writers: dict[Value, list[tuple[Node, _Placed]]] = field(default_factory=dict)
    count: int = 0

    def memory(self, array: Value) -> Value:
        return self.classes.get(array, array)


def _enter(region: Region, loops: Loops, known: _Accesses) -> None:
    for node in region.nodes:
        known.dependences.enter(node, loops)
        known.count += 1
        if isinstance(node, Apply) and node.fn == "getitem" and is_scalar(node.out.type) and loops:
            known.loads[node] = known.count, loops
        for array in written_by(node):
            known.writers.setdefault(known.memory(array), []).append((node, (known.count, loops)))
        inner = (*loops, node) if isinstance(node, For | While) else loops
        for part in regions(node):
            _enter(part, inner, known)


def _copies(node: Apply) -> bool:
    return node.fn == "copy" and is_array(type_of(node.args[0]))


def _is_original(load: Apply, sources: dict[Value, Value], known: _Accesses) -> bool:
    """Tell whether a load reads what nothing has overwritten yet, but something will."""
    array = load.args[0]
    if not isinstance(array, Value) or array not in sources:
        return False
    number, loops = known.loads[load]
    is_overwritten = False
    for node, (place, around) in known.writers.get(known.memory(array), ()):
        if not isinstance(node, Store):
            return False
        if known.dependences.may_precede(load, loops, node, around, place < number, 0):
            return False
        is_overwritten |= known.dependences.may_follow(load, loops, node, around, place > number)
    return is_overwritten
