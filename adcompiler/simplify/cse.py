"""Compute a scalar once per region: arithmetic, and loads with no store in between."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from adcompiler.analysis.alias import memory_classes, written_by
from adcompiler.graph.nodes import Apply, Atom, Graph, Node, Region, Value
from adcompiler.graph.walk import map_operands, regions, values, walk, with_regions
from adcompiler.primitives import card

Key = tuple[str, tuple[Atom, ...], tuple[tuple[str, Atom], ...]]


def _is_arithmetic(node: Apply, scalars: Container[Value]) -> bool:
    """Tell whether a node reads numbers only, or the size of an array, which never changes."""
    reads = all(value in scalars for value in values(node.args))
    return (
        card(node.fn).is_pure
        and node.fn != "tuple"
        and (reads or card(node.fn).measures or node.fn == "getitem")
    )


def _loaded_from(key: Key, classes: dict[Value, Value]) -> Value | None:
    """Return the memory that a computation reads, if it is a load (or the length, which lists change)."""
    base = key[1][0] if key[0] in ("getitem", "len") else None
    return classes.get(base, base) if isinstance(base, Value) else None


def _written(node: Node) -> list[Value]:
    """Return what a node writes, itself or inside."""
    inner = [part for region in regions(node) for part in walk(region)]
    return [value for part in (node, *inner) for value in written_by(part)]


def eliminate_common(graph: Graph, scalars: Container[Value]) -> Graph:
    """Return the graph with repeated computations of numbers from the same inputs shared.

    Args:
        graph: the graph.
        scalars: values known to be numbers; only those computed from numbers are shared, as arrays
            may be written in between.

    >>> from adcompiler.graph.text import to_text
    >>> x, a, b, y = (Value(name, temporary=True) for name in "xaby")
    >>> nodes = (Apply(a, "math.sin", (x,)), Apply(b, "math.sin", (x,)), Apply(y, "add", (a, b)))
    >>> print(to_text(eliminate_common(Graph("f", Region((x,), nodes, (y,))), {x, a, b, y})))
    graph f(x):
      a = math.sin(x)
      y = add(a, a)
      return y
    """
    known: dict[Value, Atom] = {}

    def read(atom: Atom) -> Atom:
        return known.get(atom, atom) if isinstance(atom, Value) else atom

    classes = memory_classes(graph.body)

    def go(region: Region, seen: dict[Key, Value]) -> Region:
        seen = dict(seen)
        nodes: list[Node] = []
        for node in region.nodes:
            node = map_operands(node, read)
            written = {classes.get(array, array) for array in _written(node)}
            if written:
                for stale in [key for key in seen if _loaded_from(key, classes) in written]:
                    del seen[stale]
            node = with_regions(node, tuple(go(inner, seen) for inner in regions(node)))
            if isinstance(node, Apply) and node.out in scalars and _is_arithmetic(node, scalars):
                key = (node.fn, node.args, node.keywords)
                if key in seen and (node.out.temporary or seen[key].name == node.out.name):
                    known[node.out] = seen[key]
                    continue
                seen.setdefault(key, node.out)
            nodes.append(node)
        return Region(region.params, tuple(nodes), tuple(map(read, region.yields)))

    return replace(graph, body=go(graph.body, {}))
