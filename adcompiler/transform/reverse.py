"""Reverse mode: from the primal to the ideal reverse sweep.

The sweep made here reads primal values as if every one of them, of every iteration, were still at
hand. `plan` then decides which of them are stored and which recomputed, and `record` rewrites both
sweeps accordingly.

Each array whose elements are accessed one by one, or which is written, has a *shadow* array for its
adjoint, and a view of the array has the same view of the shadow. All other values have their
adjoint as an SSA value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import VIEWS, Memory, content_reads, memory, memory_classes
from adcompiler.analysis.shapes import Shapes, symbolic_shapes
from adcompiler.analysis.types import Types, element, is_array, is_scalar, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import (
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
    Store,
    Value,
    While,
    hint,
)
from adcompiler.graph.walk import free, map_operands, operands, results, values
from adcompiler.rules import ELEMENTWISE
from adcompiler.source import NOWHERE, Location
from adcompiler.transform.shadow import buffered_owners, typed_views
from adcompiler.transform.vjp import Contribution, apply_rule


@dataclass
class ReverseSweep:
    """The reverse sweep, and what it asks of the forward sweep.

    Attributes:
        body: nodes that end in the adjoints of the arguments.
        partner: for each loop or branch of the reverse sweep, the one of the primal that it reverses.
        trips: for loops without a known number of iterations, the value that counts them.
        before: nodes to insert before a primal node: copies of arrays that are overwritten later.
        after: likewise after a primal node.
    """

    body: Region
    partner: dict[Node, Node]
    trips: dict[Node, Value]
    before: dict[Node, list[Node]]
    after: dict[Node, list[Node]]
    info: Memory


def reverse(graph: Graph, wrt: list[Value], types: Types, active: set[Value]) -> ReverseSweep:
    """Build the reverse sweep of a primal.

    Args:
        graph: specialised primal with a single scalar result.
        wrt: arguments to differentiate.
        types: type of every value of the primal.
        active: values that carry a derivative.

    Raises:
        DifferentiationError: AD202 where an active primitive has no rule, AD303 for ambiguous arrays.
    """
    arrays = {value for value, kind in types.items() if is_array(kind)}
    views = typed_views(graph.body, types)
    info = memory(graph.body, arrays)
    shapes = symbolic_shapes(graph, types, ELEMENTWISE.keys())
    buffered = buffered_owners(graph.body, types, active, views, info)
    sweep = Sweep(types, active, views, buffered, info, shapes)
    (result,) = graph.body.yields
    sweep.region(graph.body, [(result, Contribution(Literal(1.0)))])
    gradients = [sweep.gradient(param) for param in wrt]
    are_arrays = [is_array(types[param]) for param in wrt]
    body = Region((), tuple(sweep.nodes), ())
    body = replace(
        body, nodes=(*body.nodes, *_kept_apart(gradients, body, are_arrays)), yields=tuple(gradients)
    )
    return ReverseSweep(body, sweep.partner, sweep.trips, sweep.before, sweep.after, info)


def _kept_apart(gradients: list[Atom], body: Region, are_arrays: list[bool]) -> list[Node]:
    """Replace array gradients that may share memory with an earlier one by copies; return the copies."""
    classes = memory_classes(body)
    seen: set[Value] = set()
    copies: list[Node] = []
    for k, atom in enumerate(gradients):
        if isinstance(atom, Value) and are_arrays[k]:
            memory_of = classes.get(atom, atom)
            if memory_of in seen:
                gradients[k] = copy = Value(atom.name)
                copies.append(Apply(copy, "copy", (atom,)))
            seen.add(memory_of)
    return copies


def _reading(node: Node, mapping: dict[Value, Value]) -> Node:
    """Return a node that reads other values."""
    return map_operands(node, lambda atom: mapping.get(atom, atom) if isinstance(atom, Value) else atom)


@dataclass
class Sweep:
    """The state of the reverse sweep at one point: adjoints so far, and nodes of the current region."""

    types: Types
    active: set[Value]
    views: set[Value]
    buffered: set[Value]
    info: Memory
    shapes: Shapes
    nodes: list[Node] = field(default_factory=list)
    adjoints: dict[Value, Contribution] = field(default_factory=dict)
    shadows: dict[Value, Value] = field(default_factory=dict)
    definitions: dict[Value, Apply] = field(default_factory=dict)
    partner: dict[Node, Node] = field(default_factory=dict)
    trips: dict[Node, Value] = field(default_factory=dict)
    before: dict[Node, list[Node]] = field(default_factory=dict)
    after: dict[Node, list[Node]] = field(default_factory=dict)
    adjoint_values: set[Value] = field(default_factory=set)
    copies: dict[tuple[Value, Node], Value] = field(default_factory=dict)
    loc: Location = NOWHERE

    # building nodes

    def apply(self, fn: str, *args: Atom, name: str | None = None, temporary: bool = True) -> Value:
        """Append a primitive and return its output."""
        out = Value(name or hint(fn), temporary)
        self.nodes.append(Apply(out, fn, args, loc=self.loc))
        return out

    def named(self, atom: Atom, value: Value) -> Atom:
        """Rename the node just made to `d_…` if it computes the adjoint of `value`."""
        last = self.nodes[-1] if self.nodes else None
        is_new = isinstance(last, Apply) and last.out is atom and atom not in self.adjoint_values
        if is_new and isinstance(last, Apply) and last.out.temporary:
            out = Value(f"d_{value.name}", value.temporary)
            self.adjoint_values.add(out)
            self.nodes[-1] = Apply(out, last.fn, last.args, last.keywords, last.loc)
            return out
        return atom

    # adjoints

    def is_buffered(self, value: Value) -> bool:
        """Tell whether the adjoint of an array lives in a shadow array."""
        return self.owner(value) in self.buffered

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
        return shadow

    def open(self, owned: list[Value]) -> None:
        """Allocate the shadows of buffered arrays; one that has an adjoint already starts from it."""
        for value in owned:
            if value not in self.buffered or value not in self.active:
                continue
            seed = self.adjoints.pop(value, None)
            if seed is not None and seed.full:
                shadow = self.apply("copy", seed.atom, name=f"d_{value.name}", temporary=False)
            else:
                shadow = self.apply("np.zeros_like", value, name=f"d_{value.name}", temporary=False)
                if seed is not None:
                    self.nodes.append(Store(shadow, (), seed.atom, True, self.loc))
            self.shadows[value] = shadow

    def contribute(self, target: Atom, contribution: Contribution) -> None:
        """Add to the adjoint of a primal value."""
        if not isinstance(target, Value) or target not in self.active:
            return
        if self.is_buffered(target) and (target in self.views or target in self.shadows):
            self.nodes.append(Store(self.shadow(target), (), contribution.atom, True, self.loc))
            return
        atom = self.cast(target, contribution)
        old = self.adjoints.get(target)
        if old is None:
            self.adjoints[target] = Contribution(self.named(atom, target), contribution.full)
            return
        total = self.apply("add", old.atom, atom, name=f"d_{target.name}", temporary=target.temporary)
        self.adjoint_values.add(total)
        self.adjoints[target] = Contribution(total, old.full or contribution.full)

    def cast(self, target: Value, contribution: Contribution) -> Atom:
        """Keep single precision single: literals in formulas would promote it."""
        scalar = str(element(self.types[target]))
        if scalar == "float64" or isinstance(contribution.atom, Literal):
            return contribution.atom
        dtype = Global(f"np.{scalar}", None)
        if is_array(self.types[target]) and contribution.full:
            return self.apply("astype", contribution.atom, dtype)
        if is_array(self.types[target]) and not contribution.scalar:
            return contribution.atom
        return self.apply(f"np.{scalar}", contribution.atom)

    def take(self, value: Value) -> Contribution | None:
        """Return the finished adjoint of a value at its definition, or None if nothing was added."""
        if value not in self.active:
            return None
        if is_array(self.types[value]) and self.is_buffered(value):
            return Contribution(self.shadow(value))
        return self.adjoints.pop(value, None)

    def zero(self, value: Value) -> Atom:
        """Return a zero adjoint for a value."""
        if is_array(self.types[value]):
            return self.apply("np.zeros_like", value, name=f"d_{value.name}", temporary=False)
        if str(self.types[value]) != "float64":
            return self.apply(f"np.{self.types[value]}", Literal(0.0))
        return Literal(0.0)

    def full(self, value: Value, contribution: Contribution) -> Atom:
        """Return an adjoint that has the shape of its value."""
        if contribution.full or not is_array(self.types[value]):
            return contribution.atom
        if contribution.scalar:
            return self.apply("np.full_like", value, contribution.atom)
        return self.apply("add", self.apply("np.zeros_like", value), contribution.atom)

    def gradient(self, param: Value) -> Atom:
        """Return what the function returns as the gradient of an argument."""
        found = self.take(param)
        self.loc = NOWHERE
        if found is None:
            return self.zero(param)
        atom = self.full(param, found)
        if is_scalar(self.types[param]) and str(self.types[param]) != "float64":
            return self.apply(f"np.{self.types[param]}", atom)
        return atom

    # regions

    def region(self, region: Region, seeds: Sequence[tuple[Atom, Contribution | None]]) -> None:
        """Reverse the nodes of a region, last first, from the adjoints of what it yields."""
        for node in region.nodes:
            if isinstance(node, Apply):
                self.definitions[node.out] = node
        owned = [*region.params, *(value for node in region.nodes for value in results(node))]
        owned = [value for value in owned if value not in self.views]
        later = []
        for atom, seed in seeds:
            if seed is not None and isinstance(atom, Value) and atom in self.views:
                later.append((atom, seed))
            elif seed is not None:
                self.contribute(atom, seed)
        self.open(owned)
        for atom, seed in later:
            self.contribute(atom, seed)
        for node in reversed(region.nodes):
            self.node(node)

    def node(self, node: Node) -> None:
        """Append the reversal of one primal node."""
        self.loc = node.loc.quote()
        start = len(self.nodes)
        match node:
            case Apply():
                self.reverse_apply(node)
                self.protect(node, start)
            case Store():
                self.reverse_store(node)
                self.protect(node, start)
            case If() if self.is_active(node):
                self.reverse_if(node)
            case For() | While() if self.is_active(node):
                self.reverse_loop(node)
            case Effect() | If() | For() | While():
                pass

    def is_active(self, node: If | For | While) -> bool:
        """Tell whether a node with regions does anything to an active value."""
        if any(out in self.active for out in node.outs):
            return True
        regions = (node.then, node.orelse) if isinstance(node, If) else (node.body,)
        for inner in (n for region in regions for n in region.nodes):
            match inner:
                case Apply() if inner.out in self.active:
                    return True
                case Store() if inner.array in self.active:
                    return True
                case If() | For() | While() if self.is_active(inner):
                    return True
        return False

    def reverse_apply(self, node: Apply) -> None:
        if node.out in self.views and self.is_buffered(node.out):
            return
        adjoint = self.take(node.out)
        if adjoint is None:
            return
        if node.fn == "getitem":
            base = node.args[0]
            assert isinstance(base, Value)
            if base not in self.active:
                return
            self.check_index(node)
            self.nodes.append(Store(self.shadow(base), node.args[1:], adjoint.atom, True, self.loc))
        else:
            apply_rule(self, node, adjoint)

    def check_index(self, node: Apply | Store) -> None:
        """Only integers and slices index differentiable arrays."""
        index = node.index if isinstance(node, Store) else node.args[1:]
        for atom in values(index):
            if is_array(self.types.get(atom)):
                reason = "an array is indexed by an array"
                raise DifferentiationError("AD102", reason, node.loc, "loop over the indices")

    def reverse_store(self, node: Store) -> None:
        """`a[i] = v`: the adjoint of v gains that of a[i], which becomes zero."""
        if node.array not in self.active:
            return
        self.check_index(node)
        shadow = self.shadow(node.array)
        is_active = isinstance(node.value, Value) and node.value in self.active
        region = self.types[node.array]
        picked_rank = rank(region) - sum(1 for atom in node.index if not self.is_slice(atom))
        if is_active:
            item = self.apply("getitem", shadow, *node.index) if node.index else shadow
            assert isinstance(node.value, Value)
            value_rank = rank(self.types[node.value])
            if value_rank == 0 and picked_rank > 0:
                item = self.apply("np.sum", item)
            elif value_rank < picked_rank or (picked_rank and not self.same_shape(node)):
                item = self.sum_to(item, picked_rank, node.value)
                item = item if node.accumulate else self.apply("copy", item)
            elif picked_rank and (not node.accumulate or not self.is_buffered(node.value)):
                item = self.apply("copy", item)
            self.contribute(node.value, Contribution(item))
        if not node.accumulate:
            self.nodes.append(Store(shadow, node.index, Literal(0.0), False, self.loc))

    def sum_to(self, atom: Atom, axes: int, value: Value) -> Value:
        """Sum an adjoint with this many axes down to the shape of a value that was broadcast."""
        for _ in range(axes - rank(self.types[value])):
            total = Value("total", temporary=True)
            self.nodes.append(Apply(total, "np.sum", (atom,), (("axis", Literal(0)),), self.loc))
            atom = total
        return self.apply("sum_to", atom, self.apply("shape", value))

    def same_shape(self, node: Store) -> bool:
        """Tell whether a stored array is known to have the shape of the place that it is stored to."""
        whole = not node.index
        return whole and self.shapes.get(node.array) == self.shapes.get(node.value)  # type: ignore[arg-type]

    def is_slice(self, atom: Atom) -> bool:
        """Tell whether an index is a slice."""
        return isinstance(atom, Value) and str(self.types.get(atom)).startswith("slice")

    def protect(self, node: Apply | Store, start: int) -> None:
        """Let the reversal of a node read copies of arrays that the primal overwrites later.

        Taking a view, as in `a.T @ d`, counts as reading: its elements are read through it.
        """
        for position in range(start, len(self.nodes)):
            made = self.nodes[position]
            is_view = isinstance(made, Apply) and made.fn in VIEWS
            stale = {
                value
                for value in (values(operands(made)) if is_view else content_reads(made))
                if is_array(self.types.get(value)) and self.info.written_after(value, node)
            }
            if stale:
                mapping = {value: self.copy_of(value, node) for value in stale}
                self.nodes[position] = _reading(made, mapping)

    def copy_of(self, value: Value, node: Apply | Store) -> Value:
        """Return a copy of an array as it is when the primal node runs."""
        if (value, node) not in self.copies:
            copy = Value(f"{value.name}_copy")
            made = Apply(copy, "copy", (value,), loc=node.loc)
            is_output = isinstance(node, Apply) and value is node.out
            (self.after if is_output else self.before).setdefault(node, []).append(made)
            self.types[copy] = self.types[value]
            self.info.access[made] = self.info.access[node]
            self.copies[value, node] = copy
        return self.copies[value, node]

    # control flow

    def nested(self, adjoints: dict[Value, Contribution]) -> Sweep:
        """Start a sweep for a nested region, sharing everything but nodes, adjoints and shadows."""
        return replace(self, nodes=[], adjoints=dict(adjoints), shadows=dict(self.shadows))

    def reverse_if(self, node: If) -> None:
        seeds = [self.take(out) for out in node.outs]
        arms: list[Sweep] = []
        for arm in (node.then, node.orelse):
            inner = self.nested(self.adjoints)
            inner.region(arm, list(zip(arm.yields, seeds, strict=True)))
            arms.append(inner)
        captured = self.captured(node.then) | self.captured(node.orelse)
        changed = [v for v in captured if any(s.adjoints.get(v) != self.adjoints.get(v) for s in arms)]
        outs = tuple(Value(f"d_{v.name}", v.temporary) for v in changed)
        regions = []
        for inner in arms:
            atoms = tuple(inner.final(value, inner.adjoints.get(value)) for value in changed)
            regions.append(Region((), tuple(inner.nodes), atoms))
        made = If(node.test, regions[0], regions[1], outs, self.loc)
        self.partner[made] = node
        self.nodes.append(made)
        for value, out in zip(changed, outs, strict=True):
            self.adjoints[value] = Contribution(out)

    def captured(self, region: Region) -> dict[Value, None]:
        """Return active values from outside whose adjoint is an SSA value."""
        return {
            value: None
            for value in free(region)
            if value in self.active and not (is_array(self.types[value]) and self.is_buffered(value))
        }

    def final(self, value: Value, found: Contribution | None) -> Atom:
        """Return an adjoint that leaves a region: zero where nothing was added."""
        return self.zero(value) if found is None else self.full(value, found)

    def reverse_loop(self, node: For | While) -> None:
        params = node.body.params[isinstance(node, For) :]
        after = node.body.yields[node.breaks :]
        carried = [k for k, param in enumerate(params) if param in self.active]
        captured = list(self.captured(node.body))
        inits = [self.final(node.outs[k], self.take(node.outs[k])) for k in carried]
        inits += [self.final(value, self.adjoints.get(value)) for value in captured]
        owners = [params[k] for k in carried] + captured
        entries = [Value(f"d_{v.name}") for v in owners]
        inner = self.nested({})
        for value, entry in zip(captured, entries[len(carried) :], strict=True):
            inner.adjoints[value] = Contribution(entry)
        seeds = [(after[k], Contribution(entry)) for k, entry in zip(carried, entries, strict=False)]
        inner.region(node.body, seeds)
        inner.loc = NOWHERE
        yields = tuple(inner.final(value, inner.take(value)) for value in owners)
        outs = tuple(Value(f"d_{v.name}") for v in owners)
        self.emit_loop(node, tuple(inits), Region(tuple(entries), tuple(inner.nodes), yields), outs)
        for value, out in zip(captured, outs[len(carried) :], strict=True):
            self.adjoints[value] = Contribution(out)
        for k, out in zip(carried, outs, strict=False):
            self.contribute(node.inits[k], Contribution(out))

    def emit_loop(
        self, node: For | While, inits: tuple[Atom, ...], body: Region, outs: tuple[Value, ...]
    ) -> None:
        """Append the loop that runs the iterations backwards; its index is the primal's own value."""
        if isinstance(node, For) and not node.breaks and node.step in (Literal(1), Literal(-1)):
            sign, step = ("sub", -1) if node.step == Literal(1) else ("add", 1)
            first = self.apply(sign, node.stop, Literal(1))
            last = self.apply(sign, node.start, Literal(1))
            index = node.body.params[0]
            bounds: tuple[Atom, Atom, Atom] = (first, last, Literal(step))
        else:
            trips = self.trips.get(node)
            if isinstance(node, For) and not node.breaks:
                trips = self.apply("len", self.apply("range", node.start, node.stop, node.step), name="trips")
            elif trips is None:
                trips = self.trips[node] = Value("trips")
            index = Value("k")
            if isinstance(node, For) and node.start == Literal(0) and node.step == Literal(1):
                index = node.body.params[0]
            bounds = (self.apply("sub", trips, Literal(1)), Literal(-1), Literal(-1))
            if isinstance(node, For) and index is not node.body.params[0]:
                offset = Value("mul", temporary=True)
                position: tuple[Node, ...] = (
                    Apply(offset, "mul", (index, node.step)),
                    Apply(node.body.params[0], "add", (node.start, offset)),
                )
                body = replace(body, nodes=(*position, *body.nodes))
        body = replace(body, params=(index, *body.params))
        made = For(*bounds, inits, body, outs, False, self.loc)
        self.partner[made] = node
        self.nodes.append(made)
