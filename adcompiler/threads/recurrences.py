"""Take out of loops what each iteration needs of the one before, so that all the rest can run at once.

`best = max(best, f(x[i]))` runs as three loops: all f(x[i]), the maximum, and what is made of it in each
iteration. So does its reversal, in which the adjoint of `best` is handed on. Numbers are compared and
multiplied in the order of the program (loop distribution, Kuck et al. 1981, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations, Touched
from adcompiler.analysis.sums import CONSTANT, carried_kinds
from adcompiler.analysis.types import element, is_scalar
from adcompiler.graph.nodes import (
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import all_reads, clone, regions, results, substitute, values, with_regions
from adcompiler.threads.conflicts import draws, hands_on, in_memory, in_order, is_wanted
from adcompiler.threads.part_nodes import PartNodes
from adcompiler.threads.stages import AFTER, BEFORE, CHAIN, Links, Stages, stages_of


def recurrences_apart(graph: Graph) -> Graph:
    """Return the graph with recurrences in loops of their own, where what is around them may run at once.

    Args:
        graph: the final graph of a derivative.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            made = _apart(node, loops, iterations) if isinstance(node, For) else None
            inner = (*loops, node) if isinstance(node, For | While) else loops
            nodes += made or [with_regions(node, tuple(region(part, inner) for part in regions(node)))]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _apart(loop: For, loops: Loops, iterations: Iterations) -> list[Node] | None:
    """Return a loop in parts; None where it has no recurrence, or would not gain."""
    if not is_wanted(loop, loops) or in_order(loop) or not hands_on(loop) or draws(loop.body):
        return None
    kinds = carried_kinds(loop.body)
    met = _met(loop, loops, iterations)
    if CONSTANT in kinds or met is None or isinstance(in_memory(loop, loops, iterations), str):
        return None
    found = stages_of(loop, kinds, met)
    if found is None or not (found.nodes(BEFORE) or found.nodes(AFTER)):
        return None
    nodes = PartNodes(loop)
    return _Cut(loop, found, met, nodes, *nodes.bounds()).parts()


def _met(loop: For, loops: Loops, iterations: Iterations) -> Links | None:
    """Return, of each node, the earlier ones that it meets in memory; None where that cannot be followed."""
    found: dict[Node, dict[Value, Touched]] = {}
    met: dict[Node, list[Node]] = {}
    for node in loop.body.nodes:
        alone = replace(loop, body=replace(loop.body, nodes=(node,)))
        touched = iterations.touched(alone, loops)
        if touched is None:
            return None
        met[node] = [other for other, before in found.items() if _meet(before, touched)]
        found[node] = touched
    return met


def _meet(one: dict[Value, Touched], two: dict[Value, Touched]) -> bool:
    """Tell whether what two nodes do to the same memory has to keep its order."""
    pairs = [(one[memory], two[memory]) for memory in one.keys() & two.keys()]
    return any(a.writes or b.writes or (a.reads and b.adds) or (a.adds and b.reads) for a, b in pairs)


