"""Arrays that do not lie in one piece are copied before they are reshaped, as NumPy copies them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from adcompiler.analysis.alias import typed_memory
from adcompiler.analysis.types import is_array
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Graph, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, walk


def copy_into_one_piece(graph: Graph) -> Graph:
    """Return the graph with `np.ascontiguousarray(x).reshape(…)` where x was transposed or sliced.

    Args:
        graph: the typed primal.

    Raises:
        DifferentiationError: AD304 where x is written afterwards: NumPy may show that, a copy does not.
    """
    found = [node for node in walk(graph.body) if _is_reshaped(node)]
    if not found:
        return graph
    info = typed_memory(graph.body)
    for node in found:
        array = node.args[0]
        if isinstance(array, Value) and info.written_after(array, node):
            reason = "Numba reshapes no array whose axes were moved or cut, and it is written afterwards"
            cure = "write np.ascontiguousarray(x).reshape(...), which copies"
            raise DifferentiationError("AD304", reason, node.loc, cure)
    return replace(graph, body=map_region(graph.body, _copied))


def _is_reshaped(node: Node) -> TypeGuard[Apply]:
    if not isinstance(node, Apply) or node.fn != "reshape" or not isinstance(node.args[0], Value):
        return False
    kind = type_of(node.args[0])
    return is_array(kind) and kind.layout != "C"


def _copied(region: Region) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        if _is_reshaped(node):
            copy = Value("piece", temporary=True, type=type_of(node.args[0]).copy(layout="C", readonly=False))
            nodes.append(Apply(copy, "np.ascontiguousarray", node.args[:1], loc=node.loc, role=node.role))
            node = replace(node, args=(copy, *node.args[1:]))
        nodes.append(node)
    return replace(region, nodes=tuple(nodes))
