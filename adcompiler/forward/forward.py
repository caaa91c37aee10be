"""Forward mode: next to each statement, the statement of its tangent.

Each array that carries a derivative has an array of tangents, and what happens to the one happens to the
other: it is viewed, written, handed on by branches and loops, put into lists. So arrays that share memory
have tangents that do. The tangent of a number is a number, or None where it is known to be zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba.core.types import BaseTuple

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.alias import shown_by, typed_memory
from adcompiler.analysis.ranges import ranges
from adcompiler.analysis.shadow import check_copies, typed_views
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.types import (
    is_array,
    is_complex,
    is_continuous,
    is_list,
    is_memory,
    rank,
)
from adcompiler.errors import DifferentiationError
from adcompiler.forward.jvp import tangent_of_result
from adcompiler.forward.tangents import TangentSweep
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Leaf, Packed, Static, derived_name, map_leaves
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
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.steps import Kind, Step
from adcompiler.graph.walk import free
from adcompiler.primitives import Fill, card
from adcompiler.reverse.results import kept_apart
from adcompiler.rules.find import no_rule
from adcompiler.source import NOWHERE
from adcompiler.storage.derived import Derived, described


def forward(graph: Graph, wrt: Sequence[int], kind: Kind, holomorphic: bool | None = None) -> Derived:
    """Build the graph that evaluates the derivative of a function along a direction.

    Args:
        graph: the specialised primal.
        wrt: positions of the arguments that have a tangent, among the parameters of the body. The graph takes
            these tangents as further parameters.
        kind: `"jvp"` for `(results, their tangents)`, `"tangent"` for the tangents only; `"slope"`, too, but
            with tangents of 1 in place of the further parameters. Results that are no floats have the
            tangent None.
        holomorphic: whether the arguments are complex, as `Step` says.

    Raises:
        DifferentiationError: AD202 where no card has a rule, AD302 where arguments are not as `holomorphic`
            says.
    """
    arguments = [graph.body.params[k] for k in wrt]
    _check_numbers(graph, arguments, holomorphic)
    sweep = _started(graph, arguments)
    params = _with_tangents(sweep, graph.body.params, arguments, kind)
    _check_sizes(sweep, params)
    _region(sweep, graph.body)
    sweep.loc, sweep.role = NOWHERE, Role.TAPE
    has = [_has_tangent(atom) for atom in graph.body.yields]
    results = [atom for atom, wanted in zip(graph.body.yields, has, strict=True) if wanted]
    found = [sweep.whole(atom) for atom in results]
    are_arrays = [isinstance(atom, Value) and is_array(atom.type) for atom in results]
    sweep.nodes += kept_apart(found, are_arrays, sweep.nodes, tuple(params.values()))
    yields = (*(graph.body.yields if kind == "jvp" else ()), *found)
    body = Region((*graph.body.params, *params.values()), tuple(sweep.nodes), yields)
    result = _derivative(graph, body, kind, has, described(graph, wrt))
    kinds = [value.type for value in params]
    seeds = tuple(own.copy(layout="C", readonly=False) if is_array(own) else own for own in kinds)
    return Derived(result, seeds=seeds)


def _check_numbers(graph: Graph, arguments: Sequence[Value], holomorphic: bool | None) -> None:
    for value in arguments if holomorphic is not None else ():
        if is_complex(value.type) and not holomorphic:
            reason = f"the derivative of '{graph.name.rstrip('_')}' by '{value.name}' is complex"
            raise DifferentiationError("AD302", reason, None, "pass holomorphic=True, if the function is")
        if holomorphic and not is_complex(value.type):
            reason = f"the derivative of '{graph.name.rstrip('_')}' by '{value.name}' is real"
            raise DifferentiationError("AD302", reason, None, "leave holomorphic=True out")


def _started(graph: Graph, arguments: list[Value]) -> TangentSweep:
    """Return the state that forward mode starts from, without tangents."""
    active = active_values(graph, arguments)
    info = typed_memory(graph.body)
    check_copies(graph.body, active, info, typed_views(graph.body))
    shapes = symbolic_shapes(graph)
    has_complex = any(is_complex(type_of(value)) for value in active)
    return TangentSweep(active, info, shapes, ranges(graph), has_complex=has_complex)


def _with_tangents(
    sweep: TangentSweep, params: Sequence[Value], arguments: list[Value], kind: Kind
) -> dict[Value, Value]:
    """Give active parameters their tangents; return those that are further parameters."""
    given = {} if kind == "slope" else {value: Value(f"t_{value.name}") for value in arguments}
    for value in params:
        if value in sweep.active:
            unit = _unit(sweep, value) if kind == "slope" and value in arguments else None
            sweep.tangents[value] = unit or given.get(value) or sweep.zero(value, value.type)
    return given


def _derivative(graph: Graph, body: Region, kind: Kind, has: list[bool], names: list[str]) -> Graph:
    """Return the graph of a derivative.

    Args:
        graph: the primal.
        body: the body of the derivative.
        kind: what it returns.
        has: for each result of the primal, whether it has a tangent.
        names: what the derivative is taken by.
    """
    supply = iter([Leaf() if wanted else Static(None) for wanted in has])
    primal = graph.returns or (Leaf() if len(has) == 1 else Packed((Leaf(),) * len(has)))
    tangents = map_leaves(primal, lambda leaf: next(supply))
    name = graph.name.rstrip("_")
    what = f"{name} and its derivative" if kind == "jvp" else f"the derivative of {name}"
    along = f"{'by' if kind == 'slope' else 'along the tangents of'} {', '.join(names)}"
    added = body.params[len(graph.body.params) :] if graph.parameters else ()
    return replace(
        graph,
        name=derived_name(graph.name, kind),
        body=body,
        returns=Packed((primal, tangents)) if kind == "jvp" else tangents,
        doc=f"Return {what} {along}.",
        parameters=(*graph.parameters, *((param.name, Leaf()) for param in added)),
        defaults=(),
    )


def _has_tangent(atom: Atom) -> bool:
    if isinstance(atom, Value):
        return is_continuous(type_of(atom))
    return isinstance(getattr(atom, "value", None), float | complex)


def _unit(sweep: TangentSweep, value: Value) -> Atom:
    """Return the tangent of a number along itself.

    Raises:
        DifferentiationError: AD302 for an array, whose gradient is no number.
    """
    if is_array(value.type):
        reason = f"the gradient by '{value.name}' is an array"
        cure = "use jacobian, hessian or hvp, or the grad of a number made of the gradient"
        raise DifferentiationError("AD302", reason, None, cure)
    match str(value.type):
        case "float64":
            return Literal(1.0)
        case "complex128":
            return Literal(1.0 + 0j)
    return sweep.apply(f"np.{value.type}", Literal(1.0))


def _check_sizes(sweep: TangentSweep, params: dict[Value, Value]) -> None:
    """Append checks that the tangents of arrays are as large as these."""
    for value, tangent in params.items():
        for axis in range(rank(value.type)):
            sizes = []
            for array in (value, tangent):
                size, shape = Value("size", temporary=True), sweep.apply("shape", array)
                sweep.nodes.append(Apply(size, "getitem", (shape, Literal(axis)), role=Role.TAPE))
                sizes.append(size)
            sweep.nodes.append(Effect("same_size", tuple(sizes)))


def _region(sweep: TangentSweep, region: Region) -> None:
    """Append the nodes of a region and those of their tangents."""
    for node in region.nodes:
        sweep.loc, sweep.role = node.loc, node.role
        _node(sweep, node)


def _node(sweep: TangentSweep, node: Node) -> None:
    """Append a node and the node of its tangent."""
    match node:
        case Apply(fn="recurse" | "recurse_parts" | "derivative" | "rule") if _varied(sweep, node):
            _of_call(sweep, node)
        case Apply():
            start = len(sweep.nodes)
            sweep.nodes.append(node)
            if node.out in sweep.active:
                _of_apply(sweep, node)
            elif node.fn == "pop" and sweep.tangent(node.args[0]) is not None:
                sweep.apply("pop", sweep.whole(node.args[0]))
            _put_first(sweep, start)
        case Store():
            sweep.nodes.append(node)
            if node.array in sweep.active:
                _of_store(sweep, node)
        case Effect():
            sweep.nodes.append(node)
            if node.fn == "append" and node.args[0] in sweep.active:
                _of_append(sweep, node)
            if node.fn == "finite":
                _check_tangent(sweep, node)
        case If():
            _of_branch(sweep, node)
        case For() | While():
            _of_loop(sweep, node)


def _put_first(sweep: TangentSweep, start: int) -> None:
    """Compute a tangent before the value that does not read it: the value may then replace another."""
    node, *made = sweep.nodes[start:]
    assert isinstance(node, Apply)
    if node.out not in free(Region((), tuple(made), ())):
        sweep.nodes[start:] = [*made, node]


def _of_apply(sweep: TangentSweep, node: Apply) -> None:
    """Append the tangent of a primitive's result."""
    if node.fn == "stop_gradient" and sweep.info.is_written(node.out):
        reason = f"'{node.out.name}' has no derivative, and its memory is written"
        raise DifferentiationError("AD303", reason, node.loc, "write .copy() of the array inside")
    found = tangent_of_result(sweep, node)
    if found is None and is_memory(node.out.type):
        found = _zeros(sweep, node)
    elif found is not None and is_array(node.out.type):
        found = _kept_apart(sweep, found, node)
    if found is not None:
        sweep.tangents[node.out] = sweep.named(found, node.out)


