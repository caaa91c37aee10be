"""Products of a vector and a matrix that is made for them alone: row by row, and no matrix.

`np.exp(-d2 / 2.0) @ weights` writes a matrix and reads it once. As a sum over an axis, it becomes part of the
loops that compute the elements. A matrix that is multiplied several times from one side stays one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from numba import float64
from numba.core import types as nt

from adcompiler.analysis.fusible import is_elementwise
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element, is_array, rank
from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import regions, uses, walk_regions, with_regions
from adcompiler.primitives import hint

Factors = tuple[Value, Value, int]
"""A matrix, a vector, and the axis of the matrix that their product is summed over."""


def sum_inside(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph with such products as sums over an axis.

    Args:
        graph: the graph of a derivative.
        shapes: symbolic shape of every array.
    """
    counts = uses(graph.body)
    found: dict[Node, Factors] = {}
    for body in walk_regions(graph.body):
        makers = {node.out: node for node in body.nodes if isinstance(node, Apply)}
        for node in body.nodes:
            factors = _factors(node, makers, counts) if isinstance(node, Apply) else None
            if factors is not None and _fit(*factors, shapes):
                found[node] = factors
    often = Counter((matrix, axis) for matrix, _, axis in found.values())

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            matrix, vector, axis = found.get(node, (None, None, 0))
            if isinstance(node, Apply) and matrix and vector and often[matrix, axis] == 1:
                nodes += _as_sum(node, matrix, vector, axis)
            else:
                nodes.append(with_regions(node, tuple(map(region, regions(node)))))
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _factors(node: Apply, makers: Mapping[Value, Apply], counts: Counter[Value]) -> Factors | None:
    """Return the matrix of such a product, the vector, and the axis of the matrix that is summed over."""
    match node:
        case Apply(fn="matmul" | "np.dot", args=(Value() as one, Value() as two), keywords=()):
            is_left = is_array(one.type) and rank(one.type) == 2
            matrix, vector, axis = (one, two, 1) if is_left else (two, one, 0)
        case _:
            return None
    made = makers.get(matrix)
    if made is not None and made.fn == "T" and counts[matrix] == 1 and isinstance(made.args[0], Value):
        matrix, axis = made.args[0], 1 - axis
        made = makers.get(matrix)
    if made is None or not is_elementwise(made):
        return None
    kinds = [type_of(value) for value in (matrix, vector)]
    is_known = [(kind.ndim, element(kind)) for kind in kinds if is_array(kind)] == [
        (2, float64),
        (1, float64),
    ]
    return (matrix, vector, axis) if is_known else None


def _fit(matrix: Value, vector: Value, axis: int, shapes: Shapes) -> bool:
    """Tell whether the sizes are known to be equal: a sum would stretch a vector of one element."""
    return matrix in shapes and vector in shapes and shapes[matrix][axis] == shapes[vector][0]


def _as_sum(node: Apply, matrix: Value, vector: Value, axis: int) -> list[Node]:
    nodes: list[Node] = []
    factor = vector
    if axis == 0:
        whole = Value(hint("slice"), temporary=True, type=nt.slice2_type)
        factor = Value(vector.name, temporary=True, type=nt.Array(float64, 2, "A"))
        nodes.append(replace(node, out=whole, fn="slice", args=(Literal(None), Literal(None))))
        nodes.append(replace(node, out=factor, fn="getitem", args=(vector, whole, Literal(None))))
    terms = Value(hint("mul"), temporary=True, type=nt.Array(float64, 2, "C"))
    nodes.append(replace(node, out=terms, fn="mul", args=(matrix, factor)))
    return [*nodes, replace(node, fn="np.sum", args=(terms,), keywords=(("axis", Literal(axis)),))]
