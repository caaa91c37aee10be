"""A loop in parts, one for each thread: what all add to is added up part by part, then together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from numba.core import types as nt

from adcompiler.analysis.types import element
from adcompiler.graph.kinds import zero_of
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Literal, Node, Region, Value
from adcompiler.graph.walk import regions, substitute
from adcompiler.primitives import card
from adcompiler.threads.conflicts import Shared
from adcompiler.threads.part_nodes import Index, PartNodes

_LIGHT = 1000
"""How many iterations without a loop inside are worth a thread."""


def at_once(loop: For, found: Shared) -> list[Node]:
    """Return what runs the iterations of a loop at once.

    Iterations that share nothing are given to the threads one by one. Else there are parts, which add to
    copies of their own. Where iterations that add to one element are close to each other, no copies are
    needed: every second part runs, then the others.

    Args:
        loop: a loop that may run at once.
        found: what its iterations share.
    """
    nodes = PartNodes(loop)
    low, high = nodes.bounds()
    is_simple = not (found.private or found.distance or loop.inits or _makes_arrays(loop))
    if is_simple and not _is_light(loop):
        return [*nodes.made, replace(loop, start=low, stop=high, step=Literal(1), parallel=True)]
    _Parts(loop, found, nodes, low, high).write()
    return nodes.made


def _is_light(loop: For) -> bool:
    """Tell whether a thread needs many iterations to be worth it; what the program calls parallel is not."""
    return not loop.independent and not any(regions(node) for node in loop.body.nodes)


def _makes_arrays(loop: For) -> bool:
    """Tell whether iterations make arrays, which a part can use again and again."""
    calls = (card(node.fn) for node in loop.body.nodes if isinstance(node, Apply))
    return any(call.allocates is not None for call in calls)


@dataclass
class _Parts:
    """A loop that is cut into parts.

    Attributes:
        loop: the loop.
        found: what its iterations share.
        nodes: what is made.
        low: the first index.
        high: the end of the indices.
        sums: the results of the parts for each sum that the loop carries.
        arrays: for each array that all add to, the copies of all parts, and its sizes.
    """

    loop: For
    found: Shared
    nodes: PartNodes
    low: Atom
    high: Atom
    sums: list[Value] = field(default_factory=list)
    arrays: list[tuple[Value, Index]] = field(default_factory=list)

    def write(self) -> None:
        """Append room for the results of the parts, the parts, and what adds their results up."""
        nodes, halves = self.nodes, bool(self.found.distance)
        count = nodes.whole("sub", self.high, self.low)
        least = Literal(max(_LIGHT if _is_light(self.loop) else 1, 2 * self.found.distance))
        number = nodes.apply("pairs" if halves else "parts", "number_of_parts", count, least, named=True)
        parts = nodes.apply("parts", "mul", Literal(2), number, named=True) if halves else number
        self.make_room(parts)
        if not halves:
            nodes.over(
                "part", (Literal(0), parts), lambda body, part: self.part(body, part, count, parts), True
            )
        else:
            nodes.over(
                "half",
                (Literal(0), Literal(2)),
                lambda body, half: self.half(body, half, count, number, parts),
            )
        self.add_up(parts)

    def make_room(self, parts: Atom) -> None:
        for out in self.loop.outs:
            self.sums.append(self.nodes.new(f"{out.name}_parts", "np.empty", (parts,), out.type))
        for array in self.found.private:
            sizes = self.nodes.sizes(array)
            name = f"{array.name}_parts"
            copies = self.nodes.new(name, "np.empty", (parts, *sizes), element(array.type))
            self.arrays.append((copies, sizes))

    def half(self, nodes: PartNodes, half: Value, count: Atom, pairs: Atom, parts: Atom) -> None:
        """Append the loop over every second part."""

        def one(body: PartNodes, pair: Value) -> None:
            part = body.apply("part", "add", body.whole("mul", Literal(2), pair), half, named=True)
            self.part(body, part, count, parts)

        nodes.over("pair", (Literal(0), pairs), one, True)

    def part(self, nodes: PartNodes, part: Value, count: Atom, parts: Atom) -> None:
        """Append one part: the loop over its share of the indices, around which its results are kept."""
        loop, own = self.loop, {}
        for array, (_, sizes) in zip(self.found.private, self.arrays, strict=True):
            own[array] = nodes.new(f"{array.name}_part", "np.zeros", sizes, element(array.type))
        after = nodes.whole("add", part, Literal(1))
        first, end = (self.bound(nodes, number, count, parts) for number in (part, after))
        inits = tuple(Literal(zero_of(out.type)) for out in loop.outs)
        outs = tuple(Value(entry.name, entry.temporary, entry.type) for entry in loop.carried)
        body = substitute(loop.body, dict(own))
        share = replace(loop, start=first, stop=end, step=Literal(1), inits=inits, body=body, outs=outs)
        nodes.made.append(replace(share, independent=False))
        for copies, out in zip(self.sums, outs, strict=True):
            nodes.store(copies, (part,), out)
        for (copies, sizes), mine in zip(self.arrays, own.values(), strict=True):
            _keep(nodes, copies, part, mine, sizes)

    def bound(self, nodes: PartNodes, number: Atom, count: Atom, parts: Atom) -> Atom:
        """Append where a part begins."""
        share = nodes.apply("floordiv", "floordiv", nodes.whole("mul", number, count), parts)
        return nodes.whole("add", self.low, share)

    def add_up(self, parts: Atom) -> None:
        """Append what adds up the results of all parts, in their order."""
        if self.sums:
            self.add_numbers(parts)
        if self.arrays:
            self.add_arrays(parts)

    def add_numbers(self, parts: Atom) -> None:
        """Append the loop that adds up numbers."""
        loop, nodes = self.loop, self.nodes.inside()
        part = Value("part", type=self.nodes.loop.body.params[0].type)
        entries = tuple(Value(out.name, out.temporary, out.type) for out in loop.outs)
        yields = []
        for entry, copies in zip(entries, self.sums, strict=True):
            yields.append(nodes.apply("add", "add", entry, nodes.item(copies, (part,)), kind=entry.type))
        region = Region((part, *entries), tuple(nodes.made), tuple(yields))
        total = replace(loop, start=Literal(0), stop=parts, step=Literal(1), body=region, independent=False)
        self.nodes.made.append(total)

    def add_arrays(self, parts: Atom) -> None:
        """Append what adds up arrays: those that lie in C order on all cores."""
        nodes = self.nodes
        for array, (copies, sizes) in zip(self.found.private, self.arrays, strict=True):
            if array.type.layout == "C" and isinstance(element(array.type), nt.Float | nt.Complex):
                loc, role = self.loop.loc, self.loop.role
                nodes.made.append(Effect("add_parts", (array, copies), loc=loc, role=role))
            else:
                nodes.over("part", (Literal(0), parts), partial(_add, array, copies, sizes))


def _add(array: Value, copies: Value, sizes: Index, nodes: PartNodes, part: Value) -> None:
    """Append what adds the sums of one part to an array."""

    def one(body: PartNodes, index: Index) -> None:
        body.store(array, index, body.item(copies, (part, *index)), True)

    nodes.over_elements(sizes, one)


def _keep(nodes: PartNodes, copies: Value, part: Value, mine: Value, sizes: Index) -> None:
    """Append what keeps the sums of one part."""

    def one(body: PartNodes, index: Index) -> None:
        body.store(copies, (part, *index), body.item(mine, index))

    nodes.over_elements(sizes, one)
