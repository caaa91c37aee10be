"""Shadows that follow their arrays at run time.

Where the program decides at run time which array a name means, the reverse sweep cannot know which shadow is
meant. There the forward sweep makes the shadows: wherever a name is bound to an array, the name of its shadow
is bound to the shadow of that array, in branches, loops and lists alike. What was bound is remembered for the
reverse sweep like any other value, as Enzyme does with shadow pointers (Moses and Churavy 2020). Arrays of
which the text tells what they are keep their shadows in the reverse sweep alone, which costs less.
"""

from __future__ import annotations

import functools
from collections.abc import Container
from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import zero_of
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
from adcompiler.graph.walk import map_region
from adcompiler.source import NOWHERE, Location

SHADOW = "shadow"
"""The primitive that allocates a shadow: zeros like an array or list. It may not be repeated."""


@dataclass
class Bound:
    """Arrays and lists whose shadows are bound in the forward sweep.

    Attributes:
        shadows: the shadow of each of them.
        items: for each statement that changes an array in a list in place, the shadow of that array.
    """

    shadows: dict[Value, Value] = field(default_factory=dict)
    items: dict[Node, Value] = field(default_factory=dict)

    @functools.cached_property
    def all(self) -> set[Value]:
        """All values that are shadows."""
        return {*self.shadows.values(), *self.items.values()}

    def __contains__(self, value: object) -> bool:
        return value in self.shadows


def bind_shadows(graph: Graph, wanted: set[Value], views: Container[Value]) -> tuple[Graph, Bound]:
    """Return a primal that binds the shadows of some arrays along with the arrays.

    Args:
        graph: the primal.
        wanted: the arrays and lists, with all that may share memory with them.
        views: values that are views of their first argument.

    Raises:
        DifferentiationError: AD202 for lists that are made in other ways than by a display, `append` and `*`.
    """
    if not wanted:
        return graph, Bound()
    binder = _Binder(wanted, views)
    for value in graph.body.params:
        if value in wanted:
            binder.allocate(value)
    first = binder.take()
    body = binder.region(graph.body)
    return replace(graph, body=replace(body, nodes=(*first, *body.nodes))), binder.bound


def allocated(region: Region) -> Region:
    """Return a region in which shadows are plain arrays of zeros."""

    def rewrite(inner: Region) -> Region:
        nodes: list[Node] = []
        for node in inner.nodes:
            nodes += _zeros(node) if isinstance(node, Apply) and node.fn == SHADOW else [node]
        return replace(inner, nodes=tuple(nodes))

    return map_region(region, rewrite)


def _zeros(shadow: Apply) -> list[Node]:
    """Return zeros like an array; for a list, a list of as many zeros; of nothing, an empty list."""
    if not shadow.args:
        return [replace(shadow, fn="list")]
    kind = type_of(shadow.args[0])
    if not is_list(kind):
        return [replace(shadow, fn="np.zeros_like")]
    count, zero = Value("n", temporary=True, type=nt.int64), Value("zero", temporary=True, type=kind)
    first = Literal(zero_of(kind.dtype))
    return [
        replace(shadow, out=count, fn="len"),
        replace(shadow, out=zero, fn="list", args=(first,)),
        replace(shadow, fn="mul", args=(zero, count)),
    ]


