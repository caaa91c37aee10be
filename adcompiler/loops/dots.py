"""Products of vectors that a loop picks apart or gathers, as loops over their elements.

`vals[a:b] @ x[cols[a:b]]`, for each row of a sparse matrix, gathers a vector to read it once, and its
reversal makes two more. Columns of matrices are copied before BLAS sees them. As a loop, such a product needs
no array, and analyses see which elements it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import float64

from adcompiler.analysis.fusible import is_gather, is_inexact
from adcompiler.analysis.sizes import Shapes, Size
from adcompiler.analysis.types import element, rank
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Node, Region, Value, While, entry, type_of
from adcompiler.graph.walk import regions, walk, with_regions
from adcompiler.loops.fuse import fuse
from adcompiler.primitives import Follows, card, hint


def write_out_dots(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with such products, and what is gathered in loops, as loops over elements.

    Args:
        graph: a typed primal.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    wanted: set[Node] = set()

    def region(body: Region, inside: bool) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            is_loop = isinstance(node, For | While)
            node = with_regions(node, tuple(region(part, inside or is_loop) for part in regions(node)))
            if inside and isinstance(node, Apply) and _is_dot(node, shapes) and _is_dear(node, makers):
                product = Value(hint("mul"), temporary=True, type=type_of(node.args[0]).copy(layout="C"))
                shapes[product] = entry(shapes, node.args[0]) or ()
                nodes.append(Apply(product, "mul", node.args, loc=node.loc))
                node = replace(node, fn="np.sum", args=(product,))
                wanted.add(node)
            elif inside and isinstance(node, Apply) and is_gather(node):
                wanted.add(node)
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    changed = replace(graph, body=region(graph.body, False))
    return fuse(changed, shapes, sizes, wanted) if wanted else graph


def _is_dot(node: Apply, shapes: Shapes) -> bool:
    """Tell whether a node is the product of two equally long vectors of numbers in double precision."""
    if card(node.fn).follows is not Follows.PRODUCT or node.keywords or len(node.args) != 2:
        return False
    if len({entry(shapes, atom) for atom in node.args}) != 1:
        return False
    kinds = [type_of(atom) for atom in node.args]
    return all(map(is_inexact, node.args)) and all((rank(k), element(k)) == (1, float64) for k in kinds)


def _is_dear(node: Apply, makers: Mapping[Value, Apply]) -> bool:
    """Tell whether a factor is gathered, or not contiguous."""

    def is_dear(atom: Atom) -> bool:
        made = entry(makers, atom)
        return type_of(atom).layout == "A" or (made is not None and is_gather(made))

    return any(map(is_dear, node.args))
