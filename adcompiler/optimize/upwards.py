"""Let loops of the reverse sweep count up where the order of their iterations does not matter.

A loop over rising indices is what compilers vectorise best. The order does not matter where iterations only
add to what they share, and where no iteration touches an element that another one writes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import SHAPE_ONLY, VIEWS, memory_classes
from adcompiler.analysis.dependence import Access, Dependences, Loops
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import Types, is_memory
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, Literal, Node, Region, Store, Value, While
from adcompiler.graph.walk import operands, regions, values, with_regions


def count_upwards(graph: Graph, types: Types) -> Graph:
    """Return the graph with downward loops turned round where that changes nothing but rounding.

    Args:
        graph: the graph of a gradient.
        types: type of every value.
    """
    known = _Known(types, memory_classes(graph.body, {v for v, kind in types.items() if is_memory(kind)}))
    _enter(graph.body, (), known)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            new = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            turns = isinstance(node, For) and isinstance(new, For) and _may_turn(node, loops, known)
            nodes += _turned(new) if turns and isinstance(new, For) else [new]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


@dataclass
class _Found:
    """The accesses to one piece of memory in a loop."""

    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    adds: list[Access] = field(default_factory=list)


class _Known:
    def __init__(self, types: Types, classes: dict[Value, Value]) -> None:
        self.types, self.classes = types, classes
        self.dependences = Dependences(types)


def _enter(region: Region, loops: Loops, known: _Known) -> None:
    for node in region.nodes:
        known.dependences.enter(node, loops)
        inner = (*loops, node) if isinstance(node, For | While) else loops
        if isinstance(node, For) and node.loc.quoted:  # it carries adjoints, each in an array of its own
            known.dependences.carried.update(dict.fromkeys(node.body.params, node))
        for part in regions(node):
            _enter(part, inner, known)


def _may_turn(loop: For, loops: Loops, known: _Known) -> bool:
    if not loop.loc.quoted or loop.step != Literal(-1) or loop.breaks or None in carried_kinds(loop.body):
        return False
    found: dict[Value, _Found] = defaultdict(_Found)
    if not _collect(loop.body, (*loops, loop), known, found):
        return False
    clash = known.dependences.may_clash
    for access in found.values():
        pairs = [(w, other) for w in access.writes for other in (*access.writes, *access.reads, *access.adds)]
        pairs += [(a, r) for a in access.adds for r in access.reads]
        if any(clash(one, two, loop) for one, two in pairs):
            return False
    return True


def _collect(region: Region, loops: Loops, known: _Known, found: dict[Value, _Found]) -> bool:
    """Gather the accesses to memory; return whether all are understood."""

    def memory(value: Value) -> _Found:
        return found[known.classes.get(value, value)]

    for node in region.nodes:
        match node:
            case Effect() | While():
                return False
            case Apply(fn="pop" | "method" | "call" | "recurse" | "pullback"):
                return False
            case Apply() if node.fn in SHAPE_ONLY:
                continue
            case Apply(fn="getitem", args=(Value() as array, *index)):
                memory(array).reads.append((array, tuple(index), loops))
            case Store():
                kind = memory(node.array)
                (kind.adds if node.accumulate else kind.writes).append((node.array, node.index, loops))
                _read_whole((node.value,), loops, known, found)
            case Apply() if node.fn not in VIEWS:
                _read_whole(operands(node), loops, known, found)
        inner = (*loops, node) if isinstance(node, For) else loops
        if not all(_collect(part, inner, known, found) for part in regions(node)):
            return False
    return True


def _read_whole(atoms: tuple[Atom, ...], loops: Loops, known: _Known, found: dict[Value, _Found]) -> None:
    for value in values(atoms):
        if is_memory(known.types.get(value)):
            found[known.classes.get(value, value)].reads.append((value, (), loops))


def _turned(loop: For) -> list[Node]:
    first, past = Value("add", temporary=True), Value("add", temporary=True)
    nodes: list[Node] = [
        Apply(first, "add", (loop.stop, Literal(1)), loc=loop.loc),
        Apply(past, "add", (loop.start, Literal(1)), loc=loop.loc),
    ]
    return [*nodes, replace(loop, start=first, stop=past, step=Literal(1))]
