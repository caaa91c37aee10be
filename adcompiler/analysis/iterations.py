"""Which iterations of a loop do not depend on each other: they may run in any order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.dependence import Access, Dependences, Loops
from adcompiler.analysis.types import is_memory
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, Region, Role, Store, Value, While, type_of
from adcompiler.graph.walk import operands, regions, values
from adcompiler.primitives import card


class Iterations:
    """Answers whether the iterations of loops of one graph touch the same memory."""

    def __init__(self, graph: Graph) -> None:
        self.classes = shared_memory(graph.body)
        self.dependences = Dependences()
        _enter(graph.body, (), self)

    def may_share(self, one: Value, two: Value) -> bool:
        """Tell whether two arrays may share memory in one iteration."""
        carriers = [self.dependences.carried.get(array) for array in (one, two)]
        if carriers[0] is not None and carriers[0] is carriers[1]:
            return False
        return self.classes.get(one, one) is self.classes.get(two, two)

    def are_apart(self, loop: For, loops: Loops, sums_are_apart: bool = False) -> bool:
        """Tell whether no iteration touches an element that another one writes.

        Args:
            loop: the loop.
            loops: the loops around it, outermost first.
            sums_are_apart: whether no two iterations may add to one element either.
        """
        found: dict[Value, _Found] = defaultdict(_Found)
        if not _collect(loop.body, (*loops, loop), self, found):
            return False
        clash = self.dependences.may_clash
        for access in found.values():
            pairs = [(w, o) for w in access.writes for o in (*access.writes, *access.reads, *access.adds)]
            pairs += [(a, r) for a in access.adds for r in access.reads]
            if sums_are_apart:
                pairs += [(a, b) for a in access.adds for b in access.adds]
            if any(clash(one, two, loop) for one, two in pairs):
                return False
        return True


@dataclass
class _Found:
    """The accesses to one piece of memory in a loop."""

    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    adds: list[Access] = field(default_factory=list)


def _enter(region: Region, loops: Loops, known: Iterations) -> None:
    for node in region.nodes:
        known.dependences.enter(node, loops)
        inner = (*loops, node) if isinstance(node, For | While) else loops
        if isinstance(node, For) and node.role is Role.ADJOINT:  # each adjoint has an array of its own
            known.dependences.carried.update(dict.fromkeys(node.body.params, node))
        for part in regions(node):
            _enter(part, inner, known)


def _collect(region: Region, loops: Loops, known: Iterations, found: dict[Value, _Found]) -> bool:
    """Gather the accesses to memory; return whether all are understood."""

    def memory(value: Value) -> _Found:
        return found[known.classes.get(value, value)]

    for node in region.nodes:
        match node:
            case Effect() if card(node.fn).is_guard:
                continue
            case Effect() | While():
                return False
            case Apply(fn="pop" | "method" | "call" | "recurse" | "recurse_parts" | "derivative"):
                return False
            case Apply() if not card(node.fn).reads_elements:
                continue
            case Apply(fn="getitem", args=(Value() as array, *index)):
                memory(array).reads.append((array, tuple(index), loops))
            case Store():
                kind = memory(node.array)
                (kind.adds if node.accumulate else kind.writes).append((node.array, node.index, loops))
                _read_whole((node.value,), loops, known, found)
            case Apply() if not card(node.fn).is_view:
                _read_whole(operands(node), loops, known, found)
        inner = (*loops, node) if isinstance(node, For) else loops
        if not all(_collect(part, inner, known, found) for part in regions(node)):
            return False
    return True


def _read_whole(atoms: tuple[Atom, ...], loops: Loops, known: Iterations, found: dict[Value, _Found]) -> None:
    for value in values(atoms):
        if is_memory(type_of(value)):
            found[known.classes.get(value, value)].reads.append((value, (), loops))
