"""Where a reverse loop gets the values from that an iteration of the primal defined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adcompiler.analysis.sizes import Shape
from adcompiler.graph.nodes import Apply, Atom, If, Node, Region, Value, entry
from adcompiler.graph.walk import clone, free, operands, regions, results, substitute, values, with_regions
from adcompiler.primitives import part_of
from adcompiler.simplify.passed_checks import passed_of
from adcompiler.storage.plan import LoopPlan
from adcompiler.storage.taken_sizes import sizes_of_taken
from adcompiler.storage.tape import Tape, load


@dataclass
class Supply:
    """The values of one iteration, as its reversal reads them.

    Attributes:
        plan: what is stored, counted back and recomputed.
        loads: the tapes of what is stored.
        partner: for each branch of the reverse sweep, the one of the primal that it reverses.
        shapes: the shapes of arrays, in sizes of the primal.
        mapping: what stands in the reverse loop for values of the primal.
    """

    plan: LoopPlan
    loads: dict[Value, Tape]
    partner: dict[Node, Node]
    shapes: Mapping[Value, Shape]
    mapping: dict[Value, Atom] = field(default_factory=dict)

    def begin(self, primal: Region, back: Region) -> Region:
        """Begin a reverse region, and the branches in it, with the values that its primal region defined."""
        made, parts = _without_parts(self._made(primal, free(back)))
        kept = clone(Region((), tuple(_in_order(made)), ()), self.mapping)
        self.mapping.update((value, entry(self.mapping, raw) or raw) for value, raw in parts.items())
        for value, out in self.plan.alike.items():
            if out in self.mapping:  # a branch that is run again has its own value, for itself alone
                self.mapping[value] = self.mapping[out]
        nodes: list[Node] = []
        for node in back.nodes:
            branch = self.partner.get(node)
            if isinstance(node, If) and isinstance(branch, If):
                arms = zip(regions(branch), regions(node), strict=True)
                node = with_regions(node, tuple(self.begin(*arm) for arm in arms))
            nodes.append(node)
        back = substitute(Region((), tuple(nodes), back.yields), self.mapping)
        return Region((), (*kept.nodes, *back.nodes), back.yields)

    def _made(self, primal: Region, known: Iterable[Value]) -> list[Node]:
        """Return the nodes that load, count back and recompute what a region of the primal defines."""
        made: list[Node] = []
        for value in primal.params:
            if value in self.loads:
                made += load(self.loads[value])
            elif value in self.plan.counters:
                made.append(_counted_back(primal, value, self.plan.counters[value]))
        for node in primal.nodes:
            for value in results(node):
                if value in self.loads:
                    made += load(self.loads[value])
                elif value in self.plan.recomputed:
                    made.append(self.plan.kept.get(value, node))
        taken = [node.out for node in made if isinstance(node, Apply) and node.fn == "pop"]
        known = {*known, *self.mapping, *(value for node in made for value in results(node))}
        return made + passed_of(primal.nodes, known) + sizes_of_taken(taken, self.shapes, known)


def _without_parts(nodes: list[Node]) -> tuple[list[Node], dict[Value, Atom]]:
    """Let parts of what a decomposition returned be what was kept: the matrix is not there any more."""
    same: dict[Value, Atom] = {}
    for node in nodes:
        part = part_of(node.fn, len(node.args)) if isinstance(node, Apply) else None
        if isinstance(node, Apply) and part is not None:
            same[node.out] = node.args[part]
    rest = tuple(node for node in nodes if same.keys().isdisjoint(results(node)))
    return [*substitute(Region((), rest, ()), same).nodes], same


def _in_order(nodes: list[Node]) -> list[Node]:
    """Put nodes behind those that they read from: a value that is read back needs its index first."""
    makers = {value: node for node in nodes for value in results(node)}
    ordered: dict[Node, None] = {}

    def enter(node: Node) -> None:
        for value in (*values(operands(node)), *(v for region in regions(node) for v in free(region))):
            if value in makers and makers[value] is not node and makers[value] not in ordered:
                enter(makers[value])
        ordered[node] = None

    for node in nodes:
        enter(node)
    return list(ordered)


def _counted_back(body: Region, param: Value, after: Value) -> Node:
    """Return what undoes the last step of a counter."""
    step = next(node for node in body.nodes if isinstance(node, Apply) and node.out is after)
    return replace(step, out=param, fn="sub" if step.fn == "add" else "add", args=(after, step.args[1]))
