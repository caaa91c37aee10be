"""Keep a whole array once per iteration instead of what array code computes from it.

`c += rate * c * (1.0 - c)` overwrites c, so that neither `rate * c` nor `1.0 - c` can be computed again in
the reverse sweep. A copy of what c holds when the iteration begins serves both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.sizes import Shapes, form_of
from adcompiler.analysis.types import is_array, is_memory
from adcompiler.graph.nodes import Apply, For, Node, Region, Role, Value, While, type_of
from adcompiler.graph.walk import defined, free, operands, values
from adcompiler.primitives import card
from adcompiler.reverse.reverse import ReverseSweep
from adcompiler.storage.cut import minimum_cut
from adcompiler.storage.recompute import Frame
from adcompiler.storage.snapshot import are_apart


@dataclass
class _Asked:
    """The nodes of an iteration, with the copies that the reverse sweep asks for before and after them."""

    nodes: list[Node]
    before: dict[Node, list[Node]]
    after: dict[Node, list[Node]]

    def all(self) -> Iterator[Node]:
        for node in self.nodes:
            yield from (*self.before.get(node, ()), node, *self.after.get(node, ()))


@dataclass(frozen=True)
class _Views:
    """The views in an iteration that show all of an array but for a few elements: no rows, no segments.

    Attributes:
        makers: what makes the values of the iteration.
        shapes: the shapes of arrays.
    """

    makers: Mapping[Value, Apply]
    shapes: Shapes

    def shown(self, value: Value) -> Value | None:
        """Return the array that a view shows; None for what is no such view."""
        made = self.makers.get(value)
        source = made.args[0] if made is not None and made.args else None
        if made is None or not card(made.fn).is_view or not isinstance(source, Value):
            return None
        part, whole = self.shapes.get(value, ()), self.shapes.get(source, ())
        if not part or len(part) != len(whole):
            return None
        left = [form_of(one) - form_of(two) for one, two in zip(whole, part, strict=True)]
        return None if any(form.terms for form in left) else source

    def base(self, value: Value) -> Value:
        while (source := self.shown(value)) is not None:
            value = source
        return value


def with_whole_copies(loop: For | While, back: Region, sweep: ReverseSweep) -> For | While:
    """Let array code read copies of arrays, where that saves storing what it computes from them.

    Args:
        loop: the loop of the primal.
        back: the ideal reversal of one iteration.
        sweep: the ideal reverse sweep, whose own copies are made of these.
    """
    asked = _Asked([*loop.body.nodes], sweep.before, sweep.after)
    whole = replace(loop, body=replace(loop.body, nodes=(*asked.all(),)))
    inside = defined(whole.body)
    needed = [value for value in free(back) if value in inside]
    frame = Frame(whole, whole.body, sweep.info)
    views = _Views(_makers(whole.body), sweep.shapes)
    kept = _arrays_to_keep(loop, needed, frame, views)
    if not kept:
        return loop
    served = _served(asked, kept, views, sweep)
    body = replace(loop.body, nodes=(*served.all(),))
    again = Frame(replace(loop, body=body), body, sweep.info)
    if _arrays_in(minimum_cut(again, needed)) >= _arrays_in(minimum_cut(frame, needed)):
        return loop
    sweep.before.update(served.before)
    sweep.after.update(served.after)
    return replace(loop, body=replace(loop.body, nodes=(*served.nodes,)))


def _arrays_in(stored: Iterable[Value]) -> int:
    return sum(1 for value in stored if is_array(type_of(value)))


def _served(asked: _Asked, kept: Mapping[Value, list[Apply]], views: _Views, sweep: ReverseSweep) -> _Asked:
    """Return the nodes of an iteration behind the copies that they read."""
    info = sweep.info
    reading = {node for reads in kept.values() for node in reads}
    copies: dict[Value, Value] = {}
    served = _Asked([], {}, {})
    for array, reads in kept.items():
        copies[array] = copy = Value(f"{array.name}_then", type=array.type.copy(layout="C", readonly=False))
        copied = Apply(copy, "copy", (array,), role=Role.TAPE)
        sweep.shapes[copy] = sweep.shapes[array]
        first = min((info.access[node] for node in reads), key=lambda access: access.position)
        info.note(copied, first.position, first.loops)
        served.nodes.append(copied)
    for node in asked.nodes:
        parts = _reading(node, copies, views) if node in reading else [node]
        before: list[Node] = []
        for copy_made in asked.before.get(node, []):
            before += _reading(copy_made, copies, views) if copy_made in reading else [copy_made]
        if node in reading or before:
            info.access |= dict.fromkeys((*parts, *before), info.access[node])
        served.nodes += parts
        served.before |= {parts[-1]: before} if before else {}
        served.after |= {parts[-1]: asked.after[node]} if node in asked.after else {}
    return served


def _makers(body: Region) -> dict[Value, Apply]:
    return {node.out: node for node in body.nodes if isinstance(node, Apply)}


def _arrays_to_keep(
    loop: For | While, needed: Iterable[Value], frame: Frame, views: _Views
) -> dict[Value, list[Apply]]:
    """Return the arrays of which a loop could keep a copy per iteration, with what would read it.

    Args:
        loop: the loop of the primal.
        needed: what the ideal reversal of an iteration reads.
        frame: an iteration, with the copies that the reverse sweep asks for.
        views: the views in it.
    """
    inside = defined(loop.body)
    lost: dict[Value, list[Apply]] = defaultdict(list)
    todo = [*needed]
    seen: set[Value] = set()
    while todo:
        value = todo.pop()
        node = views.makers.get(value)
        if value in seen or node is None:
            continue
        seen.add(value)
        if _is_lost(node, frame):
            arrays = _overwritten(node, views, frame.info)
            if all(_holds(array, node, loop, inside, frame.info) for array in arrays):
                for array in arrays:
                    lost[array].append(node)
                todo += values(operands(node))
        elif frame.is_cheap(node):
            todo += values(operands(node))
    return {array: reads for array, reads in lost.items() if len(reads) > 1}


def _reading(node: Node, copies: Mapping[Value, Value], views: _Views) -> list[Node]:
    """Return a node that reads copies of arrays, or views of these, behind what makes the views.

    Args:
        node: what reads the arrays.
        copies: the copy of each array.
        views: the views in the iteration.
    """
    assert isinstance(node, Apply)
    made: list[Node] = []

    def copied(value: Value) -> Value:
        source = views.shown(value)
        if value in copies:
            return copies[value]
        if source is None or views.base(value) not in copies:
            return value
        view, out = views.makers[value], Value(value.name, temporary=True, type=value.type)
        made.append(replace(view, out=out, args=(copied(source), *view.args[1:]), role=Role.TAPE))
        return out

    args = tuple(copied(atom) if isinstance(atom, Value) else atom for atom in node.args)
    return [*made, replace(node, args=args)]


def _is_lost(node: Apply, frame: Frame) -> bool:
    """Tell whether array code would be repeated, not stored, if nothing that it reads were overwritten."""
    return (
        is_array(node.out.type) and frame.is_cheap_array_code(node) and not frame.reads_the_same_later(node)
    )


def _overwritten(node: Apply, views: _Views, info: Memory) -> list[Value]:
    """Return the arrays that a node reads, itself or in part, and that are overwritten later."""
    arrays = [value for value in values(node.args) if is_memory(type_of(value))]
    return [*dict.fromkeys(views.base(value) for value in arrays if info.written_after(value, node))]


def _holds(array: Value, node: Node, loop: For | While, inside: Mapping[Value, None], info: Memory) -> bool:
    """Tell whether an array still holds what it held when the iteration began."""
    if array in inside and array not in loop.body.params:
        return False
    here = info.access[node]
    iteration = here.loops[-1]  # the loop as it was noted: what it holds may have been made anew since
    for store, owner in info.writes.get(info.classes.get(array, array), []):
        there = info.access[store]
        is_apart = owner is not array and are_apart(array, owner, loop, info)
        if iteration in there.loops and there.position < here.position and not is_apart:
            return False
    return True
