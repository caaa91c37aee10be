"""Transposed products: `(a.T @ b).T` is `b.T @ a`, which lies in memory row by row.

What adjoints are multiplied by is often a view of a matrix, and they are that of the matrix then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.types import rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import map_region, uses, walk
from adcompiler.primitives import Follows, card, hint


def turn_products(graph: Graph) -> Graph:
    """Return the graph with products of matrices of which only the transposed matrix is read, turned.

    Args:
        graph: a typed graph.
    """
    counts = uses(graph.body)

    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}

    def rewrite(region: Region) -> Region:
        own = {node.out: node for node in region.nodes if isinstance(node, Apply)}
        turned: dict[Value, Node] = {}
        for node in region.nodes:
            product = entry(own, _seen_transposed(node, makers))
            if product is not None and counts[product.out] == 1 and _is_turned(product):
                turned[product.out] = node
        readers = set(turned.values())
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Apply) and node.out in turned:
                nodes += _turned(node, turned[node.out], makers)
            elif node not in readers:
                nodes.append(node)
            elif isinstance(node, Store):
                matrix = makers[node.array].args[0]
                assert isinstance(matrix, Value)
                nodes.append(replace(node, array=matrix))
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _seen_transposed(node: Node, makers: Mapping[Value, Apply]) -> Atom:
    """Return the matrix that a node transposes, or adds to a transposed one."""
    match node:
        case Apply(fn="T", args=(matrix,)):
            return matrix
        case Store(index=(), array=array, value=matrix) if array in makers and makers[array].fn == "T":
            return matrix
    return Literal(None)


def _is_turned(product: Apply) -> bool:
    """Tell whether an adjoint is a product of two matrices."""
    if (
        card(product.fn).follows is not Follows.PRODUCT
        or product.keywords
        or product.role is not Role.ADJOINT
    ):
        return False
    return product.out.type is not None and all(rank(type_of(atom)) == 2 for atom in product.args)


def _turned(product: Apply, reader: Node, makers: Mapping[Value, Apply]) -> list[Node]:
    """Return the nodes for the transposed product, which takes the place of a view, or is added itself."""
    nodes: list[Node] = []
    factors: list[Atom] = []
    for atom in reversed(product.args):
        made = entry(makers, atom)
        if made is not None and made.fn == "T":
            factors.append(made.args[0])
        else:
            kind = type_of(atom)
            layout = {"C": "F", "F": "C"}.get(kind.layout, "A")
            factors.append(back := Value(hint("T"), temporary=True, type=kind.copy(layout=layout)))
            nodes.append(Apply(back, "T", (atom,), role=product.role))
    out = reader.out if isinstance(reader, Apply) else product.out
    assert out.type is not None
    out.type = out.type.copy(layout="C")
    return [*nodes, replace(product, out=out, args=tuple(factors))]
