"""The pipeline as straight calls: from a function and argument types to a module of source text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from typing import Literal as Choice

from numba.core import types as nt

from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.types import Types, infer, is_scalar
from adcompiler.backend.emit import Text, emit
from adcompiler.frontend.lower import lower
from adcompiler.graph.nodes import Apply, Graph, Value
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import defined
from adcompiler.optimize.cse import eliminate_common
from adcompiler.optimize.dead import remove_dead
from adcompiler.optimize.fold import fold
from adcompiler.optimize.invariant import remove_invariants
from adcompiler.optimize.shape_reads import read_shapes_elsewhere
from adcompiler.optimize.sink import sink_loads
from adcompiler.rules import ELEMENTWISE
from adcompiler.transform.gradient import gradient
from adcompiler.transform.plan import LoopPlan
from adcompiler.transform.record import Tape
from adcompiler.transform.specialise import specialise

Mode = Choice["primal", "grad", "value_and_grad"]


@dataclass
class Compiled:
    """What one specialisation is made of."""

    graph: Graph
    text: Text
    plans: list[tuple[LoopPlan, list[Tape]]]


def primal_graph(function: Callable[..., Any]) -> Graph:
    """Return the graph of a function, before types are known."""
    graph = lower(function)
    for _ in range(2):  # a branch resolved by a constant may make another test constant
        graph = clean(fold(graph, {}))
    return verify(graph)


def clean(graph: Graph) -> Graph:
    """Remove what is dead or unchanging."""
    return remove_dead(remove_invariants(remove_dead(graph)))


def typed_primal(graph: Graph, arguments: Sequence[nt.Type]) -> tuple[Graph, Types]:
    """Specialise a graph for argument types."""
    types = infer(graph, arguments)
    graph = clean(specialise(graph, types))
    return verify(eliminate_common(graph, _scalars(graph, types))), types


def _scalars(graph: Graph, types: Types) -> set[Value]:
    return {value for value in defined(graph.body) if is_scalar(types.get(value))}


def compile_text(
    graph: Graph, arguments: Sequence[nt.Type], wrt: Sequence[int], mode: Mode, single: bool
) -> Compiled:
    """Return the source text of a function's value, gradient, or both.

    Args:
        graph: the untyped primal.
        arguments: Numba type of each argument.
        wrt: positions of the arguments to differentiate.
        mode: what the text returns.
        single: True returns one gradient by itself, False a tuple of gradients.
    """
    primal, types = typed_primal(graph, arguments)
    plans: list[tuple[LoopPlan, list[Tape]]] = []
    if mode == "primal":
        result = simplify(primal, types)
    else:
        made = gradient(primal, list(wrt), types, mode == "value_and_grad")
        plans = made.plans
        result = _pack(verify(made.graph), mode == "value_and_grad", single)
        result = clean(result)
        types = infer(result, arguments)
        result = simplify(result, types)
        shapes = symbolic_shapes(result, types, ELEMENTWISE.keys())
        result = simplify(read_shapes_elsewhere(result, shapes), types)
    return Compiled(result, emit(result, types), plans)


def simplify(graph: Graph, types: Types) -> Graph:
    """Fold, share and drop, until the text reads as written by hand."""

    graph = clean(fold(graph, types))
    graph = eliminate_common(graph, _scalars(graph, types))
    return verify(sink_loads(clean(graph)))


def _pack(graph: Graph, with_value: bool, single: bool) -> Graph:
    """Return `value, (gradients…)` in the structure that the caller asked for."""
    gradients = graph.body.yields[with_value:]
    nodes = list(graph.body.nodes)
    if not single:
        packed = Value("gradients", temporary=True)
        nodes.append(Apply(packed, "tuple", gradients))
        gradients = (packed,)
    yields = (*graph.body.yields[:with_value], *gradients)
    body = replace(graph.body, nodes=tuple(nodes), yields=yields)
    return replace(graph, body=body, returns_tuple=len(yields) > 1)
