"""Sums in the arms of choices, behind them: where an arm adds nothing, zero is added.

An upwind flux reads one neighbour or the other, and its reversal adds to one or the other. Outside the arms,
both are sums to neighbours like all others (`distribute.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Atom, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import all_reads, clone, defined, makers_of, regions, walk
from adcompiler.primitives import card

_ZERO = Literal(0.0)


def sums_behind_choices(
    body: Region, is_there: Callable[[Store], bool], share: Callable[[Value, Value], bool]
) -> Region | None:
    """Return the body of a loop with sums behind its choices, None if there are none, or they have to stay.

    Args:
        body: the body.
        is_there: tells of a sum whether what it adds to is an element in every iteration.
        share: tells whether two arrays may share memory.
    """

    def may_move(store: Store, arm: Region) -> bool:
        others = (node for node in arm.nodes if not isinstance(node, Store))
        reads = {value for node in others for value in all_reads(node) if is_array(value.type)}
        return is_there(store) and not any(share(store.array, value) for value in reads)

    if not any(isinstance(node, If) and _has_sums(node) for node in body.nodes):
        return None
    nodes: list[Node] = []
    for node in body.nodes:
        made = _behind(node, may_move) if isinstance(node, If) and _has_sums(node) else [node]
        if made is None:
            return None
        nodes += made
    return replace(body, nodes=tuple(nodes))


def _has_sums(choice: If) -> bool:
    return any(isinstance(node, Store) for arm in regions(choice) for node in walk(arm))


def _behind(choice: If, may_move: Callable[[Store, Region], bool]) -> list[Node] | None:
    """Return a choice that only computes, and the sums; None if an arm does anything else with memory."""
    arms = []
    for arm in regions(choice):
        inner = _flat(arm, may_move)
        if inner is None:
            return None
        arms.append(inner)
    sums: list[tuple[Store, list[Node], list[Atom]]] = []
    kept = [Region((), tuple(n for n in arm.nodes if not isinstance(n, Store)), arm.yields) for arm in arms]
    for which, arm in enumerate(arms):
        for store in (node for node in arm.nodes if isinstance(node, Store)):
            places = makers_of(store.index, arm.nodes)
            if not may_move(store, arm) or any(
                not isinstance(n, Apply) or not _is_number(n.out) for n in places
            ):
                return None
            known = next(
                (ends for one, _, ends in sums if _is_same(one, store) and ends[which] == _ZERO), None
            )
            if known is not None:
                known[which] = store.value
                continue
            ends: list[Atom] = [_ZERO, _ZERO]
            ends[which] = store.value
            sums.append((store, places, ends))
    outs = tuple(
        Value(f"{store.array.name}_part", temporary=True, type=type_of(store.value)) for store, _, _ in sums
    )
    then, orelse = (
        replace(arm, yields=(*arm.yields, *(ends[which] for _, _, ends in sums)))
        for which, arm in enumerate(kept)
    )
    after = [
        part for (store, places, _), out in zip(sums, outs, strict=True) for part in _sum(store, places, out)
    ]
    return [replace(choice, then=then, orelse=orelse, outs=(*choice.outs, *outs)), *after]


def _flat(arm: Region, may_move: Callable[[Store, Region], bool]) -> Region | None:
    """Return an arm whose own choices only compute, None if it does more than that and add to elements."""
    nodes: list[Node] = []
    for node in arm.nodes:
        match node:
            case If() if _has_sums(node):
                made = _behind(node, may_move)
                if made is None:
                    return None
                nodes += made
            case Store(accumulate=True, index=(_, *_)) if type_of(node.value) == node.array.type.dtype:
                nodes.append(node)
            case If():
                nodes.append(node)
            case Apply() if card(node.fn).is_pure or node.fn == "getitem":
                nodes.append(node)
            case _:
                return None
    arrays = {node.array for node in nodes if isinstance(node, Store)}
    return None if arrays & {*defined(arm)} else replace(arm, nodes=tuple(nodes))


def _is_number(atom: Atom) -> bool:
    return is_scalar(type_of(atom))


def _is_same(one: Store, two: Store) -> bool:
    return one.array is two.array and one.index == two.index


def _sum(store: Store, places: list[Node], out: Value) -> list[Node]:
    """Return a sum behind the choice, with what computes its index."""
    return [*clone(Region((), (*places, replace(store, value=out)), ()), {}).nodes]
