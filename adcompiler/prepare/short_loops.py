"""Write out loops over the elements of arrays of a few numbers: these can be numbers then."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from adcompiler.analysis.affine import linear
from adcompiler.analysis.alias import owner_of
from adcompiler.analysis.shapes import symbolic_sizes
from adcompiler.analysis.sizes import Shapes, Size, size_of
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import clone, defined, regions, substitute, walk, with_regions
from adcompiler.prepare.small_arrays import is_small, small_arrays
from adcompiler.simplify.fold import fold

_TRIPS, _NODES = 8, 256
"""At most so many iterations, and so many nodes in place of one loop."""


def write_out_short_loops(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph without loops of a constant length that index arrays which can be numbers then.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
        sizes: symbols of numbers that are sizes.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    loops = [node for node in walk(graph.body) if isinstance(node, For) and trips(node, _TRIPS, sizes)]
    indexed = {loop: _indexed(loop, makers, shapes) - {*graph.body.params} for loop in loops}
    while indexed := {loop: arrays for loop, arrays in indexed.items() if arrays}:
        changed = fold(_written_out(graph, indexed, sizes))
        numbers = small_arrays(changed, symbolic_sizes(changed)[0])
        left = defined(changed.body).keys() - numbers
        if not any(arrays & left for arrays in indexed.values()):
            return changed
        indexed = {loop: arrays if not arrays & left else set() for loop, arrays in indexed.items()}
    return graph


def _indexed(loop: For, makers: Mapping[Value, Apply], shapes: Shapes) -> set[Value]:
    """Return the small arrays of which a loop accesses elements that its counter names."""
    found: set[Value] = set()
    for node in walk(loop.body):
        match node:
            case Apply(fn="getitem", args=(Value() as array, *index)) | Store(array=array, index=index):
                if is_small(array, shapes) and any(
                    _names(atom, loop.body.params[0], makers) for atom in index
                ):
                    found.add(owner_of(dict(makers), array))
    return found


def _names(index: Atom, counter: Value, makers: Mapping[Value, Apply]) -> bool:
    form = linear(index, makers)
    return form is not None and counter in form.terms


def _written_out(graph: Graph, loops: Container[Node], sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with some loops written out, from the inside, as far as that is not too long."""

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        mapping: dict[Value, Atom] = {}
        for node in body.nodes:
            new = with_regions(node, tuple(map(region, regions(node))))
            if isinstance(new, For) and node in loops:
                indices = trips(new, _TRIPS, sizes)
                if len(indices) * sum(1 for _ in walk(new.body)) <= _NODES:
                    nodes += iterations(new, indices, mapping)
                    continue
            nodes.append(new)
        return substitute(replace(body, nodes=tuple(nodes)), mapping)

    return replace(graph, body=region(graph.body))


def trips(loop: For, most: int, sizes: Mapping[Value, Size]) -> range:
    """Return the indices of a loop of a constant length, none where it is longer than so many iterations.

    >>> loop = For(Literal(0), Literal(3), Literal(1), (), Region((Value("i"),), (), ()), ())
    >>> trips(loop, 4, {}), trips(loop, 2, {})
    (range(0, 3), range(0, 0))
    """
    match [size_of(atom, sizes) for atom in (loop.start, loop.stop, loop.step)]:
        case [int() as start, int() as stop, int() as step] if step and not loop.breaks:
            found = range(start, stop, step)
            return found if len(found) <= most else range(0)
    return range(0)


def iterations(loop: For, indices: range, mapping: dict[Value, Atom]) -> list[Node]:
    """Return the iterations of a loop one after the other; its results go to the mapping."""
    index, *params = loop.body.params
    state = list(loop.inits)
    nodes: list[Node] = []
    for k in indices:
        renamed: dict[Value, Atom] = {index: Literal(k), **dict(zip(params, state, strict=True))}
        copy = clone(Region((), loop.body.nodes, loop.body.yields), renamed)
        nodes += copy.nodes
        state = list(copy.yields)
    mapping.update(zip(loop.outs, state, strict=True))
    return nodes
