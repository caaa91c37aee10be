"""The helper functions of generated modules: few, short, and copied as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np


def sum_to(d, shape):
    """Sum `d` over the axes along which an array of this shape was broadcast to d's shape."""
    if d.shape == shape:
        return d
    total = np.zeros(shape, d.dtype)
    flat = total.ravel()
    for index in np.ndindex(d.shape):
        place = 0
        for axis in range(d.ndim):
            place = place * shape[axis] + (index[axis] if shape[axis] > 1 else 0)
        flat[place] += d[index]
    return total


def longer(stack):
    """Return a copy of a stack with room for twice as many elements."""
    copy = np.empty(2 * len(stack), stack.dtype)
    for k in range(len(stack)):
        copy[k] = stack[k]
    return copy


def slots_within(memory, state, most):
    """Return how many states of this size, in bytes, there is room for; not more than there are."""
    if memory < state:
        raise MemoryError("memory= leaves no room for the state of one iteration")
    return max(1, min(memory // state, most))


def next_checkpoint(start, stop, room):
    """Return where to keep the next state if one is kept at start and all before stop is to be reversed.

    It is stop where there is no room for a state, or no need of one (Griewank and Walther 2000).
    """
    steps = stop - start
    if room < 1 or steps < 2:
        return stop
    slots, runs, reach = room + 1, 0, 1
    while reach < steps:  # slots allow that many steps if none is run more often than that
        runs += 1
        reach = reach * (slots + runs) // runs
    beyond = reach * slots // (slots + runs)
    least = reach * runs // (slots + runs) * (runs - 1) // (slots + runs - 1)
    return start + max(least, steps - beyond, 1)


def thinned(places, order, kept, now):
    """Return how many states stay kept to make room for that of now; those give way that save least."""

    def again(steps, slots):  # how many iterations are run again, from a state before them
        runs, reach = 0, 1.0
        while reach < steps:
            runs += 1
            reach = reach * (slots + runs) / runs
        return runs * steps - reach * runs / (slots + 1)

    slots = len(places)
    if kept < slots:
        return kept
    saved = np.zeros(slots)
    end, after, later = now, again(now - places[-1], 1), 0.0
    for k in range(slots - 1, 0, -1):  # without state k, those after it have one slot more
        start, place, room = places[k - 1], places[k], slots - k + 1
        before = again(place - start, room)
        saved[k] = again(end - start, room) - before - after + later
        later += again(end - place, room) - after
        end, after = place, before
    left, gives_way, fewest = 1, False, saved[1:].min()
    for k in range(1, slots):
        gives_way = not gives_way and saved[k] <= fewest and k - left < max(1, slots // 16)
        if not gives_way:
            places[left], order[left], order[k] = places[k], order[k], order[left]
            left += 1
    return left


def next_of_many(places, kept):
    """Return where to keep the next state of a loop whose length is not known; -1 for nowhere."""
    slots, steps = len(places), places[kept - 1] + 1
    if slots == 1:
        return -1
    runs, reach = 0, 1
    while reach < steps and steps >= slots:  # once more than all steps so far need to be run at most
        runs += 1
        reach = reach * (slots + runs) // runs
    return steps + runs


HELPERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (sum_to, longer, slots_within, next_checkpoint, thinned, next_of_many)
}


def helper_source(name: str) -> str:
    """Return the text of a helper function."""
    return inspect.getsource(HELPERS[name])
