"""Run independent iterations that hold recurrences side by side, in blocks: LLVM vectorises across them.

A path of a simulation cannot be vectorised, as each step needs the one before; many paths at once can. The
loop over paths becomes one over blocks of them, and each statement of a path a loop over the paths of a block
(Allen and Kennedy, Optimizing Compilers for Modern Architectures, 2001, 5.4: scalar expansion).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import int64

from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import SUM, carried_kinds
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import walk
from adcompiler.loops.block_parts import LANES, NotInBlocksError
from adcompiler.loops.block_statements import in_block
from adcompiler.loops.lane_elements import by_elements
from adcompiler.loops.lane_rows import is_read_again, places, rows_read, with_rows
from adcompiler.loops.lane_values import LaneValues, lane_values, sizes_of
from adcompiler.primitives import card

_FITTING, _LEAST = 2**17, 8
"""How many numbers of one vector fit caches, for all iterations of a block; and how few of these pay."""
_VECTOR = 8
"""Loops over a multiple of so many numbers leave none over for which vectors are too long."""
_WORTH = 5
"""How much is to be computed for each element that lies far from the others."""
_DEEP = 2
"""So many loops in each other pay in iterations that are no recurrences."""
_CALL = 8
"""How many instructions an elementary function is about as long as."""


def block_recurrences(graph: Graph, in_threads: bool = False) -> Graph:
    """Return the graph with outermost loops over recurrences, or over nests of loops, in blocks.

    Args:
        graph: the final graph of a derivative.
        in_threads: whether blocks may run at once: then there are as many for each thread, if few.
    """
    iterations = Iterations(graph)
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    nodes: list[Node] = []
    for node in graph.body.nodes:
        nodes += _blocked(node, iterations, makers, in_threads) if isinstance(node, For) else [node]
    return replace(graph, body=replace(graph.body, nodes=tuple(nodes)))


def _blocked(
    loop: For, iterations: Iterations, makers: Mapping[Value, Apply], in_threads: bool
) -> list[Node]:
    """Return a loop in blocks, or as it is."""
    if not may_be_in_blocks(loop) or not iterations.are_apart(loop, ()):
        return [loop]
    inner = replace(loop, body=by_elements(loop.body, makers))
    kinds = lane_values(inner)
    found = with_rows(inner, rows_read(inner, kinds) or [], iterations, makers, kinds)
    if found is None:
        return [loop]
    sizes, inner = found
    makers = {**makers, **{node.out: node for node in walk(inner.body) if isinstance(node, Apply)}}
    try:
        return [*sizes, *_in_blocks(inner, makers, in_threads)]
    except NotInBlocksError:
        return [loop]


def may_be_in_blocks(loop: Node) -> bool:
    """Tell whether iterations look as if it pays to run them side by side: their arrays are to stay there."""
    if not isinstance(loop, For) or loop.breaks or loop.step != Literal(1):
        return False
    is_long = not isinstance(loop.stop, Literal) or loop.stop.value >= LANES
    is_free = all(kind == SUM for kind in carried_kinds(loop.body))
    return is_long and is_free and (_is_over_recurrences(loop) or _is_over_nests(loop))


def _is_over_recurrences(loop: For) -> bool:
    """Tell whether LLVM vectorises no loop in the iterations."""
    loops = [node for node in walk(loop.body) if isinstance(node, For)]
    innermost = [node for node in loops if not any(isinstance(inner, For) for inner in walk(node.body))]
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


def _largest(loop: For, kinds: LaneValues, makers: Mapping[Value, Apply]) -> list[tuple[Atom, ...]]:
    """Return the sizes of arrays that iterations make, of those with most axes: these are to fit caches."""
    own = [array for array in kinds.own if array in kinds.varying]
    found = dict.fromkeys(sizes_of(entry(makers, array), makers) for array in own)
    known = [sizes for sizes in found if sizes is not None and not kinds.vary(sizes)]
    if len(known) < len(found):
        raise NotInBlocksError
    rank = max(map(len, known), default=0)
    is_open = [any(isinstance(size, Value) for size in sizes) for sizes in known]
    return [sizes for sizes, counts in zip(known, is_open, strict=True) if counts and len(sizes) == rank]


def _in_blocks(loop: For, makers: Mapping[Value, Apply], in_threads: bool) -> list[Node]:
    """Return the loop over blocks: `for block in range(blocks)`, and what counts them."""
    nodes: list[Node] = []

    def apply(name: str, fn: str, *args: Atom) -> Value:
        out = Value(name, name == fn, type=int64)
        nodes.append(Apply(out, fn, args, loc=loop.loc, role=loop.role))
        return out

    def shared(name: str, whole: Atom, parts: Atom) -> Value:
        """Append how large the largest of equal parts is."""
        last = apply("sub", "sub", apply("add", "add", whole, parts), Literal(1))
        return apply(name, "floordiv", last, parts)

    kinds = lane_values(loop)
    largest: Atom = Literal(1)
    for size, *others in _largest(loop, kinds, makers):
        for other in others:
            size = apply("mul", "mul", size, other)
        largest = apply("max", "max", size, largest)
    count = apply("sub", "sub", loop.stop, loop.start)
    if in_threads:  # blocks of one size, so that no thread waits for a last one, but of whole vectors
        share = shared("share", count, apply("parts", "number_of_parts", count, Literal(_LEAST)))
        rounds = apply("rounds", "max", shared("floordiv", share, Literal(LANES)), Literal(1))
        vectors = shared("vectors", share, apply("mul", "mul", rounds, Literal(_VECTOR)))
        width = apply("width", "max", apply("mul", "mul", vectors, Literal(_VECTOR)), Literal(1))
    else:
        width = apply("width", "max", apply("min", "min", count, Literal(LANES)), Literal(1))
    if largest != Literal(1):
        fitting = apply(
            "max", "max", apply("floordiv", "floordiv", Literal(_FITTING), largest), Literal(_LEAST)
        )
        width = apply("width", "min", width, fitting)
    blocks = shared("blocks", count, width)
    block = Value("block", type=int64)
    body = in_block(loop, kinds, makers, block, width)
    made = replace(loop, start=Literal(0), stop=blocks, body=body)
    return [*nodes, replace(made, independent=True)]  # which can no longer be proved
