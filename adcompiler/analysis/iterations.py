"""Which iterations of a loop do not depend on each other: they may run in any order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.dependence import Access, Dependences, Loops
from adcompiler.analysis.types import is_memory
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    Literal,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import operands, regions, values
from adcompiler.primitives import card


class Iterations:
    """Answers whether the iterations of loops of one graph touch the same memory."""

    def __init__(self, graph: Graph) -> None:
        self.classes = shared_memory(graph.body)
        self.members: dict[Value, list[Value]] = defaultdict(list)
        for value, memory in self.classes.items():
            self.members[memory].append(value)
        self.dependences = Dependences()
        self.enter(graph.body, ())

    def enter(self, region: Region, loops: Loops) -> None:
        """Take up what stands in a region in these loops, anew where nodes took the place of others."""
        for node in region.nodes:
            self.dependences.enter(node, loops)
            inner = (*loops, node) if isinstance(node, For | While) else loops
            if isinstance(node, For) and node.role is Role.ADJOINT:  # each adjoint has an array of its own
                self.dependences.carried.update(dict.fromkeys(node.body.params, node))
            for part in regions(node):
                self.enter(part, inner)
            if isinstance(node, For | While) and self._stay_apart(node):
                self.dependences.carried.update(dict.fromkeys(node.carried, node))

    def _stay_apart(self, loop: For | While) -> bool:
        """Tell whether the arrays that a loop carries are different ones in each iteration."""
        rows = zip(loop.inits, loop.carried, loop.next_values, strict=True)
        arrays = [row for row in rows if is_memory(row[1].type)]
        first, own, later = ({*column} for column in zip(*arrays, strict=True)) if arrays else (set(),) * 3
        if not len(first) == len(own) == len(later) or len(own) < 2:
            return False
        made = later - own
        return all(
            isinstance(one, Value) and isinstance(two, Value) and self.dependences.are_different(one, two)
            for group in (first, made)
            for one, two in combinations(group, 2)
        ) and all(isinstance(new, Value) and self.dependences.is_new(new, old) for new in made for old in own)

    def may_share(self, one: Value, two: Value) -> bool:
        """Tell whether two arrays may share memory in one iteration."""
        if one is not two and self.dependences.are_different(one, two):
            return False
        return self.classes.get(one, one) is self.classes.get(two, two)

    def sharing(self, array: Value) -> list[Value]:
        """Return the arrays and lists that may share memory with an array, itself among them."""
        memory = self.classes.get(array, array)
        return self.members.get(memory, [memory])

    def are_apart(self, loop: For, loops: Loops, sums_are_apart: bool = False) -> bool:
        """Tell whether no iteration touches an element that another one writes.

        Args:
            loop: the loop.
            loops: the loops around it, outermost first.
            sums_are_apart: whether no two iterations may add to one element either.
        """
        found = self.touched(loop, loops)
        if found is None:
            return False
        for access in found.values():
            pairs = [*access.in_order(), *(access.sums() if sums_are_apart else ())]
            if any(self.dependences.may_clash(one, two, loop) for one, two in pairs):
                return False
        return True

    def touched(self, loop: For, loops: Loops) -> dict[Value, Touched] | None:
        """Return the accesses to each piece of memory in a loop, None where they cannot be followed.

        Arguments are those of `are_apart`. What an iteration makes for itself is left out.
        """
        found = self.accesses(loop.body, (*loops, loop), loop)
        if found is None:
            return None
        return {memory: access for memory, access in found.items() if not self.is_made_inside(memory, loop)}

    def accesses(self, region: Region, loops: Loops, loop: For) -> dict[Value, Touched] | None:
        """Return the accesses to each piece of memory in a part of a loop; `loops` are around that, too."""
        found: dict[Value, Touched] = defaultdict(Touched)
        return found if _collect(region, loops, self, found, loop) else None

    def is_made_inside(self, memory: Value, loop: For) -> bool:
        """Tell whether all arrays and lists of one piece of memory come into being in an iteration."""
        homes = self.dependences.homes
        return all(loop in homes.get(value, ()) for value in self.sharing(memory))


@dataclass
class Touched:
    """The accesses to one piece of memory in a loop."""

    reads: list[Access] = field(default_factory=list)
    writes: list[Access] = field(default_factory=list)
    adds: list[Access] = field(default_factory=list)

    def in_order(self) -> list[tuple[Access, Access]]:
        """Return the pairs of accesses that have to keep their order where they meet."""
        pairs = [(w, o) for w in self.writes for o in (*self.writes, *self.reads, *self.adds)]
        return pairs + [(a, r) for a in self.adds for r in self.reads]

    def sums(self) -> list[tuple[Access, Access]]:
        """Return the pairs of accesses that both add."""
        return [(a, b) for a in self.adds for b in self.adds]


def _collect(region: Region, loops: Loops, known: Iterations, found: dict[Value, Touched], loop: For) -> bool:
    """Gather the accesses to memory of a loop, whose iterations may change lists that they make themselves.

    Returns:
        whether all are understood.
    """

    def memory(value: Value) -> Touched:
        return found[known.classes.get(value, value)]

    def is_own(args: tuple[Atom, ...]) -> bool:
        items = args[0]
        return isinstance(items, Value) and known.is_made_inside(known.classes.get(items, items), loop)

    for node in region.nodes:
        match node:
            case Effect() if card(node.fn).is_guard:
                continue
            case Effect(fn="append") | Apply(fn="pop") if is_own(node.args):
                continue
            case Effect():
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
        inner = (*loops, node) if isinstance(node, For | While) else loops
        if not all(_collect(part, inner, known, found, loop) for part in regions(node)):
            return False
    return True


def _read_whole(
    atoms: tuple[Atom, ...], loops: Loops, known: Iterations, found: dict[Value, Touched]
) -> None:
    for value in values(atoms):
        if is_memory(type_of(value)):
            found[known.classes.get(value, value)].reads.append((value, (), loops))


def runs_rarely(loop: For, makers: Mapping[Value, Apply], most: int) -> bool:
    """Tell whether a loop that counts by one runs less than `most` times: its bounds are numbers, or say so.

    >>> n, end, i = Value("n"), Value("end"), Value("i")
    >>> first = For(Literal(0), end, Literal(1), (), Region((i,), (), ()), ())
    >>> runs_rarely(first, {end: Apply(end, "min", (n, Literal(2)))}, 8)
    True
    """
    up = loop.step == Literal(1)
    low, high = (loop.start, loop.stop) if up else (loop.stop, loop.start)
    starts = [low, *_limits(low, "max", makers)]
    stops = [high, *_limits(high, "min", makers)]
    forms = [(linear(start, makers), linear(stop, makers)) for start in starts for stop in stops]
    trips = [last - first for first, last in forms if first is not None and last is not None]
    return any(not count.terms and count.constant < most for count in trips)


def _limits(bound: Atom, fn: str, makers: Mapping[Value, Apply]) -> tuple[Atom, ...]:
    """Return numbers that a bound is not beyond, as it is the largest or least of them."""
    made = makers.get(bound) if isinstance(bound, Value) else None
    return made.args if made is not None and made.fn == fn else ()


def trips(loop: For, makers: Mapping[Value, Apply]) -> Linear | None:
    """Return how often a loop by one runs, if that is not negative."""
    start, stop = linear(loop.start, makers), linear(loop.stop, makers)
    return None if start is None or stop is None else stop - start
