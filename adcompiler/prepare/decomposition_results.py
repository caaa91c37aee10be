"""Results of decompositions as functions of the matrix, in all of a graph that is differentiated again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.alias import memory
from adcompiler.analysis.types import is_array, is_list, is_memory
from adcompiler.frontend.custom_calls import taken_apart
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import defined, map_region, substitute, walk
from adcompiler.primitives import card, part_of


def by_parts(graph: Graph) -> Graph:
    """Return the graph of a gradient in which the rules, too, read `np.linalg.qr[0]` and its like.

    The rules of a gradient read what a decomposition returned. That is as good as a constant to them, but the
    derivative of the gradient depends on it.

    Args:
        graph: the graph of a gradient.
    """
    parts = _Parts()
    parts.find(graph.body)
    if not parts.made:
        return graph
    body = map_region(graph.body, parts.rewrite)
    return replace(graph, body=substitute(body, parts.same))


@dataclass
class _Parts:
    """Calls that return parts.

    Attributes:
        made: the nodes that each call becomes.
        seen: its results as functions of the arguments.
        items: for each item that is read of what a call returned, the call.
        same: what stands for items and parts.
    """

    made: dict[Value, list[Node]] = field(default_factory=dict)
    seen: dict[Value, list[Value]] = field(default_factory=dict)
    items: dict[Value, Value] = field(default_factory=dict)
    same: dict[Value, Atom] = field(default_factory=dict)

    def find(self, body: Region) -> None:
        """Enter the calls of a region and the items that are read of them."""
        for node in walk(body):
            match node:
                case Apply(fn="custom"):
                    self.made[node.out], self.seen[node.out] = _of_custom(node)
                case Apply(fn=fn) if card(fn).part_ranks:
                    self.made[node.out], self.seen[node.out] = _results(node)
                case Apply(fn="getitem", args=(Value() as pair, *_)) if pair in self.seen:
                    self.items[node.out] = pair

    def rewrite(self, region: Region) -> Region:
        """Return a region in which parts are what `find` has made of them."""
        nodes: list[Node] = []
        for node in region.nodes:
            place = _place(node, self.seen, self.items)
            if place is not None and isinstance(node, Apply):
                self.same[node.out] = place
            elif isinstance(node, Apply) and node.out in self.made:
                nodes += self.made[node.out]
            else:
                nodes.append(node)
        return replace(region, nodes=tuple(nodes))


def _results(node: Apply) -> tuple[list[Node], list[Value]]:
    """Return a call followed by its results as functions of the arguments, and these results."""
    names = card(node.fn).part_names
    raws = [Value(name, temporary=True) for name in names]
    found = [Value(name, temporary=True) for name in names]
    for k, kind in enumerate(node.out.type.types):
        raws[k].type = found[k].type = kind
    nodes: list[Node] = [node]
    nodes += [
        Apply(raw, "getitem", (node.out, Literal(k)), (), loc=node.loc, role=node.role)
        for k, raw in enumerate(raws)
    ]
    nodes += [
        Apply(value, f"{node.fn}[{k}]", (node.args[0], *raws), (), loc=node.loc, role=node.role)
        for k, value in enumerate(found)
    ]
    return nodes, found


def _of_custom(node: Apply) -> tuple[list[Node], list[Value]]:
    """Return a call of a function with rules of its own, likewise."""
    whole = Value(node.out.name, temporary=True, type=node.out.type)
    call = replace(node, out=whole)
    if not isinstance(whole.type, nt.BaseTuple):
        return [call, replace(node, fn="custom[0]", args=(*node.args, whole))], [node.out]
    raws, found = (
        [Value(whole.name, temporary=True, type=kind) for kind in whole.type.types] for _ in range(2)
    )
    nodes: list[Node] = [call]
    for k, raw in enumerate(raws):
        nodes.append(replace(node, out=raw, fn="getitem", args=(whole, Literal(k))))
    for k, value in enumerate(found):
        nodes.append(replace(node, out=value, fn="custom[0]", args=(*node.args, *raws, Literal(k), raws[k])))
    return nodes, found


def _place(node: Node, seen: dict[Value, list[Value]], items: dict[Value, Value]) -> Value | None:
    """Return which result a node stands for: an item of what a decomposition returned, or a part."""
    match node:
        case Apply(fn="getitem", args=(Value() as pair, Literal(value=int() as k))) if pair in seen:
            return seen[pair][k]
        case Apply(fn="custom[0]", args=(Global() as callee, *_, Value() as raw)):
            if raw in seen or (callee.value.forward is not None and raw not in items):
                return raw  # the rule that leaves residuals is a function like any other
            return seen[items[raw]][taken_apart(node).position] if raw in items else None
        case Apply(fn=fn, args=(*_, Value() as raw)) if raw in items and fn.endswith("]"):
            position = part_of(fn, len(node.args))
            assert position is not None
            return seen[items[raw]][position - len(node.args)]
    return None


def copy_written(graph: Graph) -> Graph:
    """Return the graph with results that are written afterwards as copies: rules read what was returned.

    Args:
        graph: the typed primal.
    """
    found = [node for node in walk(graph.body) if isinstance(node, Apply) and _is_array_part(node)]
    if not found:
        return graph
    memories = {value for value in defined(graph.body) if is_memory(value.type)}
    info = memory(graph.body, memories, {value for value in memories if is_list(value.type)})
    written = [node for node in found if info.is_written(node.out)]

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if node not in written:
                nodes.append(node)
                continue
            assert isinstance(node, Apply)
            raw = Value(node.out.name, temporary=True, type=node.out.type)
            nodes.append(replace(node, out=raw))
            nodes.append(Apply(node.out, "copy", (raw,), loc=node.loc, role=node.role))
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite)) if written else graph


def _is_array_part(node: Apply) -> bool:
    return part_of(node.fn, len(node.args)) is not None and is_array(node.out.type)


def name_parts(graph: Graph) -> Graph:
    """Let results be what the function returned, now that rules and the end of derivatives were applied."""
    same: dict[Value, Atom] = {}

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            part = part_of(node.fn, len(node.args)) if isinstance(node, Apply) else None
            if isinstance(node, Apply) and node.fn == "stop_gradient":
                part = 0
            if part is None:
                nodes.append(node)
            else:
                assert isinstance(node, Apply)
                same[node.out] = node.args[part]
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=substitute(body, same))
