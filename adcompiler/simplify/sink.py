"""Move what is read back from a tape, and multiples of arrays, down to where they are first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.alias import memory_classes, shared_memory, written_by
from adcompiler.analysis.types import is_array
from adcompiler.graph.nodes import Apply, Graph, Literal, Node, Region, Role, Store, Value
from adcompiler.graph.walk import free, map_region, operands, regions, uses, walk


def sink_loads(graph: Graph) -> Graph:
    """Return the graph with loads from tapes placed just before their first use.

    A variable restored late can take the name of the value that it replaces, as a careful author
    would write it: first use the new state, then read the old one back.
    """
    classes = memory_classes(graph.body)

    def sink(region: Region) -> Region:
        return _sink(region, classes)

    return replace(graph, body=map_region(graph.body, sink))


def sink_multiples(graph: Graph) -> Graph:
    """Return the graph with multiples of arrays that are added to one array computed where that happens.

    They can then be computed element by element, rather than kept until the loop that adds them.
    """
    classes = shared_memory(graph.body)
    counts = uses(graph.body)

    def is_multiple(node: Node) -> bool:
        if not isinstance(node, Apply) or not is_array(node.out.type) or counts[node.out] != 1:
            return False
        is_scaled = node.fn == "mul" and isinstance(node.args[0], Literal)
        return (node.fn == "neg" or is_scaled) and isinstance(node.args[-1], Value)

    def sink(region: Region) -> Region:
        nodes = [*region.nodes]
        for node in reversed([n for n in nodes if is_multiple(n)]):
            assert isinstance(node, Apply)
            start, source = nodes.index(node), node.args[-1]
            assert isinstance(source, Value)
            for end in range(start + 1, len(nodes)):
                reader = nodes[end]
                if isinstance(reader, Store) and reader.value is node.out:
                    nodes[start : end + 1] = [*nodes[start + 1 : end], node, reader]
                if _reads(reader, node.out) or _writes(reader, source, classes):
                    break
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, sink))


def _is_load(node: Node) -> bool:
    return isinstance(node, Apply) and node.fn in ("getitem", "pop") and node.role is Role.TAPE


def _reads(node: Node, value: Value) -> bool:
    return value in operands(node) or any(value in free(region) for region in regions(node))


def _writes(node: Node, value: Value, classes: Mapping[Value, Value]) -> bool:
    parts = [node, *(part for region in regions(node) for part in walk(region))]
    memory = classes.get(value, value)
    return any(classes.get(array, array) is memory for part in parts for array in written_by(part))


def _sink(region: Region, classes: Mapping[Value, Value]) -> Region:
    nodes = list(region.nodes)
    for node in reversed([n for n in nodes if _is_load(n)]):
        assert isinstance(node, Apply)
        start = nodes.index(node)
        end = start + 1
        while end < len(nodes) and not _reads(nodes[end], node.out):
            base = node.args[0]
            if node.fn == "getitem" and isinstance(base, Value) and _writes(nodes[end], base, classes):
                break
            end += 1
        nodes.insert(end, node)
        del nodes[start]
    return Region(region.params, tuple(nodes), region.yields)
