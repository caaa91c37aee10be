"""Reverse each iteration right after it has run, where its adjoints are known before the loop.

A loop whose iterations are repeated to be reversed need not be repeated if the reverse sweep can go along
with the forward sweep: Tapenade's independent-iterations loop (Hascoët, Fidanova and Held 2002). It can where
the adjoints that come in do not depend on what the loop computes, and where all that the reversal does to
memory from outside is to add to it.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from adcompiler.analysis.alias import content_reads, written_by
from adcompiler.analysis.sums import CONSTANT, carried_kinds
from adcompiler.analysis.types import is_list, is_scalar
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Region, Role, Store, Value, type_of
from adcompiler.graph.walk import (
    clone,
    defined,
    free,
    operands,
    renamed_keys,
    results,
    substitute,
    values,
    walk,
    walk_regions,
)
from adcompiler.primitives import card
from adcompiler.storage.plan import LoopPlan


@dataclass(frozen=True)
class Replay:
    """A loop that may be reversed as it runs.

    Attributes:
        forward: the loop of the forward sweep.
        body: one iteration.
        back: its reversal.
        plans: the plans of this loop, and of those inside that are merged with it.
    """

    forward: For
    body: Region
    back: Region
    plans: tuple[LoopPlan, ...]


def merge_sweeps(
    forward: Region,
    back: Region,
    replays: dict[Node, Replay],
    primal: Container[Node],
    starts: dict[Value, Literal],
) -> tuple[Region, Region, tuple[LoopPlan, ...]]:
    """Return both sweeps of a region with loops merged where that is possible, and the plans of these loops.

    Args:
        forward: the forward sweep of a region.
        back: its reverse sweep, which runs right after it.
        replays: the reverse loops that could be merged.
        primal: the nodes of the primal.
        starts: where the counters end that reverse loops count back, extended with the values made here.
    """
    plans: tuple[LoopPlan, ...] = ()
    for loop in [node for node in back.nodes if node in replays]:
        assert isinstance(loop, For)
        found = _merged(forward, back, loop, replays[loop], primal)
        if found is not None:
            forward, back, mapping = found
            starts.update(renamed_keys(starts, mapping))
            plans += replays[loop].plans
    return forward, back, plans


def _merged(
    forward: Region, back: Region, loop: For, replay: Replay, primal: Container[Node]
) -> tuple[Region, Region, dict[Value, Atom]] | None:
    if replay.forward not in forward.nodes:
        return None
    start, position = forward.nodes.index(replay.forward), back.nodes.index(loop)
    own = defined(replay.body)  # stacks among them, which are made in each iteration now
    before = tuple(n for n in forward.nodes[:start] if not results(n) or not own.keys() >= {*results(n)})
    after = forward.nodes[start + 1 :]
    earlier = back.nodes[:position]
    moved = _moved(loop, replay, (*after, *earlier))
    if moved is None:
        return None
    others = [node for node in (*earlier, *after) if node not in moved]
    if not _may_go_first(replay, others, primal) or None in carried_kinds(replay.back):
        return None
    made, totals, mapping = _joined(replay, loop)
    left = tuple(node for node in earlier if node not in moved)
    rest = back.nodes[position + 1 :]
    first = _placed(before, [node for node in (*after, *earlier) if node in moved])
    nodes = (*first, made, *(node for node in after if node not in moved))
    return replace(forward, nodes=nodes), replace(back, nodes=(*left, *totals, *rest)), mapping


def _placed(nodes: tuple[Node, ...], moved: list[Node]) -> list[Node]:
    """Insert what is moved as early as its operands allow."""
    found = list(nodes)
    for node in moved:
        reads = set(values(operands(node)))
        known = [k for k, other in enumerate(found) if reads.intersection(results(other))]
        found.insert(known[-1] + 1 if known else 0, node)
    return found


def _moved(loop: For, replay: Replay, between: tuple[Node, ...]) -> set[Node] | None:
    """Return what has to move before the loop of the forward sweep, None where that is not possible.

    Args:
        loop: the loop of the reverse sweep.
        replay: what it is made of.
        between: what runs between the two loops.
    """
    makers = {value: node for node in between for value in results(node)}
    late = {*replay.forward.outs}
    inside = {*defined(replay.body), *defined(replay.back)}
    constant = [k for k, kind in enumerate(carried_kinds(replay.back)) if kind == CONSTANT]
    reads = (*free(replay.body), *free(replay.back), *values(loop.inits[k] for k in constant))
    todo = [value for value in reads if value not in inside]
    moved: set[Node] = set()
    while todo:
        value = todo.pop()
        if value in late:
            return None
        node = makers.get(value)
        if node is None or node in moved:
            continue
        if not isinstance(node, Apply) or not _is_movable(node, makers):
            return None
        moved.add(node)
        todo += values(operands(node))
    return moved


def _is_movable(node: Apply, makers: dict[Value, Node]) -> bool:
    """Tell whether a node gives the same earlier: it reads numbers, or no more than the shape of arrays."""
    reads = [*values(operands(node))] if node.fn == "getitem" else [*content_reads(node)]
    if any(is_list(type_of(value)) for value in values(operands(node))):
        return False
    numbers = all(is_scalar(value.type) for value in reads if type_of(value) is not None)
    made = (makers.get(value) for value in reads if type_of(value) is None)
    return card(node.fn).is_pure and numbers and not any(map(_is_shadow, made))


def _is_shadow(node: Node | None) -> bool:
    """Tell whether a node makes what the adjoint of an array or list is added up in."""
    return isinstance(node, Apply) and (card(node.fn).allocates is not None or node.fn in ("copy", "list"))


def _may_go_first(replay: Replay, others: list[Node], primal: Container[Node]) -> bool:
    """Tell whether the reversal of a loop may run before other nodes: both only add to what they share."""
    own = Region((), (*replay.body.nodes, *replay.back.nodes), ())
    rest = Region((), tuple(others), ())
    owners = _owners(own) | _owners(rest)
    one, two = _accesses(own, owners, primal), _accesses(rest, owners, primal)
    outside = (one.written | one.added).difference(defined(own))
    return not (
        one.written & outside  # iterations would take what belongs to a later one
        or one.added & one.read & outside
        or one.written & (two.read | two.added | two.written)
        or one.added & (two.read | two.written)
        or one.read & (two.added | two.written)
    )


def _owners(region: Region) -> dict[Value, Value]:
    """Map views to what they are views of."""
    views = (node for node in walk(region) if isinstance(node, Apply) and card(node.fn).is_view)
    return {node.out: node.args[0] for node in views if isinstance(node.args[0], Value)}


@dataclass
class _Accesses:
    """Arrays of adjoints that a piece of the reverse sweep adds to, writes otherwise, or reads."""

    added: set[Value]
    written: set[Value]
    read: set[Value]


def _accesses(region: Region, owners: dict[Value, Value], primal: Container[Node]) -> _Accesses:
    found = _Accesses(set(), set(), set())

    def owner(value: Value) -> Value:
        while value in owners:
            value = owners[value]
        return value

    for inner in walk_regions(region):
        found.read.update(map(owner, values(inner.yields)))
        for node in inner.nodes:
            if node in primal or (
                isinstance(node, Apply) and (not card(node.fn).reads_elements or node.out in owners)
            ):
                continue
            reads = operands(node)
            if isinstance(node, Store):
                (found.added if node.accumulate else found.written).add(owner(node.array))
                reads = (*node.index, node.value)
            elif not isinstance(node, For):
                found.written.update(map(owner, written_by(node)))
            found.read.update(map(owner, values(reads)))
    return found


def _joined(replay: Replay, loop: For) -> tuple[For, list[Node], dict[Value, Atom]]:
    """Return the loop that runs and reverses each iteration, what adds up its sums, and what was renamed."""
    forward, back = replay.forward, replay.back
    index, *entries = back.params
    assert index is forward.body.params[0]
    mapping: dict[Value, Atom] = {}
    sums: list[tuple[Value, Atom, Value]] = []
    totals: list[Node] = []
    carried = zip(entries, loop.inits, back.yields, loop.outs, carried_kinds(back), strict=True)
    for entry, init, atom, out, kind in carried:
        if kind == CONSTANT:
            mapping[entry] = init
            totals.append(Apply(out, "pos", (init,), role=Role.TAPE))
            continue
        mapping[entry] = own = Value(entry.name, entry.temporary)
        total = Value(out.name, out.temporary)
        sums.append((own, atom, total))
        totals.append(Apply(out, "add", (init, total), role=Role.TAPE))
    return _run_and_reversed(replay, sums, mapping), totals, mapping


def _run_and_reversed(
    replay: Replay, sums: list[tuple[Value, Atom, Value]], mapping: dict[Value, Atom]
) -> For:
    """Return the loop whose iterations are reversed right after they have run.

    Args:
        replay: the loop.
        sums: for each sum, its value in an iteration, the next one, and the last.
        mapping: what values of the reversal are renamed to, extended with those that it defines.
    """
    forward, back = replay.forward, replay.back
    run = substitute(Region((), replay.body.nodes, replay.body.yields), mapping)
    reversal = clone(Region((), back.nodes, tuple(atom for _, atom, _ in sums)), mapping)
    params = (*forward.body.params, *(own for own, _, _ in sums))
    body = Region(params, (*run.nodes, *reversal.nodes), (*run.yields, *reversal.yields))
    inits = (*forward.inits, *(Literal(0.0) for _ in sums))
    outs = (*forward.outs, *(total for _, _, total in sums))
    return replace(forward, inits=inits, body=body, outs=outs)
