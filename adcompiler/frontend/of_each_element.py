"""Functions that `numba.vectorize` made: one of numbers, run for each element of arrays.

Given numbers, its text is followed like that of any function. Given arrays, it is a loop over their elements,
that of `vmap`.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gast
import numpy as np

from adcompiler.frontend.batches import batched
from adcompiler.frontend.bindings import Binding, Transformation
from adcompiler.frontend.chunks import written
from adcompiler.frontend.differentiated import Differentiated, Run
from adcompiler.frontend.facts import of_elements
from adcompiler.frontend.ranks import atom_rank
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Global, Literal

_CURE = "write a loop that calls the function for each element, with njit in place of vectorize"


def flat(array):
    return np.ravel(array)


def shaped(elements, like):
    return elements.reshape(like.shape)


def applied(
    state: Lowering, node: gast.Call, callee: Global, given: Sequence[Binding], run: Run, name: str | None
) -> Binding:
    """Lower a call of a function that works on each element.

    Args:
        state: the state.
        node: the call.
        callee: the function.
        given: what it is called with, by position.
        run: lowers a call of a function that is given its arguments.
        name: the variable that the result is for.
    """
    state = replace(state, raises=False)  # Numba divides in them as NumPy does
    function = Global(callee.name, of_elements(callee.value))
    if node.keywords or len(given) != function.value.__code__.co_argcount:
        reason = f"'{callee.name}' takes {function.value.__code__.co_argcount} arguments by their positions"
        raise state.refuse("AD107", reason, node, "assign its result: y = f(x)")
    args = [state.materialise(arg, node) for arg in given]
    ranks = [atom_rank(arg, state.ranks) for arg in args]
    most = max((rank for rank in ranks if rank is not None), default=0)
    if None in ranks or {*ranks} - {0, most}:
        reason = f"'{callee.name}' works on each element, and its arguments differ in their numbers of axes"
        raise state.refuse("AD203", reason, node, _CURE)
    is_double = _is_of_doubles(callee.value)
    args = [_double(state, node, arg) for arg in args] if is_double else args
    if not most:
        found = run(state, node, function, args)
        return state.apply(node, "float", (state.materialise(found, node),), name) if is_double else found
    axes = tuple(0 if rank else None for rank in ranks)
    call = Differentiated(state, node, function, args, run)
    if most == 1:
        return batched(call, Transformation("vmap", (), in_axes=axes))
    rows: list[Binding] = [
        written(call, flat, arg) if rank else arg for arg, rank in zip(args, ranks, strict=True)
    ]
    elements = batched(
        Differentiated(state, node, function, rows, run), Transformation("vmap", (), in_axes=axes)
    )
    like = next(arg for arg, rank in zip(args, ranks, strict=True) if rank)
    return written(call, shaped, elements, like)


def _is_of_doubles(function: Any) -> bool:
    """Tell whether a function was declared for float64 alone, to which Numba then converts."""
    return bool(function._frozen) and {*map(str, function.types)} == {f"{'d' * function.nin}->d"}


def _double(state: Lowering, node: gast.Call, arg: Atom) -> Atom:
    if isinstance(arg, Literal):
        return Literal(float(arg.value)) if isinstance(arg.value, int) else arg
    if atom_rank(arg, state.ranks) == 0:
        return state.apply(node, "float", (arg,))
    return state.apply(node, "astype", (arg, Global("np.float64", np.float64)))
