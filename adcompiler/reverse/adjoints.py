"""The state of the reverse sweep: adjoints so far, shadows, and the nodes made.

Each array whose elements are accessed one by one, or which is written, has a *shadow* array for its
adjoint, and a view of the array has the same view of the shadow. All other values have their
adjoint as an SSA value.

What the reversal of each kind of node does to this state stands in the files above this one; which
reversal a node has is decided in `reverse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.ranges import Ranges
from adcompiler.analysis.sizes import Shape, Shapes, form_of
from adcompiler.analysis.types import element, is_array, is_complex, is_memory, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    type_of,
)
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import hint
from adcompiler.reverse.at_hand import Key
from adcompiler.reverse.bind import Bound
from adcompiler.reverse.results import rename_last
from adcompiler.source import NOWHERE, Location


@dataclass(frozen=True)
class Contribution:
    """An adjoint, or a part of one.

    Attributes:
        atom: its value.
        full: False if it only broadcasts to the shape of the primal value.
        scalar: where not full, whether it is a single number.
        owned: whether nothing else reads it, so that it may be changed in place.
    """

    atom: Atom
    full: bool = True
    scalar: bool = False
    owned: bool = False


@dataclass
class AdjointSweep:
    """The state of the reverse sweep at one point: adjoints so far, and nodes of the current region."""

    active: set[Value]
    views: set[Value]
    buffered: set[Value]
    info: Memory
    shapes: Shapes
    known: Ranges
    masked: set[Value]
    displayed: set[Value] = field(default_factory=set)
    bound: Bound = field(default_factory=Bound)
    nodes: list[Node] = field(default_factory=list)
    adjoints: dict[Value, Contribution] = field(default_factory=dict)
    shadows: dict[Value, Value] = field(default_factory=dict)
    definitions: dict[Value, Apply] = field(default_factory=dict)
    partner: dict[Node, Node] = field(default_factory=dict)
    trips: dict[Node, Value] = field(default_factory=dict)
    before: dict[Node, list[Node]] = field(default_factory=dict)
    after: dict[Node, list[Node]] = field(default_factory=dict)
    adjoint_values: set[Value] = field(default_factory=set)
    renamed: dict[Atom, Value] = field(default_factory=dict)
    start: int = 0
    copies: dict[Value, Value] = field(default_factory=dict)
    undefined: dict[Value, Shape | None] = field(default_factory=dict)
    loc: Location = NOWHERE
    role: Role = Role.ADJOINT
    has_complex: bool = False
    has_single: bool = False
    checks: dict[Value, Effect] = field(default_factory=dict)
    checked: set[Value] = field(default_factory=set)
    computed: dict[Key, Value] = field(default_factory=dict)

    # building nodes

    def apply(self, fn: str, *args: Atom, name: str | None = None, temporary: bool = True) -> Value:
        """Append a primitive and return its output."""
        out = Value(name or hint(fn), temporary)
        self.nodes.append(Apply(out, fn, args, loc=self.loc, role=self.role))
        return out

    def loop(self, count: Atom, k: Value, nodes: Sequence[Node]) -> None:
        """Append a loop over k from 0 to count - 1 that carries nothing."""
        body = Region((k,), tuple(nodes), ())
        self.nodes.append(
            For(Literal(0), count, Literal(1), (), body, (), False, loc=self.loc, role=self.role)
        )

    def named(self, atom: Atom, value: Value, is_part: bool = False) -> Atom:
        """Rename the node made for it to `d_…` if an atom is the adjoint of `value`, or a part of it."""
        if not isinstance(atom, Value) or not atom.temporary or atom in self.adjoint_values:
            return atom
        out = Value(f"d_{value.name}", is_part or value.temporary)
        if not rename_last(self.nodes, atom, out, self.start, self.partner):
            return atom
        self.adjoint_values.add(out)
        return self.renamed.setdefault(atom, out)

    # shadows

    def is_buffered(self, value: Value) -> bool:
        """Tell whether the adjoint of an array lives in a shadow array."""
        return value in self.bound or self.owner(value) in self.buffered

    def owner(self, value: Value) -> Value:
        """Follow views to the value that owns the memory."""
        while value in self.views:
            base = self.definitions[value].args[0]
            assert isinstance(base, Value)
            value = base
        return value

    def shadow(self, value: Value) -> Value:
        """Return the shadow of a buffered array; of a view, the same view of the shadow."""
        if value in self.shadows:
            return self.shadows[value]
        node = self.definitions[value]
        base = node.args[0]
        assert isinstance(base, Value)
        name = f"d_{value.name}"
        shadow = self.apply(node.fn, self.shadow(base), *node.args[1:], name=name, temporary=value.temporary)
        self.shadows[value] = shadow
        self.adjoint_values.add(shadow)  # it keeps its name where it is added to another adjoint
        return shadow

    # adjoints

    def contribute(self, target: Atom, contribution: Contribution) -> None:
        """Add to the adjoint of a primal value."""
        if not isinstance(target, Value) or target not in self.active:
            return
        contribution = replace(contribution, atom=self.renamed.get(contribution.atom, contribution.atom))
        if self.is_buffered(target) and (target in self.views or target in self.shadows):
            atom = self.named(self.real_part(target, contribution.atom), target, True)
            self.nodes.append(Store(self.shadow(target), (), atom, True, loc=self.loc, role=self.role))
            return
        atom = self.cast(target, contribution)
        old = self.adjoints.get(target)
        if old is None:
            named = self.named(atom, target)
            self.adjoints[target] = replace(contribution, atom=named, scalar=False)
            return
        total = self.apply("add", old.atom, atom, name=f"d_{target.name}", temporary=target.temporary)
        self.adjoint_values.add(total)
        self.adjoints[target] = Contribution(total, old.full or contribution.full)

    def cast(self, target: Value, contribution: Contribution) -> Atom:
        """Keep single precision single, which literals would promote, and double beside it double."""
        scalar = str(element(target.type))
        real = self.real_part(target, contribution.atom)
        if real is not contribution.atom:
            contribution = replace(contribution, atom=real)
        is_as_made = scalar == "float64" and not self.has_single
        if is_as_made or isinstance(contribution.atom, Literal):
            return contribution.atom
        dtype = Global(f"np.{scalar}", None)
        if is_array(target.type) and contribution.full:
            return self.apply("astype", contribution.atom, dtype)
        if is_array(target.type) and not contribution.scalar:
            return contribution.atom
        return self.apply(f"np.{scalar}", contribution.atom)

    def real_part(self, target: Value, atom: Atom) -> Atom:
        """Return the adjoint of a real value, which complex numbers may have been made from."""
        if not self.has_complex or isinstance(atom, Literal) or is_complex(target.type):
            return atom
        return self.apply("np.real", atom)

    def take(self, value: Value) -> Contribution | None:
        """Return the finished adjoint of a value at its definition, or None if nothing was added."""
        if value not in self.active:
            return None
        if is_memory(value.type) and self.is_buffered(value):
            return Contribution(self.shadow(value))
        return self.adjoints.pop(value, None)

    def zero(self, value: Value) -> Atom:
        """Return a zero adjoint for a value."""
        if is_array(value.type):
            return self.zeros(value)
        if str(value.type) != "float64":
            return self.apply(f"np.{value.type}", Literal(0.0))
        return Literal(0.0)

    def zeros(self, value: Value) -> Value:
        """Append an array of zeros like a value."""
        if value not in self.undefined:
            return self.apply("np.zeros_like", value, name=f"d_{value.name}", temporary=False)
        known = self.undefined[value]
        assert known is not None, "an array without a known size has a shadow that is bound"
        sizes = [write_form(form_of(size), self.nodes) for size in known]
        dtype = Global(f"np.{element(value.type)}", None)
        shape = self.apply("tuple", *sizes)
        return self.apply("np.zeros", shape, dtype, name=f"d_{value.name}", temporary=False)

    # shapes

    def full(self, value: Value, contribution: Contribution) -> Atom:
        """Return an adjoint that has the shape of its value."""
        if contribution.full or not is_array(value.type):
            return contribution.atom
        if contribution.scalar:
            return self.apply("np.full_like", value, contribution.atom)
        whole = self.apply("add", self.apply("np.zeros_like", value), contribution.atom)
        return self.cast(value, Contribution(whole))

    def sum_to(self, atom: Atom, axes: int, value: Value, same: bool = False) -> Atom:
        """Sum an adjoint with this many axes down to the shape of a value that was broadcast.

        Where `same`, the sizes of the value's axes are those of the adjoint's last axes.
        """
        for _ in range(axes - rank(value.type)):
            total = Value("total", temporary=True)
            self.nodes.append(
                Apply(total, "np.sum", (atom,), (("axis", Literal(0)),), loc=self.loc, role=self.role)
            )
            atom = total
        return atom if same else self.apply("sum_to", atom, self.apply("shape", value))

    def binds_items(self, value: Atom) -> bool:
        """Tell whether a list of arrays has a list of shadows that the forward sweep keeps."""
        return value in self.bound and is_array(getattr(type_of(value), "dtype", None))

    # control flow

    def nested(self, adjoints: dict[Value, Contribution]) -> AdjointSweep:
        """Start a sweep for a nested region, sharing all but nodes, adjoints, shadows and copies."""
        return replace(
            self, nodes=[], start=0, adjoints=dict(adjoints), shadows=dict(self.shadows), copies={}
        )
