"""Checks of divisors after a loop: one that may raise in each iteration is not vectorised."""

from __future__ import annotations

from dataclasses import replace

from numba import boolean

from adcompiler.graph.nodes import Apply, Atom, Effect, For, Literal, Node, Value


def is_check(node: Node) -> bool:
    """Tell whether a node checks that a number is not zero."""
    return isinstance(node, Effect) and node.fn == "nonzero"


def checked_afterwards(loop: For) -> list[Node]:
    """Return a loop that notes whether all divisors are other than zero, and the check of that.

    Args:
        loop: does nothing beside but to compute and to write arrays, which nobody sees if the check raises.

    >>> from adcompiler.graph.nodes import Graph, Region
    >>> from adcompiler.graph.text import to_text
    >>> i, d, y = Value("i"), Value("d"), Value("y")
    >>> nodes = (Effect("nonzero", (d,)), Apply(y, "truediv", (Literal(1.0), d)))
    >>> loop = For(Literal(0), Literal(9), Literal(1), (), Region((i,), nodes, ()), ())
    >>> print(to_text(Graph("f", Region((d,), tuple(checked_afterwards(loop)), ()))))
    graph f(d):
      divides_2 = for i in range(0, 9, 1) with (divides=True):
        is_other = ne(d, 0.0)
        divides_1 = and_(divides, is_other)
        y = truediv(1.0, d)
        yield divides_1
      nonzero(divides_2)
      return
    """
    checks = [node for node in loop.body.nodes if isinstance(node, Effect) and is_check(node)]
    if not checks:
        return [loop]
    entry, out = (Value("divides", type=boolean) for _ in range(2))
    so_far: Atom = entry
    nodes: list[Node] = []
    for node in loop.body.nodes:
        if isinstance(node, Effect) and node in checks:
            test = Value("is_other", temporary=True, type=boolean)
            both = Value("divides", type=boolean)
            nodes.append(Apply(test, "ne", (node.args[0], Literal(0.0)), loc=node.loc, role=node.role))
            nodes.append(Apply(both, "and_", (so_far, test), loc=node.loc, role=node.role))
            so_far = both
        else:
            nodes.append(node)
    body = replace(
        loop.body,
        params=(*loop.body.params, entry),
        nodes=tuple(nodes),
        yields=(*loop.body.yields, so_far),
    )
    changed = replace(loop, inits=(*loop.inits, Literal(True)), body=body, outs=(*loop.outs, out))
    return [changed, replace(checks[0], args=(out,))]
