"""Assume that arrays which are combined are equally large, and check it where nothing else tells.

`x - mu` stretches one of the arrays if it has size 1. Code that provides for this has to keep shapes, and to
sum adjoints down to them. So it is left out: `same_size(x.shape[0], mu.shape[0])` stands before the first use
instead, and where that fails, the caller turns to the code without assumptions.
"""

from __future__ import annotations

from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.shapes import symbolic_sizes
from adcompiler.analysis.sizes import Axis, Guards
from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Literal, Node, Region, Role, Value, type_of
from adcompiler.graph.walk import regions, with_regions
from adcompiler.primitives import hint


def guard_sizes(graph: Graph, guards: Guards) -> Graph:
    """Return the graph with checks of the sizes that are assumed to be equal.

    Args:
        graph: the typed primal.
        guards: filled with the checks.
    """
    symbolic_sizes(graph, guards)

    def region(body: Region) -> Region:
        nodes: list[Node] = []

        def write(place: Node | Region) -> None:
            for guard in guards.at.get(place, ()):
                args = tuple(write_form(form, nodes) for form in (guard.one, guard.two))
                nodes.append(Effect(guard.fn, args))

        write(body)
        for node in body.nodes:
            nodes.append(with_regions(node, tuple(map(region, regions(node)))))
            write(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def write_form(form: Linear, nodes: list[Node]) -> Atom:
    """Append the nodes that compute a form, and return its value.

    Args:
        form: a linear form over axes of arrays and integer values.
        nodes: extended with what computes it.
    """

    def apply(fn: str, *args: Atom, name: str = "") -> Value:
        out = Value(name or hint(fn), temporary=True)
        nodes.append(Apply(out, fn, args, role=Role.TAPE))
        if fn != "shape":
            out.type = int64
        elif is_array(kind := type_of(args[0])):
            out.type = nt.UniTuple(int64, rank(kind))
        return out

    total: Atom | None = None
    for term, factor in sorted(form.terms.items(), key=lambda item: item[1] < 0):
        if isinstance(term, Axis):
            symbol = apply("getitem", apply("shape", term.array), Literal(term.axis), name="size")
        else:
            assert isinstance(term, Value)
            symbol = term
        part: Atom = symbol if abs(factor) == 1 else apply("mul", Literal(abs(factor)), symbol)
        if total is None:
            total = part if factor > 0 else apply("neg", part)
        else:
            total = apply("add" if factor > 0 else "sub", total, part)
    if total is None:
        return Literal(form.constant)
    if form.constant:
        total = apply("add" if form.constant > 0 else "sub", total, Literal(abs(form.constant)))
    return total
