"""Vectors that are filled from one end: the first elements one by one, the others in a loop that reads these.

So does an elimination, `c[0] = ...` and then `c[i]` from `c[i - 1]`, and the substitution that follows it,
from the other end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.integers import Integers
from adcompiler.analysis.sizes import Shape, form_of
from adcompiler.graph.nodes import Apply, For, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import operands, walk, walk_regions


def fills_in_order(users: Sequence[Node], array: Value, shape: Shape, integers: Integers) -> bool:
    """Tell whether nodes write all of a vector, each element before it is read.

    Args:
        users: the nodes that use the vector, in order.
        array: the vector.
        shape: its symbolic shape.
        integers: integers as forms.
    """
    if len(shape) != 1:
        return False
    size, stored = form_of(shape[0]), list[Linear]()
    for node in users:
        match node:
            case Store(accumulate=False, index=(at,)) if node.value is not array:
                place = integers.form(at)
                if place is None:
                    return False
                negative = not place.terms and place.constant < 0
                stored.append(place + size if negative else place)
            case For(breaks=False, step=Literal(value=1 | -1 as step)):
                return _fills_the_rest(node, step, array, size, stored, integers)
            case _:
                return False
    return False


def _fills_the_rest(
    loop: For, step: int, array: Value, size: Linear, stored: Sequence[Linear], integers: Integers
) -> bool:
    """Tell whether a loop writes all but the elements that are stored already, and reads none too early."""
    start, stop = integers.form(loop.start), integers.form(loop.stop)
    end = size if step > 0 else Linear({}, -1)
    if start is None or stop is None or array in loop.inits or not _are_equal(stop, end):
        return False
    first = start if step > 0 else size - 1 - start  # how many elements the loop leaves out
    if first.terms or not 0 < first.constant <= len(stored):
        return False
    left_out = [Linear({}, k) if step > 0 else size - 1 - k for k in range(first.constant)]
    if not all(any(_are_equal(place, at) for at in stored) for place in left_out):
        return False
    return _is_written_then_read(loop, step, array, first.constant, integers)


def _is_written_then_read(loop: For, step: int, array: Value, reach: int, integers: Integers) -> bool:
    """Tell whether each iteration writes its element, and touches that or those just before it only."""
    index, nearest = loop.body.params[0], 1
    for node in loop.body.nodes:
        if isinstance(node, Store) and node.array is array and node.index == (index,) and nearest:
            if node.accumulate or node.value is array:
                return False
            nearest = 0
        elif not all(
            0 <= nearest <= step * gap <= reach
            for inner in walk(Region((), (node,), ()))
            if array in operands(inner)
            for gap in [_distance(inner, array, index, integers)]
        ):
            return False
    return nearest == 0 and all(array not in part.yields for part in walk_regions(loop.body))


def _distance(node: Node, array: Value, index: Value, integers: Integers) -> float:
    """Return how far behind an index a node touches an array; NaN if that is not one element."""
    match node:
        case Apply(fn="getitem", args=(Value() as base, at)) if base is array:
            place = integers.form(at)
        case Store(index=(at,)) if node.array is array and node.value is not array:
            place = integers.form(at)
        case _:
            return math.nan
    gap = None if place is None else Linear({index: 1}) - place
    return math.nan if gap is None or gap.terms else gap.constant


def _are_equal(one: Linear, two: Linear) -> bool:
    gap = one - two
    return not gap.terms and gap.constant == 0
