"""Arrays that are read out of a list and used when the list has another length.

What belongs to `z = w[-1]` is added to `d_w[-1]`. That is the shadow of z as long as the list has the length
that it had when z was read: after `w.append(y)` it is that of y, after `w.pop()` that of an item before.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.types import is_array, is_list
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import operands, regions, values, walk
from adcompiler.primitives import card


def lists_of_moved_items(body: Region, active: Container[Value], info: Memory) -> Iterator[Value]:
    """Yield lists of arrays that change their length between where an item is read and where it is used.

    Args:
        body: body of the primal.
        active: values that carry a derivative.
        info: where memory is written.
    """
    reads = _reads(body, active)
    changes = [node for node in walk(body) if card(getattr(node, "fn", "")).changes_length and operands(node)]
    if not reads or not changes:
        return
    last, natural = _last_uses(body, reads, info), _natural(body)
    for item, read in reads.items():
        whole, *index = read.args
        for node in changes:
            is_of_it = _class(operands(node)[0], info) is _class(whole, info)
            is_between = info.access[read].position < info.access[node].position < last.get(item, 0)
            if is_of_it and is_between and not (_grows(node) and _is_natural(index[0], natural)):
                assert isinstance(whole, Value)
                yield whole


def _class(atom: Atom, info: Memory) -> Atom:
    return info.classes.get(atom, atom) if isinstance(atom, Value) else atom


def _grows(node: Node) -> bool:
    return getattr(node, "fn", "") == "append"


def _reads(body: Region, active: Container[Value]) -> dict[Value, Apply]:
    """Return the arrays that are items of lists, with what reads them."""
    return {
        node.out: node
        for node in walk(body)
        if isinstance(node, Apply) and node.fn == "getitem" and node.out in active
        if is_array(type_of(node.out)) and is_list(type_of(node.args[0]))
    }


def _last_uses(body: Region, reads: dict[Value, Apply], info: Memory) -> dict[Value, float]:
    """Return the last position at which each item is used, also by a view of it, or handed on."""
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
    last: dict[Value, float] = {}

    def use(value: Value, node: Node, position: float) -> None:
        while value not in reads and value in makers and card(makers[value].fn).is_view:
            first = makers[value].args[0]
            if not isinstance(first, Value):
                return
            value = first
        if value in reads:
            around = info.access[reads[value]].loops
            again = [_end(loop, info) for loop in info.access[node].loops if loop not in around]
            last[value] = max(last.get(value, 0), position, *again)

    for node in walk(body):
        for value in values(operands(node)):
            use(value, node, info.access[node].position)
        for inner in regions(node):
            for value in values(inner.yields):
                use(value, node, _end(node, info))
    for value in values(body.yields):
        if value in reads:
            last[value] = math.inf
    return last


def _end(node: Node, info: Memory) -> float:
    """Return a position behind all that is inside a node."""
    inner = [_end(n, info) for region in regions(node) for n in region.nodes]
    return max([info.access[node].position, *inner]) + 1


def _natural(body: Region) -> set[Value]:
    """Return the indices of loops that are never negative."""
    loops = (node for node in walk(body) if isinstance(node, For))
    return {loop.body.params[0] for loop in loops if _counts_from_zero(loop)}


def _counts_from_zero(loop: For) -> bool:
    if _is_at_least(loop.step, 1):
        return _is_at_least(loop.start, 0)
    return isinstance(loop.step, Literal) and _is_at_least(loop.stop, -1)


def _is_at_least(bound: Atom, least: int) -> bool:
    return isinstance(bound, Literal) and isinstance(bound.value, int) and bound.value >= least


def _is_natural(index: Atom, natural: set[Value]) -> bool:
    return index in natural or _is_at_least(index, 0)
