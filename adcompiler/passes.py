"""The passes before and after differentiation, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numba import float32
from numba.core import types as nt

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.alias import memory_classes, written_arrays
from adcompiler.analysis.shapes import symbolic_shapes, symbolic_sizes
from adcompiler.analysis.sizes import Guards
from adcompiler.analysis.types import Types, element, infer, is_continuous, is_scalar, refresh
from adcompiler.frontend.lower import lower
from adcompiler.frontend.overloads import without_choices
from adcompiler.graph.layout import Layout
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value
from adcompiler.graph.syntax import part_of
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import defined, map_region, substitute
from adcompiler.optimize.accumulate import accumulate_in_numbers
from adcompiler.optimize.bounds import check_indices
from adcompiler.optimize.buffers import with_buffers
from adcompiler.optimize.chains import shorten_chains
from adcompiler.optimize.copies import drop_copies
from adcompiler.optimize.cse import eliminate_common
from adcompiler.optimize.dead import remove_dead
from adcompiler.optimize.direct import index_directly
from adcompiler.optimize.distribute import distribute
from adcompiler.optimize.divisors import check_divisors
from adcompiler.optimize.ellipses import without_ellipses
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
from adcompiler.rules import CONSTANT, ELEMENTWISE
from adcompiler.transform.specialise import specialise


@dataclass(frozen=True)
class Style:
    """What the generated text is to be like.

    Attributes:
        single: whether one gradient is returned by itself, not as a tuple.
        accurate: whether the order of all sums is kept, and the elementary functions of libm.
        broadcasts: whether arrays may be stretched where only their sizes tell.
        cautious: whether nothing is assumed of sizes for the sake of code in a branch that may not be taken.
        packed: whether the tangents are one argument `v` in the structure of the gradient.
    """

    single: bool = True
    accurate: bool = False
    broadcasts: bool = False
    cautious: bool = False
    packed: bool = False


def primal_graph(
    function: Callable[..., Any], layouts: Sequence[Layout] = (), raises: bool | None = False
) -> Graph:
    """Return the graph of a function, before types are known; arguments are those of `lower`."""
    graph = with_buffers(lower(function, layouts, raises))
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
    """Specialise a graph for argument types.

    Args:
        graph: the untyped primal.
        arguments: types of its arguments.
        keep_arguments: whether arguments that it writes are copied.
    """
    types = infer(graph, arguments)
    spread = without_ellipses(graph, types)
    if spread is not graph:
        graph, types = spread, infer(spread, arguments)
    graph = clean(specialise(without_choices(graph), types, keep_arguments))
    graph = check_divisors(graph, types)
    return verify(eliminate_common(graph, _scalars(graph, types))), types


def _scalars(graph: Graph, types: Types) -> set[Value]:
    """Return the values that never change: numbers, and shapes."""
    return {
        v for v in defined(graph.body) if is_scalar(types.get(v)) or isinstance(types.get(v), nt.BaseTuple)
    }


def fused(graph: Graph, types: Types, arguments: Sequence[nt.Type]) -> Graph:
    """Write array code as loops, where shapes are known to be equal."""
    known = symbolic_sizes(graph, types, ELEMENTWISE.keys())
    graph = fuse(graph, types, *known)
    if any(element(kind) == float32 for kind in types.values()):
        types.update(infer(graph, arguments))  # an element may be wider or narrower than those of its array
    return simplify(graph, types)


def writes_arguments(graph: Graph) -> bool:
    """Tell whether a function writes its arguments: these may overlap, so that the order matters."""
    classes = memory_classes(graph.body)
    own = {classes.get(param, param) for param in graph.body.params}
    return any(classes.get(array, array) in own for array in written_arrays(graph.body))


def prepared(primal: Graph, types: Types, guards: Guards) -> Graph:
    """Bring the primal into the form from which least has to be stored."""
    shapes = symbolic_shapes(primal, types, ELEMENTWISE.keys())
    primal = hoist_calls(hoist_sizes(primal, types, shapes), types)
    primal = eliminate_common(index_counters(primal, types), _scalars(primal, types))
    primal = clean(fold(guard_sizes(primal, types, ELEMENTWISE.keys(), guards), types))
    primal = eliminate_common(primal, _scalars(primal, types))
    shapes, sizes = symbolic_sizes(primal, types, ELEMENTWISE.keys())
    primal = replace_small_arrays(localise(primal, types, shapes, sizes), types, shapes)
    return verify(clean(fold(primal, types)))


def checked(primal: Graph, types: Types, wrt: Sequence[int] | None = None) -> Graph:
    """Let a primal check the indices at which its derivative would read or write beyond an end.

    Args:
        primal: the primal.
        types: type of every value.
        wrt: positions of the parameters to differentiate; None for a function that is run by itself, as part
            of a derivative: its indices are checked for all arrays of floats.
    """
    if wrt is None:
        active = {value for value, kind in types.items() if is_continuous(kind)}
    else:
        active = active_values(primal, [primal.body.params[k] for k in wrt], types, CONSTANT)
    primal = clean(fold(check_indices(primal, types, active, ELEMENTWISE.keys()), types))
    return verify(eliminate_common(primal, _scalars(primal, types)))


def polished(
    graph: Graph, types: Types, arguments: Sequence[nt.Type], starts: dict[Value, Literal], style: Style
) -> tuple[Graph, Types]:
    """Bring a derivative into its final form.

    Args:
        graph: the graph as differentiation left it.
        types: type of every value.
        arguments: types of the arguments.
        starts: where the counters end that reverse loops count back.
        style: what the text is to be like.
    """
    graph = simplify(drop_copies(index_directly(graph, types), types), types)
    shapes = symbolic_shapes(graph, types, ELEMENTWISE.keys())
    graph = count_upwards(reuse_arrays(hoist_sizes(graph, types, shapes), types), types, starts)
    graph = simplify(unroll(graph, types), types)
    graph = simplify(accumulate_in_numbers(graph, types, ELEMENTWISE.keys()), types)
    shapes = symbolic_shapes(graph, types, ELEMENTWISE.keys())
    graph = simplify(read_shapes_elsewhere(graph, shapes), types)
    if not style.broadcasts:
        refresh(graph, types)
        if not types.keys() >= defined(graph.body).keys():
            types = infer(graph, arguments)
        graph = fused(graph, types, arguments)
    if not style.accurate:
        graph = simplify(shorten_chains(distribute(graph, types), types), types)
    shapes = symbolic_shapes(graph, types, ELEMENTWISE.keys())
    graph = simplify(reuse_arrays(hoist_sizes(graph, types, shapes), types), types)
    graph = skip_zeros(share_reciprocals(graph, types), types)
    return verify(clean(lists_to_arrays(graph, types))), types


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
