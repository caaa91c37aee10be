"""Nodes that keep values and read them back, under construction."""

from __future__ import annotations

from dataclasses import dataclass, field

from numba import int64

from adcompiler.graph.nodes import Apply, Atom, Node, Role, Store, Value


@dataclass
class TapeNodes:
    """The nodes of a region so far."""

    made: list[Node] = field(default_factory=list)

    def apply(self, name: str, fn: str, *args: Atom) -> Value:
        """Append a primitive and return its output."""
        out = Value(name, temporary=True)
        self.made.append(Apply(out, fn, args, role=Role.TAPE))
        return out

    def whole(self, name: str, fn: str, *args: Atom) -> Value:
        """Append a primitive that gives a whole number."""
        out = self.apply(name, fn, *args)
        out.type = int64
        return out

    def store(self, array: Value, index: tuple[Atom, ...], value: Atom) -> None:
        self.made.append(Store(array, index, value, role=Role.TAPE))
