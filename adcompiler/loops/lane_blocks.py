"""Run independent iterations that hold recurrences side by side, in blocks: LLVM vectorises across them.

A path of a simulation cannot be vectorised, as each step needs the one before; many paths at once can. The
loop over paths becomes one over blocks of them, and each statement of a path a loop over the paths of a block
(Allen and Kennedy, Optimizing Compilers for Modern Architectures, 2001, 5.4: scalar expansion).
"""

from __future__ import annotations

from dataclasses import replace

from numba import int64

from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import SUM, carried_kinds
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Store, Value, type_of
from adcompiler.graph.walk import walk
from adcompiler.loops.block_statements import LANES, NotInBlocksError, in_block
from adcompiler.loops.lane_values import LaneValues, lane_values
from adcompiler.primitives import card

_FITTING, _LEAST = 2**16, 8
"""How many numbers of one vector fit caches, for all iterations of a block; and how few of these pay."""
_WORTH = 5
"""How much is to be computed for each element that lies far from the others."""
_CALL = 8
"""How many instructions an elementary function is about as long as."""


def block_recurrences(graph: Graph) -> Graph:
    """Return the graph with outermost loops over recurrences in blocks.

    Args:
        graph: the final graph of a derivative.
    """
    iterations = Iterations(graph)
    nodes: list[Node] = []
    for node in graph.body.nodes:
        nodes += _blocked(node, iterations) if isinstance(node, For) else [node]
    return replace(graph, body=replace(graph.body, nodes=tuple(nodes)))


def _blocked(loop: For, iterations: Iterations) -> list[Node]:
    """Return a loop in blocks, or as it is."""
    if not may_be_in_blocks(loop) or not iterations.are_apart(loop, ()):
        return [loop]
    try:
        return _in_blocks(loop)
    except NotInBlocksError:
        return [loop]


def may_be_in_blocks(loop: Node) -> bool:
    """Tell whether a loop looks like one over recurrences: arrays of its iterations are to stay there."""
    if not isinstance(loop, For) or loop.breaks or loop.step != Literal(1):
        return False
    is_long = not isinstance(loop.stop, Literal) or loop.stop.value >= LANES
    is_free = all(kind == SUM for kind in carried_kinds(loop.body))
    loops = [node for node in walk(loop.body) if isinstance(node, For)]
    innermost = [node for node in loops if not any(isinstance(inner, For) for inner in walk(node.body))]
    return is_long and is_free and bool(innermost) and all(_is_recurrence(node, loop) for node in innermost)


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


def _is_far(node: Apply | Store, around: For) -> bool:
    """Tell whether an element is read or written that lies far from that of the next iteration of a loop."""
    match node:
        case Apply(fn="getitem", args=(_, *index)):
            return around.body.params[0] in index[:-1]
        case Store(index=(*front, _)):
            return around.body.params[0] in front
    return False


def _sizes(loop: For, kinds: LaneValues) -> list[Atom]:
    """Return the sizes of vectors that iterations make, which decide how many of them fit caches."""
    makers = {node.out: node for node in walk(loop.body) if isinstance(node, Apply)}
    sizes = dict.fromkeys(makers[array].args[0] for array in kinds.own)
    found: list[Atom] = [size for size in sizes if is_scalar(type_of(size)) and not isinstance(size, Literal)]
    if any(size in kinds.inside for size in found):
        raise NotInBlocksError
    return found


def _in_blocks(loop: For) -> list[Node]:
    """Return the loop over blocks: `for block in range(blocks)`, and what counts them."""
    nodes: list[Node] = []

    def apply(name: str, fn: str, *args: Atom) -> Value:
        out = Value(name, name == fn, type=int64)
        nodes.append(Apply(out, fn, args, loc=loop.loc, role=loop.role))
        return out

    kinds = lane_values(loop)
    sizes = _sizes(loop, kinds)
    width: Atom = Literal(LANES)
    for size in sizes:
        steps = apply("max", "max", size, Literal(1))
        fitting = apply("floordiv", "floordiv", Literal(_FITTING), steps)
        width = apply("width", "min", width, apply("max", "max", fitting, Literal(_LEAST)))
    count = apply("sub", "sub", loop.stop, loop.start)
    last = apply("sub", "sub", apply("add", "add", count, width), Literal(1))
    blocks = apply("blocks", "floordiv", last, width)
    block = Value("block", type=int64)
    body = in_block(loop, kinds, block, width)
    made = replace(loop, start=Literal(0), stop=blocks, body=body)
    return [*nodes, replace(made, independent=True)]  # which can no longer be proved
