"""`np.arange` from a float, or in steps of one: the elements move with the start and the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import element, enter_types, infer, is_float
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import alike, map_region


def typed_with_float_ranges(graph: Graph, arguments: Sequence[nt.Type]) -> Graph:
    """Return the graph with `start + step * np.arange(n)` where a float says where or how a range goes.

    How many elements there are is a whole number, which carries no derivative.

    Args:
        graph: the typed primal.
        arguments: types of its arguments.
    """
    changed = replace(graph, body=map_region(graph.body, _rewritten))
    if alike(graph, changed):
        return graph
    enter_types(infer(changed, arguments))
    return changed


def _rewritten(region: Region) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        nodes += _written_out(node) if isinstance(node, Apply) and _moves(node) else [node]
    return replace(region, nodes=tuple(nodes))


def _moves(node: Apply) -> bool:
    """Tell whether a node is a range of floats whose start or step is a float that may vary."""
    if node.fn != "np.arange" or len(node.args) == 1 or not is_float(element(node.out.type)):
        return False
    given = (node.args[0], *node.args[2:3])
    return any(isinstance(atom, Value) and is_float(type_of(atom)) for atom in given)


def _written_out(node: Apply) -> list[Apply]:
    start, stop, step, *kinds = (*node.args, Literal(1))[: max(3, len(node.args))]
    nodes: list[Apply] = []

    def apply(name: str, fn: str, *args: Atom) -> Value:
        out = Value(name, temporary=True)
        nodes.append(Apply(out, fn, args, loc=node.loc, role=node.role))
        return out

    length = apply("length", "sub", stop, start)
    if step != Literal(1):
        length = apply("ratio", "truediv", length, step)
    steps = apply("steps", "np.arange", apply("count", "math.ceil", length))
    if step != Literal(1):
        steps = apply("steps", "mul", step, steps)
    found = apply(node.out.name, "add", start, steps)
    if element(node.out.type) == nt.float32:
        kind = dict(node.keywords).get("dtype") or kinds[0]
        found = apply(node.out.name, "astype", found, kind)
    return [*nodes[:-1], replace(nodes[-1], out=node.out)]
