"""Branches and loops in reverse: a branch on the same condition, a loop that runs backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from adcompiler.analysis.types import is_array, is_memory
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Value, While
from adcompiler.graph.walk import free
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.source import NOWHERE

RegionReversal = Callable[[AdjointSweep, Region, Sequence[tuple[Atom, Contribution | None]]], None]
"""Appends the reversal of a region to a sweep, given the adjoint of each value that it yields."""


def reverse_if(sweep: AdjointSweep, node: If, reverse_region: RegionReversal) -> None:
    """Append the branch that reverses a branch."""
    seeds = [None if out in sweep.bound else sweep.take(out) for out in node.outs]
    arms: list[AdjointSweep] = []
    for arm in (node.then, node.orelse):
        inner = sweep.nested(sweep.adjoints)
        reverse_region(inner, arm, list(zip(arm.yields, seeds, strict=True)))
        arms.append(inner)
    captured = _captured(sweep, node.then) | _captured(sweep, node.orelse)
    changed = [v for v in captured if any(s.adjoints.get(v) != sweep.adjoints.get(v) for s in arms)]
    outs = tuple(Value(f"d_{v.name}", v.temporary) for v in changed)
    regions = []
    for inner in arms:
        atoms = tuple(_final(inner, value, inner.adjoints.get(value)) for value in changed)
        regions.append(Region((), tuple(inner.nodes), atoms))
    made = If(node.test, regions[0], regions[1], outs, loc=sweep.loc, role=sweep.role)
    sweep.partner[made] = node
    sweep.nodes.append(made)
    for value, out in zip(changed, outs, strict=True):
        sweep.adjoints[value] = Contribution(out)


def _captured(sweep: AdjointSweep, region: Region) -> dict[Value, None]:
    """Return active values from outside whose adjoint is an SSA value."""
    return {
        value: None
        for value in free(region)
        if value in sweep.active and not (is_memory(value.type) and sweep.is_buffered(value))
    }


def _final(sweep: AdjointSweep, value: Value, found: Contribution | None) -> Atom:
    """Return an adjoint that leaves a region: zero where nothing was added."""
    return sweep.zero(value) if found is None else sweep.full(value, found)


def reverse_loop(sweep: AdjointSweep, node: For | While, reverse_region: RegionReversal) -> None:
    """Append the loop that reverses a loop."""
    params = node.carried
    after = node.next_values
    carried = [k for k, param in enumerate(params) if param in sweep.active and param not in sweep.bound]
    captured = list(_captured(sweep, node.body))
    inits = [_owned(sweep, node.outs[k]) for k in carried]
    inits += [_final(sweep, value, sweep.adjoints.get(value)) for value in captured]
    owners = [params[k] for k in carried] + captured
    entries = [Value(f"d_{v.name}") for v in owners]
    inner = sweep.nested({})
    for value, entry in zip(captured, entries[len(carried) :], strict=True):
        inner.adjoints[value] = Contribution(entry)
    seeds = [(after[k], Contribution(entry, owned=True)) for k, entry in zip(carried, entries, strict=False)]
    reverse_region(inner, node.body, seeds)
    inner.loc = NOWHERE
    yields = tuple(_final(inner, value, inner.take(value)) for value in owners)
    outs = tuple(Value(f"d_{v.name}") for v in owners)
    _emit_loop(sweep, node, tuple(inits), Region(tuple(entries), tuple(inner.nodes), yields), outs)
    for value, out in zip(captured, outs[len(carried) :], strict=True):
        sweep.adjoints[value] = Contribution(out)
    for k, out in zip(carried, outs, strict=False):
        sweep.contribute(node.inits[k], Contribution(out))


def _owned(sweep: AdjointSweep, out: Value) -> Atom:
    """Return the finished adjoint of a loop's output; the reversed loop may change it in place."""
    found = sweep.take(out)
    atom = _final(sweep, out, found)
    is_shared = found is not None and is_array(out.type) and not sweep.is_buffered(out)
    return sweep.apply("copy", atom) if is_shared else atom


def _emit_loop(
    sweep: AdjointSweep, node: For | While, inits: tuple[Atom, ...], body: Region, outs: tuple[Value, ...]
) -> None:
    """Append the loop that runs the iterations backwards; its index is the primal's own value."""
    if isinstance(node, For) and not node.breaks and node.step in (Literal(1), Literal(-1)):
        index, bounds = node.body.params[0], _backwards(sweep, node)
    else:
        trips = _trips(sweep, node)
        bounds = sweep.apply("sub", trips, Literal(1)), Literal(-1), Literal(-1)
        index = Value("k")
        if isinstance(node, For) and (node.start, node.step) == (Literal(0), Literal(1)):
            index = node.body.params[0]
        elif isinstance(node, For):
            body = replace(body, nodes=(*_position(node, index), *body.nodes))
    body = replace(body, params=(index, *body.params))
    free = isinstance(node, For) and node.independent
    made = For(*bounds, inits, body, outs, independent=free, loc=sweep.loc, role=sweep.role)
    sweep.partner[made] = node
    sweep.nodes.append(made)


def _backwards(sweep: AdjointSweep, node: For) -> tuple[Atom, Atom, Atom]:
    """Return the bounds that run through a range with step 1 or -1 from its end."""
    sign, step = ("sub", -1) if node.step == Literal(1) else ("add", 1)
    first = sweep.apply(sign, node.stop, Literal(1))
    return first, sweep.apply(sign, node.start, Literal(1)), Literal(step)


def _trips(sweep: AdjointSweep, node: For | While) -> Value:
    """Return the number of iterations; where only the primal can tell, it is asked to count them."""
    if isinstance(node, For) and not node.breaks:
        return sweep.apply("len", sweep.apply("range", node.start, node.stop, node.step), name="trips")
    if node not in sweep.trips:
        sweep.trips[node] = Value("trips")
    return sweep.trips[node]


def _position(node: For, k: Value) -> tuple[Node, ...]:
    """Return what computes the primal's index from the number of the iteration."""
    offset = Value("mul", temporary=True)
    return Apply(offset, "mul", (k, node.step)), Apply(node.body.params[0], "add", (node.start, offset))
