"""A reference interpreter: what a graph means, and the oracle for every pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, If, Node, Region, Store, Value
from adcompiler.graph.nodes import While as WhileNode
from adcompiler.graph.run_primitive import primitive


class Values(dict[Value, Any]):
    """What values are at this point.

    Attributes:
        observe: is shown each node after it has run, and what the values are then.
    """

    observe: Callable[[Node, Values], None] | None = None


def run(
    graph: Graph, inputs: Sequence[Any], observe: Callable[[Node, Values], None] | None = None
) -> tuple[Any, ...]:
    """Execute a graph on Python values and return what it yields.

    Args:
        graph: the graph.
        inputs: a value for each parameter of its body.
        observe: is shown each node after it has run, and what the values are then.

    >>> from adcompiler.frontend.lower import lower
    >>> from adcompiler.samples import recurrence
    >>> run(lower(recurrence), (0.5, [0.1, 0.2]))
    (0.2447...,)
    """
    values = Values(zip(graph.body.params, inputs, strict=True))
    values.observe = observe
    return _region(graph.body, values)


def read_atom(atom: Atom, values: Values) -> Any:
    """Return what an atom is at this point."""
    return values.get(atom) if isinstance(atom, Value) else atom.value


def _region(region: Region, values: Values) -> tuple[Any, ...]:
    for node in region.nodes:
        execute(node, values)
        if values.observe is not None:
            values.observe(node, values)
    return tuple(read_atom(atom, values) for atom in region.yields)


def execute(node: Node, values: Values) -> None:
    """Execute one node, and enter what it defines."""

    def read(*atoms: Atom) -> list[Any]:
        return [read_atom(atom, values) for atom in atoms]

    match node:
        case Apply():
            keywords = {key: read_atom(atom, values) for key, atom in node.keywords}
            values[node.out] = primitive(node.fn, read(*node.args), keywords)
        case Store():
            at = read(*node.index)
            place = at[0] if len(at) == 1 else tuple(at) or ...
            value = read_atom(node.value, values)
            array = values[node.array]
            array[place] = array[place] + value if node.accumulate else value
        case Effect(fn="append"):
            read_atom(node.args[0], values).append(read_atom(node.args[1], values))
        case Effect(fn="assert"):
            assert read_atom(node.args[0], values)
        case Effect(fn="reverse_sweep"):
            pass
        case Effect(fn="raise"):
            raise read_atom(node.args[0], values)(*read(*node.args[1:]))
        case Effect():
            keywords = {key: read_atom(atom, values) for key, atom in node.keywords}
            primitive(node.fn, read(*node.args), keywords)
        case If():
            arm = node.then if read_atom(node.test, values) else node.orelse
            values.update(zip(node.outs, _region(arm, values), strict=True))
        case For():
            index, *params = node.body.params
            state = read(*node.inits)
            for i in range(*read(node.start, node.stop, node.step)):
                values.update(zip(params, state, strict=True))
                values[index] = i
                stop, state = _split(_region(node.body, values), node.breaks)
                if stop:
                    break
            values.update(zip(node.outs, state, strict=True))
        case WhileNode():
            state = read(*node.inits)
            while True:
                values.update(zip(node.body.params, state, strict=True))
                if not _region(node.cond, values)[0]:
                    break
                stop, state = _split(_region(node.body, values), node.breaks)
                if stop:
                    break
            values.update(zip(node.outs, state, strict=True))


def _split(yields: tuple[Any, ...], breaks: bool) -> tuple[bool, list[Any]]:
    return (bool(yields[0]), list(yields[1:])) if breaks else (False, list(yields))
