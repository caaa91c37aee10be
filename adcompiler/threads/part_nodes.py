"""Nodes of the parts of a loop, under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import element, rank
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Region, Store, Value
from adcompiler.prepare.allocation import allocate

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
        """Append arithmetic of whole numbers."""
        return self.apply(fn, fn, one, two)

    def bounds(self) -> tuple[Atom, Atom]:
        """Append what tells the first index and the end of the loop, counted upwards."""
        loop = self.loop
        if loop.step == Literal(1):
            return loop.start, loop.stop
        return self.whole("add", loop.stop, Literal(1)), self.whole("add", loop.start, Literal(1))

    def sizes(self, array: Value) -> tuple[Value, ...]:
        """Append what reads the sizes of an array."""
        axes = rank(array.type)
        shape = self.apply("shape", "shape", array, kind=nt.UniTuple(int64, axes))
        return tuple(self.apply("size", "getitem", shape, Literal(axis)) for axis in range(axes))

    def new(self, name: str, fn: str, sizes: Sequence[Atom], of: nt.Type) -> Value:
        """Append a new array of numbers of a type."""
        array = Value(name, type=nt.Array(of, len(sizes), "C"))
        made = allocate(fn, array, sizes)
        self.made += (replace(node, loc=self.loop.loc, role=self.loop.role) for node in made)
        return array

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