@dataclass
class _Cut:
    """A loop that is cut into stages.

    Attributes:
        loop: the loop.
        found: its stages.
        met: of each node, the earlier ones that it meets in memory.
        nodes: what stands before the stages.
        low: the smallest index.
        high: the end of the indices.
        stored: values that the loop keeps anyway, and where.
        rooms: arrays for other values that later stages read.
        totals: a sum that the loop carries, by its number, after a stage that is not the last to add to it.
    """

    loop: For
    found: Stages
    met: Links
    nodes: PartNodes
    low: Atom
    high: Atom
    stored: dict[Value, Store] = field(default_factory=dict)
    rooms: dict[Value, Value] = field(default_factory=dict)
    totals: dict[tuple[int, int], Value] = field(default_factory=dict)

    def parts(self) -> list[Node] | None:
        """Return room for what later stages read, and the stages; None where that is not numbers only."""
        kept = [value for value, home in self.homes().items() if self.is_kept(value, home)]
        if not all(is_scalar(value.type) for value in kept):
            return None
        self.stored = {value: store for store in self.lone_stores() for value in kept if value is store.value}
        self.make_room([value for value in kept if value not in self.stored])
        stages = (stage for stage in (BEFORE, CHAIN, AFTER) if self.found.nodes(stage) or self.ends(stage))
        return [*self.nodes.made, *map(self.part, stages)]

    def homes(self) -> dict[Value, int]:
        """Return the stage that each value comes from, but for sums and for what every stage repeats."""
        carried = zip(self.loop.carried, self.found.carried, strict=True)
        homes = {entry: CHAIN for entry, stages in carried if stages == (CHAIN,)}
        for node, stage in self.found.of.items():
            made = results(node) if node not in self.found.again else ()
            homes |= {value: stage for value in made if value not in self.found.added}
        return homes

    def is_kept(self, value: Value, home: int) -> bool:
        """Tell whether a later stage reads a value."""
        return any(value in self.needed(stage)[1] for stage in (CHAIN, AFTER) if stage > home)

    def needed(self, stage: int) -> tuple[list[Node], set[Value]]:
        """Return the nodes that run in a stage, and all values that are read there."""
        needed = {*values(self.yields(stage))}
        nodes: list[Node] = []
        for node, own in reversed(self.found.of.items()):
            again = node in self.found.again
            if (again and not needed.isdisjoint(results(node))) or (own == stage and not again):
                nodes.append(node)
                needed |= all_reads(node)
        return nodes[::-1], needed

    def ends(self, stage: int) -> list[int]:
        """Return which of the values that the loop carries a stage carries."""
        return [k for k, stages in enumerate(self.found.carried) if stage in stages]

    def yields(self, stage: int) -> tuple[Atom, ...]:
        """Return what a stage hands on."""
        ends = (self.loop.body.yields[k] for k in self.ends(stage))
        return tuple(self.found.sum_in(stage, end) if isinstance(end, Value) else end for end in ends)

    def around(self, k: int, stage: int) -> tuple[Atom, Value]:
        """Return what a value that the loop carries is before a stage, and after it."""
        stages = self.found.carried[k]
        for own in stages[:-1]:
            out = self.loop.outs[k]
            self.totals.setdefault((k, own), Value(out.name, out.temporary, out.type))
        at = stages.index(stage)
        before = self.totals[k, stages[at - 1]] if at else self.loop.inits[k]
        return before, self.totals.get((k, stage), self.loop.outs[k])

    def lone_stores(self) -> list[Store]:
        """Return stores of all of a value, by the loop's index, that no later node of the loop meets."""
        met = {node for earlier in self.met.values() for node in earlier}
        homes, index = self.homes(), (self.loop.body.params[0],)
        stores = [node for node in self.found.of if isinstance(node, Store) and node not in met]
        stores = [store for store in stores if type_of(store.value) == element(store.array.type)]
        return [s for s in stores if s.index == index and not s.accumulate and s.array not in homes]

    def make_room(self, kept: list[Value]) -> None:
        """Append arrays for values of each iteration."""
        count = self.nodes.whole("max", self.nodes.whole("sub", self.high, self.low), Literal(0))
        for value in kept:
            self.rooms[value] = self.nodes.new(f"{value.name}_all", "np.empty", (count,), value.type)

    def part(self, stage: int) -> For:
        """Return the loop that runs a stage."""
        loop, ends, made = self.loop, self.ends(stage), PartNodes(self.loop)
        found = self.body_of(stage, made) | {v: self.found.sum_in(stage, v) for v in self.found.others(stage)}
        params = loop.body.params[0], *(loop.carried[k] for k in ends)
        body = substitute(Region(params, tuple(made.made), self.yields(stage)), dict(found))
        inits, outs = zip(*(self.around(k, stage) for k in ends), strict=True) if ends else ((), ())
        own = replace(loop, inits=inits, body=clone(body, {}), outs=outs)
        return replace(own, independent=loop.independent and stage != CHAIN)

    def body_of(self, stage: int, made: PartNodes) -> dict[Value, Value]:
        """Append the nodes of a stage; return where it finds what earlier ones have kept."""
        nodes, needed = self.needed(stage)
        place: Atom = self.loop.body.params[0]
        if self.rooms and self.low != Literal(0):
            place = made.whole("sub", place, self.low)
        homes, found = self.homes(), dict[Value, Value]()
        for value in [value for value in homes if value in needed and homes[value] < stage]:
            store = self.stored.get(value)
            array, index = (store.array, store.index) if store else (self.rooms[value], (place,))
            found[value] = item = made.item(array, index)
            item.name, item.temporary = value.name, value.temporary
        kept = [value for value in self.rooms if homes[value] == stage]
        for comes_in in (True, False):  # and is kept before anything else
            made.made += () if comes_in else nodes
            for value in [value for value in kept if (value in self.loop.carried) == comes_in]:
                made.store(self.rooms[value], (place,), value)
        return found