def _of_call(sweep: TangentSweep, node: Apply) -> None:
    """A function that is not inlined returns its result and the tangent of this together."""
    callee, *args = node.args
    assert isinstance(callee, Global)
    own = callee.value if isinstance(callee.value, Callee) else Callee(callee.value.py_func)
    varied = [k - 1 for k in _varied(sweep, node)]
    is_bundle = isinstance(node.out.type, BaseTuple)
    step = Step("tangent" if is_bundle else "jvp", tuple(varied))
    derived = Global(callee.name, replace(own, chain=(*own.chain, step)))
    tangents = [sweep.contiguous(args[k]) for k in varied]
    if is_bundle:  # a pair of tuples could not be differentiated again
        sweep.nodes.append(node)
        sweep.tangents[node.out] = sweep.apply("derivative", derived, *args, *tangents)
        return
    pair = Value("pair", temporary=True)
    sweep.nodes.append(
        Apply(pair, "derivative", (derived, *args, *tangents), (), loc=node.loc, role=node.role)
    )
    sweep.nodes.append(Apply(node.out, "getitem", (pair, Literal(0)), (), loc=node.loc, role=node.role))
    found = sweep.apply("getitem", pair, Literal(1))
    sweep.tangents[node.out] = sweep.named(found, node.out)


