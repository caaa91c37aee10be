"""Keep the elements of a small array in numbers, where all accesses name an element by constants.

After `r = np.empty(2)`, `r[0] = …`, `r[1] = …`, each element is a variable like any other. It needs no
memory, nor does its adjoint (scalar replacement; Callahan, Carr and Kennedy 1990).
"""

from __future__ import annotations

from dataclasses import replace

from numba import float64

from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element, is_double
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import map_region, operands, substitute, uses
from adcompiler.prepare.localise import Place, place_of
from adcompiler.primitives import Fill, Follows, card

_START: dict[Fill | None, Atom | None] = {
    Fill.NOTHING: None,
    Fill.ZEROS: Literal(0.0),
    Fill.ONES: Literal(1.0),
}


def replace_small_arrays(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph without such arrays.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
    """
    counts = uses(graph.body)

    def rewrite(region: Region) -> Region:
        for made in region.nodes:
            if isinstance(made, Apply) and _is_new(made) and element(made.out.type) == float64:
                users = [node for node in region.nodes if made.out in operands(node)]
                if len(users) == counts[made.out]:
                    region = _replaced(region, made, users, shapes.get(made.out, ())) or region
        return region

    return replace(graph, body=map_region(graph.body, rewrite))


def _is_new(node: Apply) -> bool:
    """Tell whether a node allocates an array of given shape, and what its elements are is known."""
    return card(node.fn).follows is Follows.GIVEN and card(node.fn).allocates in _START


def _replaced(region: Region, made: Apply, users: list[Node], shape: tuple[object, ...]) -> Region | None:
    """Return the region without an array, None where its elements are not all known."""
    current: dict[Place, Atom] = {}
    mapping: dict[Value, Atom] = {}
    nodes: list[Node] = []
    for node in region.nodes:
        if node is made:
            continue
        if node not in users:
            nodes.append(node)
            continue
        place = place_of(node, made.out, shape)
        if place is None:
            return None
        old = current.get(place, _START[card(made.fn).allocates])
        match node:
            case Apply(fn="getitem") if old is not None:
                mapping[node.out] = old
            case Store(accumulate=False) if is_double(node.value):
                current[place] = _named(node.value, made.out, place, nodes, mapping)
            case Store() if is_double(node.value) and old is not None:
                current[place] = out = _element(made.out, place)
                nodes.append(Apply(out, "add", (old, node.value), loc=node.loc, role=node.role))
            case _:
                return None
    return substitute(replace(region, nodes=tuple(nodes)), mapping)


def _element(array: Value, place: Place) -> Value:
    out = Value("_".join(map(str, (array.name, *place))))
    out.type = float64
    return out


def _named(atom: Atom, array: Value, place: Place, nodes: list[Node], mapping: dict[Value, Atom]) -> Atom:
    """Give what is stored the name of the element, if it has none of its own."""
    for k, node in enumerate(nodes):
        if isinstance(node, Apply) and node.out is atom and node.out.temporary:
            mapping[node.out] = out = _element(array, place)
            nodes[k] = replace(node, out=out)
            return out
    return atom
