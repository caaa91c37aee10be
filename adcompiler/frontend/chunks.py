"""Whole Jacobians and Hessians by chunks: along several directions at once, with a lane each.

The loops over chunks are written in the language, around a product with one direction for each lane.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adcompiler.frontend.bindings import Binding, Operation
from adcompiler.frontend.differentiated import Differentiated
from adcompiler.frontend.inlining import inline
from adcompiler.frontend.parse import parse
from adcompiler.graph.nodes import Atom, Literal
from adcompiler.graph.steps import Chain, Step
from adcompiler.runtime.plain_lanes import WIDTH


def columns_by_chunks(count, product, nothing):
    units, slopes, found = np.zeros((count, WIDTH)), np.empty((0, 0)), np.empty(nothing)
    for start in range(0, count, WIDTH):
        enter_units(units, start)
        found = product(units)
        if start == 0:
            slopes = np.empty((found.size // WIDTH, count))
        put_columns(slopes, as_matrix(found), start, min(count - start, WIDTH))
    return slopes, found


def rows_by_chunks(count, product, size):
    units, slopes = np.zeros((count, WIDTH)), np.empty((count, size))
    for start in range(0, count, WIDTH):
        enter_units(units, start)
        put_rows(slopes, as_matrix(product(units)), start, min(count - start, WIDTH))
    return slopes


def as_matrix(found):
    return found if found.ndim == 2 else found.reshape((found.size // WIDTH, WIDTH))


def enter_units(units, start):
    for k in range(min(start, WIDTH)):
        units[start - WIDTH + k, k] = 0.0
    for k in range(min(len(units) - start, WIDTH)):
        units[start + k, k] = 1.0


def put_columns(slopes, found, start, width):
    for j in range(len(found)):
        for k in range(width):
            slopes[j, start + k] = found[j, k]


def put_rows(slopes, found, start, width):
    for j in range(len(found)):
        for k in range(width):
            slopes[start + k, j] = found[j, k]


def check_size(count):
    assert count > 0, "there is no Jacobian by an array without elements"


def directions_of_array(units, start, array):
    return units[start : start + array.size].reshape(array.shape + (WIDTH,))  # noqa: RUF005


def directions_of_all(units, start, array):
    return units if array.ndim == 1 else units.reshape(array.shape + (WIDTH,))  # noqa: RUF005


def directions_of_number(units, start, number):
    return units[start]


def all_columns(slopes, found, rank, count):
    return slopes.reshape(found.shape[:rank] + (count,))  # noqa: RUF005


def columns_of_all(slopes, found, rank, start, array):
    return slopes.reshape(found.shape[:rank] + array.shape)


def columns_of_array(slopes, found, rank, start, array):
    part = np.ascontiguousarray(slopes[:, start : start + array.size])
    return part.reshape(found.shape[:rank] + array.shape)


def column_of_number(slopes, found, rank, start, number):
    return np.ascontiguousarray(slopes[:, start]).reshape(found.shape[:rank])


def slope_by_number(slopes, found, rank, start, number):
    return slopes[0, start]


def size_of_array(array):
    return array.size


def size_of_number(number):
    return 1


def rows_of_all(slopes, start, array, other):
    return slopes.reshape(array.shape + other.shape)


def rows_of_array(slopes, start, array, other):
    return slopes[start : start + array.size].reshape(array.shape + other.shape)


def slopes_of_array(slopes, start, array, number):
    return slopes[start : start + array.size].reshape(array.shape)


def row_of_number(slopes, start, number, other):
    return slopes[start].reshape(other.shape)


def slope_of_number(slopes, start, number, other):
    return slopes[start, 0]


ROWS = {
    (True, True): rows_of_array,
    (True, False): slopes_of_array,
    (False, True): row_of_number,
    (False, False): slope_of_number,
}
"""What cuts a block out, by whether the derivative is one by an array, and whether one of an array."""


def is_in_lanes(call: Differentiated, wrt: Sequence[int]) -> bool:
    """Tell whether there are, or may be, several directions."""
    places = call.places(wrt)
    return len(places) > 1 or bool(call.rank(places[0]))


def columns(
    call: Differentiated, wrt: Sequence[int], rank: int, pick: int
) -> tuple[Callable[[], Binding], Callable[[int], Binding]]:
    """Return what makes one matrix of the derivatives of a part of a result, and what cuts a block out of it.

    Args:
        call: the function, called.
        wrt: positions of the arguments to differentiate by.
        rank: the number of axes of the part.
        pick: which single value of the result it is.
    """
    places = call.places(wrt)
    starts, count = _starts(call, places)
    if rank:
        written(call, check_size, count)
    product = _along(call, (Step("tangent", places, in_lanes=True),), starts, (pick,), rank)
    nothing = (Literal(0),) * (rank + 1)
    made: Any = written(call, columns_by_chunks, count, product, nothing)
    slopes, found = made

    def block(k: int) -> Binding:
        if call.rank(k):
            template = columns_of_array if len(places) > 1 else columns_of_all
        else:
            template = column_of_number if rank else slope_by_number
        return written(call, template, slopes, found, Literal(rank), starts[k], call.atoms[k])

    return lambda: written(call, all_columns, slopes, found, Literal(rank), count), block


def second(call: Differentiated, wrt: Sequence[int], j: int) -> Callable[[int], Binding]:
    """Return what cuts out the derivative by a single value of the gradient by another one."""
    places, rank = call.places(wrt), call.rank(j) or 0
    starts, count = _starts(call, places)
    steps = Step("grad", (j,)), Step("tangent", places, in_lanes=True)
    product = _along(call, steps, starts, None, rank)
    slopes = written(call, rows_by_chunks, count, product, _size(call, j))

    def block(i: int) -> Binding:
        template = ROWS[bool(call.rank(i)), bool(rank)] if len(places) > 1 else rows_of_all
        return written(call, template, slopes, starts[i], call.atoms[i], call.atoms[j])

    return block


def rows(call: Differentiated, part: Atom, pick: int, k: int) -> Binding:
    """Return the derivative of an array in the result by a single value, by reverse mode."""
    rank = call.rank(k) or 0

    def run(state: Any, node: Any, args: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        seed = written(inner, directions_of_all, args[0], Literal(0), part)
        step = Step("pullback", (k,), in_lanes=True)
        return inner.derivative((step,), [state.materialise(seed, node)], (pick,), rank + 1, name)

    slopes = written(call, rows_by_chunks, written(call, size_of_array, part), Operation(run), _size(call, k))
    template = rows_of_all if rank else slopes_of_array
    return written(call, template, slopes, Literal(0), part, call.atoms[k])


def _size(call: Differentiated, k: int) -> Binding:
    return written(call, size_of_array if call.rank(k) else size_of_number, call.atoms[k])


def _starts(call: Differentiated, places: Sequence[int]) -> tuple[dict[int, Atom], Atom]:
    """Return at which direction each single value begins, and how many directions there are."""
    starts: dict[int, Atom] = {}
    count: Atom = Literal(0)
    for k in places:
        starts[k] = count
        size = call.state.materialise(_size(call, k), call.node)
        count = size if count == Literal(0) else call.state.apply(call.node, "add", (count, size))
    return starts, count


def _along(
    call: Differentiated, chain: Chain, starts: Mapping[int, Atom], picks: tuple[int, ...] | None, rank: int
) -> Operation:
    """Return the product of a derivative with a matrix of directions, one in each row for each lane."""

    def run(state: Any, node: Any, args: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        seeds = []
        for k, start in starts.items():
            of_array = directions_of_array if len(starts) > 1 else directions_of_all
            template = of_array if call.rank(k) else directions_of_number
            seeds.append(state.materialise(written(inner, template, args[0], start, call.atoms[k]), node))
        return inner.derivative(chain, seeds, picks, rank + 1, name)

    return Operation(run)


def written(call: Differentiated, template: Callable[..., Any], *args: Binding) -> Binding:
    """Write a template out in place of a call of it."""
    source = parse(template)
    names = [*source.function.__code__.co_varnames[: len(args)]]
    env = dict(zip(names, args, strict=True))
    return inline(call.state, source, env, None, None)
