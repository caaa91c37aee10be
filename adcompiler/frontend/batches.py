"""`vmap`: the loop over a batch, written around a call of a function, in the language."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gast
import numpy as np

from adcompiler.frontend.bindings import (
    Binding,
    Operation,
    Record,
    Transformation,
    flatten,
    is_fixed,
    rebuild,
)
from adcompiler.frontend.chunks import written
from adcompiler.frontend.differentiated import Differentiated
from adcompiler.frontend.ranks import atom_rank
from adcompiler.graph.kinds import OfComplex
from adcompiler.graph.nodes import Atom, Literal, Node, Region, Store, Value
from adcompiler.graph.steps import Axes, NamedAxes
from adcompiler.graph.walk import operands, walk
from adcompiler.source import Location


def over_batch(start, size, enter):
    for k in range(start, size):
        enter(k)


def numbers_for(size):
    batch = np.empty(size)
    return batch


def numbers_like(size, first):
    batch = np.full(size, first)
    return batch


def rows_for(size, first):
    batch = np.empty((size,) + first.shape, first.dtype)  # noqa: RUF005
    return batch


def size_along(array, axis):
    return array.shape[axis]


def check_sizes(one, other):
    if one != other:
        raise ValueError("the arguments differ in size along the axes that the function is mapped over")


def check_first(size):
    if size == 0:
        raise ValueError(
            "to be mapped, a function that returns arrays or complex numbers needs a batch with an element"
        )


def element_of_first(array, k):
    return array[k]


def element_of_second(array, k):
    return array[:, k]


def element_of_third(array, k):
    return array[:, :, k]


def element_of_fourth(array, k):
    return array[:, :, :, k]


ELEMENTS = (element_of_first, element_of_second, element_of_third, element_of_fourth)
"""What takes an element of a batch, by the axis along which it goes."""


@dataclass(frozen=True, eq=False)
class Mapped:
    """A part of the arguments, and the axis along which the batch goes; None if all elements share it."""

    whole: Binding
    axis: int | None


def batched(call: Differentiated, how: Transformation) -> Binding:
    """Return what a function returns for each element of a batch, along an axis of each result.

    Args:
        call: the function, called with whole batches.
        how: over which axes of the arguments the batch goes, and where it goes in the results.
    """
    args = _mapped(call, how.in_axes)
    size, where = _size(call, args), call.state.where(call.node)
    nodes, outline = _looked_at(call, args)
    ranks = [_known(call, part) for part in flatten(outline)]
    may_be_complex = _has_complex(call, nodes)
    start = int(may_be_complex or any(ranks))
    if start:  # the first element tells how large the arrays are, and of which type
        written(call, check_first, size)
        first = [*flatten(_applied(call, args, Literal(0)).value())]
        found = [_batch(call, size, part, rank) for part, rank in zip(first, ranks, strict=True)]
        _enter(call, found, first, Literal(0), where)
    else:
        found = [_batch(call, size, None, 0) for _ in ranks]

    def run(state: Any, node: gast.AST, index: Sequence[Binding], name: str | None) -> Binding:
        inner = call.moved(state, node)
        _enter(inner, found, [*flatten(_applied(inner, args, index[0]).value())], index[0], where)
        return Literal(None)

    written(call, over_batch, Literal(start), size, Operation(run))
    places = _each(call, how.out_axes, outline, "out_axes")
    supply = iter([_placed(call, batch, axis) for batch, (_, axis) in zip(found, places, strict=True)])
    result: Binding = rebuild(outline, lambda _: next(supply))
    return result


def _looked_at(call: Differentiated, args: Sequence[Binding]) -> tuple[list[Node], Binding]:
    """Return what is done for one element and what is returned, to look at only."""
    taken, (nodes, outline) = call.state.aside(lambda: _applied(call, args, Literal(0)).looked_at())
    return [*taken, *nodes], outline


def _has_complex(call: Differentiated, nodes: Sequence[Node]) -> bool:
    """Tell whether there are complex numbers about, of which results may be some."""
    around = Region((), (*call.state.nodes, *nodes), ())
    read = [atom for node in walk(around) for atom in operands(node)]
    kinds = call.state.ranks.values()
    return any(isinstance(kind, OfComplex) for kind in kinds) or any(map(_is_complex, read))


def _is_complex(atom: Atom) -> bool:
    value = getattr(atom, "value", None)
    return isinstance(value, complex) or (isinstance(value, np.ndarray) and value.dtype.kind == "c")


def _batch(call: Differentiated, size: Binding, part: Atom | None, rank: int) -> Value:
    """Return an array for the results of one part, or for numbers where there is none to look at."""
    if part is None:
        made = written(call, numbers_for, size)
    else:
        made = written(call, rows_for if rank else numbers_like, size, part)
    assert isinstance(made, Value)
    call.state.ranks[made] = rank + 1
    return made


def _enter(
    call: Differentiated, found: Sequence[Value], parts: Sequence[Atom], k: Binding, where: Location
) -> None:
    """Store the results for one element of the batch."""
    index = call.state.materialise(k, call.node)
    for batch, part in zip(found, parts, strict=True):
        call.state.nodes.append(Store(batch, (index,), part, loc=where))


def _applied(call: Differentiated, args: Sequence[Binding], k: Binding) -> Differentiated:
    """Return a call of the function with one element of the batch."""

    def element(part: Any) -> Binding:
        return part.whole if part.axis is None else written(call, ELEMENTS[part.axis], part.whole, k)

    own = [rebuild(arg, element) for arg in args]
    return Differentiated(call.state, call.node, call.function, own, call.run)


def _size(call: Differentiated, args: Sequence[Any]) -> Binding:
    """Return how many elements the batch has; that all agree is checked when the program runs."""
    parts = [part for arg in args for part in flatten(arg) if part.axis is not None]
    if not parts:
        reason = f"no argument of '{call.name}' is mapped over"
        raise call.state.refuse("AD305", reason, call.node, "give at least one argument an axis: in_axes=0")
    size, *others = [written(call, size_along, part.whole, Literal(part.axis)) for part in parts]
    for other in others:
        written(call, check_sizes, size, other)
    return size


def _mapped(call: Differentiated, axes: Axes) -> list[Binding]:
    """Return the arguments with their axes."""
    if isinstance(axes, tuple) and len(axes) != len(call.args):
        reason = f"in_axes has {len(axes)} items for the {len(call.args)} arguments of '{call.name}'"
        raise call.state.refuse("AD305", reason, call.node, "give one item for each argument")
    own = axes if isinstance(axes, tuple) else (axes,) * len(call.args)
    return [_with_axes(call, arg, part) for arg, part in zip(call.args, own, strict=True)]


def _with_axes(call: Differentiated, arg: Binding, axes: Axes) -> Any:
    supply = [Mapped(leaf, _axis(call, leaf, axis)) for leaf, axis in _each(call, axes, arg, "in_axes")][::-1]
    return rebuild(arg, lambda _: supply.pop())


def _axis(call: Differentiated, leaf: Binding, axis: int | None) -> int | None:
    """Return the axis of a part of the arguments, counted from the first; functions and names have none.

    Raises:
        DifferentiationError: AD305 where it has no such axis.
    """
    if axis is None or not isinstance(leaf, Atom) or _is_no_number(leaf):
        return None
    rank = atom_rank(leaf, call.state.ranks)
    if rank is None and 0 <= axis < len(ELEMENTS):
        return axis
    if rank is None or not -rank <= axis < min(rank, len(ELEMENTS)):
        what = "a number" if rank == 0 else f"an array of {rank} axes"
        reason = f"an argument of '{call.name}' is {what}, and is mapped over axis {axis}"
        raise call.state.refuse("AD305", reason, call.node, "what is not mapped over has None in in_axes")
    return axis % rank


def _each(
    call: Differentiated, axes: Axes, binding: Binding, what: str
) -> Iterator[tuple[Binding, int | None]]:
    """Yield each part of arguments or results with its axis; one axis holds for all parts below it.

    Raises:
        DifferentiationError: AD305 where the axes have another structure.
    """
    match axes, binding:
        case ((None | int()), _):
            yield from ((leaf, axes) for leaf in flatten(binding))
        case NamedAxes(), Record() if {*axes.names} == {*binding.names}:
            for name, part in zip(binding.names, binding, strict=True):
                yield from _each(call, axes.parts[axes.names.index(name)], part, what)
        case tuple(), tuple() if len(axes) == len(binding):
            for own, part in zip(axes, binding, strict=True):
                yield from _each(call, own, part, what)
        case _:
            reason = f"{what} has another structure than what it is for"
            raise call.state.refuse(
                "AD305", reason, call.node, f"pass one number, or {what} of the same structure"
            )


def _known(call: Differentiated, part: Any) -> int:
    """Return the number of axes of a part of the result (AD203 where it is not known, or no number)."""
    rank = atom_rank(part, call.state.ranks) if isinstance(part, Atom) else None
    if rank is None or _is_no_number(part):
        reason = f"a result of '{call.name}' is no number or array, or has axes that are not known"
        raise call.state.refuse("AD203", reason, call.node, "return numbers and arrays: x.reshape(n, m)")
    return rank


def _is_no_number(atom: Atom) -> bool:
    return is_fixed(atom) or (isinstance(atom, Literal) and isinstance(atom.value, str | None))


def _placed(call: Differentiated, batch: Value, axis: int | None) -> Binding:
    """Return a batch of results with the batch along another axis."""
    rank = call.state.ranks[batch]
    assert isinstance(rank, int)
    if axis is None or not -rank <= axis < rank:
        reason = f"a result of vmap has {rank} axes, and none is {axis}"
        raise call.state.refuse("AD305", reason, call.node, "name an axis of each result in out_axes")
    if axis % rank == 0:
        return batch
    order = [*range(1, rank)]
    order.insert(axis % rank, 0)
    moved = call.state.apply(call.node, "np.transpose", (batch, *map(Literal, order)))
    call.state.ranks[moved] = rank
    return moved
