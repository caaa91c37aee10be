"""Reverse mode: from the primal to the ideal reverse sweep.

The sweep made here reads primal values as if every one of them, of every iteration, were still at
hand. `plan` then decides which of them are stored and which recomputed, and `record` rewrites both
sweeps accordingly.

Each array whose elements are accessed one by one, or which is written, has a *shadow* array for its
adjoint, and a view of the array has the same view of the shadow. All other values have their
adjoint as an SSA value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import VIEWS, Memory, content_reads, memory
from adcompiler.analysis.masked import masked_values
from adcompiler.analysis.ranges import Ranges, ranges
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import Shape, Shapes, form_of
from adcompiler.analysis.types import (
    Types,
    element,
    is_array,
    is_complex,
    is_list,
    is_memory,
    is_mutable,
    is_scalar,
    rank,
)
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
from adcompiler.graph.walk import operands, regions, results, substitute, values, walk, with_regions
from adcompiler.optimize.guard import write_form
from adcompiler.rules import ELEMENTWISE
from adcompiler.source import NOWHERE, Location
from adcompiler.transform.ambiguous import ambiguous_memory
from adcompiler.transform.bind import Bound, bind_shadows
from adcompiler.transform.control import reverse_if, reverse_loop
from adcompiler.transform.indexing import reverse_getitem, reverse_store
from adcompiler.transform.joins import JOINS, reverse_join
from adcompiler.transform.lists import (
    check_lists,
    displays,
    open_list,
    reverse_append,
    reverse_display,
    reverse_pop,
    reverse_repeated,
    reverse_sum,
    reverse_to_array,
)
from adcompiler.transform.own_rules import reverse_custom
from adcompiler.transform.results import kept_apart, rename_last
from adcompiler.transform.shadow import buffered_owners, typed_views
from adcompiler.transform.undefined import first_assigned_inside
from adcompiler.transform.vjp import Contribution, apply_rule, reverse_call


@dataclass
class ReverseSweep:
    """The reverse sweep, and what it asks of the forward sweep.

    Attributes:
        primal: the graph that is reversed; it may bind shadows.
        body: nodes that end in the adjoints of the arguments.
        partner: for each loop or branch of the reverse sweep, the one of the primal that it reverses.
        trips: for loops without a known number of iterations, the value that counts them.
        before: nodes to insert before a primal node: copies of arrays that are overwritten later.
        after: likewise after a primal node.
    """

    primal: Graph
    body: Region
    partner: dict[Node, Node]
    trips: dict[Node, Value]
    before: dict[Node, list[Node]]
    after: dict[Node, list[Node]]
    info: Memory
    shapes: Shapes
    bound: Bound


def reverse(
    graph: Graph, wrt: list[Value], types: Types, active: set[Value], seeds: Sequence[Atom | None]
) -> ReverseSweep:
    """Build the reverse sweep of a primal.

    Args:
        graph: specialised primal.
        wrt: arguments to differentiate.
        types: type of every value of the primal.
        active: values that carry a derivative.
        seeds: the adjoint of each result; None for one that has none.

    Raises:
        DifferentiationError: AD202 where an active primitive has no rule, AD303 where a result may be an
            array or a copy of it.
    """
    displayed = displays(graph.body, types)
    views, info, shapes = _analysed(graph, types)
    undefined = first_assigned_inside(graph, types, active, shapes)
    unsized = [value for value, shape in undefined.items() if shape is None]
    wanted = ambiguous_memory(graph.body, types, active, info, unsized) - displayed
    graph, bound = bind_shadows(graph, wanted, views, types)
    if wanted:
        views, info, shapes = _analysed(graph, types)
    check_lists(graph.body, types, active, displayed | wanted)
    buffered = buffered_owners(graph.body, types, active, views, info) - displayed - wanted
    known = ranges(graph, types)
    masked = masked_values(graph.body, types, active, known)
    sweep = Sweep(types, active, views, buffered, info, shapes, known, masked, displayed, bound)
    sweep.shadows.update(bound.shadows)
    sweep.has_complex = any(is_complex(types.get(value)) for value in active)
    sweep.undefined = undefined
    started = [None if seed is None else Contribution(seed) for seed in seeds]
    sweep.region(graph.body, list(zip(graph.body.yields, started, strict=True)))
    gradients = [sweep.gradient(param) for param in wrt]
    are_arrays = [is_array(types[param]) for param in wrt]
    nodes = (*sweep.nodes, *kept_apart(gradients, are_arrays, sweep.nodes))
    body = Region((), nodes, tuple(gradients))
    return ReverseSweep(
        graph, body, sweep.partner, sweep.trips, sweep.before, sweep.after, info, shapes, bound
    )


def _analysed(graph: Graph, types: Types) -> tuple[set[Value], Memory, Shapes]:
    """Return the views of a graph, where its memory is written, and the shapes of its arrays."""
    arrays = {value for value, kind in types.items() if is_mutable(kind)}
    lists = {value for value, kind in types.items() if is_list(kind)}
    info = memory(graph.body, arrays, lists, types)
    return typed_views(graph.body, types), info, symbolic_shapes(graph, types, ELEMENTWISE.keys())


def _element_reads(node: Node) -> Iterator[Value]:
    is_view = isinstance(node, Apply) and node.fn in VIEWS
    yield from values(operands(node)) if is_view else content_reads(node)


@dataclass
class Sweep:
    """The state of the reverse sweep at one point: adjoints so far, and nodes of the current region."""

    types: Types
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
    copies: dict[tuple[Value, Node], Value] = field(default_factory=dict)
    undefined: dict[Value, Shape | None] = field(default_factory=dict)
    loc: Location = NOWHERE
    has_complex: bool = False

    # building nodes

    def apply(self, fn: str, *args: Atom, name: str | None = None, temporary: bool = True) -> Value:
        """Append a primitive and return its output."""
        out = Value(name or hint(fn), temporary)
        self.nodes.append(Apply(out, fn, args, loc=self.loc))
        return out

    def named(self, atom: Atom, value: Value, is_part: bool = False) -> Atom:
        """Rename the node made for it to `d_…` if an atom is the adjoint of `value`, or a part of it."""
        if not isinstance(atom, Value) or not atom.temporary or atom in self.adjoint_values:
            return atom
        out = Value(f"d_{value.name}", is_part or value.temporary)
        if not rename_last(self.nodes, atom, out, self.start, self.partner):
            return atom
        self.adjoint_values.add(out)
        return self.renamed.setdefault(atom, out)

    # adjoints

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
        return shadow

    def open(self, owned: list[Value]) -> None:
        """Allocate the shadows of buffered arrays; one that has an adjoint already starts from it."""
        for value in owned:
            if value not in self.buffered or value not in self.active or value in self.bound:
                continue
            if is_list(self.types[value]):
                self.shadows[value] = open_list(self, value)
                continue
            seed = self.adjoints.pop(value, None)
            if seed is not None and seed.owned:
                assert isinstance(seed.atom, Value)
                shadow = seed.atom
            elif seed is not None and seed.full:
                shadow = self.apply("copy", seed.atom, name=f"d_{value.name}", temporary=False)
            else:
                shadow = self.zeros(value)
                if seed is not None:
                    self.nodes.append(Store(shadow, (), seed.atom, True, self.loc))
            self.shadows[value] = shadow

    def contribute(self, target: Atom, contribution: Contribution) -> None:
        """Add to the adjoint of a primal value."""
        if not isinstance(target, Value) or target not in self.active:
            return
        contribution = replace(contribution, atom=self.renamed.get(contribution.atom, contribution.atom))
        if self.is_buffered(target) and (target in self.views or target in self.shadows):
            atom = self.named(self.real_part(target, contribution.atom), target, True)
            self.nodes.append(Store(self.shadow(target), (), atom, True, self.loc))
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
        """Keep single precision single: literals in formulas would promote it."""
        scalar = str(element(self.types[target]))
        real = self.real_part(target, contribution.atom)
        if real is not contribution.atom:
            contribution = replace(contribution, atom=real)
        if scalar == "float64" or isinstance(contribution.atom, Literal):
            return contribution.atom
        dtype = Global(f"np.{scalar}", None)
        if is_array(self.types[target]) and contribution.full:
            return self.apply("astype", contribution.atom, dtype)
        if is_array(self.types[target]) and not contribution.scalar:
            return contribution.atom
        return self.apply(f"np.{scalar}", contribution.atom)

    def real_part(self, target: Value, atom: Atom) -> Atom:
        """Return the adjoint of a real value, which complex numbers may have been made from."""
        if not self.has_complex or isinstance(atom, Literal) or is_complex(self.types[target]):
            return atom
        return self.apply("np.real", atom)

    def take(self, value: Value) -> Contribution | None:
        """Return the finished adjoint of a value at its definition, or None if nothing was added."""
        if value not in self.active:
            return None
        if is_memory(self.types[value]) and self.is_buffered(value):
            return Contribution(self.shadow(value))
        return self.adjoints.pop(value, None)

    def zero(self, value: Value) -> Atom:
        """Return a zero adjoint for a value."""
        if is_array(self.types[value]):
            return self.zeros(value)
        if str(self.types[value]) != "float64":
            return self.apply(f"np.{self.types[value]}", Literal(0.0))
        return Literal(0.0)

    def zeros(self, value: Value) -> Value:
        """Append an array of zeros like a value."""
        if value not in self.undefined:
            return self.apply("np.zeros_like", value, name=f"d_{value.name}", temporary=False)
        known = self.undefined[value]
        assert known is not None, "an array without a known size has a shadow that is bound"
        sizes = [write_form(form_of(size), self.nodes) for size in known]
        dtype = Global(f"np.{element(self.types[value])}", None)
        shape = self.apply("tuple", *sizes)
        return self.apply("np.zeros", shape, dtype, name=f"d_{value.name}", temporary=False)

    def full(self, value: Value, contribution: Contribution) -> Atom:
        """Return an adjoint that has the shape of its value."""
        if contribution.full or not is_array(self.types[value]):
            return contribution.atom
        if contribution.scalar:
            return self.apply("np.full_like", value, contribution.atom)
        whole = self.apply("add", self.apply("np.zeros_like", value), contribution.atom)
        return self.cast(value, Contribution(whole))

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
        start = self.start = len(self.nodes)
        match node:
            case Apply():
                self.reverse_apply(node)
                self.protect(node, start)
            case Store():
                reverse_store(self, node)
                self.protect(node, start)
            case Effect(fn="append"):
                reverse_append(self, node)
                self.protect(node, start)
            case If() if self.is_active(node):
                reverse_if(self, node)
            case For() | While() if self.is_active(node):
                reverse_loop(self, node)
            case Effect() | If() | For() | While():
                pass
        self.nodes[start:] = [self.placed(made) for made in self.nodes[start:]]

    def placed(self, made: Node) -> Node:
        """Return a node of the reversal with the place of what it reverses, also inside loops of its own."""
        if made in self.partner:
            return made
        inner = regions(made)
        if inner:
            parts = (replace(part, nodes=tuple(map(self.placed, part.nodes))) for part in inner)
            made = with_regions(made, tuple(parts))
        return replace(made, loc=self.loc) if made.loc is NOWHERE else made

    def is_active(self, node: If | For | While) -> bool:
        """Tell whether a node with regions does anything to an active value."""
        if any(out in self.active for out in node.outs):
            return True
        regions = (node.then, node.orelse) if isinstance(node, If) else (node.body,)
        for inner in (n for region in regions for n in region.nodes):
            match inner:
                case Apply() if inner.out in self.active:
                    return True
                case Apply(fn="pop") if inner.args[0] in self.active:
                    return True
                case Store() if inner.array in self.active:
                    return True
                case Effect(fn="append") if inner.args[0] in self.active:
                    return True
                case If() | For() | While() if self.is_active(inner):
                    return True
        return False

    def reverse_apply(self, node: Apply) -> None:
        if node.out in self.views and self.is_buffered(node.out):
            return
        is_made = is_list(self.types.get(node.out))
        if is_made and self.binds_items(node.out):
            return
        if is_made and node.fn == "list":
            reverse_display(self, node)
            return
        if is_made and node.fn == "mul":
            reverse_repeated(self, node)
            return
        adjoint = self.take(node.out)
        first = node.args[0] if node.args else None
        of_list = isinstance(first, Value) and is_list(self.types.get(first))
        if node.fn == "pop":
            reverse_pop(self, node, adjoint)
        if adjoint is None or node.fn == "pop":
            return
        match node.fn:
            case "getitem":
                reverse_getitem(self, node, adjoint)
            case fn if fn in JOINS:
                reverse_join(self, node, adjoint)
            case "recurse" | "derivative":
                reverse_call(self, node, adjoint)
            case "custom[0]":
                reverse_custom(self, node, adjoint)
            case "sum" if of_list:
                reverse_sum(self, node, adjoint)
            case "np.array" | "np.asarray" if of_list:
                reverse_to_array(self, node, adjoint)
            case _:
                apply_rule(self, node, adjoint)

    def binds_items(self, value: Atom) -> bool:
        """Tell whether a list of arrays has a list of shadows that the forward sweep keeps."""
        return value in self.bound and is_array(getattr(self.types.get(value), "dtype", None))  # type: ignore[arg-type]

    def sum_to(self, atom: Atom, axes: int, value: Value, same: bool = False) -> Atom:
        """Sum an adjoint with this many axes down to the shape of a value that was broadcast.

        Where `same`, the sizes of the value's axes are those of the adjoint's last axes.
        """
        for _ in range(axes - rank(self.types[value])):
            total = Value("total", temporary=True)
            self.nodes.append(Apply(total, "np.sum", (atom,), (("axis", Literal(0)),), self.loc))
            atom = total
        return atom if same else self.apply("sum_to", atom, self.apply("shape", value))

    def protect(self, node: Apply | Store | Effect, start: int) -> None:
        """Let the reversal of a node read copies of arrays that the primal overwrites later.

        Taking a view, as in `a.T @ d`, counts as reading: its elements are read through it.
        """
        for position in range(start, len(self.nodes)):
            made = self.nodes[position]
            parts = [made, *(inner for region in regions(made) for inner in walk(region))]
            stale = {value for part in parts for value in _element_reads(part) if self.is_stale(value, node)}
            if stale:
                mapping: dict[Value, Atom] = {value: self.copy_of(value, node) for value in stale}
                self.nodes[position] = substitute(Region((), (made,), ()), mapping).nodes[0]

    def is_stale(self, value: Value, node: Node) -> bool:
        """Tell whether the primal overwrites an array after the node has run."""
        is_shadow = value in self.bound.all
        return is_memory(self.types.get(value)) and not is_shadow and self.info.written_after(value, node)

    def copy_of(self, value: Value, node: Apply | Store | Effect) -> Value:
        """Return a copy of an array as it is when the primal node runs."""
        if (value, node) not in self.copies:
            copy = Value(f"{value.name}_copy")
            made = Apply(copy, "copy", (value,), loc=node.loc)
            is_output = isinstance(node, Apply) and value is node.out
            (self.after if is_output else self.before).setdefault(node, []).append(made)
            kind = self.types[value]
            is_strided = is_array(kind) and kind.layout == "A"
            self.types[copy] = kind.copy(layout="C") if is_strided else kind
            if value in self.shapes:
                self.shapes[copy] = self.shapes[value]
            self.info.access[made] = self.info.access[node]
            self.copies[value, node] = copy
        return self.copies[value, node]

    # control flow

    def nested(self, adjoints: dict[Value, Contribution]) -> Sweep:
        """Start a sweep for a nested region, sharing everything but nodes, adjoints and shadows."""
        return replace(self, nodes=[], start=0, adjoints=dict(adjoints), shadows=dict(self.shadows))
