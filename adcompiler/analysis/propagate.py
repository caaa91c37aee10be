"""Types of a gradient's values from those of its primal, without asking Numba where the answer is plain.

Numba's type inference takes as long as all other stages together. Of the values of a gradient, many stand in
the primal, and most others are numbers and arrays of floats made by arithmetic. What is not known for sure
is left to Numba.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numba import boolean, complex128, float32, float64, int64
from numba.core import types

from adcompiler.analysis.elementwise_kinds import UnknownTypeError, one_of, widest
from adcompiler.analysis.result_kinds import result_kind, whole
from adcompiler.analysis.types import Types, is_array
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
)

_LITERALS = {
    float: float64,
    np.float32: float32,
    complex: complex128,
    int: int64,
    bool: boolean,
    type(None): types.none,
    str: types.unicode_type,
    type(...): types.ellipsis,
}


def propagated(graph: Graph, arguments: Sequence[types.Type]) -> Types | None:
    """Return the type of every value of a gradient; None where some are not plain.

    Args:
        graph: the graph of the gradient.
        arguments: types of its arguments.
    """
    found: Types = dict(zip(graph.body.params, arguments, strict=True))
    try:
        _region(graph.body, found)
    except UnknownTypeError:
        return None
    return found


def _region(region: Region, found: Types) -> None:
    for node in region.nodes:
        match node:
            case Apply():
                found[node.out] = _known(node.out) or result_kind(node, _kinds(node, found))
            case Effect(fn="append", args=(Value() as items, item)) if _is_empty(items, found):
                found[items] = types.List(whole(kind_of(item, found)))
            case If():
                _region(node.then, found)
                _region(node.orelse, found)
                for out, one, two in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    is_single = out.type is None and _becomes_single(node, (one, two), found)
                    found[out] = out.type or (float32 if is_single else _unified(one, two, found))
            case For():
                found[node.body.params[0]] = int64
                _loop(node, node.carried, found)
            case While():
                _loop(node, node.body.params, found)
            case Store() | Effect():
                pass


def _known(value: Value) -> types.Type | None:
    """Return the type that a value has, None if a copy of it, in the order of C, may be in its place."""
    is_in_columns = is_array(value.type) and value.type.layout == "F"
    return None if is_in_columns else value.type


def _iteration(node: For | While, found: Types) -> None:
    if isinstance(node, While):
        _region(node.cond, found)
    _region(node.body, found)


def _becomes_single(node: Node, atoms: Iterable[Atom], found: Types) -> bool:
    """Tell whether a derivative merges single precision with a constant, which takes its precision."""
    kinds = {isinstance(atom, Literal): kind_of(atom, found) for atom in atoms if atom != UNDEFINED}
    return node.role is not Role.PRIMAL and kinds == {True: float64, False: float32}


def _is_empty(items: Value, found: Types) -> bool:
    """Tell whether a value is a list of which nothing is known yet."""
    kind = found.get(items)
    return items.type is None and isinstance(kind, types.List) and kind.dtype is types.undefined


def _loop(node: For | While, params: tuple[Value, ...], found: Types) -> None:
    """Type what a loop carries: what it begins with and what an iteration hands on, in one type."""
    ends = [*zip(params, node.inits, node.next_values, strict=True)]
    for param, init, _ in ends:
        if init != UNDEFINED or param.type is not None:
            found[param] = param.type or kind_of(init, found)
    _iteration(node, found)
    while other := {p: kind for p, *both in ends if (kind := _carried(node, p, both, found)) != found.get(p)}:
        found |= other
        _iteration(node, found)
    for param, out in zip(params, node.outs, strict=True):
        found[out] = out.type or found[param]


def _carried(node: For | While, param: Value, both: list[Atom], found: Types) -> types.Type:
    """Return the type of what is carried, given what is known of it so far and of what is handed on."""
    if param.type is not None:
        return param.type
    if _becomes_single(node, both, found):
        return float32
    before = [found[param]] if param in found else []
    return _merged([*before, kind_of(both[-1], found)])


def kind_of(atom: Atom, found: Types) -> types.Type:
    """Return the type of an atom.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    kind = None
    if isinstance(atom, Value):
        kind = found.get(atom)
    elif isinstance(atom, Literal):
        kind = _LITERALS.get(type(atom.value))
    if kind is None:
        raise UnknownTypeError
    return kind


def _kinds(node: Apply, found: Types) -> list[types.Type | None]:
    """Return the types of arguments, None for those that are captured."""
    return [None if isinstance(atom, Global) else kind_of(atom, found) for atom in node.args]


def _unified(one: Atom, two: Atom, found: Types) -> types.Type:
    return _merged([kind_of(atom, found) for atom in (one, two) if atom != UNDEFINED])


def _merged(kinds: Sequence[types.Type]) -> types.Type:
    """Return the type of a value that may come from either side: of numbers, the widest."""
    if kinds and all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    return widest(one_of(kind, complex128, float64, int64) for kind in kinds)
