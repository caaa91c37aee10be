"""What an iteration of a loop begins with: what a checkpoint has to keep so that it can be run again."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.alias import Access, Memory, content_reads, is_opaque, written_by
from adcompiler.analysis.sizes import Axis, Shape, Shapes, form_of
from adcompiler.analysis.types import is_array, is_list, is_mutable, is_scalar
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, free, operands, regions, uses, values, walk
from adcompiler.primitives import card
from adcompiler.reverse.bind import SHADOW, Bound

_CURE = "leave memory= or checkpoints out, or write this loop with numbers and arrays that keep their shape"


@dataclass(frozen=True)
class LoopState:
    """What one iteration of a loop begins with.

    Attributes:
        numbers: numbers that the loop carries, and reads.
        arrays: arrays that it carries and reads, which a checkpoint copies, with their sizes.
        memory: arrays from outside of it that it writes, with their sizes.
        shadows: carried shadows: which array is meant, not what it holds.
        lists: lists of numbers that grow in it or later, and nothing else: their length tells what they held.
        stale: arrays that it only reads, and that are written later.
    """

    numbers: tuple[Value, ...]
    arrays: dict[Value, tuple[Linear, ...]]
    memory: dict[Value, tuple[Linear, ...]]
    shadows: tuple[Value, ...]
    lists: tuple[Value, ...]
    stale: tuple[Value, ...]


def loop_state(loop: For | While, info: Memory, shapes: Shapes, bound: Bound) -> LoopState:
    """Return what an iteration of a loop begins with.

    Args:
        loop: the loop of the primal.
        info: where memory is written.
        shapes: the shapes of arrays.
        bound: shadows that the forward sweep carries beside their arrays.

    Raises:
        DifferentiationError: AD205 where an iteration cannot be run again from numbers and arrays.
    """
    _check_nodes(loop)
    read = _read_values(loop)
    meant = {shadow: array for array, shadow in bound.shadows.items()}
    shadows = tuple(value for value in loop.carried if value in bound.all and meant.get(value, value) in read)
    _check_layouts(loop, shadows)
    read |= _measured_later(loop, shapes)
    carried = [value for value in loop.carried if value not in bound.all and value in read]
    numbers = tuple(value for value in carried if is_scalar(type_of(value)))
    references = [value for value in carried if value not in numbers]
    written = _written(loop, info)
    _check_apart(loop, references, written, info)
    memory = _memory(loop, written, info)
    return LoopState(
        numbers,
        {value: _sizes(value, loop, shapes) for value in references},
        {value: _sizes(value, loop, shapes) for value in memory},
        shadows,
        tuple(_lists(loop, info, bound)),
        tuple(_stale(loop, written, info, bound)),
    )


def _check_layouts(loop: For | While, shadows: tuple[Value, ...]) -> None:
    """Refuse arrays with several names that become reversed views: lists hold one type."""
    inits = dict(zip(loop.carried, loop.inits, strict=True))
    for shadow in shadows:
        if type_of(inits[shadow]) != shadow.type:
            name = shadow.name.removeprefix("d_")
            cure = f"copy what '{name}' becomes in the loop, or leave memory= or checkpoints out"
            raise _refused(loop, f"'{name}' is laid out in another way before it", cure)


def _read_values(loop: For | While) -> set[Value]:
    """Return what iterations read; a loop also carries what it only sets, to be read behind it."""
    parts = [loop.body] if isinstance(loop, For) else [loop.body, loop.cond]
    return {value for part in parts for value in uses(part)}


def _measured_later(loop: For | While, shapes: Shapes) -> set[Value]:
    """Return carried arrays whose sizes reversals read, and that are not known before the loop."""
    found: set[Value] = set()
    inside = defined(loop.body)
    for value, init, after in zip(loop.carried, loop.inits, loop.next_values, strict=True):
        sizes = shapes.get(after) if isinstance(after, Value) else None
        is_same = init == UNDEFINED or (isinstance(init, Value) and shapes.get(init) == sizes)
        if is_array(type_of(value)) and not (is_same and sizes and _is_known_before(sizes, inside)):
            found.add(value)
    return found


def _is_known_before(sizes: Shape, inside: Container[Value]) -> bool:
    symbols = {s.array if isinstance(s, Axis) else s for size in sizes for s in form_of(size).terms}
    return not any(symbol in inside for symbol in symbols)


def _refused(loop: Node, reason: str, cure: str = _CURE) -> DifferentiationError:
    return DifferentiationError("AD205", reason, loop.loc, cure)


def _check_nodes(loop: For | While) -> None:
    """Refuse iterations that give something else when they are run again."""
    for node in walk(loop.body):
        if isinstance(node, Apply) and node.fn == SHADOW:
            cure = "make the array before the loop, and write into it"
            raise _refused(node, "an array is made here that has several names later", cure)
        if is_opaque(node):
            reason = "an iteration that is run again would call what nothing is known of"
            raise _refused(node, reason, "call it before the loop, and keep what it returns in an array")
        if isinstance(node, Apply) and _is_drawn(node):
            cure = "draw the numbers before the loop, into an array"
            raise _refused(node, "an iteration that is run again would draw other numbers", cure)


def _is_drawn(node: Apply) -> bool:
    known = card(node.fn)
    return not known.is_pure and not known.writes_first and not known.is_statement and not known.is_call


def _written(loop: For | While, info: Memory) -> list[Value]:
    """Return the arrays that a loop writes, by the names under which it does, with all that it may mean."""
    return [array for node in walk(loop.body) for array in written_by(node) if is_array(type_of(array))]


def _lists(loop: For | While, info: Memory, bound: Bound) -> Iterator[Value]:
    """Yield the lists from outside that the loop reads or changes, and that change in it or later."""
    here = _place(loop, info)
    for value in free(loop.body):
        if not is_list(type_of(value)) or value in bound.all or not info.written_behind(value, here):
            continue
        if value in bound:
            raise _refused(loop, f"it changes lists that may have several names: '{value.name}'")
        writes = info.writes[info.classes.get(value, value)]
        if not all(isinstance(node, Effect) and node.fn == "append" for node, _ in writes):
            cure = "write this loop so that it only appends to the list and reads it, or use an array"
            raise _refused(loop, f"it changes the list '{value.name}', or reads it as it was", cure)
        if not is_scalar(type_of(value).dtype):
            cure = "write the items to the rows of an array, or leave memory= or checkpoints out"
            raise _refused(loop, f"'{value.name}' is a list of {type_of(value).dtype}", cure)
        yield value


def _memory(loop: For | While, written: list[Value], info: Memory) -> list[Value]:
    """Return the arrays from outside that a loop reads, and may write, whatever it calls them."""
    inside = defined(loop.body)
    changed = {info.classes.get(array, array) for array in written} & _read_classes(loop, info)
    known = [*written, *(value for value in free(loop.body) if is_array(type_of(value)))]
    meant = [value for value in known if info.classes.get(value, value) in changed]
    owners = dict.fromkeys(info.owners.get(value, value) for value in meant)
    return [owner for owner in owners if owner not in inside]


def _read_classes(loop: For | While, info: Memory) -> set[Value]:
    """Return the memory that a loop reads: what it only writes gets the same values when it is run again."""
    found = {value for node in walk(loop.body) for value in _reads(node)}
    return {info.classes.get(value, value) for value in found}


def _reads(node: Node) -> Iterator[Value]:
    """Yield what a node reads the elements of; a view is read by others."""
    match node:
        case Store():
            yield from values((*node.index, node.value, *([node.array] if node.accumulate else [])))
        case Apply() if is_array(type_of(node.out)) or not card(node.fn).reads_elements:
            yield from content_reads(node)
        case Apply() | Effect():
            yield from values(operands(node))


def _check_apart(loop: For | While, arrays: list[Value], written: list[Value], info: Memory) -> None:
    """Refuse carried arrays that may be the same memory as others, if that is written."""
    classes = info.classes
    for array in arrays:
        if not is_array(type_of(array)):
            raise _refused(loop, f"it carries '{array.name}' of type {type_of(array)}")
    changed = {classes.get(array, array) for array in written}
    groups: dict[Value, list[Value]] = {}
    for array in arrays:
        groups.setdefault(classes.get(array, array), []).append(array)
    outside = [value for value in free(loop.body) if is_mutable(type_of(value))]
    for memory, group in groups.items():
        if memory not in changed:
            continue
        others = [value for value in outside if classes.get(value, value) is memory]
        if others or not _stay_apart(loop, group, info):
            names = ", ".join(repr(value.name) for value in [*group, *others][:3])
            raise _refused(loop, f"it writes memory that may have several names: {names}")


def _stay_apart(loop: For | While, group: list[Value], info: Memory) -> bool:
    """Tell whether arrays begin as arrays of their own, and each iteration hands on different ones."""
    if len(group) == 1:
        return True
    places = [k for k, param in enumerate(loop.carried) if param in group]
    inits = [loop.inits[k] for k in places]
    after = [loop.next_values[k] for k in places]
    return all(len(set(ends)) == len(ends) and _are_own(ends, group, info) for ends in (inits, after))


def _are_own(atoms: list[Atom], group: list[Value], info: Memory) -> bool:
    """Tell whether each is one of the carried arrays, or one that has just been made."""
    assert info.dependences is not None
    makers = info.dependences.makers
    made = (makers.get(atom) for atom in atoms if isinstance(atom, Value) and atom not in group)
    return all(node is not None and not card(node.fn).is_view and not is_opaque(node) for node in made)


def _sizes(array: Value, loop: For | While, shapes: Shapes) -> tuple[Linear, ...]:
    """Return the sizes of an array, which have to be known before the loop."""
    found = shapes.get(array)
    if found is None or not _is_known_before(found, defined(loop.body)):
        raise _refused(loop, f"the size of '{array.name}' is not known before it")
    return tuple(form_of(size) for size in found)


def _stale(loop: For | While, written: list[Value], info: Memory, bound: Bound) -> Iterator[Value]:
    """Yield arrays that the loop reads as they are when it begins, and that later statements write."""
    changed = {info.classes.get(array, array) for array in written}
    here = _place(loop, info)
    for value in free(loop.body):
        kind = type_of(value)
        if not is_array(kind) or value in bound.all or info.classes.get(value, value) in changed:
            continue
        if info.written_behind(value, here):
            yield value


def _place(loop: For | While, info: Memory) -> Access:
    """Return where a loop stands, read off what is in it: the loop itself may have been made anew."""
    found = _first_inside(loop.body, info, 1)
    assert found is not None, "a loop that writes or reads has nodes of the primal"
    inside, depth = found
    return Access(inside.position - 1, inside.loops[:-depth])


def _first_inside(region: Region, info: Memory, depth: int) -> tuple[Access, int] | None:
    """Return where the first known node of a region stands, and how many loops it is deep in."""
    for node in region.nodes:
        if node in info.access and not regions(node):
            return info.access[node], depth
        for part in regions(node):
            found = _first_inside(part, info, depth + isinstance(node, For | While))
            if found is not None:
                return found
    return None
