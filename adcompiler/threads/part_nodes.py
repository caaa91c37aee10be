"""Nodes of the parts of a loop, under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import dtype_name, element, rank
from adcompiler.graph.nodes import Apply, Atom, For, Global, Literal, Node, Region, Store, Value

Index = tuple[Atom, ...]


@dataclass
class PartNodes:
    """The nodes of a region so far; they have the role and the place of a loop."""

    loop: For
    made: list[Node] = field(default_factory=list)

    def inside(self) -> PartNodes:
        """Return a region within this one."""
        return PartNodes(self.loop)

    def apply(self, name: str, fn: str, *args: Atom, kind: nt.Type = int64, named: bool = False) -> Value:
        """Append a primitive and return its output."""
        out = Value(name, not named, type=kind)
        self.made.append(Apply(out, fn, args, loc=self.loop.loc, role=self.loop.role))
        return out

    def whole(self, fn: str, one: Atom, two: Atom) -> Atom:
        """Append a sum, difference or product of whole numbers, unless it is one of them."""
        if two == Literal(0) and fn != "mul":
            return one
        if one == Literal(0) and fn == "add":
            return two
        if isinstance(one, Literal) and isinstance(two, Literal) and fn == "add":
            return Literal(one.value + two.value)
        return self.apply(fn, fn, one, two)

    def sizes(self, array: Value) -> tuple[Value, ...]:
        """Append what reads the sizes of an array."""
        axes = rank(array.type)
        shape = self.apply("shape", "shape", array, kind=nt.UniTuple(int64, axes))
        return tuple(self.apply("size", "getitem", shape, Literal(axis)) for axis in range(axes))

    def new(self, name: str, fn: str, sizes: Sequence[Atom], of: nt.Type) -> Value:
        """Append a new array of numbers of a type."""
        shape = sizes[0]
        if len(sizes) > 1:
            shape = self.apply("shape", "tuple", *sizes, kind=nt.UniTuple(int64, len(sizes)))
        dtype = () if str(of) == "float64" else (Global(dtype_name(str(of)), None),)
        return self.apply(name, fn, shape, *dtype, kind=nt.Array(of, len(sizes), "C"), named=True)

    def item(self, array: Value, index: Index) -> Value:
        """Append what reads an element."""
        return self.apply("item", "getitem", array, *index, kind=element(array.type))

    def store(self, array: Value, index: Index, value: Atom, accumulate: bool = False) -> None:
        """Append what writes an element, or adds to it."""
        self.made.append(Store(array, index, value, accumulate, loc=self.loop.loc, role=self.loop.role))

    def over(
        self,
        name: str,
        bounds: tuple[Atom, Atom],
        write: Callable[[PartNodes, Value], None],
        parallel: bool = False,
    ) -> None:
        """Append a loop that carries nothing, around what is written for its index."""
        index, body = Value(name, type=int64), self.inside()
        write(body, index)
        region = Region((index,), tuple(body.made), ())
        own = For(*bounds, Literal(1), (), region, (), parallel=parallel)
        self.made.append(replace(own, loc=self.loop.loc, role=self.loop.role))

    def over_elements(self, sizes: Sequence[Atom], write: Callable[[PartNodes, Index], None]) -> None:
        """Append a nest of loops over the elements of arrays, around what is written for an index."""

        def level(nodes: PartNodes, index: Index) -> None:
            if len(index) == len(sizes):
                write(nodes, index)
                return
            name = "jklm"[len(index) % 4]
            nodes.over(name, (Literal(0), sizes[len(index)]), lambda inner, own: level(inner, (*index, own)))

        level(self, ())
