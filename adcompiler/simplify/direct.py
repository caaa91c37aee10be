"""Index the axes of a tape at once: `row = tape[i]` and `row[j]` become `tape[i, j]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Role, Store, Value, type_of
from adcompiler.graph.walk import map_region, operands, values, walk, walk_regions


def index_directly(graph: Graph) -> Graph:
    """Return the graph with parts of tapes that are accessed by element only replaced by the whole tape."""
    return replace(graph, body=without_parts(graph.body, lambda node: node.role is Role.TAPE))


def without_parts(body: Region, is_meant: Callable[[Apply], bool]) -> Region:
    """Return a region with parts of arrays that are accessed by element only replaced by the whole arrays.

    Args:
        body: the region.
        is_meant: tells of what takes the part of an array whether it may go.
    """
    found = {
        node.out: node
        for node in walk(body)
        if isinstance(node, Apply)
        and node.fn == "getitem"
        and is_array(node.out.type)
        and is_array(type_of(node.args[0]))
        and all(_is_position(atom) for atom in node.args[1:])
        and is_meant(node)
    }
    for value in _otherwise_used(body, found):
        found.pop(value, None)

    def whole(array: Atom, index: tuple[Atom, ...]) -> tuple[Value, tuple[Atom, ...]]:
        while isinstance(array, Value) and array in found:
            node = found[array]
            array, index = node.args[0], (*node.args[1:], *index)
        assert isinstance(array, Value)
        return array, index

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            match node:
                case Apply() if node.out in found:
                    continue
                case Apply(fn="getitem", args=(Value() as array, *index)) if array in found:
                    base, places = whole(array, tuple(index))
                    node = replace(node, args=(base, *places))
                case Store() if node.array in found:
                    base, places = whole(node.array, node.index)
                    node = replace(node, array=base, index=places)
            nodes.append(node)
        return Region(region.params, tuple(nodes), region.yields)

    return map_region(body, rewrite) if found else body


def _is_position(atom: Atom) -> bool:
    """Tell whether an index picks one place on its axis: those behind it then belong to the axes behind."""
    if isinstance(atom, Literal):
        return type(atom.value) is int
    return isinstance(type_of(atom), nt.Integer)


def _otherwise_used(body: Region, found: dict[Value, Apply]) -> Iterator[Value]:
    """Yield the values that are read in another way than by element."""
    for region in walk_regions(body):
        yield from values(region.yields)
        for node in region.nodes:
            match node:
                case Apply(fn="getitem", args=(Value() as array, *index)) if array in found:
                    is_part = node.out in found or len(index) == rank(array.type)
                    yield from () if is_part else (array,)
                    yield from values(index)
                case Store() if node.array in found and len(node.index) == rank(node.array.type):
                    yield from values((*node.index, node.value))
                case _:
                    yield from values(operands(node))
