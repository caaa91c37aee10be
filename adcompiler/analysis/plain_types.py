"""Types of a primal without asking Numba, where all of its statements are plain.

What follows from the types of the arguments is what Numba would infer. Where anything is not plain, be it an
error of the user's, Numba is asked, and has something to say.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from numba import boolean, float32, float64, int64
from numba.core import types

from adcompiler.analysis.elementwise_kinds import CONTINUOUS, UnknownTypeError
from adcompiler.analysis.propagate import kind_of, propagated
from adcompiler.analysis.result_kinds import kind_of_item
from adcompiler.analysis.types import Types, enter_types, infer, is_array
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, If, Node, Store, While
from adcompiler.graph.walk import clone, walk
from adcompiler.primitives import card

_REALS = (float64, float32)


def plain_types(graph: Graph, arguments: Sequence[types.Type]) -> Types | None:
    """Return the type of every value of a primal; None where Numba has to be asked.

    Args:
        graph: the untyped graph.
        arguments: types of its arguments.
    """
    found = propagated(graph, arguments)
    try:
        is_plain = found is not None and all(_is_plain(node, found) for node in walk(graph.body))
    except UnknownTypeError:
        return None
    return found if is_plain else None


def typed(graph: Graph, arguments: Sequence[types.Type]) -> Graph:
    """Return a copy of an untyped graph whose values have the types that follow from the arguments.

    Raises:
        DifferentiationError: as `infer`.
    """
    graph = replace(graph, body=clone(graph.body, {}))
    enter_types(plain_types(graph, arguments) or infer(graph, arguments))
    return graph


def _is_plain(node: Node, found: Types) -> bool:
    """Tell whether a statement is one that Numba takes."""
    match node:
        case Store():
            return _fits(node, found)
        case Effect(fn="append", args=(items, item)):
            return bool(types.List(kind_of(item, found)) == kind_of(items, found))
        case Effect(fn=fn):
            return card(fn).is_statement
        case Apply(fn=fn) if card(fn).is_elementwise and _is_of_numbers(fn):
            return not any(is_array(kind_of(atom, found)) for atom in node.args)
        case If():
            return kind_of(node.test, found) in (boolean, int64, *_REALS)
        case For():
            return {kind_of(atom, found) for atom in (node.start, node.stop, node.step)} == {int64}
        case While():
            return kind_of(node.cond.yields[0], found) in (boolean, int64)
    return True


def _is_of_numbers(fn: str) -> bool:
    """Tell whether a function of numbers, unlike a ufunc, means something else for arrays, or nothing."""
    return fn.startswith("math.") or (hasattr(builtins, fn) and fn not in ("abs", "pow"))


def _fits(store: Store, found: Types) -> bool:
    """Tell whether what is stored fits where it is stored."""
    base, value = kind_of(store.array, found), kind_of(store.value, found)
    if not is_array(base) or not base.mutable:
        return False
    place = _place(base, store.index, found)
    number, stored = (kind.dtype if is_array(kind) else kind for kind in (place, value))
    ranks = [kind.ndim if is_array(kind) else 0 for kind in (value, place)]
    is_kept = number == stored or (number in CONTINUOUS and stored in (*_REALS, int64))
    return is_kept and all(one <= two for one, two in pairwise(ranks))


def _place(base: types.Array, index: Sequence[Atom], found: Types) -> types.Type:
    if not index:
        return base
    return kind_of_item(base, [kind_of(atom, found) for atom in index], index)
