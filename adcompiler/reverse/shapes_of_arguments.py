"""Take the shape of an adjoint from an argument, where its own array is needed for nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element, is_array
from adcompiler.graph.nodes import Apply, For, Graph, Node, Region, Value, While
from adcompiler.graph.walk import defined, regions, uses, walk, with_regions


def read_shapes_of_arguments(
    body: Region, primal: Graph, shapes: Shapes, partner: dict[Node, Node]
) -> Region:
    """Return a reverse sweep that asks for fewer arrays of loops: they would be kept for their shape.

    Args:
        body: the reverse sweep.
        primal: the graph that it reverses.
        shapes: the shapes of its arrays.
        partner: the primal loop or branch of each one of the sweep; gets those that are made.
    """
    like = _arguments_like(primal, shapes)
    asked = Counter(_model(node) for node in walk(body))
    counts = uses(body)
    like = {value: argument for value, argument in like.items() if 0 < asked[value] == counts[value]}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            made = with_regions(node, tuple(map(rewrite, regions(node))))
            model = _model(made)
            if isinstance(made, Apply) and model in like:
                made = replace(made, args=(like[model],))
            if node in partner:
                partner[made] = partner[node]
            nodes.append(made)
        return replace(region, nodes=tuple(nodes))

    return rewrite(body) if like else body


def _model(node: Node) -> Value | None:
    """Return the array whose shape a node gives to zeros."""
    is_zeros = isinstance(node, Apply) and node.fn == "np.zeros_like"
    return node.args[0] if isinstance(node, Apply) and is_zeros and isinstance(node.args[0], Value) else None


def _arguments_like(primal: Graph, shapes: Shapes) -> dict[Value, Value]:
    """Return for arrays in loops an argument of their shape and type, if there is one."""
    arrays = [param for param in reversed(primal.body.params) if is_array(param.type) and param in shapes]
    known = {(shapes[param], element(param.type)): param for param in arrays}
    loops = (node for node in walk(primal.body) if isinstance(node, For | While))
    inside = {value for loop in loops for value in defined(loop.body) if is_array(value.type)}
    kinds = {value: (shapes[value], element(value.type)) for value in inside if value in shapes}
    return {value: known[kind] for value, kind in kinds.items() if kind in known}
