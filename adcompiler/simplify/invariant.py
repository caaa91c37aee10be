"""Replace loop-carried values that never change, and branch outputs that are equal on both sides."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.graph.nodes import UNDEFINED, Atom, For, Graph, If, Literal, Region, Value, While
from adcompiler.graph.walk import defined, map_region, select, substitute, walk


def remove_invariants(graph: Graph) -> Graph:
    """Return the graph with unchanging carried values and equal branch outputs substituted away.

    >>> from adcompiler.graph.nodes import Apply, Graph
    >>> from adcompiler.graph.text import to_text
    >>> x, i, p, out = (Value(name) for name in "xipq")
    >>> loop = For(Literal(0), Literal(3), Literal(1), (x,), Region((i, p), (), (p,)), (out,))
    >>> print(to_text(remove_invariants(Graph("f", Region((x,), (loop,), (out,))))))
    graph f(x):
      for i in range(0, 3, 1) with ():
        yield
      return x
    """
    while True:
        mapping = _unchanging(graph.body)
        if not mapping:
            return graph
        graph = replace(graph, body=_drop(substitute(graph.body, mapping), mapping))


def _unchanging(body: Region) -> dict[Value, Atom]:
    """Return what takes the place of values; what a node inside another tells of this needs another look."""
    mapping: dict[Value, Atom] = {}

    def now(atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in mapping:
            atom = mapping[atom]
        return atom

    for node in walk(body):
        match node:
            case If():
                for out, *ends in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    chosen = _chosen(node, now(ends[0]), now(ends[1]))
                    if chosen is not None:
                        mapping[out] = chosen
            case For() | While():
                places = zip(node.carried, node.inits, node.next_values, node.outs, strict=True)
                for param, init, after, out in places:
                    if after is param or now(after) is param or _same(now(after), now(init)):
                        mapping[param] = mapping[out] = now(init)
    return mapping


def _chosen(node: If, left: Atom, right: Atom) -> Atom | None:
    """Return what a branch yields on either side, None where the sides differ."""
    if (left, right) == (Literal(True), Literal(False)):
        return node.test
    if not _same(left, right) and UNDEFINED not in (left, right):
        return None
    choice = right if left == UNDEFINED else left
    is_inside = isinstance(choice, Value) and (choice in defined(node.then) or choice in defined(node.orelse))
    return None if is_inside else choice


def _same(left: Atom, right: Atom) -> bool:
    if isinstance(left, Literal) and isinstance(right, Literal):
        return type(left.value) is type(right.value) and repr(left.value) == repr(right.value)
    return left is right


def _drop(region: Region, gone: dict[Value, Atom]) -> Region:
    """Remove the outputs and parameters that were substituted."""

    def rewrite(inner: Region) -> Region:
        nodes = []
        for node in inner.nodes:
            if isinstance(node, If | For | While) and any(out in gone for out in node.outs):
                node = select(node, [k for k, out in enumerate(node.outs) if out not in gone])
            nodes.append(node)
        return Region(inner.params, tuple(nodes), inner.yields)

    return map_region(region, rewrite)
