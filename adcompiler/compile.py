"""The pipeline as straight calls: from a function and argument types to a module of source text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from typing import Literal as Choice

from numba import float32
from numba.core import types as nt

from adcompiler.analysis.alias import memory_classes, written_arrays
from adcompiler.analysis.propagate import propagated
from adcompiler.analysis.shapes import symbolic_shapes, symbolic_sizes
from adcompiler.analysis.sizes import Guards
from adcompiler.analysis.types import Types, element, infer, is_continuous, is_scalar, refresh
from adcompiler.arguments import gradient_layout
from adcompiler.backend.emit import ModuleText, emit
from adcompiler.callees import Callees, Kinds, callee_graph, returning_copy
from adcompiler.frontend.lower import lower
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, leaves
from adcompiler.graph.nodes import Apply, Atom, Graph, Node, Region, Value
from adcompiler.graph.syntax import part_of
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import defined, map_region, substitute
from adcompiler.optimize.accumulate import accumulate_in_numbers
from adcompiler.optimize.chains import shorten_chains
from adcompiler.optimize.copies import drop_copies
from adcompiler.optimize.cse import eliminate_common
from adcompiler.optimize.dead import remove_dead
from adcompiler.optimize.direct import index_directly
from adcompiler.optimize.distribute import distribute
from adcompiler.optimize.factors import share_factors
from adcompiler.optimize.fold import fold
from adcompiler.optimize.fuse import fuse
from adcompiler.optimize.guard import guard_sizes
from adcompiler.optimize.hoist import hoist_calls, hoist_sizes
from adcompiler.optimize.induction import index_counters
from adcompiler.optimize.invariant import remove_invariants
from adcompiler.optimize.localise import localise
from adcompiler.optimize.reciprocal import share_reciprocals
from adcompiler.optimize.reuse import reuse_arrays
from adcompiler.optimize.scalars import replace_small_arrays
from adcompiler.optimize.shape_reads import read_shapes_elsewhere
from adcompiler.optimize.sink import sink_loads
from adcompiler.optimize.skip import skip_zeros
from adcompiler.optimize.stacks import lists_to_arrays
from adcompiler.optimize.unroll import unroll
from adcompiler.optimize.upwards import count_upwards
from adcompiler.optimize.vectorise import vectorise
from adcompiler.rules import ELEMENTWISE
from adcompiler.transform.derived import Derived
from adcompiler.transform.forward import forward
from adcompiler.transform.gradient import gradient
from adcompiler.transform.plan import LoopPlan
from adcompiler.transform.specialise import specialise
from adcompiler.transform.tape import Tape

Mode = Choice["primal", "outputs", "grad", "value_and_grad", "pullback", "jvp"]


@dataclass(frozen=True)
class Style:
    """What the generated text is to be like.

    Attributes:
        single: whether one gradient is returned by itself, not as a tuple.
        accurate: whether the order of all sums is kept, and the elementary functions of libm.
        broadcasts: whether arrays may be stretched where only their sizes tell.
        cautious: whether nothing is assumed of sizes for the sake of code in a branch that may not be taken.
    """

    single: bool = True
    accurate: bool = False
    broadcasts: bool = False
    cautious: bool = False


@dataclass
class Compiled:
    """What one specialisation is made of."""

    graph: Graph
    plans: list[tuple[LoopPlan, list[Tape]]]
    returns: Layout
    writes: tuple[int, ...]
    seeds: tuple[nt.Type | None, ...] = ()
    is_conditional: bool = False
    types: Types = field(default_factory=dict)
    text: ModuleText = field(default_factory=ModuleText)


def primal_graph(function: Callable[..., Any], layouts: Sequence[Layout] = ()) -> Graph:
    """Return the graph of a function, before types are known."""
    graph = lower(function, layouts)
    for _ in range(2):  # a branch resolved by a constant may make another test constant
        graph = clean(fold(graph, {}))
    return verify(graph)


def clean(graph: Graph) -> Graph:
    """Remove what is dead or unchanging."""
    graph = remove_dead(graph)
    changed = remove_invariants(graph)
    return graph if changed is graph else remove_dead(changed)


def typed_primal(
    graph: Graph, arguments: Sequence[nt.Type], keep_arguments: bool = True
) -> tuple[Graph, Types]:
    """Specialise a graph for argument types; `keep_arguments` copies those that it writes."""
    types = infer(graph, arguments)
    graph = clean(specialise(graph, types, keep_arguments))
    return verify(eliminate_common(graph, _scalars(graph, types))), types


def _scalars(graph: Graph, types: Types) -> set[Value]:
    """Return the values that never change: numbers, and shapes."""
    return {
        v for v in defined(graph.body) if is_scalar(types.get(v)) or isinstance(types.get(v), nt.BaseTuple)
    }


def compile_text(
    graph: Graph, layouts: Sequence[Layout], wrt: Sequence[int], mode: Mode, style: Style
) -> Compiled:
    """Return the source text of a function's value, gradient, or both.

    Args:
        graph: the untyped primal.
        layouts: layout of each argument, with the types of its single values.
        wrt: positions of the arguments to differentiate.
        mode: what the text returns.
        style: what the text is to be like.
    """
    callees = Callees()
    result, types, compiled = _transformed(graph, layouts, wrt, mode, style)
    parts = [(callees.resolve(result, types), types)]
    while callees.todo:
        key = callees.todo.pop()
        part, kinds = _callee(*key)
        part = replace(callees.resolve(part, kinds), name=callees.names[key])
        parts.insert(0, (part, kinds))
    if not style.accurate:
        parts = [(verify(vectorise(part, kinds)), kinds) for part, kinds in parts]
    compiled.types = types
    compiled.text = emit(parts)
    return compiled


def _transformed(
    graph: Graph, layouts: Sequence[Layout], wrt: Sequence[int], mode: Mode, style: Style
) -> tuple[Graph, Types, Compiled]:
    """Return the final graph of one function, and what is known about it."""
    arguments = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    primal, types = typed_primal(graph, arguments, mode != "primal")
    writes = _written_positions(primal, layouts) if mode != "primal" else ()
    if mode in ("primal", "outputs"):
        result = simplify(drop_copies(name_parts(primal), types), types)
        if not style.broadcasts and not _writes_arguments(result):
            result = _fused(result, types, arguments)
        return result, types, Compiled(result, [], result.returns or Leaf(), writes)
    positions = _leaf_positions(layouts, wrt, types, primal)
    guards = None if style.broadcasts else Guards(cautious=style.cautious)
    primal = share_factors(_prepared(primal, types, guards), types)
    made = _derived(primal, positions, types, mode)
    returns = made.graph.returns
    if mode != "jvp":
        gradients = [gradient_layout(layouts[position]) for position in wrt]
        packed = gradients[0] if style.single else Packed(tuple(gradients))
        returns = Packed((Leaf(), packed)) if mode == "value_and_grad" else packed
    assert returns is not None
    result = clean(verify(replace(name_parts(made.graph), returns=returns)))
    arguments += [kind for kind in made.seeds if kind is not None]
    types = propagated(result, arguments, types, ELEMENTWISE.keys()) or infer(result, arguments)
    result = simplify(drop_copies(index_directly(result, types), types), types)
    shapes = symbolic_shapes(result, types, ELEMENTWISE.keys())
    result = count_upwards(reuse_arrays(hoist_sizes(result, types, shapes), types), types, made.starts)
    result = simplify(unroll(result, types), types)
    result = simplify(accumulate_in_numbers(result, types), types)
    shapes = symbolic_shapes(result, types, ELEMENTWISE.keys())
    result = simplify(read_shapes_elsewhere(result, shapes), types)
    if not style.broadcasts:
        refresh(result, types)
        if not types.keys() >= defined(result.body).keys():
            types = infer(result, arguments)
        result = _fused(result, types, arguments)
    if not style.accurate:
        result = simplify(shorten_chains(distribute(result, types), types), types)
    shapes = symbolic_shapes(result, types, ELEMENTWISE.keys())
    result = simplify(reuse_arrays(hoist_sizes(result, types, shapes), types), types)
    result = skip_zeros(share_reciprocals(result, types), types)
    result = verify(clean(lists_to_arrays(result, types)))
    is_conditional = guards is not None and guards.is_conditional
    return result, types, Compiled(result, made.plans, returns, writes, made.seeds, is_conditional)


def _derived(primal: Graph, positions: Sequence[int], types: Types, mode: Mode) -> Derived:
    """Differentiate a prepared primal."""
    if mode == "jvp":
        return forward(primal, positions, types, keep_values=True)
    return gradient(primal, positions, types, mode)


def _fused(graph: Graph, types: Types, arguments: Sequence[nt.Type]) -> Graph:
    """Write array code as loops, where shapes are known to be equal."""
    known = symbolic_sizes(graph, types, ELEMENTWISE.keys())
    graph = fuse(graph, types, *known)
    if any(element(kind) == float32 for kind in types.values()):
        types.update(infer(graph, arguments))  # an element may be wider or narrower than those of its array
    return simplify(graph, types)


def _writes_arguments(graph: Graph) -> bool:
    """Tell whether a function writes its arguments: these may overlap, so that the order matters."""
    classes = memory_classes(graph.body)
    own = {classes.get(param, param) for param in graph.body.params}
    return any(classes.get(array, array) in own for array in written_arrays(graph.body))


def _prepared(primal: Graph, types: Types, guards: Guards | None) -> Graph:
    """Bring the primal into the form from which least has to be stored."""
    shapes = symbolic_shapes(primal, types, ELEMENTWISE.keys())
    primal = hoist_calls(hoist_sizes(primal, types, shapes), types)
    primal = eliminate_common(index_counters(primal, types), _scalars(primal, types))
    if guards is not None:
        primal = clean(fold(guard_sizes(primal, types, ELEMENTWISE.keys(), guards), types))
        primal = eliminate_common(primal, _scalars(primal, types))
    shapes, sizes = symbolic_sizes(primal, types, ELEMENTWISE.keys())
    primal = replace_small_arrays(localise(primal, types, shapes, sizes), types, shapes)
    return verify(clean(fold(primal, types)))


def _callee(callee: Callee, kinds: Kinds) -> tuple[Graph, Types]:
    """Return the final graph of a recursive function, or of its pullback."""
    if callee.wrt is None:
        graph = clean(fold(callee_graph(callee, kinds), {}))
        primal, types = typed_primal(graph, [k for k in kinds if not isinstance(k, nt.NoneType)], False)
        return simplify(returning_copy(primal, types), types), types
    own = kinds[:-1]  # the last argument is the adjoint of the result
    graph = clean(fold(callee_graph(callee, own), {}))
    layouts = [Static(None) if isinstance(kind, nt.NoneType) else Leaf(kind) for kind in own]
    result, types, _ = _transformed(graph, layouts, callee.wrt, "pullback", Style(single=False))
    return result, types


def _leaf_positions(layouts: Sequence[Layout], wrt: Sequence[int], types: Types, primal: Graph) -> list[int]:
    """Return the positions, among the single values of all arguments, of those to differentiate."""
    spans: list[list[int]] = []
    count = 0
    for layout in layouts:
        size = len([*leaves(layout)])
        spans.append([*range(count, count + size)])
        count += size
    params = primal.body.params
    return [k for position in wrt for k in spans[position] if is_continuous(types[params[k]])]


def _written_positions(primal: Graph, layouts: Sequence[Layout]) -> tuple[int, ...]:
    """Return the positions of the arguments that are copied because the function writes them."""
    copied = {node.args[0] for node in primal.body.nodes if isinstance(node, Apply) and node.fn == "copy"}
    position, found = 0, []
    for k, layout in enumerate(layouts):
        for _ in leaves(layout):
            if primal.body.params[position] in copied:
                found.append(k)
            position += 1
    return tuple(found)


def name_parts(graph: Graph) -> Graph:
    """Let results be what the function returned, now that rules and the end of derivatives were applied."""
    same: dict[Value, Atom] = {}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            part = part_of(node.fn, len(node.args)) if isinstance(node, Apply) else None
            if isinstance(node, Apply) and node.fn == "stop_gradient":
                part = 0
            if part is None:
                nodes.append(node)
            else:
                assert isinstance(node, Apply)
                same[node.out] = node.args[part]
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=substitute(body, same))


def simplify(graph: Graph, types: Types) -> Graph:
    """Fold, share and drop, until the text reads as written by hand."""

    graph = clean(fold(graph, types))
    graph = eliminate_common(graph, _scalars(graph, types))
    return verify(sink_loads(clean(graph)))
