"""Arrays that hold the same numbers again and again: loops read these where they come from."""

from __future__ import annotations

from collections.abc import Mapping

from numba import float64

from adcompiler.analysis.alias import written_arrays
from adcompiler.analysis.fusible import is_inexact, is_number
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, Literal, Region, Value, entry, type_of
from adcompiler.primitives import Fill, card


def stretched(
    body: Region, shapes: Shapes, makers: Mapping[Value, Apply], classes: Mapping[Value, Value]
) -> dict[Value, Atom]:
    """Return, for arrays made of others or of numbers by stretching these, what is stretched.

    `np.zeros_like(x) + d[:, None]` holds each element of `d` many times. Nobody may write any of them.

    Args:
        body: all nodes.
        shapes: symbolic shape of every array.
        makers: what computes each value.
        classes: which values share memory.
    """
    written = {classes.get(array, array) for array in written_arrays(body)}
    found: dict[Value, Atom] = {}
    for array, made in makers.items():
        if not is_inexact(array) or element(array.type) != float64 or classes.get(array, array) in written:
            continue
        source = _source(made, found)
        if (
            isinstance(source, Value)
            and is_inexact(source)
            and (classes.get(source, source) in written or not _fits(source, array, shapes))
        ):
            continue
        if source is not None:
            found[array] = source
    return found


def _source(made: Apply, found: Mapping[Value, Atom]) -> Atom | None:
    """Return what an array is stretched from: a number, or an array; None if it is something else."""
    match made:
        case Apply() if card(made.fn).allocates is Fill.ZEROS:
            return Literal(0.0)
        case Apply() if card(made.fn).allocates is Fill.ONES:
            return Literal(1.0)
        case Apply(fn="np.full_like" | "np.full", args=(_, number)) if is_number(number):
            is_float = isinstance(number, Value) and number.type == float64
            return number if is_float else None
        case Apply(fn="add", args=(zeros, other)) if entry(found, zeros) == Literal(0.0):
            return other if is_inexact(other) and element(type_of(other)) == float64 else None
    return None


def _fits(source: Value, array: Value, shapes: Shapes) -> bool:
    """Tell whether an array is known to be stretched to the shape of another, or to have it already."""
    own, whole = shapes.get(source), shapes.get(array)
    if not own or not whole or len(own) > len(whole):
        return False
    return all(one in (1, two) for one, two in zip(reversed(own), reversed(whole), strict=False))
