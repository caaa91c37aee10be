"""Read the shape of an unnamed array from arrays that have a name, so that it need not be kept."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.sizes import Axis, Shapes
from adcompiler.graph.nodes import Apply, Effect, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import regions, results, values, walk, with_regions
from adcompiler.primitives import card


def read_shapes_elsewhere(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph with `(x @ w).shape` read as `(x.shape[0], w.shape[1])`, and the like.

    Args:
        graph: the graph.
        shapes: symbolic shape of every array.
    """

    checked = checked_by(graph.body)

    def go(region: Region, known: dict[object, Value]) -> Region:
        known = dict(known)
        nodes: list[Node] = []
        for param in region.params:
            _learn(param, shapes, known)
        for node in region.nodes:
            if isinstance(node, Apply) and node.fn in ("shape", "size") and node.out not in checked:
                nodes += _elsewhere(node, shapes, known)
            else:
                nodes.append(with_regions(node, tuple(go(inner, known) for inner in regions(node))))
            for value in results(node):
                _learn(value, shapes, known)
        return Region(region.params, tuple(nodes), region.yields)

    return replace(graph, body=go(graph.body, {}))


def checked_by(body: Region) -> set[Value]:
    """Return what checks of sizes are computed from: they are what makes the sizes equal elsewhere."""
    nodes = list(walk(body))
    found = {
        v for node in nodes if isinstance(node, Effect) and card(node.fn).is_guard for v in values(node.args)
    }
    for node in reversed(nodes):
        if isinstance(node, Apply) and node.out in found and node.fn != "shape":
            found.update(values(node.args))
    return found


def _learn(value: Value, shapes: Shapes, known: dict[object, Value]) -> None:
    if value in shapes and not value.temporary:
        known.setdefault(shapes[value], value)


def _elsewhere(node: Apply, shapes: Shapes, known: dict[object, Value]) -> list[Node]:
    source = node.args[0]
    if not isinstance(source, Value) or not source.temporary or source not in shapes:
        return [node]
    shape = shapes[source]
    if shape in known:
        return [replace(node, args=(known[shape],))]
    pairs = [size for size in shape if isinstance(size, Axis)]
    if node.fn == "size" or len(pairs) < len(shape) or any(v.temporary for v, _ in pairs):
        return [node]
    nodes: list[Node] = []
    sizes = []
    for value, axis in pairs:
        whole, size = Value("shape", temporary=True), Value("size", temporary=True)
        nodes += [
            Apply(whole, "shape", (value,), loc=node.loc, role=node.role),
            Apply(size, "getitem", (whole, Literal(axis)), loc=node.loc, role=node.role),
        ]
        sizes.append(size)
    return [*nodes, replace(node, fn="tuple", args=tuple(sizes))]
