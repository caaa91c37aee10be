"""Decide, loop by loop, which primal values the reverse sweep stores and which it recomputes.

The needed values of one iteration are separated by a minimum cut from what cannot be recomputed: a
value in the cut is stored once per iteration, everything between the cut and the needs is
recomputed from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from adcompiler.analysis.alias import Memory
from adcompiler.graph.nodes import Apply, For, Region, Value, While
from adcompiler.graph.steps import Room
from adcompiler.graph.walk import regions, results
from adcompiler.storage.cut import minimum_cut
from adcompiler.storage.recompute import Frame


@dataclass
class LoopPlan:
    """What is done about the values of one loop.

    Attributes:
        loop: the loop of the primal.
        replayed: True if the reverse loop repeats the whole iteration before reversing it.
        room: for how many states there is room, from which iterations are run again; None if all is kept.
        merged: True if each iteration is reversed right after it has run.
        stored: values stored once per iteration.
        recomputed: values computed again in the reverse loop.
        states: (parameter, its next value) where both are read: the next value is what the
            later iteration stored for the parameter.
        counters: integer parameters that the reverse loop counts back, with their next values.
        kept: loads of values that the primal itself keeps in an array.
        alike: numbers that a branch hands on, with its results, which are read instead.
    """

    loop: For | While
    replayed: bool = False
    merged: bool = False
    room: Room | None = None
    stored: list[Value] = field(default_factory=list)
    recomputed: set[Value] = field(default_factory=set)
    states: dict[Value, Value] = field(default_factory=dict)
    counters: dict[Value, Value] = field(default_factory=dict)
    kept: dict[Value, Apply] = field(default_factory=dict)
    alike: dict[Value, Value] = field(default_factory=dict)


def plan_loop(loop: For | While, body: Region, needed: list[Value], info: Memory) -> LoopPlan:
    """Plan one loop.

    Args:
        loop: the loop of the primal.
        body: its body, in which inner loops already record what they need.
        needed: values of the body that the reverse loop reads.
        info: where memory is written.
    """
    frame = Frame(loop, body, info)
    plan = LoopPlan(loop)
    stored = minimum_cut(frame, needed)
    _demand(frame, needed, stored, plan)
    return plan


def kept_of_one_iteration(plan: LoopPlan, room: Room) -> LoopPlan:
    """Return the plan of a loop whose iterations are run again: none reads what another one keeps."""
    others = (*plan.states.values(), *plan.counters.keys(), *plan.counters.values())
    stored = list(dict.fromkeys((*plan.stored, *others)))
    return replace(plan, room=room, stored=stored, states={}, counters={})


def _demand(frame: Frame, needed: list[Value], cut: set[Value], plan: LoopPlan) -> None:
    """Follow the needs down to the cut: what is loaded, what recomputed, which states serve twice."""
    leaves: dict[Value, None] = {}
    todo = list(needed)
    seen: set[Value] = set()
    while todo:
        value = todo.pop()
        if value in seen or value is frame.index:
            continue
        seen.add(value)
        sources = frame.sources(value)
        if value in frame.counters:
            plan.counters[value] = frame.counters[value]
        elif value in cut or sources is None:
            leaves[value] = None
        elif value in frame.alike:
            plan.alike[value] = frame.alike[value]
            todo += sources
        else:
            plan.recomputed.add(value)
            if value in frame.kept:
                plan.kept[value] = frame.kept[value]
            todo += sources
    _settle_stored(frame, leaves, plan)


def _settle_stored(frame: Frame, leaves: Iterable[Value], plan: LoopPlan) -> None:
    """Enter what is stored, in the order in which it is defined; a state serves for its next value."""
    for value in leaves:
        state = frame.states.get(value)
        if state is not None and state in leaves:
            plan.states[state] = value
    plan.recomputed -= set(plan.counters.values())
    after = set(plan.states.values())
    order = {value: k for k, value in enumerate(_in_order(frame.body))}
    plan.stored = sorted((v for v in leaves if v not in after), key=order.__getitem__)


def _in_order(region: Region) -> list[Value]:
    found = list(region.params)
    for node in region.nodes:
        for inner in regions(node):
            found += _in_order(inner)
        found += results(node)
    return found