@dataclass
class _Binder:
    wanted: set[Value]
    views: Container[Value]
    bound: Bound = field(default_factory=Bound)
    nodes: list[Node] = field(default_factory=list)
    loc: Location = NOWHERE
    role: Role = Role.TAPE

    def take(self) -> list[Node]:
        nodes, self.nodes = self.nodes, []
        return nodes

    def new(self, value: Value) -> Value:
        """Return the name of the shadow of a value."""
        self.bound.shadows[value] = shadow = Value(f"d_{value.name}", value.temporary)
        kind = value.type
        shadow.type = kind.copy(readonly=False) if is_array(kind) else kind
        return shadow

    def apply(self, value: Value, fn: str, args: tuple[Atom, ...]) -> None:
        self.nodes.append(Apply(self.new(value), fn, args, loc=self.loc, role=self.role))

    def allocate(self, value: Value) -> None:
        """Make the shadow of an array that begins here, or of a list as it is when it begins."""
        kind = value.type
        if not is_list(kind) or not is_array(kind.dtype):
            self.apply(value, SHADOW, (value,))
            return
        count, k = Value("n", temporary=True), Value("k")
        item, zeros = Value("item", temporary=True), Value("zeros", temporary=True)
        self.nodes.append(Apply(count, "len", (value,), loc=self.loc, role=self.role))
        count.type = k.type = nt.int64
        item.type = zeros.type = kind.dtype
        self.apply(value, "list", ())
        nodes = (
            Apply(item, "getitem", (value, k), loc=self.loc, role=self.role),
            Apply(zeros, SHADOW, (item,), loc=self.loc, role=self.role),
            Effect("append", (self.bound.shadows[value], zeros), loc=self.loc, role=self.role),
        )
        bounds = Literal(0), count, Literal(1)
        self.nodes.append(For(*bounds, (), Region((k,), nodes, ()), (), False, loc=self.loc, role=self.role))

    def shadow(self, atom: Atom) -> Atom:
        """Return the shadow of an atom; of an array that carries no derivative, one that nothing reads."""
        if isinstance(atom, Value) and atom in self.bound:
            return self.bound.shadows[atom]
        if atom == UNDEFINED or (isinstance(atom, Literal) and atom.value is None):
            return atom
        unread = Value("unread", temporary=True)
        if isinstance(atom, Value):
            unread.type = atom.type
        elif isinstance(atom, Global):
            unread.type = nt.undefined
        self.nodes.append(Apply(unread, SHADOW, (atom,), loc=self.loc, role=self.role))
        return unread

    def region(self, region: Region) -> Region:
        """Return a region that binds shadows beside arrays."""
        outer, self.nodes = self.nodes, []
        for node in region.nodes:
            self.node(node)
        made, self.nodes = self.nodes, outer
        return Region(region.params, tuple(made), region.yields)

    def node(self, node: Node) -> None:
        self.loc, self.role = node.loc, node.role
        match node:
            case Apply():
                self.nodes.append(node)
                if node.out in self.wanted:
                    self.apply_node(node)
                elif node.fn == "pop" and node.args[0] in self.wanted:  # of a number
                    unread = Value("unread", temporary=True, type=node.out.type)
                    shadow = self.bound.shadows[node.args[0]]  # type: ignore[index]
                    self.nodes.append(Apply(unread, "pop", (shadow,), loc=node.loc, role=node.role))
            case Store():
                self.store(node)
            case Effect(fn="append", args=(Value() as array, item)) if array in self.wanted:
                self.nodes.append(node)
                zero = Literal(zero_of(array.type.dtype))
                new = self.shadow(item) if self.holds_arrays(array) else zero
                self.nodes.append(
                    Effect("append", (self.bound.shadows[array], new), loc=node.loc, role=node.role)
                )
            case If():
                self.branch(node)
            case For() | While():
                self.loop(node)
            case _:
                self.nodes.append(node)

    def holds_arrays(self, array: Value) -> bool:
        kind = array.type
        return is_list(kind) and is_array(kind.dtype)

    def apply_node(self, node: Apply) -> None:
        base = node.args[0] if node.args else None
        has_shadow = base in self.bound and (node.fn == "pop" or node.out in self.views)
        if is_list(node.out.type):
            self.list_node(node)
        elif has_shadow and isinstance(base, Value):
            self.apply(node.out, node.fn, (self.bound.shadows[base], *node.args[1:]))
        else:
            self.allocate(node.out)

    def list_node(self, node: Apply) -> None:
        """Make the shadow of a list: of arrays, the list of their shadows; of numbers, zeros."""
        is_known = node.fn in ("list", "mul") or (
            node.fn in ("getitem", "add") and self.holds_arrays(node.out)
        )
        if not is_known or is_list(node.out.type.dtype):
            cure = "append to an empty list in a loop, or use an array"
            raise DifferentiationError("AD202", f"a list is made by '{node.fn}'", node.loc, cure)
        if not self.holds_arrays(node.out):
            self.apply(node.out, SHADOW, (node.out,) if node.args else ())
            return
        args = tuple(
            self.shadow(atom) if is_array(kind) or is_list(kind) else atom
            for atom in node.args
            for kind in (type_of(atom),)
        )
        self.apply(node.out, node.fn, args)

    def store(self, node: Store) -> None:
        """`h[k] = a` puts the shadow of a into the shadow of the list h."""
        array = node.array
        if array not in self.wanted or not self.holds_arrays(array):
            self.nodes.append(node)
            return
        shadows = self.bound.shadows[array]
        if not node.accumulate:
            self.nodes.append(node)
            self.nodes.append(
                Store(shadows, node.index, self.shadow(node.value), False, loc=node.loc, role=node.role)
            )
            return
        item = Value("d_item", temporary=True, type=array.type.dtype)
        self.bound.items[node] = item
        self.nodes += [Apply(item, "getitem", (shadows, *node.index), loc=node.loc, role=node.role), node]

    def branch(self, node: If) -> None:
        chosen = [k for k, out in enumerate(node.outs) if out in self.wanted]
        arms = [self.arm(arm, chosen, node) for arm in (node.then, node.orelse)]
        outs = (*node.outs, *(self.new(node.outs[k]) for k in chosen))
        self.nodes.append(replace(node, then=arms[0], orelse=arms[1], outs=outs))

    def arm(self, arm: Region, chosen: list[int], owner: If | For | While) -> Region:
        outer, self.nodes = self.nodes, []
        for node in arm.nodes:
            self.node(node)
        self.loc, self.role = owner.loc, owner.role
        shadows = tuple(self.shadow(arm.yields[k]) for k in chosen)
        made, self.nodes = self.nodes, outer
        return Region(arm.params, tuple(made), (*arm.yields, *shadows))

    def loop(self, node: For | While) -> None:
        params = node.carried
        chosen = [k for k, param in enumerate(params) if param in self.wanted]
        inits = tuple(self.shadow(node.inits[k]) for k in chosen)
        entries = tuple(self.new(params[k]) for k in chosen)
        body = self.arm(node.body, [k + node.breaks for k in chosen], node)
        body = replace(body, params=(*body.params, *entries))
        outs = (*node.outs, *(self.new(node.outs[k]) for k in chosen))
        if isinstance(node, While):
            node = replace(node, cond=self.region(node.cond))
        self.nodes.append(replace(node, inits=(*node.inits, *inits), body=body, outs=outs))
