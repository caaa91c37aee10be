"""Settle what definitions say of numbers that may be real or complex."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.types import element, is_array, is_complex
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, operands, substitute, values, walk


def settle_common_types(graph: Graph) -> Graph:
    """Return the graph without `common.zeros` and its like; of real numbers there is nothing to say.

    Args:
        graph: the typed primal.
    """
    if not any(_is_open(node) for node in walk(graph.body)):
        return graph
    same: dict[Value, Atom] = {}
    uses = Counter(atom for node in walk(graph.body) for atom in values(operands(node)))

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if not isinstance(node, Apply) or not _is_open(node):
                nodes.append(node)
            elif node.fn in ("common.zeros", "common.empty"):
                nodes.append(_allocation(node))
            elif node.fn == "common.within":
                same[node.out] = node.args[0]
            elif is_complex(node.out.type) != is_complex(type_of(node.args[0])):
                nodes.append(_made_complex(node) if node.fn == "common.number" else _real_part(node))
            elif node.fn == "common.conjugate" and is_complex(node.out.type):
                nodes.append(replace(node, fn="np.conj"))
            else:
                same[node.out] = _under_name(node, uses)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=substitute(map_region(graph.body, rewrite), same))


def _is_open(node: Node) -> bool:
    return isinstance(node, Apply) and node.fn.startswith("common.")


def _under_name(node: Apply, uses: Mapping[Value, int]) -> Atom:
    """Return what a mark stands for, which gets the name that the marked value was given."""
    marked = node.args[0]
    is_nameless = isinstance(marked, Value) and marked.temporary and uses[marked] == 1
    if isinstance(marked, Value) and is_nameless and not node.out.temporary:
        marked.name, marked.temporary = node.out.name, False
    return marked


def _real_part(node: Apply) -> Apply:
    return replace(node, fn="np.real")


def _made_complex(node: Apply) -> Apply:
    name, given = f"np.{element(node.out.type)}", node.args[:1]
    if is_array(node.out.type):
        return replace(node, fn="astype", args=(*given, Global(name, None)))
    return replace(node, fn=name, args=given)


def _allocation(node: Apply) -> Apply:
    shape, kind = node.args[:1], element(node.out.type)
    dtype = (Global(f"np.{kind}", None),) if is_complex(node.out.type) else ()
    return replace(node, fn=f"np.{node.fn.removeprefix('common.')}", args=(*shape, *dtype))
