"""A derivative along one direction becomes one along several: what varies with the direction has lanes.

The text stays what it is. Numbers that follow from the tangents or adjoints that are given become numbers
of several lanes (`runtime/lanes.py`), their arrays arrays of these; all that the program itself computes, and
what its reverse sweep reads back of it, is computed once for all lanes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from numba import float64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import map_operands
from adcompiler.lanes.varying import NotInLanesError, varying_values
from adcompiler.primitives import Fill, Shows, card
from adcompiler.runtime.lane_numbers import LANES, array_of_lanes


def in_lanes(graph: Graph, count: int) -> Graph:
    """Return a derivative that takes and returns several tangents or adjoints, along a last axis of each.

    Args:
        graph: the derivative along one direction, polished.
        count: how many of its parameters, the last ones, hold the direction.

    Raises:
        NotInLanesError: where something has no form that takes lanes.
    """
    own = len(graph.body.params) - count
    seeds = graph.body.params[own:]
    sweep = _Lanes(varying_values(graph.body, seeds))
    given = [Value(seed.name, type=_numbers(seed.type)) for seed in seeds]
    for seed, param in zip(seeds, given, strict=True):
        sweep.nodes.append(Apply(sweep.define(seed), "lanes.of", (param,), role=Role.TAPE))
    if not sweep.varying.isdisjoint(graph.body.params[:own]):
        raise NotInLanesError("an argument would hold several directions")
    for node in graph.body.nodes:
        sweep.node(node)
    yields = tuple(map(sweep.returned, graph.body.yields))
    body = Region((*graph.body.params[:own], *given), tuple(sweep.nodes), yields)
    return replace(graph, body=body, parameters=())


def _numbers(kind: nt.Type) -> nt.Type:
    """Return the type of an array of numbers whose last axis are lanes."""
    return nt.Array(float64, (kind.ndim if is_array(kind) else 0) + 1, "C")


def with_lanes(kind: nt.Type) -> nt.Type:
    """Return the type of what has lanes in place of numbers."""
    if kind == float64:
        return LANES
    if is_array(kind) and kind.dtype == float64:
        return array_of_lanes(kind.ndim, kind.layout)
    if is_list(kind):
        return nt.List(with_lanes(kind.dtype))
    raise NotInLanesError(f"a direction has type {kind}")


@dataclass
class _Lanes:
    """What stands for the values that vary, and the nodes of the current region."""

    varying: set[Value]
    own: dict[Value, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def define(self, value: Value) -> Value:
        """Return the value with lanes that stands for one that varies, or one that does not itself."""
        if value not in self.varying:
            return value
        self.own[value] = made = Value(value.name, value.temporary, with_lanes(value.type))
        return made

    def read(self, atom: Atom) -> Atom:
        return self.own.get(atom, atom) if isinstance(atom, Value) else atom

    def apply(self, fn: str, atom: Atom, kind: nt.Type, name: str) -> Value:
        made = Value(name, True, kind)
        self.nodes.append(Apply(made, fn, (atom,), role=Role.TAPE))
        return made

    def spread(self, atom: Atom) -> Atom:
        """Return what a variable with lanes holds."""
        if atom in self.own or atom == UNDEFINED:
            return self.read(atom)
        kind = type_of(atom)
        if is_array(kind):
            raise NotInLanesError("an array that does not vary may take the place of one that does")
        return self.apply("lanes.spread", atom, LANES, "zero")

    def returned(self, atom: Atom) -> Value:
        """Append what makes an array of numbers of a result."""
        kind = type_of(atom)
        found = self.read(atom)
        if is_array(kind) and atom not in self.own:  # a linear function that is no function of the direction
            found = self.apply("lanes.zeros_like", atom, array_of_lanes(kind.ndim), "zeros")
        elif is_array(kind) and kind.layout != "C":
            found = self.apply("np.ascontiguousarray", found, array_of_lanes(kind.ndim), "rows")
        elif not is_array(kind):
            found = self.spread(atom)
        return self.apply("lanes.numbers", found, _numbers(kind), "slopes")

    def node(self, node: Node) -> None:
        match node:
            case Apply():
                self.nodes.append(self.primitive(node))
            case Store():
                self.nodes += self.store(node)
            case Effect():
                self.effect(node)
            case If():
                self.branch(node)
            case For() | While():
                self.loop(node)

    def effect(self, node: Effect) -> None:
        changed = map_operands(node, self.read)
        if card(node.fn).writes_first and node.args[0] in self.varying:
            self.refuse_if(not card(node.fn).in_lanes, node)
            changed = replace(node, args=tuple(map(self.spread, node.args)))
        self.nodes.append(changed)

    def refuse_if(self, is_so: bool, node: Node) -> None:
        if is_so:
            what = getattr(node, "fn", type(node).__name__)
            raise NotInLanesError(f"'{what}' has no form that takes lanes", node.loc)

    def primitive(self, node: Apply) -> Apply:
        """Return what a primitive becomes."""
        if node.out not in self.varying:
            return replace(node, args=tuple(map(self.read, node.args)))
        known = card(node.fn)
        self.refuse_if(not known.in_lanes or bool(node.keywords), node)
        are_whole = known.is_elementwise and any(is_array(type_of(arg)) for arg in node.args)
        fn = f"lanes.{node.fn}" if are_whole else known.in_lanes
        args = node.args[:1] if known.allocates in (Fill.ZEROS, Fill.NOTHING) else node.args
        read = self.spread if known.shows is Shows.HOLDS else self.read
        return replace(node, out=self.define(node.out), fn=fn, args=tuple(map(read, args)))

    def store(self, node: Store) -> list[Node]:
        """Return what a store becomes: to an array as a whole it is added by a function."""
        changed = map_operands(node, self.read)
        assert isinstance(changed, Store)
        kind = node.array.type
        if node.array in self.varying and is_list(kind):
            return [replace(changed, value=self.spread(node.value))]
        is_part = is_array(kind) and (is_array(type_of(node.value)) or len(node.index) < kind.ndim)
        if node.array not in self.varying or not node.accumulate or not is_part:
            return [changed]
        made: list[Node] = []
        whole = changed.array
        if node.index:
            left = kind.ndim - sum(not isinstance(type_of(atom), nt.SliceType) for atom in node.index)
            whole = Value("part", True, array_of_lanes(left, "A"))
            made.append(Apply(whole, "getitem", (changed.array, *node.index), loc=node.loc, role=node.role))
        return [*made, Effect("lanes.add_to", (whole, changed.value), loc=node.loc, role=node.role)]

    def inner(self, region: Region, params: tuple[Value, ...], merged: Iterable[Value | None]) -> Region:
        """Return what a region becomes, given the values that its yields are merged to."""
        outer, self.nodes = self.nodes, []
        for node in region.nodes:
            self.node(node)
        pairs = zip(region.yields, merged, strict=True)
        yields = tuple(self.spread(atom) if out in self.varying else self.read(atom) for atom, out in pairs)
        nodes, self.nodes = tuple(self.nodes), outer
        return Region(params, nodes, yields)

    def branch(self, node: If) -> None:
        then, orelse = (self.inner(arm, (), node.outs) for arm in (node.then, node.orelse))
        outs = tuple(map(self.define, node.outs))
        self.nodes.append(replace(node, then=then, orelse=orelse, outs=outs))

    def loop(self, node: For | While) -> None:
        pairs = zip(node.inits, node.carried, strict=True)
        inits = tuple(
            self.spread(atom) if param in self.varying else self.read(atom) for atom, param in pairs
        )
        params = tuple(map(self.define, node.body.params))
        if isinstance(node, While):
            node = replace(node, cond=self.inner(node.cond, (), (None,)))
        body = self.inner(node.body, params, (*[None] * node.breaks, *node.carried))
        outs = tuple(map(self.define, node.outs))
        self.nodes.append(replace(node, inits=inits, body=body, outs=outs))
