"""With `debug_nans=True`: the primal checks each value that it computes, right after it has done so.

The reversal of a node that is checked checks what it adds to (`reverse/finite_adjoints.py`), so that the
first line that makes something infinite, or not a number, is named in both sweeps.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, is_complex, is_continuous, is_scalar, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.primitives import card
from adcompiler.source import NOWHERE, Location

Turns = tuple[Value, ...]
"""The index of each loop around a node, outermost first."""


def check_values(graph: Graph) -> Graph:
    """Return a primal that raises NonFiniteError after the first value that is not finite.

    Loads and views are not checked, since all that they read was; nor are fills, and constants.

    Args:
        graph: the typed primal.

    >>> from adcompiler.graph.text import to_text
    >>> x, y = Value("x", type=nt.float64), Value("y", type=nt.float64)
    >>> print(to_text(check_values(Graph("f", Region((x,), (Apply(y, "math.log", (x,)),), (y,))))))
    graph f(x):
      finite(x, 'the argument x', 'the call of f', '', '')
      y = math.log(x)
      finite(y, 'the value of y', '<built by hand>', '', '')
      return y
    """
    places = "the call of " + graph.name, ""
    given = [
        Effect("finite", (x, *map(Literal, (f"the argument {x.name}", *places, ""))))
        for x in graph.body.params
        if may_be_checked(x)
    ]
    body = _checked(graph.body, ())
    return replace(graph, body=replace(body, nodes=(*given, *body.nodes)))


def may_be_checked(value: Atom) -> bool:
    """Tell whether something is a number or an array of numbers that may be infinite."""
    if not isinstance(value, Value) or not (is_scalar(value.type) or is_array(value.type)):
        return False
    return is_continuous(value.type) or is_complex(element(value.type))


def _checked(region: Region, turns: Turns) -> Region:
    nodes = (made for node in region.nodes for made in _after(node, turns))
    return replace(region, nodes=tuple(nodes))


def _after(node: Node, turns: Turns) -> Iterator[Node]:
    """Yield a node and its check."""
    match node:
        case If():
            yield replace(node, then=_checked(node.then, turns), orelse=_checked(node.orelse, turns))
        case For():
            yield replace(node, body=_checked(node.body, (*turns, node.body.params[0])))
        case While():
            yield _counted(node, turns)
        case Store(accumulate=True) if may_be_checked(node.array):
            yield node
            yield from _read_back(node, turns)
        case Apply() if may_be_checked(node.out) and computes(node):
            yield node
            yield _check(node.out, f"the value of {named(node.out, node.loc)}", node.loc, turns)
        case _:
            yield node


def _read_back(node: Store, turns: Turns) -> Iterator[Node]:
    """Yield the check of what something was added to: an element, or else the array."""
    kinds = [type_of(atom) if isinstance(atom, Value) else nt.int64 for atom in node.index]
    target = node.array
    if all(isinstance(kind, nt.Integer) for kind in kinds) and len(kinds) == rank(target.type):
        target = Value(node.array.name, True, element(node.array.type))
        yield Apply(target, "getitem", (node.array, *node.index), loc=node.loc)
    yield _check(target, f"the value of {node.array.name}", node.loc, turns)


def computes(node: Apply) -> bool:
    """Tell whether a primitive makes numbers that nothing has checked."""
    known = card(node.fn)
    return known.allocates is None and not known.is_view and node.fn not in ("getitem", "copy")


def named(value: Value, loc: Location) -> str:
    """Return what people call a value: its variable, or the text of the expression that it is."""
    text = linecache.getline(loc.file, loc.line)[loc.column : loc.end_column].strip()
    return text if value.temporary and text else value.name


def _check(value: Value, what: str, loc: Location, turns: Turns) -> Effect:
    where = loc.file if loc is NOWHERE else f"{loc.file}:{loc.line}"
    texts = what, where, loc.statement, ", ".join(turn.name for turn in turns)
    return Effect("finite", (value, *map(Literal, texts), *turns), loc=loc)


def _counted(node: While, turns: Turns) -> While:
    """Let a loop without an index count its iterations."""
    start, after = (Value("iteration", type=nt.int64) for _ in range(2))
    step = Value("iteration", type=nt.int64)
    body = _checked(node.body, (*turns, start))
    nodes = (*body.nodes, Apply(step, "add", (start, Literal(1)), loc=node.loc))
    body = Region((*body.params, start), nodes, (*body.yields, step))
    cond = _checked(node.cond, (*turns, start))
    return replace(node, inits=(*node.inits, Literal(0)), cond=cond, body=body, outs=(*node.outs, after))
