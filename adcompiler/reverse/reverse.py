"""Reverse mode: from the primal to the ideal reverse sweep.

The sweep made here reads primal values as if every one of them, of every iteration, were still at
hand. `plan` then decides which of them are stored and which recomputed, and `record` rewrites both
sweeps accordingly.

This file decides which reversal each node of the primal has. The state that they change is in `adjoints`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adcompiler.analysis.alias import Memory, typed_memory
from adcompiler.analysis.masked import masked_values
from adcompiler.analysis.ranges import ranges
from adcompiler.analysis.shadow import buffered_owners, typed_views
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.single import is_single
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import is_array, is_complex, is_list, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, regions, results, with_regions
from adcompiler.primitives import Spelling, card
from adcompiler.reverse.adjoint_blocks_run import run_block
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.reverse.ambiguous import ambiguous_memory
from adcompiler.reverse.at_hand import computed_in
from adcompiler.reverse.augmented import is_part, reverse_augmented
from adcompiler.reverse.bind import Bound, bind_shadows
from adcompiler.reverse.called import reverse_call, reverse_recursion
from adcompiler.reverse.control import reverse_if, reverse_loop
from adcompiler.reverse.finite_adjoints import check_adjoints, checks_of
from adcompiler.reverse.first_assignment import first_assigned_inside
from adcompiler.reverse.indexing import reverse_getitem, reverse_store
from adcompiler.reverse.joins import reverse_join
from adcompiler.reverse.lists import (
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
from adcompiler.reverse.own_vjp import reverse_custom
from adcompiler.reverse.protect import forget_copies, protect
from adcompiler.reverse.results import kept_apart
from adcompiler.reverse.shapes_of_arguments import read_shapes_of_arguments
from adcompiler.reverse.vjp import apply_rule
from adcompiler.source import NOWHERE


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
    graph: Graph,
    wrt: list[Value],
    active: set[Value],
    seeds: Sequence[Atom | None],
    masked: bool = False,
) -> ReverseSweep:
    """Build the reverse sweep of a primal.

    Args:
        graph: specialised primal.
        wrt: arguments to differentiate.
        active: values that carry a derivative.
        seeds: the adjoint of each result; None for one that has none.
        masked: whether results may be left out by what the caller makes of them.

    Raises:
        DifferentiationError: AD202 where an active primitive has no rule, AD303 where a result may be an
            array or a copy of it.
    """
    graph, sweep = _started(graph, active, masked)
    started = [None if seed is None else Contribution(seed) for seed in seeds]
    reverse_region(sweep, graph.body, list(zip(graph.body.yields, started, strict=True)))
    gradients = [_gradient(sweep, param) for param in wrt]
    are_arrays = [is_array(param.type) for param in wrt]
    nodes = (*sweep.nodes, *kept_apart(gradients, are_arrays, sweep.nodes))
    body = Region((), nodes, tuple(gradients))
    body = read_shapes_of_arguments(body, graph, sweep.shapes, sweep.partner)
    asked = sweep.partner, sweep.trips, sweep.before, sweep.after
    return ReverseSweep(graph, body, *asked, sweep.info, sweep.shapes, sweep.bound)


def _started(graph: Graph, active: set[Value], results: bool) -> tuple[Graph, AdjointSweep]:
    """Return the primal, which may now bind shadows, and the state that its reversal starts from."""
    displayed = displays(graph.body)
    views, info, shapes = _analysed(graph)
    undefined = first_assigned_inside(graph, active, shapes)
    unsized = [value for value, shape in undefined.items() if shape is None]
    wanted = ambiguous_memory(graph.body, active, info, unsized) - displayed
    graph, bound = bind_shadows(graph, wanted, views)
    if wanted:
        views, info, shapes = _analysed(graph)
    check_lists(graph.body, active, displayed | wanted)
    buffered = buffered_owners(graph.body, active, views, info) - displayed - wanted
    known = ranges(graph)
    masked = masked_values(graph.body, active, known, results)
    sweep = AdjointSweep(active, views, buffered, info, shapes, known, masked, displayed, bound)
    sweep.shadows.update(bound.shadows)
    sweep.has_complex = any(is_complex(type_of(value)) for value in active)
    sweep.has_single = any(is_single(value.type) for value in defined(graph.body) if value.type is not None)
    sweep.undefined = undefined
    sweep.checks = checks_of(graph.body)
    return graph, sweep


def _analysed(graph: Graph) -> tuple[set[Value], Memory, Shapes]:
    """Return the views of a graph, where its memory is written, and the shapes of its arrays."""
    info = typed_memory(graph.body)
    return typed_views(graph.body), info, symbolic_shapes(graph)


def reverse_region(
    sweep: AdjointSweep, region: Region, seeds: Sequence[tuple[Atom, Contribution | None]]
) -> None:
    """Reverse the nodes of a region, last first, from the adjoints of what it yields."""
    for node in region.nodes:
        if isinstance(node, Apply):
            sweep.definitions[node.out] = node
    sweep.computed = sweep.computed | computed_in(region.nodes)
    owned = [*region.params, *(value for node in region.nodes for value in results(node))]
    owned = [value for value in owned if value not in sweep.views]
    later = []
    for atom, seed in seeds:
        if seed is not None and isinstance(atom, Value) and atom in sweep.views:
            later.append((atom, seed))
        elif seed is not None:
            sweep.contribute(atom, seed)
    _open(sweep, owned)
    for atom, seed in later:
        sweep.contribute(atom, seed)
    for node in reversed(region.nodes):
        _reverse_node(sweep, node)


def _reverse_node(sweep: AdjointSweep, node: Node) -> None:
    """Append the reversal of one primal node."""
    sweep.loc = node.loc
    start = sweep.start = len(sweep.nodes)
    forget_copies(sweep, node)
    match node:
        case Apply(fn="grad_of") | Effect(fn="grad_of"):
            run_block(sweep, node)
        case Apply():
            _reverse_apply(sweep, node)
            check_adjoints(sweep, node)
        case Store():
            reverse_store(sweep, node)
        case Effect(fn="append"):
            reverse_append(sweep, node)
        case If() if _is_active(sweep, node):
            reverse_if(sweep, node, reverse_region)
        case For() | While() if _is_active(sweep, node):
            reverse_loop(sweep, node, reverse_region)
    if isinstance(node, Apply | Store | Effect):
        protect(sweep, node, start)
    sweep.nodes[start:] = [_placed(sweep, made) for made in sweep.nodes[start:]]


def _placed(sweep: AdjointSweep, made: Node) -> Node:
    """Return a node of the reversal with the place of what it reverses, also inside loops of its own."""
    if made in sweep.partner:
        return made
    inner = regions(made)
    if inner:
        parts = (replace(part, nodes=tuple(_placed(sweep, n) for n in part.nodes)) for part in inner)
        made = with_regions(made, tuple(parts))
    return replace(made, loc=sweep.loc, role=sweep.role) if made.loc is NOWHERE else made


def _is_active(sweep: AdjointSweep, node: If | For | While) -> bool:
    """Tell whether a node with regions does anything to an active value."""
    if any(out in sweep.active for out in node.outs):
        return True
    regions = (node.then, node.orelse) if isinstance(node, If) else (node.body,)
    for inner in (n for region in regions for n in region.nodes):
        match inner:
            case Apply() if inner.out in sweep.active:
                return True
            case Apply(fn="pop") if inner.args[0] in sweep.active:
                return True
            case Store() if inner.array in sweep.active:
                return True
            case Effect(fn="append" | "grad_of") if inner.args[0] in sweep.active:
                return True
            case If() | For() | While() if _is_active(sweep, inner):
                return True
    return False


def _open(sweep: AdjointSweep, owned: list[Value]) -> None:
    """Allocate the shadows of buffered arrays and lists."""
    for value in owned:
        if value in sweep.buffered and value in sweep.active and value not in sweep.bound:
            make = open_list if is_list(value.type) else _open_array
            sweep.shadows[value] = make(sweep, value)


def _open_array(sweep: AdjointSweep, value: Value) -> Value:
    """Return the shadow of an array; one that has an adjoint already starts from it."""
    seed = sweep.adjoints.pop(value, None)
    if seed is not None and seed.owned:
        assert isinstance(seed.atom, Value)
        return seed.atom
    if seed is not None and seed.full:
        return sweep.apply("copy", seed.atom, name=f"d_{value.name}", temporary=False)
    shadow = sweep.zeros(value)
    if seed is not None:
        sweep.nodes.append(Store(shadow, (), seed.atom, True, loc=sweep.loc, role=sweep.role))
    return shadow


def _reverse_apply(sweep: AdjointSweep, node: Apply) -> None:
    """Append the reversal of a primitive; that of a list does not ask for an adjoint of its result."""
    is_view = node.out in sweep.views and sweep.is_buffered(node.out)
    is_made = is_list(node.out.type)
    if is_view or (is_made and sweep.binds_items(node.out)):
        return
    if is_made and node.fn in ("list", "mul"):
        reverse_made = reverse_display if node.fn == "list" else reverse_repeated
        reverse_made(sweep, node)
        return
    if is_part(sweep, node):  # its call asks for its adjoint
        return
    if node.fn == "custom[0]":
        reverse_custom(sweep, node)
        return
    if node.fn in ("augmented", "recurse_parts"):
        reverse_parts = reverse_augmented if node.fn == "augmented" else reverse_recursion
        reverse_parts(sweep, node)
        return
    adjoint = sweep.take(node.out)
    if node.fn == "pop":
        reverse_pop(sweep, node, adjoint)
    elif adjoint is not None:
        _reverse_result(sweep, node, adjoint)


def _reverse_result(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """Add to the adjoints of a primitive's inputs, given that of its result."""
    first = node.args[0] if node.args else None
    of_list = is_list(type_of(first))
    match node.fn:
        case "getitem":
            reverse_getitem(sweep, node, adjoint)
        case fn if card(fn).spelling is Spelling.JOIN:
            reverse_join(sweep, node, adjoint)
        case "recurse" | "derivative":
            reverse_call(sweep, node, adjoint)
        case "sum" if of_list:
            reverse_sum(sweep, node, adjoint)
        case "np.array" | "np.asarray" if of_list:
            reverse_to_array(sweep, node, adjoint)
        case _:
            apply_rule(sweep, node, adjoint)


def _gradient(sweep: AdjointSweep, param: Value) -> Atom:
    """Return what the function returns as the gradient of an argument."""
    found = sweep.take(param)
    sweep.loc = NOWHERE
    if found is None:
        return sweep.zero(param)
    atom = sweep.full(param, found)
    if is_scalar(param.type) and str(param.type) != "float64":
        return sweep.apply(f"np.{param.type}", atom)
    return atom
