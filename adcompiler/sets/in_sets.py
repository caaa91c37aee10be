"""A derivative along one direction becomes a program that finds where the derivative may not be zero.

Each number that follows from the tangents becomes the set of those tangents that it may depend on
(`runtime/sets.py`). What the program itself computes is left to find indices, sizes and paths; where one of
these depends on floats, all are taken that there may be, unless the path of certain arguments is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list, is_scalar, rank
from adcompiler.graph.layout import Layout, Leaf
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, map_operands, operands, values, walk
from adcompiler.lanes.varying import flow, followers
from adcompiler.primitives import Fill, Follows, Shows, card
from adcompiler.sets.doubt import decided_by, values_in_doubt
from adcompiler.sets.refusals import Writes, refuse
from adcompiler.sets.without_sets import without_sets

BOOK = nt.Array(nt.int32, 2, "C")
UNKNOWN = "write it with loops and slices, or give the pattern: sparse_jacobian(f, pattern=...)"
EMPTY = Literal(0)


def in_sets(graph: Graph, count: int, is_local: bool) -> Graph:
    """Return a program that takes sets in place of tangents, and the book of their unions as last argument.

    Args:
        graph: the derivative along one direction, polished.
        count: how many of its parameters, the last ones, are tangents.
        is_local: whether the path of the arguments is followed, and no other one.

    Raises:
        DifferentiationError: AD601 where a path, an index or a size depends on floats, and what may happen
            otherwise cannot be told.
    """
    params = graph.body.params
    own = len(params) - count
    varying = followers(graph.body, params[own:], flow(graph.body))
    doubted = params[own:] if is_local else params
    sweep = _Sets(varying, values_in_doubt(graph.body, doubted), Writes(graph.body))
    given = tuple(map(sweep.define, params[own:]))
    for node in graph.body.nodes:
        sweep.node(node)
    yields = tuple(map(sweep.returned, graph.body.yields))
    body = Region((*params[:own], *given, sweep.book), tuple(sweep.nodes), yields)
    parameters = _parameters(graph, (*given, sweep.book))
    return replace(graph, name=f"{graph.name}_sets", body=body, parameters=parameters)


def _parameters(graph: Graph, added: tuple[Value, ...]) -> tuple[tuple[str, Layout], ...]:
    """Return the layouts of all parameters, if each is not one value anyway."""
    if not graph.parameters:
        return ()
    own = graph.parameters[: len(graph.parameters) - len(added) + 1]
    return (*own, *((param.name, Leaf()) for param in added))


def kind_in_sets(kind: nt.Type) -> nt.Type:
    """Return the type of what has sets in place of numbers."""
    if is_array(kind):
        return nt.Array(int64, kind.ndim, kind.layout)
    return nt.List(kind_in_sets(kind.dtype)) if is_list(kind) else int64


@dataclass
class _Sets:
    """What stands for the values that vary, and the nodes of the current region.

    Attributes:
        varying: the values that depend on tangents.
        in_doubt: the values that may be any, tests among them.
        writes: where arrays are written.
        is_unsure: whether the current nodes may not run.
    """

    varying: set[Value]
    in_doubt: set[Value]
    writes: Writes
    book: Value = field(default_factory=lambda: Value("book", type=BOOK))
    own: dict[Value, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    is_unsure: bool = False

    def define(self, value: Value) -> Value:
        """Return the set, or array of sets, that stands for a value that varies; else the value."""
        if value in self.varying and value not in self.own:
            self.own[value] = Value(value.name, value.temporary, kind_in_sets(value.type))
        return self.own.get(value, value)

    def doubts(self, atoms: Iterable[Atom]) -> bool:
        return not self.in_doubt.isdisjoint(values(atoms))

    def apply(self, fn: str, args: tuple[Atom, ...], kind: nt.Type, name: str = "sets") -> Value:
        made = Value(name, True, kind)
        self.nodes.append(Apply(made, fn, args, role=Role.TAPE))
        return made

    def seen(self, atom: Atom) -> Atom:
        """Return what stands for a value where only its size is read."""
        return self.own.get(atom, atom) if isinstance(atom, Value) else atom

    def read(self, atom: Atom) -> Atom:
        """Return the sets that stand for numbers: empty ones for what does not vary."""
        if atom in self.own or atom == UNDEFINED:
            return self.seen(atom)
        kind = type_of(atom)
        if not is_array(kind):
            return EMPTY
        dtype = Global("np.int64", np.int64)
        return self.apply("np.zeros_like", (atom, dtype), nt.Array(int64, kind.ndim, "C"), "nothing")

    def returned(self, atom: Atom) -> Atom:
        found = self.read(atom)
        if not isinstance(found, Value):
            return self.apply("np.int64", (EMPTY,), int64)
        if not is_array(found.type) or found.type.layout == "C":
            return found
        return self.apply("np.ascontiguousarray", (found,), nt.Array(int64, found.type.ndim, "C"))

    def union(self, a: Atom, b: Atom) -> Atom:
        """Return the union of two sets, or of the sets in two arrays."""
        if a == b or b in (EMPTY, UNDEFINED):
            return a
        if a in (EMPTY, UNDEFINED):
            return b
        axes = max(rank(type_of(a)), rank(type_of(b)))
        if axes == 0:
            return self.apply("sets.union", (self.book, a, b), int64, "union")
        return self.apply("sets.unions", (self.book, a, b), nt.Array(int64, axes, "C"), "unions")

    def whole(self, sets: Atom) -> Atom:
        """Return the union of all sets in an array; of a single one, itself."""
        if not is_array(type_of(sets)):
            return sets
        return self.apply("sets.whole", (self.book, sets), int64, "whole")

    def node(self, node: Node) -> None:
        inner = Region((), (node,), ())
        match node:
            case Apply() if node.out in self.varying:
                found = self.primitive(node)
                self.named(node.out, found)
            case Store() if node.array in self.varying:
                self.store(node)
            case Effect():
                self.effect(node)
            case If() | For() | While() if not self.varying.isdisjoint(_touched(inner)):
                self.doubtful(node) if self.doubts(decided_by(node)) else self.path(node)
            case If() if self.doubts(decided_by(node)):
                self.nodes.append(without_sets(node, self.varying))
            case Apply(fn="getitem") if (
                self.is_unsure and is_scalar(node.out.type) and is_array(type_of(node.args[0]))
            ):
                self.nodes.append(replace(node, fn="sets.item"))
            case _:
                is_list_changed = isinstance(node, Apply) and card(node.fn).changes_length
                refuse(is_list_changed and self.is_unsure, "how long a list is depends on floats", node)
                self.nodes.append(map_operands(node, self.seen))

    def named(self, out: Value, found: Atom) -> None:
        """Let sets stand for a value; an array that others write stays the same array."""
        if isinstance(found, Value):
            self.own[out] = found
        else:
            self.own[out] = self.apply("np.int64", (found,), int64, out.name)

    def primitive(self, node: Apply) -> Atom:
        """Return the sets of what a primitive returns."""
        known = card(node.fn)
        refuse(isinstance(node.out.type, nt.BaseTuple), "several values are returned at once", node, UNKNOWN)
        if node.fn == "getitem":
            return self.item(node)
        if known.allocates is not None:
            return self.allocation(node)
        if is_scalar(node.out.type) and known.in_sets != node.fn:
            return self.any_of(node.args)
        if known.in_sets.startswith("sets."):
            return self.combination(node)
        if known.in_sets or is_list(node.out.type):
            return self.handed_on(node)
        if known.is_elementwise or known.follows is Follows.BROADCAST:
            return self.elementwise(node)
        refuse(
            known.follows is not Follows.SAME_SHAPE,
            f"what '{node.fn}' does with each element is not known",
            node,
            UNKNOWN,
        )
        kind = kind_in_sets(node.out.type)
        shape = self.apply("shape", (node.args[0],), nt.UniTuple(int64, kind.ndim), "shape")
        return self.apply("np.full", (shape, self.any_of(node.args)), kind)

    def any_of(self, args: Iterable[Atom]) -> Atom:
        found: Atom = EMPTY
        for arg in args:
            if arg in self.varying:
                found = self.union(found, self.whole(self.read(arg)))
        return found

    def elementwise(self, node: Apply) -> Atom:
        """Numbers that do not vary may stretch those that do."""
        found: Atom = EMPTY
        for arg in node.args:
            if arg in self.varying or is_array(type_of(arg)):
                found = self.union(found, self.read(arg))
        return found

    def allocation(self, node: Apply) -> Atom:
        refuse(
            card(node.fn).reads_elements and self.doubts(node.args[:1]),
            "how large an array is depends on floats",
            node,
        )
        kind, dtype = kind_in_sets(node.out.type), Global("np.int64", np.int64)
        first, *rest = node.args
        if card(node.fn).allocates is not Fill.VALUE or rest[0] not in self.varying:
            fn = "np.zeros" if card(node.fn).reads_elements else "np.zeros_like"
            return self.apply(fn, (first, dtype), kind, node.out.name)
        if not card(node.fn).reads_elements:
            first = self.apply("shape", (first,), nt.UniTuple(int64, kind.ndim), "shape")
        return self.apply("np.full", (first, self.read(rest[0])), kind, node.out.name)

    def combination(self, node: Apply) -> Atom:
        """Products, running sums, and sums along axes that were stretched."""
        if card(node.fn).follows is Follows.PRODUCT:
            return self.product(node)
        if len(node.args) == 2:
            args = (self.book, self.read(node.args[0]), self.seen(node.args[1]))
            return self.apply(card(node.fn).in_sets, args, kind_in_sets(node.out.type))
        is_known = rank(type_of(node.args[0])) == 1 and not node.keywords
        refuse(not is_known, f"'{node.fn}' goes along one axis of several", node, UNKNOWN)
        kind = kind_in_sets(node.out.type)
        return self.apply(card(node.fn).in_sets, (self.book, self.read(node.args[0])), kind)

    def product(self, node: Apply) -> Atom:
        """Any number may stand beside the sets."""
        a, b = node.args
        axes = rank(type_of(a)), rank(type_of(b))
        refuse(max(axes) > 2, "stacks of matrices are multiplied", node, UNKNOWN)
        if axes == (2, 2):
            args = (self.book, self.read(a), self.read(b))
            return self.apply(card(node.fn).in_sets, args, nt.Array(int64, 2, "C"), "products")
        matrix, vector = (a, b) if axes[0] == 2 else (b, a)
        found = self.read(matrix)
        if axes[1] == 2:
            found = self.apply("T", (found,), nt.Array(int64, 2, "A"), "columns")
        lines = self.apply("sets.of_rows", (self.book, found), nt.Array(int64, 1, "C"), "lines")
        return self.union(lines, self.any_of((vector,)))

    def handed_on(self, node: Apply) -> Atom:
        """Elements go to other places, and stay what they are."""
        known = card(node.fn)
        refuse(known.changes_length and self.is_unsure, "how long a list is depends on floats", node)
        first, *rest = node.args or (EMPTY,)
        rest = [] if known.in_sets not in ("", node.fn) else rest
        are_items = known.spelling.name == "JOIN" or known.shows is Shows.HOLDS
        refuse(not are_items and self.doubts(rest), "where elements go to depends on floats", node)
        args = (self.read(first), *(map(self.read, rest) if are_items else rest)) if node.args else ()
        made = Value(node.out.name, node.out.temporary, kind_in_sets(node.out.type))
        self.nodes.append(replace(node, out=made, fn=known.in_sets or node.fn, args=args))
        return made

    def item(self, node: Apply) -> Atom:
        array, *index = node.args
        found = self.seen(array)
        if self.doubts(index):
            return self.any_item(node, found, index)
        is_checked = self.is_unsure and is_scalar(node.out.type) and is_array(type_of(found))
        made = Value(node.out.name, node.out.temporary, kind_in_sets(node.out.type))
        fn = "sets.item" if is_checked else "getitem"
        self.nodes.append(replace(node, out=made, fn=fn, args=(found, *index)))
        return made

    def any_item(self, node: Apply, array: Atom, index: list[Atom]) -> Atom:
        """Each element that is read may be any of those that the index may mean."""
        kinds = [type_of(atom) for atom in index]
        is_picked = len(index) == 1 and is_array(kinds[0]) and kinds[0].dtype != nt.boolean
        is_known = is_scalar(node.out.type) or (is_picked and node.out.type.ndim == kinds[0].ndim)
        refuse(not is_known, "how many elements are read depends on floats", node)
        found = self.whole(self.any_place(array, index, node))
        if is_scalar(node.out.type):
            return found
        shape = self.apply("shape", (index[0],), nt.UniTuple(int64, kinds[0].ndim), "shape")
        return self.apply("np.full", (shape, found), kind_in_sets(node.out.type))

    def any_place(self, array: Atom, index: Iterable[Atom], node: Node) -> Value:
        """Return the part of an array that consists of all places that an index may mean."""
        kind = type_of(array)
        refuse(not is_array(kind), "which item of a list is meant depends on floats", node)
        places, axes = [], kind.ndim
        for atom in index:
            is_known = atom not in self.in_doubt
            axes -= is_known and _is_number(atom)
            places.append(
                atom if is_known else self.apply("slice", (Literal(None),), nt.slice2_type, "every")
            )
        return self.apply("getitem", (array, *places), nt.Array(int64, axes, "A"), "part")

    def store(self, node: Store) -> None:
        array, value = self.own[node.array], self.read(node.value)
        if self.doubts(node.index):
            part = self.any_place(array, node.index, node)
            self.join("sets.join", (part, self.book, self.any_of((node.value,))), node)
        elif not (node.accumulate or self.is_unsure):
            self.nodes.append(replace(node, array=array, value=value))
        elif value != EMPTY:
            refuse(not is_array(array.type), "what a list holds depends on floats", node)
            self.join_part(array, value, node)

    def join_part(self, array: Value, value: Atom, node: Store) -> None:
        """Enter further indices into the sets of a part of an array."""
        axes = array.type.ndim - sum(map(_is_number, node.index))
        if axes == 0:
            self.join("sets.join_item", (array, self.book, value, *node.index), node)
            return
        part = array
        if node.index:
            part = self.apply("getitem", (array, *node.index), nt.Array(int64, axes, "A"), "part")
        self.join("sets.join", (part, self.book, value), node)

    def join(self, fn: str, args: tuple[Atom, ...], node: Node) -> None:
        self.nodes.append(Effect(fn, args, loc=node.loc, role=node.role))

    def effect(self, node: Effect) -> None:
        """Checks of what may be any are left out, as are those that may not run."""
        if card(node.fn).writes_first and node.args[0] in self.varying:
            is_known = bool(card(node.fn).in_sets) and not self.is_unsure
            refuse(not is_known, "how long a list is depends on floats", node)
            self.nodes.append(replace(node, args=tuple(map(self.read, node.args))))
        elif not self.is_unsure and (card(node.fn).writes_first or not self.doubts(operands(node))):
            self.nodes.append(map_operands(node, self.seen))

    def inner(self, region: Region, merged: Iterable[Value | None], params: tuple[Value, ...] = ()) -> Region:
        """Return what a region becomes, given the values that its yields are merged to."""
        outer, self.nodes = self.nodes, []
        for node in region.nodes:
            self.node(node)
        pairs = zip(region.yields, merged, strict=True)
        yields = tuple(self.read(atom) if out in self.varying else atom for atom, out in pairs)
        nodes, self.nodes = tuple(self.nodes), outer
        return Region(params, nodes, yields)

    def path(self, node: If | For | While) -> None:
        """A branch or loop whose path is known has sets beside what the program itself hands on."""
        if isinstance(node, If):
            then, orelse = (self.inner(arm, node.outs) for arm in (node.then, node.orelse))
            self.nodes.append(
                replace(node, then=then, orelse=orelse, outs=tuple(map(self.define, node.outs)))
            )
            return
        pairs = zip(node.inits, node.carried, strict=True)
        inits = tuple(self.read(atom) if param in self.varying else atom for atom, param in pairs)
        params = tuple(map(self.define, node.body.params))
        if isinstance(node, While):
            node = replace(node, cond=self.inner(node.cond, (None,)))
        body = self.inner(node.body, (*[None] * node.breaks, *node.carried), params)
        outs = tuple(map(self.define, node.outs))
        self.nodes.append(replace(node, inits=inits, body=body, outs=outs))

    def doubtful(self, node: If | For | While) -> None:
        """Either branch may be taken, and a loop may end with any iteration: what may happen does."""
        was_unsure, self.is_unsure = self.is_unsure, True
        match node:
            case If():
                self.both(node)
            case For(breaks=True) if not self.doubts((node.start, node.stop, node.step)):
                self.to_the_end(node)
            case _:
                refuse(True, "how often this loop runs depends on floats", node)
        self.is_unsure = was_unsure

    def both(self, node: If) -> None:
        """Run both branches one after the other."""
        if any(out not in self.varying for out in node.outs):
            self.nodes.append(without_sets(node, self.varying))
        for arm in (node.then, node.orelse):
            for inner in arm.nodes:
                self.node(inner)
        for out, one, two in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
            if out in self.varying:
                self.check_choice(out, node, is_same=one is two)
                self.named(out, self.union(self.read(one), self.read(two)))

    def check_choice(self, out: Value, node: If | For, is_same: bool) -> None:
        """Refuse arrays that are written, of which only the arguments tell which is meant."""
        is_memory = is_list(out.type) or (is_array(out.type) and self.writes.matter(out, node))
        refuse(is_memory and not is_same, "which array or list is meant depends on floats", node)

    def to_the_end(self, node: For) -> None:
        """Run a loop that may be left early to its end; what it hands on is that of any iteration."""
        outer, self.nodes = self.nodes, []
        params = tuple(map(self.define, node.body.params))
        for inner in node.body.nodes:
            self.node(inner)
        yields: list[Atom] = []
        for param, out, found in zip(node.carried, node.outs, node.next_values, strict=True):
            if out in self.varying:
                self.check_choice(out, node, is_same=param is found)
            yields.append(self.union(self.read(param), self.read(found)) if out in self.varying else found)
        body, self.nodes = Region(params, tuple(self.nodes), tuple(yields)), outer
        pairs = zip(node.inits, node.carried, strict=True)
        inits = tuple(self.read(atom) if param in self.varying else atom for atom, param in pairs)
        outs = tuple(map(self.define, node.outs))
        self.nodes.append(replace(node, inits=inits, body=body, outs=outs, breaks=False))


def _is_number(atom: Atom) -> bool:
    return not isinstance(atom, Value) or is_scalar(atom.type)


def _touched(region: Region) -> set[Value]:
    """Return the values that a region defines or writes."""
    written = (node.array for node in walk(region) if isinstance(node, Store))
    return {*defined(region), *written}
