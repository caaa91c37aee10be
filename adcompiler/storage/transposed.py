"""A pushforward out of a pullback: the adjoint of the adjoint, with respect to what this is given.

The reverse sweep is linear in the adjoints of the results: it multiplies them by the transposed Jacobian.
Its own pullback multiplies by the transpose of that, which is the Jacobian. It reads what the forward sweep
has kept, too, and runs in the order of the program: loops that are reversed twice go as they did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import is_array
from adcompiler.graph.layout import Leaf, Packed, Static, derived_name, map_leaves
from adcompiler.graph.nodes import Atom, Effect, Graph, Literal, Node, Region, Role, Value, type_of
from adcompiler.graph.walk import clone, defined, map_region
from adcompiler.reverse.results import kept_apart
from adcompiler.storage.halves import Split

Kinds = Sequence[nt.Type | None]


def as_program(adjoint: Graph) -> Graph:
    """Return a reverse sweep as the graph of a function that can be differentiated."""

    def is_kept(node: Node) -> bool:
        return not (isinstance(node, Effect) and node.fn == "reverse_sweep")

    def rewrite(region: Region) -> Region:
        nodes = (replace(node, role=Role.PRIMAL) for node in region.nodes if is_kept(node))
        return replace(region, nodes=tuple(nodes))

    return replace(adjoint, body=map_region(clone(adjoint.body, {}), rewrite))


def pushforward(found: Split, twice: Graph, seeds: Kinds, along: Sequence[Value], given: Kinds) -> Split:
    """Return the two functions of a pushforward: the forward sweep, and what takes its place in tangents.

    Args:
        found: the two functions of a pullback.
        twice: the pullback of the second one, with respect to the adjoints of results.
        seeds: types of the adjoints of results; None for results that have none.
        along: the single values of the arguments that have tangents.
        given: types of those that are read; None for tangents that make no difference.
    """
    outputs = [found.forward.body.yields[k] for k, kind in enumerate(seeds) if kind is not None]
    count = len(found.kinds)
    own, rest = twice.body.params[:count], iter(twice.body.params[count:])
    tangents = [
        Value(f"t_{value.name}", type=value.type) if kind is None else next(rest)
        for value, kind in zip(along, given, strict=True)
    ]
    body = _named(replace(twice.body, params=(*own, *tangents)), count, outputs)
    second = replace(twice, body=body)
    return _split(found.forward, _with_constants(second, found.forward, seeds), outputs)


def _with_constants(second: Graph, forward: Graph, seeds: Kinds) -> Graph:
    """Return a function whose results are built as outputs are: constant floats have the tangent zero."""
    assert isinstance(forward.returns, Packed)
    rest, found = iter(second.body.yields), []
    for atom, kind in zip(forward.body.yields, seeds, strict=False):
        is_float = isinstance(atom, Literal) and isinstance(atom.value, float)
        found.append(next(rest) if kind is not None else Literal(0.0) if is_float else None)
    supply = iter(found)
    returns = map_leaves(forward.returns.parts[0], lambda _: Static(None) if next(supply) is None else Leaf())
    yields = tuple(atom for atom in found if atom is not None)
    return replace(second, body=replace(second.body, yields=yields), returns=returns)


def along_tangents(forward: Graph, tangent: Graph) -> Split:
    """Return the two functions of a pushforward that keeps the arguments, and runs the function again.

    Args:
        forward: the function.
        tangent: its derivative along tangents, which it takes after the arguments.
    """
    results, own = [*forward.body.yields], forward.body.params
    are_arrays = [isinstance(atom, Value) and is_array(atom.type) for atom in results]
    nodes = (*forward.body.nodes, *kept_apart(results, are_arrays, forward.body.nodes, own))
    body = Region(own, nodes, (*results, *own))
    returns = Packed((forward.returns or Leaf(), Packed(tuple(Leaf() for _ in own))))
    return _split(replace(forward, body=body, returns=returns), tangent, ())


def _split(forward: Graph, second: Graph, outputs: Sequence[Atom]) -> Split:
    """Return two functions, of which the first returns outputs once more: their sizes are read."""
    assert isinstance(forward.returns, Packed)
    result, kept = forward.returns.parts
    assert isinstance(kept, Packed)
    name = forward.name.removesuffix("_forward")
    returns = Packed((result, Packed((*kept.parts, *(Leaf() for _ in outputs)))))
    body = replace(forward.body, yields=(*forward.body.yields, *outputs))
    doc = f"Return what {name} returns, and what its derivative reads."
    first = replace(forward, name=derived_name(name, "forward"), body=body, returns=returns, doc=doc)
    doc = f"Return the tangents of what {name} returns, given those of its arguments."
    second = replace(second, name=derived_name(name, "pushforward"), doc=doc, parameters=(), defaults=())
    return Split(first, second, tuple(type_of(param) for param in second.body.params))


def _named(body: Region, count: int, outputs: Sequence[Atom]) -> Region:
    """Return a region in which the adjoint of an adjoint is called a tangent, and outputs are themselves."""
    body = clone(body, {})
    for value in defined(body):
        value.name = re.sub("^(d_)+", "t_", value.name)
    for param, atom in zip(body.params[count - len(outputs) : count], outputs, strict=True):
        param.name, param.type = getattr(atom, "name", param.name), type_of(atom) or param.type
    return body
