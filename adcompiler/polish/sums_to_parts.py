"""Add arrays to parts of others through a view: `row = d[k]; row += v` in place of `d[k] += v`.

The latter stores what it has added, and for such a store Numba compiles the text of the error that its shapes
may need: 2.2 s in each process, where the view takes 0.1 s.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import is_array, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region


def add_to_views(graph: Graph) -> Graph:
    """Return the graph with sums to parts of arrays written so.

    Args:
        graph: the final graph of a function.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Store) and _adds_to_a_part(node):
                left = rank(node.array.type) - sum(map(_is_whole, node.index))
                kind = node.array.type.copy(ndim=left, layout="A")
                view = Value(_name(node), type=kind)
                nodes.append(Apply(view, "getitem", (node.array, *node.index), loc=node.loc, role=node.role))
                node = replace(node, array=view, index=())
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _adds_to_a_part(store: Store) -> bool:
    """Tell whether something is added to a part, itself an array, that integers and slices name."""
    if not store.accumulate or not store.index:
        return False
    slices = [atom for atom in store.index if str(type_of(atom)).startswith("slice")]
    whole = [atom for atom in store.index if _is_whole(atom)]
    is_plain = len(whole) + len(slices) == len(store.index)
    return is_plain and is_array(store.array.type) and rank(store.array.type) > len(whole)


def _name(store: Store) -> str:
    """Return a name for the part: `d_x_k` for `d_x[k]`."""
    places = [atom.name if isinstance(atom, Value) else atom.value for atom in store.index if _is_whole(atom)]
    is_named = not any(isinstance(atom, Value) and atom.temporary for atom in store.index)
    name = "_".join([store.array.name, *map(str, places)])
    return name if is_named and name.isidentifier() else f"{store.array.name}_part"


def _is_whole(index: Atom) -> bool:
    is_literal = isinstance(index, Literal) and type(index.value) is int
    return is_literal or is_scalar(type_of(index))
