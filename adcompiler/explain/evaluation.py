"""Values, partials and adjoints of all that runs at one point, by one reverse sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, is_float, is_scalar
from adcompiler.errors import DifferentiationError
from adcompiler.explain.unrolled import Step, Unrolled, unroll
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Node, Region, Store, Value, type_of
from adcompiler.graph.run import run
from adcompiler.graph.walk import map_operands, operands, values, walk
from adcompiler.pipeline import Style, Unit, through
from adcompiler.prepare.adjoint_blocks_typed import is_block
from adcompiler.primitives import card
from adcompiler.storage.gradient import gradient

LIMIT = 500
"""How many primitives may run."""


@dataclass
class Point:
    """A program at a point.

    Attributes:
        unrolled: what ran, with its values.
        adjoints: the derivative of the result by what each step made, for floats.
        partials: (input, step) to the derivative of a primitive: a number, or an array where it acts
            element by element, or makes a number of an array.
    """

    unrolled: Unrolled
    adjoints: dict[str, Any]
    partials: dict[tuple[str, str], Any]


def at_point(graph: Graph, inputs: Sequence[Any], limit: int = LIMIT) -> Point:
    """Run a program and its reversal, and return what each value and its adjoint are.

    Args:
        graph: the typed primal.
        inputs: the single values of its arguments.
        limit: how many primitives may run.

    Raises:
        DifferentiationError: AD402 where more run, or the result is not one number.
    """
    for node in walk(graph.body):
        if calls_function(node):
            reason = "it calls a derivative, or itself"
            raise DifferentiationError("AD402", reason, node.loc, "evaluate the function that is called")
    unrolled = unroll(graph, inputs, limit)
    result = unrolled.graph.body.yields[0]
    if isinstance(result, Value) and not is_float(result.type):
        cure = "evaluate a function that returns one float, for example a sum"
        raise DifferentiationError("AD402", "the result is not one number", None, cure)
    found: dict[tuple[str, str], Any] = {}
    for step in unrolled.steps:
        if isinstance(step.node, Apply) and has_adjoint(step.node.out):
            slopes = _partials(step.node, step.given)
            found |= {(step.reads[value], step.name): slope for value, slope in slopes.items()}
    return Point(unrolled, _adjoints(unrolled, inputs), found)


def calls_function(node: Node) -> bool:
    """Tell whether a node calls a derivative, or a function that calls itself: no primitive to be run."""
    first = node.args[0] if isinstance(node, Apply) and node.args else None
    return isinstance(first, Global) and isinstance(first.value, Callee)


def has_adjoint(value: Value) -> bool:
    """Tell whether a value is a float, or an array of floats."""
    kind = value.type
    return (is_scalar(kind) or is_array(kind)) and is_float(element(kind) if is_array(kind) else kind)


def _adjoints(unrolled: Unrolled, inputs: Sequence[Any]) -> dict[str, Any]:
    """Return all adjoints: the gradient by a zero that is added to what each step made."""
    body = unrolled.graph.body
    steps: dict[Node | None, Step] = {step.node: step for step in unrolled.steps}
    zeros: dict[str, tuple[Value, Any]] = {}
    now: dict[Value, Atom] = {}

    def read(atom: Atom) -> Atom:
        return now.get(atom, atom) if isinstance(atom, Value) else atom

    def added(step: Step, kind: nt.Type) -> Value:
        zero = Value(f"zero_{len(zeros)}", type=_own(kind))
        zeros[step.name] = zero, np.zeros_like(step.value) if is_array(kind) else 0.0
        return zero

    nodes: list[Node] = []
    for old in body.nodes:
        node = map_operands(old, read)
        nodes.append(node)
        if isinstance(node, Apply) and has_adjoint(node.out) and not _shows(node):
            now[node.out] = out = Value(node.out.name, node.out.temporary, _own(node.out.type))
            nodes.append(Apply(out, "add", (node.out, added(steps[old], node.out.type))))
        elif isinstance(node, Store) and has_adjoint(node.array):
            nodes.append(Store(node.array, (), added(steps[old], node.array.type), True))
    return _by_all(unrolled, Region(body.params, tuple(nodes), (read(body.yields[0]),)), zeros, inputs)


def _by_all(
    unrolled: Unrolled, body: Region, zeros: dict[str, tuple[Value, Any]], inputs: Sequence[Any]
) -> dict[str, Any]:
    """Return the gradient by the arguments and by the zeros."""
    params = (*body.params, *(value for value, _ in zeros.values()))
    graph = replace(
        unrolled.graph, body=replace(body, params=params), returns=None, parameters=(), defaults=()
    )
    varied = {unrolled.names[param]: param for param in body.params if has_adjoint(param)}
    by = [params.index(value) for value in (*varied.values(), *(value for value, _ in zeros.values()))]
    given = (*inputs, *(zero for _, zero in zeros.values()))
    found = _gradient(graph, given, by)
    return dict(zip((*varied, *zeros), map(_plain, found), strict=True))


def _gradient(graph: Graph, inputs: Sequence[Any], by: list[int]) -> Sequence[Any]:
    """Return the gradient of a straight program, whose graph is interpreted."""
    kinds = [param.type for param in graph.body.params]
    unit = through(Unit(graph, kinds, Style(broadcasts=True)), "factored")
    made = gradient(unit.graph, by, "grad")
    copies = [value.copy() if isinstance(value, np.ndarray) else value for value in inputs]
    with np.errstate(all="ignore"):
        return run(made.graph, copies)


def _shows(node: Apply) -> bool:
    """Tell whether a result may share memory with what it was made from."""
    return is_array(node.out.type) and card(node.fn).is_view


def _own(kind: nt.Type) -> nt.Type:
    return kind.copy(layout="C", readonly=False) if is_array(kind) else kind


def _partials(node: Apply, given: dict[Value, Any]) -> dict[Value, Any]:
    """Return the derivative of a primitive's result by each value that it reads, where it is one array."""
    read = [value for value in dict.fromkeys(values(operands(node))) if has_adjoint(value)]
    if not read or is_block(node) or (is_array(node.out.type) and not _acts_by_element(node)):
        return {}
    params = tuple(dict.fromkeys(values(operands(node))))
    nodes, total = [replace(node, out=(out := Value("out", type=node.out.type)))], out
    if is_array(out.type):
        total = Value("total", type=element(out.type))
        nodes.append(Apply(total, "np.sum", (out,)))
    graph = Graph("step", Region(params, tuple(nodes), (total,)))
    by = [params.index(value) for value in read]
    try:
        found = _gradient(graph, [given[value] for value in params], by)
    except DifferentiationError:
        return {}
    return {value: _plain(slope) for value, slope in zip(read, found, strict=True)}


def _plain(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else float(value)


def _acts_by_element(node: Apply) -> bool:
    known = card(node.fn)
    shapes = {type_of(atom).ndim for atom in values(node.args) if is_array(type_of(atom))}
    return known.is_elementwise and shapes == {node.out.type.ndim}
