"""Loops in bounded memory: states are kept at a few iterations, and iterations are run again from them.

The forward sweep keeps what some iterations begin with, and of the last one what its reversal reads. For each
earlier iteration, the reverse sweep runs again those from the last state that is kept, and keeps further
states on its way where there is room. Which ones is Revolve's choice, with the fewest iterations run for the
number of slots (Griewank and Walther 2000, section 2). Where only running a loop tells how long it is, states
give way to later ones when all slots are taken, as in the algorithms of Heuveline and Walther (2006) and of
Stumm and Walther (2010): those that save the fewest iterations, as Revolve counts them for what lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

from numba import int64

from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    If,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
)
from adcompiler.graph.walk import clone, map_region
from adcompiler.primitives import card
from adcompiler.simplify.passed_checks import as_passed
from adcompiler.storage.checkpoints import At, Checkpoints
from adcompiler.storage.supply import Supply
from adcompiler.storage.tape_nodes import TapeNodes


@dataclass(frozen=True)
class Once:
    """One iteration that keeps what its reversal reads.

    Attributes:
        body: the iteration.
        run: it, with branches that hand out what they keep.
        handed: what it keeps.
    """

    body: Region
    run: Region
    handed: tuple[Value, ...]


@dataclass(frozen=True)
class Kept:
    """What the forward sweep hands on: what the last iteration keeps, and the number of states kept."""

    last: tuple[Value, ...]
    count: Value


def forward_loop(points: Checkpoints, once: Once, unset: Sequence[Atom]) -> tuple[For | While, Kept]:
    """Return the loop of the forward sweep, and what it hands on.

    Args:
        points: the states to keep.
        once: one iteration.
        unset: what stands for each value that it keeps if no iteration runs.
    """
    loop, at, nodes, run = points.loop, At.new(), TapeNodes(), once.run
    number = Value("trips", type=int64)
    place: Atom = number if isinstance(loop, While) else _number(nodes, loop, loop.body.params[0])
    after = points.keep(nodes, {}, place, at, None if points.is_counted else points.trips)
    entries, last = (tuple(Value(v.name, v.temporary, v.type) for v in once.handed) for _ in range(2))
    count = Value("kept", type=int64)
    params = (*run.params, *entries, at.count, at.due)
    yields: tuple[Atom, ...] = (*run.yields, *once.handed, after.count, after.due)
    inits = (*loop.inits, *unset, Literal(0), Literal(0))
    outs = (*loop.outs, *last, count, Value("due", type=int64))
    if points.is_counted:
        points.trips.type = int64
        more = nodes.whole("trips", "add", number, Literal(1))
        params, yields = (*params, number), (*yields, more)
        inits, outs = (*inits, Literal(0)), (*outs, points.trips)
    body = Region(params, (*nodes.made, *run.nodes), yields)
    return replace(loop, inits=inits, body=body, outs=outs), Kept(last, count)


def reverse_loop(
    points: Checkpoints,
    once: Once,
    supply: Supply,
    back: For,
    position: Sequence[Node],
    kept: Kept,
) -> tuple[For, dict[Value, Atom]]:
    """Return the loop that reverses all iterations, and what values of the primal were renamed to.

    Args:
        points: the states that are kept.
        once: one iteration that keeps what its reversal reads.
        supply: gives a reversal what it reads, from what is kept of the iteration.
        back: the loop over the reversals.
        position: what computes the primal's index in it.
        kept: what the forward sweep hands on.
    """
    nodes = TapeNodes([*position])
    loop = points.loop
    number: Atom = back.body.params[0]
    if isinstance(loop, For) and not position:
        number = _number(nodes, loop, loop.body.params[0])
    count = Value("kept", type=int64)
    final = nodes.whole("last", "sub", points.trips, Literal(1))
    test = nodes.apply("is_last", "eq", number, final)
    again, mapping = _again(points, once, number, count)
    outs = tuple(Value(value.name, value.temporary, value.type) for value in once.handed)
    now = Value("kept", type=int64)
    nodes.made.append(If(test, Region((), (), (*kept.last, count)), again, (*outs, now), role=Role.TAPE))
    supply.mapping.update(zip(supply.plan.stored, outs, strict=True))
    reversal = supply.begin(once.body, Region((), back.body.nodes, back.body.yields))
    nodes.made += reversal.nodes
    left = _left(points, nodes, number, now)
    params = (*back.body.params, count)
    made = Region(params, tuple(nodes.made), (*reversal.yields, left))
    total = Value("kept", type=int64)
    return replace(back, inits=(*back.inits, kept.count), body=made, outs=(*back.outs, total)), mapping


def _again(points: Checkpoints, once: Once, number: Atom, count: Value) -> tuple[Region, dict[Value, Atom]]:
    """Return what runs an iteration again, from the last state that is kept."""
    nodes = TapeNodes()
    if not points.has_state:
        unread = zip(points.loop.carried, points.loop.outs, strict=True)
        mapping = points.copies | dict(unread)
        alone = clone(Region((), _repeatable(once.run.nodes), once.handed), mapping)
        return replace(alone, yields=(*alone.yields, count)), mapping
    top = nodes.whole("top", "sub", count, Literal(1))
    place = nodes.whole("place", "getitem", points.places, top)
    mapping = points.restore(nodes, top)
    end = nodes.whole("end", "add", number, Literal(1))
    room = nodes.whole("room", "sub", points.slots, count)
    due = nodes.whole("due", "next_checkpoint", place, end, room)
    mapping, at = _advanced(points, nodes, mapping, (place, number, end), At(count, due))
    recorded = clone(Region((), _repeatable(once.run.nodes), once.handed), mapping)
    return Region((), (*nodes.made, *recorded.nodes), (*recorded.yields, at.count)), mapping


def _advanced(
    points: Checkpoints, nodes: TapeNodes, begin: dict[Value, Atom], bounds: tuple[Atom, Atom, Atom], at: At
) -> tuple[dict[Value, Atom], At]:
    """Append the loop that runs from one iteration to another; return what stands for carried values then."""
    loop, (place, number, end) = points.loop, bounds
    k = Value("k", type=int64)
    own, outs = ([Value(v.name, v.temporary, v.type) for v in loop.carried] for _ in range(2))
    entry, after = At.new(), At.new()
    inner = TapeNodes()
    mapping = points.copies | dict(zip(loop.carried, own, strict=True))
    then = points.keep(inner, dict(mapping), k, entry, end)
    if isinstance(loop, For):
        mapping[loop.body.params[0]] = _index(inner, loop, k)
    run = clone(Region((), _repeatable(loop.body.nodes), loop.next_values), mapping)
    body = Region(
        (k, *own, entry.count, entry.due),
        (*inner.made, *run.nodes),
        (*run.yields, then.count, then.due),
    )
    inits = (*(begin[value] for value in loop.carried), at.count, at.due)
    made = (*outs, after.count, after.due)
    nodes.made.append(For(place, number, Literal(1), inits, body, made, role=Role.TAPE, loc=loop.loc))
    return points.copies | dict(zip(loop.carried, outs, strict=True)), after


def _left(points: Checkpoints, nodes: TapeNodes, number: Atom, count: Value) -> Value:
    """Append what gives up the state of an iteration that has been reversed; return how many are left."""
    if not points.has_state:
        return count
    top = nodes.whole("top", "sub", count, Literal(1))
    place = nodes.whole("place", "getitem", points.places, top)
    test = nodes.apply("is_kept", "eq", place, number)
    out = Value("kept", type=int64)
    nodes.made.append(If(test, Region((), (), (top,)), Region((), (), (count,)), (out,), role=Role.TAPE))
    return out


def iterations_run(steps: int, slots: int) -> int:
    """Return how many iterations are run in all to reverse a loop, its own included.

    See Griewank and Walther 2000, section 2.

    >>> iterations_run(1000, 10), iterations_run(1000, 1000)
    (4636, 1999)
    """
    runs = next(r for r in range(steps + 1) if comb(slots + r, slots) >= steps)
    return steps + runs * steps - comb(slots + runs, slots + 1)


def trips_of(loop: For | While, trips: Value) -> list[Node]:
    """Return what computes the number of iterations of a loop that is not left early."""
    assert isinstance(loop, For)
    ends: tuple[Atom, ...] = (loop.stop, loop.start) if loop.step == Literal(1) else (loop.start, loop.stop)
    if loop.step in (Literal(1), Literal(-1)):
        return [Apply(trips, "sub", ends, role=Role.TAPE)]
    nodes = TapeNodes()
    every = nodes.apply("range", "range", loop.start, loop.stop, loop.step)
    return [*nodes.made, Apply(trips, "len", (every,), role=Role.TAPE)]


def _number(nodes: TapeNodes, loop: For, index: Atom) -> Atom:
    """Return the number of an iteration, given its index."""
    if loop.step == Literal(-1):
        return nodes.whole("number", "sub", loop.start, index)
    distance = index if loop.start == Literal(0) else nodes.whole("number", "sub", index, loop.start)
    if loop.step == Literal(1):
        return distance
    return nodes.whole("number", "floordiv", distance, loop.step)


def _index(nodes: TapeNodes, loop: For, number: Value) -> Atom:
    """Return the index of an iteration, given its number."""
    if (loop.start, loop.step) == (Literal(0), Literal(1)):
        return number
    if loop.step == Literal(-1):
        return nodes.whole("index", "sub", loop.start, number)
    distance = number if loop.step == Literal(1) else nodes.whole("distance", "mul", number, loop.step)
    return nodes.whole("index", "add", loop.start, distance)


def _repeatable(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Leave out what an iteration checks and prints: it has run before. Sizes are facts for what follows."""

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(as_passed(node) for node in region.nodes if not _is_check(node)))

    return map_region(Region((), tuple(nodes), ()), rewrite).nodes


def _is_check(node: Node) -> bool:
    return isinstance(node, Effect) and not (card(node.fn).writes_first or card(node.fn).is_guard)
