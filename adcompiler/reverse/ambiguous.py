"""Arrays of which only the running program tells which of several a name means, and one is written."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.types import is_array, is_list, is_memory
from adcompiler.graph.nodes import Apply, Effect, For, If, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import defined, merges, operands, regions, uses, values, walk
from adcompiler.primitives import card
from adcompiler.reverse.moved_items import lists_of_moved_items


def ambiguous_memory(
    body: Region, active: set[Value], info: Memory, others: Iterable[Value] = ()
) -> set[Value]:
    """Return the arrays and lists whose shadows have to be bound, with all that shares their memory.

    Args:
        body: body of the primal.
        active: values that carry a derivative.
        info: where memory is written.
        others: arrays that are known to need it.
    """
    found = {*others, *_merged(body, active, info), *_in_lists(body, active, info)}
    found.update(lists_of_moved_items(body, active, info))
    classes = {info.classes.get(value, value) for value in found}
    return {
        value
        for value in defined(body)
        if value in active and is_memory(type_of(value)) and info.classes.get(value, value) in classes
    }


def _merged(body: Region, active: set[Value], info: Memory) -> Iterator[Value]:
    """Yield arrays that a branch or loop passes on under another name, and that are used under the old one.

    That matters where their memory is written; one that is only read may have many names.
    """
    last: dict[Value, float] = {}

    def use(used: Iterable[Value], position: float) -> None:
        for value in used:
            owner = info.owners.get(value, value)
            last[owner] = max(last.get(owner, 0), position)

    use(values(body.yields), math.inf)
    for node in walk(body):
        use(values(operands(node)), info.access[node].position)
        for inner in regions(node):
            use(values(inner.yields), _end(node, info))
    for node in walk(body):
        if isinstance(node, If | For | While):
            yield from _merged_by(node, active, info, last)


def _merged_by(
    node: If | For | While, active: set[Value], info: Memory, last: dict[Value, float]
) -> Iterator[Value]:
    def is_concerned(value: object) -> bool:
        if not isinstance(value, Value) or value not in active or not is_memory(type_of(value)):
            return False
        return is_list(type_of(value)) or info.is_written(value)

    arms = [node.then, node.orelse] if isinstance(node, If) else [node.body]
    for arm in arms:
        skip = 0 if isinstance(node, If) else int(node.breaks)
        passed = [v for v in values(arm.yields[skip:]) if is_concerned(v)]
        owners = [info.owners.get(v, v) for v in passed]
        if len(set(owners)) != len(owners) or owners != passed:
            yield passed[0]
    if not isinstance(node, If):
        started = [info.owners.get(v, v) for v in values(node.inits) if is_concerned(v)]
        if len(set(started)) != len(started):
            yield started[0]
    end = _end(node, info) if isinstance(node, If) else info.access[node].position
    for target, source in merges(node):
        if not is_concerned(target) or not isinstance(source, Value) or source is target:
            continue
        owner = info.owners.get(source, source)
        inside = _is_inside(owner, node, info)
        is_viewed = owner is not source and not inside
        is_used = not inside and last.get(owner, 0) > end
        is_from_outside = not inside and _is_from_outside(owner, node, info)
        if is_viewed or is_used or is_from_outside or is_list(type_of(target)):
            yield target


def _end(node: Node, info: Memory) -> int:
    """Return the last position inside a node."""
    inner = [_end(n, info) for region in regions(node) for n in region.nodes]
    return max([info.access[node].position, *inner])


def _is_inside(owner: Value, node: If | For | While, info: Memory) -> bool:
    start = info.access[node].position
    return start <= info.born_position(owner) <= _end(node, info) + 1 and owner not in node.outs


def _loops_of(owner: Value, info: Memory) -> list[Node]:
    born = info.born.get(owner)
    return [] if born is None else [*born.loops]


def _in_lists(body: Region, active: Container[Value], info: Memory) -> Iterator[Value]:
    """Yield lists whose items are replaced, or written while they have another name.

    The shadow of any other list may hold arrays of its own.
    """
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
    counts = uses(body)
    for node in walk(body):
        match node:
            case Apply(out=array, fn="list" | "mul", args=items) | Effect(fn="append", args=(array, *items)):
                pass
            case Store(array=array, accumulate=False):
                items = ()
            case _:
                continue
        kind = type_of(array) if isinstance(array, Value) and array in active else None
        if not isinstance(array, Value) or not is_list(kind) or not is_array(kind.dtype):  # type: ignore[union-attr]
            continue
        written = info.writes.get(info.classes.get(array, array), [])
        has_others = any(
            counts[item] > 1 or not _is_own(makers.get(item)) or _is_from_outside(item, node, info)
            for item in values(items)
        )
        if isinstance(node, Store) or (has_others and any(isinstance(write, Store) for write, _ in written)):
            yield array


def _is_own(maker: Apply | None) -> bool:
    """Tell whether an item is an array that is made for the list, and no list that is repeated."""
    if maker is None or is_list(type_of(maker.out)):
        return False
    return not card(maker.fn).is_view and not card(maker.fn).out_of_place


def _is_from_outside(value: Value, node: Node, info: Memory) -> bool:
    """Tell whether each iteration of a loop around a statement means one and the same array."""
    return [*info.access[node].loops] != _loops_of(info.owners.get(value, value), info)
