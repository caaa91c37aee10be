"""Whole Jacobians and Hessians: loops over directions, written in the language, around products with them."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcompiler.frontend import chunks
from adcompiler.frontend.bindings import Binding, Operation, Record, Transformation, flatten, rebuild
from adcompiler.frontend.chunks import written
from adcompiler.frontend.differentiated import Differentiated
from adcompiler.frontend.ranks import atom_rank
from adcompiler.graph.nodes import Atom, Literal
from adcompiler.graph.steps import Chain, Kind, Step


def jacobian_by_columns(array, product):
    assert array.size > 0, "there is no Jacobian by an array without elements"
    unit = np.zeros(array.size, array.dtype)
    unit[0] = 1.0
    first = product(unit.reshape(array.shape))
    columns = np.empty((first.size, array.size), first.dtype)
    for k in range(array.size):
        unit[k] = 1.0
        column = product(unit.reshape(array.shape)).ravel() if k > 0 else first.ravel()
        for j in range(first.size):
            columns[j, k] = column[j]
        unit[k] = 0.0
    return columns.reshape(first.shape + array.shape)


def gradient_by_columns(array, product):
    unit = np.zeros(array.size, array.dtype)
    unit[:1] = 1.0
    slopes = np.full(array.size, product(unit.reshape(array.shape)))
    for k in range(1, array.size):
        unit[k - 1], unit[k] = 0.0, 1.0
        slopes[k] = product(unit.reshape(array.shape))
    return slopes.reshape(array.shape)


def jacobian_by_rows(array, result, product):
    unit, rows = np.zeros(result.size, result.dtype), np.empty((result.size, array.size), array.dtype)
    for k in range(result.size):
        unit[k] = 1.0
        row = product(unit.reshape(result.shape)).ravel()
        for j in range(array.size):
            rows[k, j] = row[j]
        unit[k] = 0.0
    return rows.reshape(result.shape + array.shape)


def slopes_by_rows(result, product):
    unit = np.zeros(result.size, result.dtype)
    unit[:1] = 1.0
    slopes = np.full(result.size, product(unit.reshape(result.shape)))
    for k in range(1, result.size):
        unit[k - 1], unit[k] = 0.0, 1.0
        slopes[k] = product(unit.reshape(result.shape))
    return slopes.reshape(result.shape)


def columns_of_array(block, rank, array):
    return block.reshape(block.shape[:rank] + (array.size,))  # noqa: RUF005


def column(block, rank, number):
    return block.reshape(block.shape + (1,))  # noqa: RUF005


def entry(block, rank, number):
    return np.array([block])


def together(columns, rank):
    return np.concatenate(columns, axis=rank)


def hessian_by_rows(array, other, product):
    unit, rows = np.zeros(array.size, array.dtype), np.empty((array.size, other.size), array.dtype)
    for k in range(array.size):
        unit[k] = 1.0
        row = product(unit.reshape(array.shape)).ravel()
        for j in range(other.size):
            rows[k, j] = row[j]
        unit[k] = 0.0
    return rows.reshape(array.shape + other.shape)


def jacobian(call: Differentiated, how: Transformation) -> Binding:
    """Return the derivative of each part of a result by each part of the arguments."""
    call.places(how.wrt)
    is_outlined = how.mode != "jacrev"
    found = call.outline() if is_outlined else call.value()
    if found == Literal(None):
        cure = "return the array that it writes, or use vjp, which treats written arguments as results"
        raise call.state.refuse("AD302", f"'{call.name}' returns nothing", call.node, cure)
    found, aux = parted(call, found, how.has_aux)
    parts = [*flatten(found)]
    supply = iter(range(len(parts)))

    def block(part: Atom) -> Binding:
        pick, rank = next(supply), _known(call, part)
        is_forward = how.mode == "jacfwd" or (
            how.mode == "jacobian" and not _is_gradient(call, how.wrt, rank)
        )
        if is_forward and how.in_lanes and chunks.is_in_lanes(call, how.wrt):
            whole, made = chunks.columns(call, how.wrt, rank, pick)
            return whole() if how.stacked else call.like_arguments(how.wrt, how.single, made)
        made = _columns(call, rank, pick, how) if is_forward else _rows(call, part, pick, how)
        if how.stacked:
            return _side_by_side(call, how.wrt, made, rank)
        return call.like_arguments(how.wrt, how.single, made)

    whole: Binding = rebuild(found, block)
    if not how.has_aux:
        return whole
    return whole, (call_aux(call) if is_outlined else aux)


def _is_gradient(call: Differentiated, wrt: Sequence[int], rank: int) -> bool:
    """Tell whether the Jacobian of a part of the result is the gradient of a number by arrays."""
    return rank == 0 and any(call.rank(k) for k in call.places(wrt))


def _side_by_side(
    call: Differentiated, wrt: Sequence[int], made: Callable[[int], Binding], rank: int
) -> Binding:
    """Return one matrix of the blocks by all single values of some arguments."""
    columns = []
    for k in call.places(wrt):
        template = columns_of_array if call.rank(k) else column
        args = (made(k), Literal(rank), call.atoms[k])
        columns.append(written(call, template if call.rank(k) or rank else entry, *args))
    return written(call, together, tuple(columns), Literal(rank))


def call_aux(call: Differentiated) -> Binding:
    """Return the second part of a result, computed."""
    return parted(call, call.value(), True)[1]


def parted(call: Differentiated, found: Binding, has_aux: bool) -> tuple[Binding, Binding]:
    """Return the result of a function, and what it returns beside it.

    Raises:
        DifferentiationError: AD302 where it should return a pair, and does not.
    """
    if not has_aux:
        return found, Literal(None)
    if not isinstance(found, tuple) or len(found) != 2 or isinstance(found, Record):
        reason = f"'{call.name}' returns no pair, as has_aux=True says"
        raise call.state.refuse("AD302", reason, call.node, "return (value, auxiliary values)")
    return found[0], found[1]


def hessian(call: Differentiated, how: Transformation) -> Binding:
    """Return the second derivatives by each two parts of the arguments."""
    call.places(how.wrt)

    in_lanes = how.in_lanes and chunks.is_in_lanes(call, how.wrt)
    by_chunks = {j: chunks.second(call, how.wrt, j) for j in call.places(how.wrt) if in_lanes}

    def row(i: int) -> Binding:
        return call.like_arguments(
            how.wrt, how.single, lambda j: by_chunks[j](i) if in_lanes else _second(call, i, j, how)
        )

    return call.like_arguments(how.wrt, how.single, row)


def _columns(call: Differentiated, rank: int, pick: int, how: Transformation) -> Callable[[int], Binding]:
    """Return what makes the derivative of a part of the result by a single value, a column at a time."""

    def block(k: int) -> Binding:
        if not _known_argument(call, k):
            return call.derivative((_step("slope", k, how),), (), (pick,), rank)
        template = jacobian_by_columns if rank else gradient_by_columns
        product = _product(call, (_step("tangent", k, how),), (pick,), rank)
        return written(call, template, call.atoms[k], product)

    return block


def _rows(call: Differentiated, part: Atom, pick: int, how: Transformation) -> Callable[[int], Binding]:
    """Return what makes the derivative of a part of the result by a single value, by one or several rows."""
    rank = _known(call, part)

    def block(k: int) -> Binding:
        own = _known_argument(call, k)
        if not rank:
            return call.derivative((_step("grad", k, how),), (), (pick,), own)
        if how.in_lanes:
            return chunks.rows(call, part, pick, k)
        product = _product(call, (_step("pullback", k, how),), (pick,), own)
        if own:
            return written(call, jacobian_by_rows, call.atoms[k], part, product)
        return written(call, slopes_by_rows, part, product)

    return block


def _step(kind: Kind, k: int, how: Transformation) -> Step:
    return Step(kind, (k,), holomorphic=how.holomorphic)


def _second(call: Differentiated, i: int, j: int, how: Transformation) -> Binding:
    rank = _known_argument(call, j)
    first = _step("grad", j, how)
    if not _known_argument(call, i):
        return call.derivative((first, _step("slope", i, how)), (), None, rank)
    product = _product(call, (first, _step("tangent", i, how)), None, rank)
    if rank:
        return written(call, hessian_by_rows, call.atoms[i], call.atoms[j], product)
    return written(call, gradient_by_columns, call.atoms[i], product)


def _product(call: Differentiated, chain: Chain, picks: tuple[int, ...] | None, rank: int) -> Operation:
    def run(state: Any, node: Any, args: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        return inner.derivative(chain, [state.materialise(arg, node) for arg in args], picks, rank, name)

    return Operation(run)


def _known_argument(call: Differentiated, k: int) -> int:
    rank = call.rank(k)
    return _told(call, f"an argument of '{call.name}'", rank)


def _known(call: Differentiated, part: Atom) -> int:
    rank = atom_rank(part, call.state.ranks)
    return _told(call, f"a result of '{call.name}'", rank)


def _told(call: Differentiated, what: str, rank: int | None) -> int:
    """Return a number of axes.

    Raises:
        DifferentiationError: AD203 where it is not known.
    """
    if rank is None:
        reason = f"the number of axes of {what} is not known before the program runs"
        cure = "call it, which says what the arguments are, or give the array its axes: x.reshape(n, m)"
        raise call.state.refuse("AD203", reason, call.node, cure)
    return int(rank)