def _varied(sweep: TangentSweep, node: Apply) -> list[int]:
    """Return the positions of the arguments that have a tangent."""
    return [k for k, arg in enumerate(node.args) if sweep.tangent(arg) is not None]


def _zeros(sweep: TangentSweep, node: Apply) -> Atom:
    """Append the tangent of an array or list that is filled later.

    Raises:
        DifferentiationError: AD202 for lists of arrays that are not made by a display.
    """
    kind = node.out.type
    if is_list(kind):
        if is_memory(kind.dtype):
            raise no_rule(node)
        one = sweep.apply("list", sweep.zero(node.out, kind.dtype))
        return sweep.apply("mul", one, sweep.apply("len", node.out))
    if card(node.fn).allocates in (Fill.ZEROS, Fill.NOTHING):
        return sweep.apply(node.fn, *node.args, keywords=node.keywords)
    return sweep.apply("np.zeros_like", node.out)


def _kept_apart(sweep: TangentSweep, found: Atom, node: Apply) -> Atom:
    """`y = x + 1` is a new array: if it or x is written, its tangent must be one, laid out like it."""
    sources = [arg for arg in node.args if isinstance(arg, Value) and sweep.tangents.get(arg) is found]
    is_written = any(sweep.info.is_written(value) for value in (node.out, *sources))
    is_view = any(arg in shown_by(node, is_list(node.out.type)) for arg in sources)
    if sources and is_written and not is_view:
        found = sweep.apply("copy", found)
    if card(node.fn).is_view or not sweep.info.is_written(node.out) or node.out.type.layout != "C":
        return found
    return sweep.apply("np.ascontiguousarray", found)


