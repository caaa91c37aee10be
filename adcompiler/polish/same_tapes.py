"""Keep once what is kept twice: tapes that are written at one place with the same numbers are one tape.

A program that computes something twice, `np.exp(-x) / (1.0 + np.exp(-x))`, has two arrays, each with a tape.
As loops over elements both are one number, which is then stored on both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from adcompiler.analysis.alias import shared_memory, written_by
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import all_reads, map_region, operands, substitute, values, walk, walk_regions


def share_tapes(graph: Graph) -> Graph:
    """Return the graph with one tape for those that always hold the same.

    Args:
        graph: the graph, with array code written as loops, and no number computed twice.
    """
    classes = shared_memory(graph.body)
    kept = _written_once(graph.body, classes)
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    same: dict[Value, Atom] = {}
    gone: set[Node] = set()
    for region in walk_regions(graph.body):
        for first, *others in _alike(region, kept, makers):
            for other in others:
                if not _are_read_between(region, first, other, classes):
                    tape, _ = _place(other, makers)
                    same[tape], _ = _place(first, makers)
                    gone |= {other, kept[tape][1]}
    if not same:
        return graph

    def without(inner: Region) -> Region:
        return replace(inner, nodes=tuple(node for node in inner.nodes if node not in gone))

    return replace(graph, body=substitute(map_region(graph.body, without), same))


def _written_once(body: Region, classes: Mapping[Value, Value]) -> dict[Value, tuple[Region, Apply]]:
    """Return the new arrays that one statement writes and others read, with what makes them, and where."""
    nodes = [*walk(body)]
    writers = Counter(classes.get(value, value) for node in nodes for value in written_by(node))
    handed = [value for node in nodes if isinstance(node, Effect) for value in values(operands(node))]
    handed += [value for region in walk_regions(body) for value in values(region.yields)]
    known_elsewhere = {classes.get(value, value) for value in handed}
    found: dict[Value, tuple[Region, Apply]] = {}
    for region in walk_regions(body):
        for node in region.nodes:
            if isinstance(node, Apply) and node.fn == "np.empty":
                memory = classes.get(node.out, node.out)
                if writers[memory] == 1 and memory not in known_elsewhere:
                    found[node.out] = region, node
    return found


def _alike(
    region: Region, kept: Mapping[Value, tuple[Region, Apply]], makers: Mapping[Value, Apply]
) -> Iterable[list[Store]]:
    """Return the stores of a region in groups that write the same at the same place of arrays made alike."""
    groups: dict[tuple[object, ...], list[Store]] = defaultdict(list)
    for node in region.nodes:
        if isinstance(node, Store) and isinstance(node.value, Value) and not node.accumulate:
            tape, index = _place(node, makers)
            if tape in kept:
                home, made = kept[tape]
                sizes = makers.get(made.args[0]) if isinstance(made.args[0], Value) else None
                shape = sizes.args if sizes is not None and sizes.fn == "tuple" else made.args
                groups[home, shape, made.args[1:], made.keywords, index, node.value].append(node)
    return groups.values()


def _place(store: Store, makers: Mapping[Value, Apply]) -> tuple[Value, tuple[Atom, ...]]:
    """Return the array that a store writes to, and the index in it, through views of rows."""
    array, index = store.array, store.index
    made = makers.get(array)
    while made is not None and made.fn == "getitem" and all(map(_is_number, made.args[1:])):
        assert isinstance(made.args[0], Value)
        array, index = made.args[0], (*made.args[1:], *index)
        made = makers.get(array)
    return array, index


def _is_number(index: Atom) -> bool:
    is_whole = isinstance(index, Literal) and isinstance(index.value, int)
    return is_whole or (isinstance(index, Value) and is_scalar(type_of(index)))


def _are_read_between(region: Region, first: Store, last: Store, classes: Mapping[Value, Value]) -> bool:
    """Tell whether a node reads one of two arrays when the first has been written, and not yet the last."""
    own = {classes.get(store.array, store.array) for store in (first, last)}
    between = region.nodes[region.nodes.index(first) + 1 : region.nodes.index(last)]
    read = (value for node in between for value in all_reads(node))
    return any(classes.get(value, value) in own for value in read)
