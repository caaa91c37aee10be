"""Whether it pays to run the iterations of a loop side by side, as far as the text of the loop says."""

from __future__ import annotations

from enum import Enum

from adcompiler.analysis.sums import SUM, carried_kinds
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, For, Literal, Node, Store, Value, type_of
from adcompiler.graph.walk import defined, walk
from adcompiler.loops.block_parts import LANES
from adcompiler.loops.lane_rows import is_read_again, places, rows_read
from adcompiler.loops.lane_values import LaneValues, lane_values
from adcompiler.primitives import card

_WORTH = 5
"""How much is to be computed for each element that lies far from the others."""
_DEEP = 2
"""So many loops in each other pay in iterations that are no recurrences."""
_CALL = 8
"""How many instructions an elementary function is about as long as."""


def may_be_in_blocks(loop: Node) -> bool:
    """Tell whether iterations look as if it pays to run them side by side: their arrays are to stay there."""
    if not isinstance(loop, For) or not _is_free(loop):
        return False
    return _is_over_recurrences(loop) or _is_over_nests(loop) or pays_for_many(loop)


def pays_for_many(loop: For) -> bool:
    """Tell whether it pays if there are more than a few iterations, and else does harm.

    Either the innermost loops go down columns, of which each iteration has its own, or they are over a few
    parameters, and each iteration has a sample: LLVM vectorises neither.
    """
    inner = _innermost(loop)
    if not inner or not _is_free(loop):
        return False
    kinds = lane_values(loop)
    ways = {_way(node, loop, deep, kinds) for deep in inner for node in walk(deep.body)}
    if _Way.FAR in ways:
        return False
    return _Way.COLUMN in ways or (_Way.SAMPLE in ways and _adds_up_functions(loop, inner))


def _is_free(loop: For) -> bool:
    """Tell whether iterations hand on nothing but sums, and there may be enough of them."""
    is_long = not isinstance(loop.stop, Literal) or loop.stop.value >= LANES
    is_simple = loop.step == Literal(1) and not loop.breaks
    return is_long and is_simple and all(kind == SUM for kind in carried_kinds(loop.body))


def _innermost(loop: For) -> list[For]:
    """Return the loops in the iterations that hold no other one."""
    loops = [node for node in walk(loop.body) if isinstance(node, For)]
    return [node for node in loops if not any(isinstance(inner, For) for inner in walk(node.body))]


class _Way(Enum):
    """Where the elements lie that an inner loop goes over."""

    COLUMN = "below each other, and beside those of the next iteration of the outer loop"
    SAMPLE = "one that belongs to the iteration, beside that of the next"
    FAR = "one that belongs to the iteration, far from that of the next"
    SAME = "what iterations have in common, or make for themselves"


def _way(node: Node, loop: For, inner: For, kinds: LaneValues) -> _Way:
    match node:
        case Apply(fn="getitem", args=(Value() as array, *index)):
            pass
        case Store(array=array, index=(*index,)):
            pass
        case _:
            return _Way.SAME
    if array in kinds.own or not kinds.vary(index):
        return _Way.SAME
    if getattr(array.type, "layout", "") == "F":
        index = index[::-1]
    *front, last = index
    if last is not loop.body.params[0] or kinds.vary(front):
        return _Way.FAR
    return _Way.COLUMN if {*front} & {*defined(inner.body)} else _Way.SAMPLE


def _adds_up_functions(loop: For, inner: list[For]) -> bool:
    """Tell whether iterations add up elementary functions of other elements than there are iterations."""
    whole = [deep for deep in inner if not deep.breaks and deep.stop != loop.stop]
    adding = [deep for deep in whole if SUM in carried_kinds(deep.body)]
    return any(isinstance(node, Apply) and card(node.fn).fast for deep in adding for node in walk(deep.body))


def _is_over_recurrences(loop: For) -> bool:
    """Tell whether LLVM vectorises no loop in the iterations."""
    innermost = _innermost(loop)
    return bool(innermost) and all(_is_recurrence(node, loop) for node in innermost)


def _is_recurrence(node: For, around: For) -> bool:
    """Tell whether LLVM cannot vectorise a loop, as an iteration needs the one before, and whether lanes pay.

    They do where there is much to compute for each element that is read: those of the lanes lie far apart.
    """
    if node.breaks:
        return False
    pairs = zip(node.carried, carried_kinds(node.body), strict=True)
    if not any(kind is None and is_scalar(type_of(value)) for value, kind in pairs):
        return False
    inside = [made for made in walk(node.body) if isinstance(made, Apply | Store)]
    apart = [made for made in inside if _is_far(made, around)]
    work = sum(1 if isinstance(made, Store) or card(made.fn).is_instruction else _CALL for made in inside)
    return work - len(apart) >= _WORTH * max(len(apart), 2)


def _is_over_nests(loop: For) -> bool:
    """Tell whether iterations run loops in loops over arrays of their own and over what is the same for all.

    The innermost of these, which LLVM vectorises, may be short; lanes are many, and lie side by side. Loops
    that do no more than go over arrays, as stencils, are better off with one array at a time. Where rows are
    copied, the iterations are samples, of which there are many, if they add to parameters that they share.
    """
    every = [*places(loop.body)]
    depth = max((len(place.loops) for place in every), default=0)
    if depth < _DEEP:
        return False
    kinds = lane_values(loop)
    rows = rows_read(loop, kinds)
    deepest = [place for place in every if len(place.loops) == depth]
    if rows is None or not any(is_read_again(place, kinds) for place in deepest):
        return False
    return not rows or any(_is_shared_sum(place.node, kinds) for place in deepest)


def _is_shared_sum(node: Node, kinds: LaneValues) -> bool:
    """Tell whether all iterations add to the same element."""
    return isinstance(node, Store) and node.accumulate and not kinds.vary((node.array, *node.index))


def _is_far(node: Apply | Store, around: For) -> bool:
    """Tell whether an element is read or written that lies far from that of the next iteration of a loop."""
    match node:
        case Apply(fn="getitem", args=(_, *index)):
            return around.body.params[0] in index[:-1]
        case Store(index=(*front, _)):
            return around.body.params[0] in front
    return False
