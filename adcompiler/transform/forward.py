"""Forward mode: next to each statement, the statement of its tangent.

Each array that carries a derivative has an array of tangents, and what happens to the one happens to the
other: it is viewed, written, handed on by branches and loops, put into lists. So arrays that share memory
have tangents that do. The tangent of a number is a number, or None where it is known to be zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.alias import Memory, memory
from adcompiler.analysis.ranges import Ranges, ranges
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import (
    Types,
    element,
    is_array,
    is_complex,
    is_continuous,
    is_list,
    is_memory,
    is_mutable,
    rank,
)
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Leaf, Packed, Static, map_leaves
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
    Store,
    Value,
    While,
)
from adcompiler.graph.steps import Kind, Step
from adcompiler.graph.walk import free
from adcompiler.primitives import Fill, card, hint
from adcompiler.rules.find import no_rule
from adcompiler.source import NOWHERE, Location
from adcompiler.transform.derived import Derived, described
from adcompiler.transform.jvp import tangent_of_result
from adcompiler.transform.results import kept_apart
from adcompiler.transform.shadow import check_copies, typed_views


def forward(graph: Graph, wrt: Sequence[int], types: Types, kind: Kind) -> Derived:
    """Build the graph that evaluates the derivative of a function along a direction.

    Args:
        graph: the specialised primal.
        wrt: positions of the arguments that have a tangent, among the parameters of the body. The graph takes
            these tangents as further parameters.
        types: type of every value.
        kind: `"jvp"` for `(results, their tangents)`, `"tangent"` for the tangents only; `"slope"`, too, but
            with tangents of 1 in place of the further parameters. Results that are no floats have the
            tangent None.

    Raises:
        DifferentiationError: AD202 where the table has no rule.
    """
    arguments = [graph.body.params[k] for k in wrt]
    active = active_values(graph, arguments, types)
    arrays = {value for value, kind in types.items() if is_mutable(kind)}
    lists = {value for value, kind in types.items() if is_list(kind)}
    info = memory(graph.body, arrays, lists, types)
    check_copies(graph.body, types, active, info, typed_views(graph.body, types))
    sweep = Forward(types, active, info, symbolic_shapes(graph, types), ranges(graph, types))
    sweep.has_complex = any(is_complex(types.get(value)) for value in active)
    params = {value: Value(f"t_{value.name}") for value in arguments}
    for value in graph.body.params:
        if value in active:
            unit = sweep.unit(value) if kind == "slope" and value in params else None
            sweep.tangents[value] = unit or params.get(value) or sweep.zero(value, types[value])
    if kind == "slope":
        params = {}
    sweep.check_sizes(params)
    sweep.region(graph.body)
    sweep.loc = NOWHERE
    has = [_has_tangent(atom, types) for atom in graph.body.yields]
    results = [atom for atom, wanted in zip(graph.body.yields, has, strict=True) if wanted]
    found = [sweep.whole(atom) for atom in results]
    are_arrays = [isinstance(atom, Value) and is_array(types[atom]) for atom in results]
    sweep.nodes += kept_apart(found, are_arrays, sweep.nodes, tuple(params.values()))
    yields = (*(graph.body.yields if kind == "jvp" else ()), *found)
    body = Region((*graph.body.params, *params.values()), tuple(sweep.nodes), yields)
    supply = iter([Leaf() if wanted else Static(None) for wanted in has])
    values_layout = graph.returns or (Leaf() if len(has) == 1 else Packed((Leaf(),) * len(has)))
    layout = map_leaves(values_layout, lambda leaf: next(supply))
    names = ", ".join(described(graph, wrt))
    what = f"{graph.name} and its derivative" if kind == "jvp" else f"the derivative of {graph.name}"
    along = f"by {names}" if kind == "slope" else f"along the tangents of {names}"
    parameters = graph.parameters
    if parameters:
        parameters = (*parameters, *((param.name, Leaf()) for param in params.values()))
    result = replace(
        graph,
        name=f"{graph.name}_{kind}",
        body=body,
        returns=Packed((values_layout, layout)) if kind == "jvp" else layout,
        doc=f"Return {what} {along}.",
        parameters=parameters,
        defaults=(),
    )
    kinds = [types[value] for value in params]
    seeds = tuple(kind.copy(layout="C", readonly=False) if is_array(kind) else kind for kind in kinds)
    return Derived(result, seeds=seeds)


def _has_tangent(atom: Atom, types: Types) -> bool:
    if isinstance(atom, Value):
        return is_continuous(types.get(atom))
    return isinstance(getattr(atom, "value", None), float)


@dataclass
class Forward:
    """The state of forward mode at one point: tangents so far, and nodes of the current region."""

    types: Types
    active: set[Value]
    info: Memory
    shapes: Shapes
    known: Ranges
    nodes: list[Node] = field(default_factory=list)
    tangents: dict[Value, Atom] = field(default_factory=dict)
    loc: Location = NOWHERE
    has_complex: bool = False

    # building nodes

    def apply(self, fn: str, *args: Atom, keywords: tuple[tuple[str, Atom], ...] = ()) -> Value:
        """Append a primitive and return its output."""
        out = Value(hint(fn), True)
        self.nodes.append(Apply(out, fn, args, keywords, self.loc))
        return out

    def named(self, atom: Atom, value: Value) -> Atom:
        """Rename the node just made to `t_…` if it computes the tangent of `value`."""
        last = self.nodes[-1] if self.nodes else None
        if not isinstance(atom, Value) or not atom.temporary or atom in self.types:
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

    def unit(self, value: Value) -> Atom:
        """Return the tangent of a number along itself.

        Raises:
            DifferentiationError: AD302 for an array, whose gradient is no number.
        """
        if is_array(self.types[value]):
            reason = f"the gradient by '{value.name}' is an array"
            cure = "use jacobian, hessian or hvp, or the grad of a number made of the gradient"
            raise DifferentiationError("AD302", reason, None, cure)
        one = Literal(1.0)
        return one if str(self.types[value]) == "float64" else self.apply(f"np.{self.types[value]}", one)

    def whole(self, atom: Atom, like: Value | None = None) -> Atom:
        """Return the tangent of a value, also where it is zero; `like` has the type of its tangent."""
        found = self.tangent(atom)
        kind = self.types.get(like if like is not None else atom)  # type: ignore[arg-type]
        return self.zero(atom, kind) if found is None else found

    def check_sizes(self, params: dict[Value, Value]) -> None:
        """Append checks that the tangents of arrays are as large as these."""
        for value, tangent in params.items():
            for axis in range(rank(self.types[value])):
                sizes = []
                for array in (value, tangent):
                    size, shape = Value("size", temporary=True), self.apply("shape", array)
                    self.nodes.append(Apply(size, "getitem", (shape, Literal(axis))))
                    sizes.append(size)
                self.nodes.append(Effect("same_size", tuple(sizes)))

    # regions

    def region(self, region: Region) -> None:
        """Append the nodes of a region and those of their tangents."""
        for node in region.nodes:
            self.loc = node.loc
            self.node(node)

    def node(self, node: Node) -> None:
        """Append a node and the node of its tangent."""
        match node:
            case Apply(fn="recurse" | "derivative" | "rule") if self.varied(node):
                self.of_call(node)
            case Apply():
                start = len(self.nodes)
                self.nodes.append(node)
                if node.out in self.active:
                    self.of_apply(node)
                self.put_first(start)
            case Store():
                self.nodes.append(node)
                if node.array in self.active:
                    self.of_store(node)
            case Effect(fn="append", args=(Value() as items, item)) if items in self.active:
                self.nodes.append(node)
                found = self.tangent(item)
                if found is None:
                    found = self.zero(item, self.types[items].dtype)
                self.nodes.append(replace(node, args=(self.whole(items), found)))
            case Effect():
                self.nodes.append(node)
            case If():
                self.of_branch(node)
            case For() | While():
                self.of_loop(node)

    def put_first(self, start: int) -> None:
        """Compute a tangent before the value that does not read it: the value may then replace another."""
        node, *made = self.nodes[start:]
        assert isinstance(node, Apply)
        if node.out not in free(Region((), tuple(made), ())):
            self.nodes[start:] = [*made, node]

    def of_apply(self, node: Apply) -> None:
        """Append the tangent of a primitive's result."""
        if node.fn == "stop_gradient" and self.info.is_written(node.out):
            reason = f"'{node.out.name}' has no derivative, and its memory is written"
            raise DifferentiationError("AD303", reason, node.loc, "write .copy() of the array inside")
        found = tangent_of_result(self, node)
        if found is None and is_memory(self.types[node.out]):
            found = self.zeros(node)
        elif found is not None and is_array(self.types[node.out]):
            found = self.kept_apart(found, node)
        if found is not None:
            self.tangents[node.out] = self.named(found, node.out)

    def of_call(self, node: Apply) -> None:
        """A function that is not inlined returns its result and the tangent of this together."""
        callee, *args = node.args
        assert isinstance(callee, Global)
        own = callee.value if isinstance(callee.value, Callee) else Callee(callee.value.py_func)  # type: ignore[attr-defined]
        varied = [k - 1 for k in self.varied(node)]
        derived = Global(callee.name, replace(own, chain=(*own.chain, Step("jvp", tuple(varied)))))
        tangents = [self.contiguous(args[k]) for k in varied]
        pair = Value("pair", temporary=True)
        self.nodes.append(Apply(pair, "derivative", (derived, *args, *tangents), (), node.loc))
        self.nodes.append(Apply(node.out, "getitem", (pair, Literal(0)), (), node.loc))
        found = self.apply("getitem", pair, Literal(1))
        self.tangents[node.out] = self.named(found, node.out)

    def varied(self, node: Apply) -> list[int]:
        """Return the positions of the arguments that have a tangent."""
        return [k for k, arg in enumerate(node.args) if self.tangent(arg) is not None]

    def contiguous(self, arg: Atom) -> Atom:
        """Return a tangent as a function takes it that is called."""
        found = self.tangent(arg)
        assert found is not None and isinstance(arg, Value)
        return self.apply("np.ascontiguousarray", found) if is_array(self.types[arg]) else found

    def zeros(self, node: Apply) -> Atom:
        """Append the tangent of an array or list that is filled later.

        Raises:
            DifferentiationError: AD202 for lists of arrays that are not made by a display.
        """
        kind = self.types[node.out]
        if is_list(kind):
            if is_memory(kind.dtype):
                raise no_rule(node, self.types)
            one = self.apply("list", self.zero(node.out, kind.dtype))
            return self.apply("mul", one, self.apply("len", node.out))
        if card(node.fn).allocates in (Fill.ZEROS, Fill.NOTHING):
            return self.apply(node.fn, *node.args, keywords=node.keywords)
        return self.apply("np.zeros_like", node.out)

    def kept_apart(self, found: Atom, node: Apply) -> Atom:
        """`y = x + 1` is a new array: if it or x is written, its tangent must be one, laid out like it."""
        sources = [arg for arg in node.args if isinstance(arg, Value) and self.tangents.get(arg) is found]
        is_written = any(self.info.is_written(value) for value in (node.out, *sources))
        is_view = any(
            self.info.classes.get(arg, arg) is self.info.classes.get(node.out, node.out) for arg in sources
        )
        if sources and is_written and not is_view:
            found = self.apply("copy", found)
        if card(node.fn).is_view or not self.info.is_written(node.out) or self.types[node.out].layout != "C":
            return found
        return self.apply("np.ascontiguousarray", found)

    def of_store(self, node: Store) -> None:
        """`a[i] = v` writes the tangent of v to that of a[i]."""
        found = self.tangent(node.value)
        if found is None and node.accumulate:
            return
        if found is None:
            kind = self.types[node.array]
            is_item = is_list(kind)
            found = self.zero(node.value, kind.dtype) if is_item else Literal(0.0)
        array = self.whole(node.array)
        assert isinstance(array, Value)
        self.nodes.append(replace(node, array=array, value=found))

    def nested(self, region: Region) -> Forward:
        """Return what a nested region becomes; tangents are known by value, wherever they are defined."""
        inner = replace(self, nodes=[])
        inner.region(region)
        return inner

    def of_branch(self, node: If) -> None:
        """A branch yields the tangents of what it yields."""
        outs = [k for k, out in enumerate(node.outs) if out in self.active]
        arms = []
        for arm in (node.then, node.orelse):
            inner = self.nested(arm)
            found = tuple(inner.whole(arm.yields[k], node.outs[k]) for k in outs)
            arms.append(Region((), tuple(inner.nodes), (*arm.yields, *found)))
        tangents = tuple(self.entry(node.outs[k]) for k in outs)
        self.nodes.append(replace(node, then=arms[0], orelse=arms[1], outs=(*node.outs, *tangents)))

    def of_loop(self, node: For | While) -> None:
        """A loop carries the tangents of what it carries."""
        params = node.body.params[isinstance(node, For) :]
        carried = [k for k, param in enumerate(params) if param in self.active]
        inits = tuple(self.whole(node.inits[k], params[k]) for k in carried)
        entries = tuple(self.entry(params[k]) for k in carried)
        inner = self.nested(node.body)
        after = node.body.yields[node.breaks :]
        found = tuple(inner.whole(after[k], params[k]) for k in carried)
        body = Region((*node.body.params, *entries), tuple(inner.nodes), (*node.body.yields, *found))
        outs = tuple(self.entry(node.outs[k]) for k in carried)
        made = replace(node, inits=(*node.inits, *inits), body=body, outs=(*node.outs, *outs))
        self.nodes.append(made)

    def entry(self, value: Value) -> Value:
        """Define the tangent of a value that a branch or loop defines."""
        self.tangents[value] = made = Value(f"t_{value.name}", value.temporary)
        return made

    def cast(self, target: Value, atom: Atom, is_wide: bool = True) -> Atom:
        """Give a tangent the type of its value: literals in formulas would promote single precision.

        Where `is_wide`, it was computed from something in that precision.
        """
        kind = self.types[target]
        scalar = str(element(kind))
        if (is_wide and scalar in ("float64", "complex128")) or isinstance(atom, Literal):
            return atom
        if is_array(kind):
            return self.apply("astype", atom, Global(f"np.{scalar}", None))
        return self.apply("float" if scalar == "float64" else f"np.{scalar}", atom)
