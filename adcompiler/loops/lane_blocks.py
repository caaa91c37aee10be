"""Run independent iterations that hold recurrences side by side, in blocks: LLVM vectorises across them.

A path of a simulation cannot be vectorised, as each step needs the one before; many paths at once can. The
loop over paths becomes one over blocks of them, and each statement of a path a loop over the paths of a block
(Allen and Kennedy, Optimizing Compilers for Modern Architectures, 2001, 5.4: scalar expansion). Loops down
the columns of a matrix change places with the loop over columns that way (5.2: loop interchange).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import boolean, int64

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Value,
    While,
    entry,
)
from adcompiler.graph.walk import clone, regions, walk, with_regions
from adcompiler.loops.block_parts import LANES, NotInBlocksError
from adcompiler.loops.block_statements import in_block
from adcompiler.loops.lane_choice import may_be_in_blocks, pays_for_many
from adcompiler.loops.lane_elements import by_elements
from adcompiler.loops.lane_rows import rows_read, with_rows
from adcompiler.loops.lane_values import LaneValues, lane_values, sizes_of

_FITTING, _LEAST = 2**17, 8
"""How many numbers of one vector fit caches, for all iterations of a block; and how few of these pay."""
_VECTOR = 8
"""Loops over a multiple of so many numbers leave none over for which vectors are too long."""


def block_recurrences(graph: Graph, in_threads: bool = False) -> Graph:
    """Return the graph with loops over recurrences, nests of loops, or columns in blocks.

    Args:
        graph: the final graph of a derivative.
        in_threads: whether blocks may run at once: then there are as many for each thread, if few.
    """
    iterations = Iterations(graph)
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            made = _blocked(node, loops, iterations, makers, in_threads) if isinstance(node, For) else None
            inner = (*loops, node) if isinstance(node, For | While) else loops
            nodes += made or [with_regions(node, tuple(region(part, inner) for part in regions(node)))]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _blocked(
    loop: For, loops: Loops, iterations: Iterations, makers: Mapping[Value, Apply], in_threads: bool
) -> list[Node] | None:
    """Return a loop in blocks, None where that cannot be, or does not pay."""
    is_for_many = pays_for_many(loop)
    is_worth = is_for_many or (not loops and may_be_in_blocks(loop))
    if not is_worth or not iterations.are_apart(loop, loops):
        return None
    inner = replace(loop, body=by_elements(loop.body, makers))
    kinds = lane_values(inner)
    found = with_rows(inner, rows_read(inner, kinds) or [], iterations, makers, kinds)
    if found is None:
        return None
    sizes, inner = found
    makers = {**makers, **{node.out: node for node in walk(inner.body) if isinstance(node, Apply)}}
    try:
        blocks = [*sizes, *_in_blocks(inner, makers, in_threads)]
    except NotInBlocksError:
        return None
    return _unless_few(loop, blocks) if is_for_many else blocks


def _unless_few(loop: For, blocks: list[Node]) -> list[Node]:
    """Return the choice between blocks and the loop as it is, for which few iterations are enough."""
    if isinstance(loop.stop, Literal):
        return blocks
    count, many = Value("count", type=int64), Value("many", temporary=True, type=boolean)
    counted = Apply(count, "sub", (loop.stop, loop.start), loc=loop.loc)
    test = Apply(many, "ge", (count, Literal(_LEAST)), loc=loop.loc)
    as_before = clone(Region((), (loop,), loop.outs), {})
    in_blocks = clone(Region((), tuple(blocks), loop.outs), {})
    choice = If(many, in_blocks, as_before, loop.outs, loc=loop.loc, role=loop.role)
    return [counted, test, choice]


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
