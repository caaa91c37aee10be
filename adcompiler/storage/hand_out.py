"""What one iteration keeps for its reversal, handed out of branches, and past loops that do not run."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.sizes import Axis, Shapes, form_of
from adcompiler.analysis.types import element, is_array, is_list, is_scalar, rank
from adcompiler.graph.nodes import UNDEFINED, Atom, If, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import regions, results
from adcompiler.prepare.allocation import dtype_of
from adcompiler.prepare.guard import write_form
from adcompiler.storage.tape import STACK, Tape
from adcompiler.storage.tape_nodes import TapeNodes


@dataclass(frozen=True)
class Unset:
    """What stands for values that an iteration keeps as long as none has: nothing reads it.

    Attributes:
        tapes: the tape behind each storage.
        shapes: the shapes of arrays.
        inside: what the loop defines.
    """

    tapes: Mapping[Value, Tape]
    shapes: Shapes
    inside: Container[Value]

    def write(self, nodes: TapeNodes, value: Value) -> Atom:
        """Append what makes something of a value's type, and of its size, if that is known; return it."""
        kind, tape = type_of(value), self.tapes.get(value)
        if is_scalar(kind):
            return _zero(nodes, kind)
        if is_list(kind) and is_scalar(kind.dtype):
            return nodes.apply(value.name, "list", _zero(nodes, kind.dtype))
        if tape is not None and tape.kind == STACK:
            return nodes.apply(value.name, "list", self.write(nodes, tape.value))  # tells its type
        if tape is None and not is_array(kind):
            return UNDEFINED
        sizes = [self._size(nodes, size) for size in self._sizes(value, tape)]
        dtype = str(element(kind)) if tape is None else tape.kind
        shape = nodes.apply("shape", "tuple", *sizes) if len(sizes) > 1 else sizes[0]
        return nodes.apply(value.name, "np.empty", shape, *dtype_of(dtype))

    def _sizes(self, value: Value, tape: Tape | None) -> Sequence[Linear]:
        if tape is not None:
            return tape.sizes
        found = self.shapes.get(value)
        return [Linear({})] * rank(type_of(value)) if found is None else [form_of(size) for size in found]

    def _size(self, nodes: TapeNodes, size: Linear) -> Atom:
        if any((s.array if isinstance(s, Axis) else s) in self.inside for s in size.terms):
            return Literal(0)
        total = write_form(size, nodes.made)
        return total if isinstance(total, Literal) else nodes.whole("max", "max", total, Literal(0))


def _zero(nodes: TapeNodes, kind: nt.Type) -> Atom:
    zero = Literal({nt.boolean: False}.get(kind, 0 if isinstance(kind, nt.Integer) else 0.0))
    is_plain = kind in (nt.boolean, nt.int64, nt.float64)
    return zero if is_plain else nodes.apply("zero", f"np.{kind}", zero)


def handed_out(region: Region, wanted: Container[Value], unset: Unset) -> tuple[Region, dict[Value, Value]]:
    """Return a region whose branches hand out what is defined in them, and what that is called outside.

    Args:
        region: an iteration.
        wanted: values that its reversal reads.
        unset: what stands for them where a branch is not taken.
    """
    names: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in region.nodes:
        if isinstance(node, If):
            node, found = _from_branch(node, wanted, unset)
            names |= found
        nodes.append(node)
    return replace(region, nodes=tuple(nodes)), names


def _from_branch(node: If, wanted: Container[Value], unset: Unset) -> tuple[If, dict[Value, Value]]:
    names: dict[Value, Value] = {}
    made = [TapeNodes(), TapeNodes()]
    arms: list[Region] = []
    ends: list[list[Atom]] = [[], []]
    for k, arm in enumerate(regions(node)):
        inner, deeper = handed_out(arm, wanted, unset)
        own = {value: value for part in inner.nodes for value in results(part) if value in wanted}
        for value, here in (own | deeper).items():
            names[value] = Value(value.name, value.temporary, value.type)
            ends[k].append(here)
            ends[1 - k].append(unset.write(made[1 - k], value))
        arms.append(inner)
    then, orelse = (
        replace(arm, nodes=(*arm.nodes, *more.made), yields=(*arm.yields, *end))
        for arm, more, end in zip(arms, made, ends, strict=True)
    )
    return replace(node, then=then, orelse=orelse, outs=(*node.outs, *names.values())), names
