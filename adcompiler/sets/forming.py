"""Sets in place of numbers: what is known while a program that forms them is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list, rank
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    For,
    Global,
    If,
    Literal,
    Node,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import values
from adcompiler.sets.doubt import decided_by
from adcompiler.sets.refusals import Writes

BOOK = nt.Array(nt.int32, 2, "C")
EMPTY = Literal(0)


def kind_in_sets(kind: nt.Type) -> nt.Type:
    """Return the type of what has sets in place of numbers."""
    if is_array(kind):
        return nt.Array(int64, kind.ndim, kind.layout)
    return nt.List(kind_in_sets(kind.dtype)) if is_list(kind) else int64


@dataclass
class Forming:
    """What stands for the values that vary, and the nodes of the current region.

    Attributes:
        varying: the values that depend on tangents.
        in_doubt: the values that are not known.
        undecided: the values that may be others in another call, for tests.
        writes: where arrays are written.
        is_unsure: whether the current nodes may not run.
        unbound: arrays that only a loop assigns, before it has.
    """

    varying: set[Value]
    in_doubt: set[Value]
    undecided: set[Value]
    writes: Writes
    book: Value = field(default_factory=lambda: Value("book", type=BOOK))
    own: dict[Value, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    is_unsure: bool = False
    unbound: set[Atom] = field(default_factory=set)

    def define(self, value: Value) -> Value:
        """Return the set, or array of sets, that stands for a value that varies; else the value."""
        if value in self.varying and value not in self.own:
            self.own[value] = Value(value.name, value.temporary, kind_in_sets(value.type))
        return self.own.get(value, value)

    def doubts(self, atoms: Iterable[Atom]) -> bool:
        return not self.in_doubt.isdisjoint(values(atoms))

    def is_undecided(self, node: If | For | While) -> bool:
        """Tell whether a branch may be another one for other arguments, or a loop may run longer."""
        if isinstance(node, If):
            return node.test in self.undecided
        return self.doubts(decided_by(node))

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

    def any_of(self, args: Iterable[Atom]) -> Atom:
        found: Atom = EMPTY
        for arg in args:
            if arg in self.varying:
                found = self.union(found, self.whole(self.read(arg)))
        return found

    def named(self, out: Value, found: Atom) -> None:
        """Let sets stand for a value; an array that others write stays the same array."""
        if isinstance(found, Value):
            self.own[out] = found
        else:
            self.own[out] = self.apply("np.int64", (found,), int64, out.name)
