"""The state of forward mode: tangents so far, and the nodes made.

Each array that carries a derivative has an array of tangents. The tangent of a number is a number, or None
where it is known to be zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.ranges import Ranges
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element, is_array, is_complex
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Global, If, Literal, Node, Role, Value, type_of
from adcompiler.primitives import hint
from adcompiler.source import NOWHERE, Location


@dataclass
class TangentSweep:
    """The state of forward mode at one point: tangents so far, and nodes of the current region."""

    active: set[Value]
    info: Memory
    shapes: Shapes
    known: Ranges
    nodes: list[Node] = field(default_factory=list)
    tangents: dict[Value, Atom] = field(default_factory=dict)
    loc: Location = NOWHERE
    role: Role = Role.TAPE
    has_complex: bool = False

    # building nodes

    def apply(self, fn: str, *args: Atom, keywords: tuple[tuple[str, Atom], ...] = ()) -> Value:
        """Append a primitive and return its output."""
        out = Value(hint(fn), True)
        self.nodes.append(Apply(out, fn, args, keywords, loc=self.loc, role=self.role))
        return out

    def named(self, atom: Atom, value: Value) -> Atom:
        """Rename the node just made to `t_…` if it computes the tangent of `value`."""
        last = self.nodes[-1] if self.nodes else None
        if not isinstance(atom, Value) or not atom.temporary or type_of(atom) is not None:
            return atom
        out = Value(f"t_{value.name}", value.temporary)
        match last:
            case Apply() if last.out is atom:
                self.nodes[-1] = replace(last, out=out)
            case If() if last.outs == (atom,):
                self.nodes[-1] = replace(last, outs=(out,))
            case _:
                return atom
        return out

    # tangents

    def tangent(self, atom: Atom) -> Atom | None:
        """Return the tangent of a value; None where it is zero."""
        return self.tangents.get(atom) if isinstance(atom, Value) and atom in self.active else None

    def zero(self, atom: Atom, kind: object) -> Atom:
        """Return a zero tangent for a value of this type."""
        if atom == UNDEFINED:
            return atom
        if is_array(kind) or isinstance(atom, Global):
            return self.apply("np.zeros_like", atom)
        if is_complex(kind):
            return Literal(0j) if str(kind) == "complex128" else self.apply(f"np.{kind}", Literal(0j))
        return self.apply("np.float32", Literal(0.0)) if str(kind) == "float32" else Literal(0.0)

    def whole(self, atom: Atom, like: Value | None = None) -> Atom:
        """Return the tangent of a value, also where it is zero; `like` has the type of its tangent."""
        found = self.tangent(atom)
        kind = type_of(like if like is not None else atom)
        return self.zero(atom, kind) if found is None else found

    def entry(self, value: Value) -> Value:
        """Define the tangent of a value that a branch or loop defines."""
        self.tangents[value] = made = Value(f"t_{value.name}", value.temporary)
        return made

    def contiguous(self, arg: Atom) -> Atom:
        """Return a tangent as a function takes it that is called."""
        found = self.tangent(arg)
        assert found is not None and isinstance(arg, Value)
        return self.apply("np.ascontiguousarray", found) if is_array(arg.type) else found

    def cast(self, target: Value, atom: Atom, is_wide: bool = True) -> Atom:
        """Give a tangent the type of its value: literals in formulas would promote single precision.

        Where `is_wide`, it was computed from something in that precision.
        """
        kind = target.type
        scalar = str(element(kind))
        if (is_wide and scalar in ("float64", "complex128")) or isinstance(atom, Literal):
            return atom
        if is_array(kind):
            return self.apply("astype", atom, Global(f"np.{scalar}", None))
        return self.apply(f"np.{scalar}", atom)
