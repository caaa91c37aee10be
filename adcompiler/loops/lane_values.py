"""What the values of an iteration are where several run side by side: the same, sums, or one each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adcompiler.analysis.sums import running_sum
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Store, Value, entry, type_of
from adcompiler.graph.walk import defined, operands, regions, results, values
from adcompiler.primitives import Fill, card


@dataclass
class LaneValues:
    """The kinds of the values that an iteration defines; those of no other kind are the same for all.

    Attributes:
        inside: all of them.
        varying: those of which each iteration has one of its own.
        sums: for each value of a sum over the iterations, which of the loop's sums it is.
        own: arrays that an iteration makes for itself, and what may be views of them.
    """

    inside: set[Value]
    varying: set[Value] = field(default_factory=set)
    sums: dict[Value, int] = field(default_factory=dict)
    own: dict[Value, None] = field(default_factory=dict)

    def vary(self, atoms: Iterable[Atom]) -> bool:
        """Tell whether one of some atoms is another one in each iteration, or a sum over them."""
        return any(value in self.varying or value in self.sums for value in values(atoms))


def lane_values(loop: For) -> LaneValues:
    """Return what the values of a loop are whose carried values are sums."""
    found = LaneValues(set(defined(loop.body)), {loop.body.params[0]})
    for k, param in enumerate(loop.carried):
        _follow_sum(loop.body, param, k, found)
    _note_own(loop.body, found)
    known = 0
    while known < len(found.varying):
        known = len(found.varying)
        _spread(loop.body, found, is_chosen=False)
    return found


def _follow_sum(body: Region, entry: Value, k: int, found: LaneValues) -> None:
    chain = {entry} | (running_sum(body, entry) or set())
    found.sums |= dict.fromkeys(chain, k)
    _enter_loops(body, chain, k, found)


def _enter_loops(region: Region, chain: set[Value], k: int, found: LaneValues) -> None:
    for node in region.nodes:
        if isinstance(node, For):
            for param, init in zip(node.carried, node.inits, strict=True):
                if init in chain:
                    _follow_sum(node.body, param, k, found)
        elif isinstance(node, If):
            for arm in regions(node):
                _enter_loops(arm, chain, k, found)


def _note_own(region: Region, found: LaneValues) -> None:
    for node in region.nodes:
        if isinstance(node, Apply) and not is_scalar(node.out.type):
            is_part = any(value in found.own for value in values(operands(node)))
            if card(node.fn).allocates is not None or is_part:
                found.own[node.out] = None
        for inner in regions(node):
            _note_own(inner, found)


def _spread(region: Region, found: LaneValues, is_chosen: bool) -> None:
    """Note what follows from what varies.

    Args:
        region: the body of the loop, or a region in it.
        found: what is known so far, extended.
        is_chosen: whether only some of the iterations run the region.
    """
    for node in region.nodes:
        match node:
            case Store() if node.array in found.own:
                if is_chosen or found.vary((*node.index, node.value)):
                    found.varying.add(node.array)
            case For():
                _enter(found, node.carried, node.inits)
                _spread(node.body, found, is_chosen)
                _enter(found, node.carried, node.next_values)
                _enter(found, node.outs, node.carried)
            case If():
                for arm in regions(node):
                    _spread(arm, found, is_chosen=True)
                found.varying.update(out for out in node.outs if out not in found.sums)
            case _ if not _is_same(node, found):
                found.varying.update(value for value in results(node) if value not in found.sums)
                for inner in regions(node):
                    _spread(inner, found, is_chosen=True)


def _enter(found: LaneValues, merged: Iterable[Value], atoms: Iterable[Atom]) -> None:
    pairs = zip(merged, atoms, strict=True)
    found.varying.update(value for value, atom in pairs if value not in found.sums and found.vary((atom,)))


def _is_same(node: Node, found: LaneValues) -> bool:
    """Tell whether a node gives the same in all iterations."""
    if not isinstance(node, Apply):
        return not results(node)
    is_known = card(node.fn).is_pure or card(node.fn).allocates is not None
    return is_known and not found.vary(operands(node))


def sizes_of(made: Apply | None, makers: Mapping[Value, Apply]) -> tuple[Atom, ...] | None:
    """Return the sizes of a new array of zeros, or of nothing yet, None where they are not written out.

    Args:
        made: what makes it.
        makers: what computes each value of the graph.
    """
    if made is None or card(made.fn).allocates not in (Fill.ZEROS, Fill.NOTHING):
        return None
    first = made.args[0]
    like = entry(makers, first)
    if made.fn.endswith("_like"):
        return sizes_of(like, makers)
    if isinstance(first, Literal) or is_scalar(type_of(first)):
        return (first,)
    return like.args if like is not None and like.fn == "tuple" else None