def _of_store(sweep: TangentSweep, node: Store) -> None:
    """`a[i] = v` writes the tangent of v to that of a[i]."""
    found = sweep.tangent(node.value)
    if found is None and node.accumulate:
        return
    if found is None:
        kind = node.array.type
        is_item = is_list(kind)
        found = sweep.zero(node.value, kind.dtype) if is_item else Literal(0.0)
    array = sweep.whole(node.array)
    assert isinstance(array, Value)
    sweep.nodes.append(replace(node, array=array, value=found))


def _of_append(sweep: TangentSweep, node: Effect) -> None:
    """`v.append(a)`: the list of tangents grows by that of a."""
    items, item = node.args
    found = sweep.tangent(item)
    if found is None:
        found = sweep.zero(item, type_of(items).dtype)
    sweep.nodes.append(replace(node, args=(sweep.whole(items), found)))


def _check_tangent(sweep: TangentSweep, node: Effect) -> None:
    """With `debug_nans=True`, the tangent of a value is checked as the value is."""
    value, what, *rest = node.args
    found = sweep.tangent(value)
    if isinstance(found, Value):
        assert isinstance(what, Literal)
        sweep.nodes.append(replace(node, args=(found, Literal(f"the tangent of {what.value}"), *rest)))


def _nested(sweep: TangentSweep, region: Region) -> TangentSweep:
    """Return what a nested region becomes; tangents are known by value, wherever they are defined."""
    inner = replace(sweep, nodes=[])
    _region(inner, region)
    return inner


def _of_branch(sweep: TangentSweep, node: If) -> None:
    """A branch yields the tangents of what it yields."""
    outs = [k for k, out in enumerate(node.outs) if out in sweep.active]
    arms = []
    for arm in (node.then, node.orelse):
        inner = _nested(sweep, arm)
        found = tuple(inner.whole(arm.yields[k], node.outs[k]) for k in outs)
        arms.append(Region((), tuple(inner.nodes), (*arm.yields, *found)))
    tangents = tuple(sweep.entry(node.outs[k]) for k in outs)
    sweep.nodes.append(replace(node, then=arms[0], orelse=arms[1], outs=(*node.outs, *tangents)))


def _of_loop(sweep: TangentSweep, node: For | While) -> None:
    """A loop carries the tangents of what it carries."""
    params = node.carried
    carried = [k for k, param in enumerate(params) if param in sweep.active]
    inits = tuple(sweep.whole(node.inits[k], params[k]) for k in carried)
    entries = tuple(sweep.entry(params[k]) for k in carried)
    inner = _nested(sweep, node.body)
    after = node.next_values
    found = tuple(inner.whole(after[k], params[k]) for k in carried)
    body = Region((*node.body.params, *entries), tuple(inner.nodes), (*node.body.yields, *found))
    outs = tuple(sweep.entry(node.outs[k]) for k in carried)
    made = replace(node, inits=(*node.inits, *inits), body=body, outs=(*node.outs, *outs))
    sweep.nodes.append(made)
