"""The invariants of a graph, each a sentence with what was expected and what was found."""

from __future__ import annotations

from adcompiler.graph.nodes import For, Graph, If, Node, Region, Value, While
from adcompiler.graph.walk import operands, results, values


def verify(graph: Graph) -> Graph:
    """Return the graph if it is well formed, else raise `AssertionError` naming the broken invariant."""
    defined: set[Value] = set()
    _region(graph.body, set(), defined)
    return graph


def _define(value: Value, scope: set[Value], defined: set[Value]) -> None:
    assert value not in defined, f"expected one definition of {value}, got two"
    defined.add(value)
    scope.add(value)


def _region(region: Region, scope: set[Value], defined: set[Value]) -> None:
    scope = set(scope)
    for param in region.params:
        _define(param, scope, defined)
    for node in region.nodes:
        for value in values(operands(node)):
            assert value in scope, f"expected {value} to be defined before {node}"
        _inner(node, scope, defined)
        for value in results(node):
            _define(value, scope, defined)
    for value in values(region.yields):
        assert value in scope, f"expected yielded {value} to be defined in its region"


def _inner(node: Node, scope: set[Value], defined: set[Value]) -> None:
    match node:
        case If():
            _region(node.then, scope, defined)
            _region(node.orelse, scope, defined)
            _count("branch yields", len(node.outs), len(node.then.yields), len(node.orelse.yields))
        case For():
            _region(node.body, scope, defined)
            carried = len(node.outs)
            _count("loop values", carried, len(node.inits), len(node.body.params) - 1)
            _count("loop yields", carried + node.breaks, len(node.body.yields))
        case While():
            _region(node.body, scope, defined)
            _region(node.cond, scope | set(node.body.params), defined)
            carried = len(node.outs)
            _count("loop values", carried, len(node.inits), len(node.body.params))
            _count("loop yields", carried + node.breaks, len(node.body.yields))
            _count("conditions", 1, len(node.cond.yields))


def _count(what: str, expected: int, *found: int) -> None:
    assert all(n == expected for n in found), f"expected {expected} {what}, got {found}"
