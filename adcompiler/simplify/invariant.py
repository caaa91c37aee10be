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
    mapping: dict[Value, Atom] = {}
    for node in walk(body):
        match node:
            case If():
                inside = defined(node.then) | defined(node.orelse)
                for out, left, right in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    same = _same(left, right)
                    choice = right if left == UNDEFINED else left
                    if (left, right) == (Literal(True), Literal(False)):
                        mapping[out] = node.test
                    elif (same or UNDEFINED in (left, right)) and choice not in inside:
                        mapping[out] = choice
            case For() | While():
                params = node.carried
                yields = node.next_values
                for param, init, after, out in zip(params, node.inits, yields, node.outs, strict=True):
                    if after is param or _same(after, init):
                        mapping[param] = mapping[out] = init
        if mapping:
            return mapping  # one node at a time: its replacements may make others unchanging
    return mapping


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
