"""The entries of sparse Jacobians and Hessians: columns, or rows, of one colour share a direction.

The argument `entries` is made by `adcompiler.sparse.entries`. Where an entry stands in the product that has
it, and where it goes to, is written there, so that one loop serves all matrices.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from adcompiler.frontend.bindings import Binding, Operation, Transformation, flatten
from adcompiler.frontend.chunks import (
    as_matrix,
    directions_of_array,
    directions_of_number,
    size_of_array,
    size_of_number,
    written,
)
from adcompiler.frontend.differentiated import Differentiated
from adcompiler.frontend.ranks import atom_rank
from adcompiler.graph.nodes import Atom, Literal
from adcompiler.graph.steps import Chain, Step
from adcompiler.runtime.plain_lanes import WIDTH


def new_values(total):
    values = np.empty(total)
    return values


def enter_by_chunks(values, colours, part, product):
    starts, positions, places, lanes = part
    units = np.empty((len(colours), WIDTH))
    for chunk in range(len(starts) - 1):
        paint(units, colours, chunk * WIDTH)
        enter_lanes(
            values, as_matrix(product(units)), positions, places, lanes, starts[chunk], starts[chunk + 1]
        )


def enter_one_by_one(values, colours, part, product):
    starts, positions, places, lanes = part
    unit = np.zeros(len(colours))
    for chunk in range(len(starts) - 1):
        for lane in range(WIDTH):
            for j in range(len(colours)):
                unit[j] = 1.0 if colours[j] == chunk * WIDTH + lane else 0.0
            enter_lane(
                values, product(unit), positions, places, lanes, lane, starts[chunk], starts[chunk + 1]
            )


def paint(units, colours, first):
    for j in range(len(colours)):
        for lane in range(WIDTH):
            units[j, lane] = 1.0 if colours[j] == first + lane else 0.0


def enter_lanes(values, found, positions, places, lanes, start, stop):
    for k in range(start, stop):
        values[positions[k]] = found[places[k], lanes[k]]


def enter_lane(values, found, positions, places, lanes, lane, start, stop):
    slopes = np.atleast_1d(found).ravel()
    for k in range(start, stop):
        if lanes[k] == lane:
            values[positions[k]] = slopes[places[k]]


def take_out(values, targets, sources):
    for k in range(len(targets)):
        values[targets[k]] -= values[sources[k]]


def direction_of_array(unit, start, array):
    return unit[start : start + array.size].reshape(array.shape)


def sparse_entries(call: Differentiated, how: Transformation, places: Binding) -> Binding:
    """Return the values of the entries of a sparse matrix.

    Args:
        call: the function, called.
        how: which derivative.
        places: the colours, how many entries there are, for each product where they stand in it, and what of
            them is subtracted from what.
    """
    assert isinstance(places, tuple)
    colours, total, parts, targets, sources = places
    assert isinstance(parts, tuple)
    values = written(call, new_values, total)
    template = enter_by_chunks if how.in_lanes else enter_one_by_one
    for part, product in zip(parts, _products(call, how), strict=True):
        written(call, template, values, colours, part, product)
    if how.mode == "entries_of_hessian":
        written(call, take_out, values, targets, sources)
    return values


def _products(call: Differentiated, how: Transformation) -> Iterator[Operation]:
    """Yield the products of the matrix with directions: one for each part of it."""
    wrt, lanes = call.places(how.wrt), how.in_lanes
    if how.mode == "entries_by_rows":
        parts = [*flatten(call.value())]
        seeds, picks = _placed(call, parts), tuple(range(len(parts)))
        for k in wrt:
            yield _product(call, (Step("pullback", (k,), in_lanes=lanes),), seeds, picks, call.rank(k), lanes)
        return
    seeds = _placed(call, [call.atoms[k] for k in wrt])
    tangent = Step("tangent", wrt, in_lanes=lanes)
    if how.mode == "entries_by_columns":
        for pick, part in enumerate(flatten(call.outline())):
            yield _product(call, (tangent,), seeds, (pick,), atom_rank(part, call.state.ranks), lanes)
    else:
        for k in wrt:
            yield _product(call, (Step("grad", (k,)), tangent), seeds, None, call.rank(k), lanes)


def _placed(call: Differentiated, atoms: Sequence[Atom]) -> list[tuple[Atom, Atom]]:
    """Return single values with the place of each among all directions."""
    found: list[tuple[Atom, Atom]] = []
    start: Atom = Literal(0)
    for atom in atoms:
        found.append((atom, start))
        template = size_of_array if atom_rank(atom, call.state.ranks) else size_of_number
        size = call.state.materialise(written(call, template, atom), call.node)
        start = call.state.apply(call.node, "add", (start, size))
    return found


def _product(
    call: Differentiated,
    chain: Chain,
    placed: Sequence[tuple[Atom, Atom]],
    picks: tuple[int, ...] | None,
    rank: int | None,
    lanes: bool,
) -> Operation:
    """Return the product of a derivative with one direction, or one in each lane."""

    def run(state: Any, node: Any, args: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        of_array = directions_of_array if lanes else direction_of_array
        seeds = []
        for atom, start in placed:
            template = of_array if atom_rank(atom, state.ranks) else directions_of_number
            seeds.append(state.materialise(written(inner, template, args[0], start, atom), node))
        return inner.derivative(chain, seeds, picks, None if rank is None else rank + lanes, name)

    return Operation(run)
