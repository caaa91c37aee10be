"""Single precision: what a derivative computes from numbers of float32 is float32.

To Numba, `2.0 * x` is a number of double precision whatever x is. In a program that is its meaning; in what a
derivative adds to it, the constants of rules take the precision of what they meet. Types say so from the
first, and `with_single_constants` writes it at the end: `np.float32(2.0) * x`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np
from numba import float32, float64
from numba.core import types as nt

from adcompiler.analysis.propagate import propagated
from adcompiler.analysis.types import element, enter_types, infer, is_array, is_scalar
from adcompiler.graph.atoms import is_adjoint
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, map_operands, map_region, merges, regions, substitute, values, walk
from adcompiler.primitives import Follows, Gives, card, hint


def type_derivative(graph: Graph, arguments: Sequence[nt.Type]) -> None:
    """Let the values of a derivative know their types, of which those of the program are known.

    Args:
        graph: the graph of the derivative.
        arguments: types of its arguments.
    """
    fresh = {value for value in defined(graph.body) if value.type is None}
    known = [value.type for value in defined(graph.body) if value.type is not None]
    found = propagated(graph, arguments) or infer(with_single_constants(graph), arguments)
    enter_types(found)
    if any(map(is_single, (*known, *arguments))):
        _narrow(graph, arguments, fresh)


def is_single(kind: nt.Type) -> bool:
    """Tell whether a type is that of numbers in single precision, or of arrays of them."""
    return (is_array(kind) or is_scalar(kind)) and element(kind) == float32


def _narrow(graph: Graph, arguments: Sequence[nt.Type], fresh: set[Value]) -> None:
    """Let new values be single that are made of such, and let Numba say which are not then."""
    sources, wide = _sources(graph.body), _kept_wide(graph.body)
    doubles = {value for value in sources if value in fresh and _is_double(value.type)}
    narrower = _narrower(sources, doubles - wide)
    if not narrower:
        return
    for value in narrower:
        value.type = value.type.copy(dtype=float32) if is_array(value.type) else float32
    written = with_single_constants(graph)
    for value in fresh:
        value.type = None
    enter_types(propagated(written, arguments) or infer(written, arguments))


def _sources(body: Region) -> dict[Value, list[Value]]:
    """Return the values that the precision of others follows from; none where these are made of constants."""
    found: dict[Value, list[Value]] = {}
    for node in walk(body):
        match node:
            case Apply() if _hands_on(node):
                found[node.out] = [v for v in values(node.args) if element(v.type) in _NUMBERS]
            case If() | For() | While():
                for value, atom in merges(node):
                    found.setdefault(value, []).extend(values([atom]))
    return found


def _kept_wide(body: Region) -> set[Value]:
    """Return what the reverse sweep converts to double precision: adjoints of values that have it."""
    found: set[Value] = set()
    for node in walk(body):
        if _is_widening(node):
            found.update((node.out, *values(node.args[:1])))
    return found


def _is_widening(node: Node) -> TypeGuard[Apply]:
    if not isinstance(node, Apply) or node.role is not Role.ADJOINT:
        return False
    return node.fn in ("astype", "np.float64") and _is_double(node.out.type)


def _converts_nothing(node: Node) -> TypeGuard[Apply]:
    if not isinstance(node, Apply) or node.role is not Role.ADJOINT:
        return False
    is_same = node.fn == "astype" and is_single(node.out.type) and is_single(type_of(node.args[0]))
    return is_same or (_is_widening(node) and _is_double(type_of(node.args[0])))


def _hands_on(node: Apply) -> bool:
    """Tell whether the numbers in a result have the precision of those in the arguments."""
    known = card(node.fn)
    is_like = known.allocates is not None and known.follows is Follows.SAME_SHAPE
    return known.is_elementwise or known.is_view or known.is_linear or is_like


_NUMBERS = (float32, float64)


def _is_double(kind: nt.Type) -> bool:
    return (is_array(kind) or is_scalar(kind)) and element(kind) == float64


def _narrower(sources: Mapping[Value, Sequence[Value]], doubles: set[Value]) -> set[Value]:
    """Return the doubles that are made of single precision and constants, with constants that serve these."""
    found, size = set(doubles), -1
    while size != len(found):
        size = len(found)
        found -= {value for value in found if any(_is_wide(source, found) for source in sources[value])}
    readers: dict[Value, list[Value]] = {}
    for value, parts in sources.items():
        for part in parts:
            readers.setdefault(part, []).append(value)
    narrower: set[Value] = set()
    while size != len(narrower):
        size = len(narrower)
        for value in found:
            is_made = any(is_single(part.type) or part in narrower for part in sources[value])
            serves = value in readers and all(reader in narrower for reader in readers[value])
            narrower |= {value} if is_made or serves else set()
    return narrower


def _is_wide(value: Value, narrow: set[Value]) -> bool:
    return _is_double(value.type) and value not in narrow


def without_casts(graph: Graph) -> Graph:
    """Return a gradient without the conversions of its reverse sweep that convert nothing.

    The sweep writes them before types are known; where an adjoint is single already, it is handed on as it is
    in double precision: what a conversion copies, nobody asked to be copied.

    Args:
        graph: a typed gradient.
    """
    same = {node.out: node.args[0] for node in walk(graph.body) if _converts_nothing(node)}
    for adjoint, made in same.items():
        if isinstance(made, Value) and made.temporary and not is_adjoint(made):
            made.name, made.temporary = adjoint.name, adjoint.temporary

    def origin(atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in same:
            atom = same[atom]
        return atom

    def rewrite(region: Region) -> Region:
        kept = (node for node in region.nodes if not isinstance(node, Apply) or node.out not in same)
        nodes = tuple(map_operands(node, origin) for node in kept)
        return Region(region.params, nodes, tuple(map(origin, region.yields)))

    return replace(graph, body=map_region(graph.body, rewrite)) if same else graph


def with_single_constants(graph: Graph) -> Graph:
    """Return the graph with constants of single precision where they meet numbers that have it.

    Args:
        graph: a graph whose values know their types. Whole numbers become single as well: to Numba, the sum
            of an integer and a number of single precision is double.

    >>> from adcompiler.graph.text import to_text
    >>> x, y = (Value(name, type=float32) for name in "xy")
    >>> double = Graph("double", Region((x,), (Apply(y, "mul", (Literal(2), x)),), (y,)))
    >>> print(to_text(with_single_constants(double)))
    graph double(x):
      y = mul(np.float32(2.0), x)
      return y
    """
    if not any(is_single(value.type) for value in defined(graph.body)):
        return graph

    constants = {
        node.out: _single(node.args[0])
        for node in walk(graph.body)
        if isinstance(node, Apply) and node.fn == "np.float32" and node.out.temporary
        if isinstance(node.args[0], Literal)
    }

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            nodes += [] if isinstance(node, Apply) and node.out in constants else _rewritten(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=substitute(map_region(graph.body, rewrite), constants))


def _rewritten(node: Node) -> list[Node]:
    match node:
        case Apply():
            return _of_singles(node)
        case If():
            arms = [_yielding(arm, node.outs) for arm in regions(node)]
            return [replace(node, then=arms[0], orelse=arms[1])]
        case For() | While():
            flags: tuple[None, ...] = (None,) * node.breaks
            body = _yielding(node.body, (*flags, *node.outs))
            inits = _fitted(node.inits, node.outs)
            return [replace(node, inits=inits, body=body)]
    return [node]


def _yielding(region: Region, outs: Iterable[Value | None]) -> Region:
    return replace(region, yields=_fitted(region.yields, outs))


def _fitted(atoms: Iterable[Atom], outs: Iterable[Value | None]) -> tuple[Atom, ...]:
    """Return what becomes some values, constants in the precision of these."""
    pairs = zip(atoms, outs, strict=True)
    return tuple(_single(atom) if type_of(out) == float32 else atom for atom, out in pairs)


def _of_singles(node: Apply) -> list[Node]:
    """Return an elementwise function with its constants and whole numbers in single precision."""
    known = card(node.fn)
    if known.gives is Gives.TEST and any(type_of(atom) == float32 for atom in node.args):
        return [replace(node, args=tuple(map(_exactly, node.args)))]
    if not known.is_elementwise or not is_single(node.out.type):
        return [node]
    casts: dict[Atom, Value] = {}
    args: list[Atom] = []
    for position, atom in enumerate(node.args):
        if isinstance(type_of(atom), nt.Integer):
            atom = casts.setdefault(atom, Value(hint("np.float32"), temporary=True, type=float32))
        is_power = node.fn == "pow" and position == 1 and isinstance(getattr(atom, "value", None), int)
        args.append(atom if is_power else _single(atom))
    made = [Apply(cast, "np.float32", (atom,), loc=node.loc, role=node.role) for atom, cast in casts.items()]
    return [*made, replace(node, args=tuple(args))]


def _rounded(atom: Atom) -> np.float32 | None:
    """Return a constant number in single precision; None for anything else, and where it is out of range."""
    value = atom.value if isinstance(atom, Literal) else None
    if not isinstance(value, int | float) or isinstance(value, bool | np.generic):
        return None
    with np.errstate(over="ignore"):
        found = np.float32(value)
    return None if np.isinf(found) and not math.isinf(value) else found


def _single(atom: Atom) -> Atom:
    """Return a constant number in single precision; anything else as it is."""
    found = _rounded(atom)
    return atom if found is None else Literal(found)


def _exactly(atom: Atom) -> Atom:
    """Return a constant in single precision if it is the same number there."""
    found = _rounded(atom)
    is_same = found is not None and isinstance(atom, Literal) and found.item() == atom.value
    return Literal(found) if is_same else atom
