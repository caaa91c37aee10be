"""Where the forward sweep keeps what the reverse sweep needs: arrays indexed by the iterations, or stacks.

A tape of numbers in a loop that is counted beforehand is an array with one element per iteration. Around it,
each loop whose range bounds the sizes adds an axis, so that a nest of loops has one array. Everything
else goes on a stack, which serves all loops around it: it is read back in the opposite order anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.sizes import Axis, Shape, Sum, form_of
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Literal, Node, Role, Store, Value, While
from adcompiler.prepare.allocation import dtype_of
from adcompiler.prepare.guard import write_form
from adcompiler.primitives import hint

STACK = "list"


@dataclass(frozen=True)
class Tape:
    """Where the values of one primal value are kept, one per iteration of its loop.

    Attributes:
        value: what is kept: a number, or the storage of an inner loop's tape.
        storage: the array or list.
        loop: the loop.
        kind: type of the elements of the array; `STACK` for a list.
        sizes: sizes of the axes, this loop's first.
        inner: whether the value is a part of the tape: an inner tape, or an array made in each iteration.
        source: what such an array is a copy of.
        rows: number of axes that belong to the arrays kept, which are the last ones.
    """

    value: Value
    storage: Value
    loop: For | While
    kind: str
    sizes: tuple[Linear, ...] = ()
    inner: bool = False
    source: Value | None = None
    rows: int = 0


def tape_of(loop: For | While, value: Value, kind: str | None, makers: Mapping[Value, Apply]) -> Tape:
    """Return the tape for a value; `kind` is its scalar type, None for other values."""
    trips = _trips(loop, makers)
    if trips is None or kind is None:
        plural = "s" if value.name.endswith("_tape") else "_stack"
        return Tape(value, Value(value.name + plural), loop, STACK)
    return Tape(value, Value(f"{value.name}_tape"), loop, kind, (trips,))


def widened(
    tape: Tape, loop: For | While, inside: Mapping[Value, None], makers: Mapping[Value, Apply]
) -> Tape | None:
    """Return the tape with an axis for a loop around it; None if its sizes are not bounded before that loop.

    Args:
        tape: an array.
        loop: the loop around it.
        inside: the values that this loop defines.
        makers: what computes each integer.
    """
    trips = _trips(loop, makers)
    bounds = [_largest(size, loop, makers) for size in tape.sizes]
    known = [bound for bound in bounds if bound is not None and not _depends_on(bound, inside)]
    if trips is None or len(known) < len(bounds):
        return None
    if tape.rows and known[-tape.rows :] != list(tape.sizes[-tape.rows :]):
        return None  # a part of a tape has the size that the array has
    storage = Value(tape.storage.name)
    return Tape(tape.storage, storage, loop, tape.kind, (trips, *known), True, rows=tape.rows)


def tape_of_array(
    loop: For | While,
    made: Apply,
    kind: str,
    shape: Shape,
    inside: Mapping[Value, None],
    makers: Mapping[Value, Apply],
) -> Tape | None:
    """Return a tape that has the array made in each iteration as a part; None if its shape may change.

    Args:
        loop: the loop.
        made: what makes the array: `np.empty`, or a copy.
        kind: type of the elements.
        shape: symbolic shape of the array.
        inside: the values that the loop defines.
        makers: what computes each value.
    """
    sizes = [_linear_size(size, makers) for size in shape]
    known = [size for size in sizes if not _depends_on(size, inside)]
    trips = _trips(loop, makers)
    if trips is None or len(known) < len(sizes):
        return None
    source = made.args[0] if made.fn == "copy" else None
    assert source is None or isinstance(source, Value)
    storage = Value(f"{made.out.name}_tape")
    return Tape(made.out, storage, loop, kind, (trips, *known), True, source, len(sizes))


def tape_of_rows(
    loop: For | While,
    value: Value,
    kind: str,
    shape: Shape,
    inside: Mapping[Value, None],
    makers: Mapping[Value, Apply],
) -> Tape | None:
    """Return a tape with a row for the array of each iteration; None if its shape may change.

    Args:
        loop: the loop.
        value: an array that the loop does not write.
        kind: type of the elements.
        shape: symbolic shape of the array.
        inside: the values that the loop defines.
        makers: what computes each value.
    """
    sizes = [_linear_size(size, makers) for size in shape]
    trips = _trips(loop, makers)
    if trips is None or kind not in ("float64", "float32", "int64", "bool"):
        return None
    if any(_depends_on(size, inside) for size in sizes):
        return None
    return Tape(value, Value(f"{value.name}_tape"), loop, kind, (trips, *sizes), rows=len(sizes))


def _linear_size(size: object, makers: Mapping[Value, Apply]) -> Linear:
    if isinstance(size, int | Sum):
        return form_of(size)
    form = linear(size, makers) if isinstance(size, Value) else None
    return form or Linear({size: 1})


def _depends_on(form: Linear, inside: Mapping[Value, None]) -> bool:
    return any((s.array if isinstance(s, Axis) else s) in inside for s in form.terms)


def _trips(loop: For | While, makers: Mapping[Value, Apply]) -> Linear | None:
    """Return the number of iterations of a loop that counts by one; negative for an empty loop."""
    if not isinstance(loop, For) or loop.step not in (Literal(1), Literal(-1)):
        return None
    start, stop = linear(loop.start, makers), linear(loop.stop, makers)
    if start is None or stop is None:
        return None
    return stop - start if loop.step == Literal(1) else start - stop


def _largest(size: Linear, loop: For | While, makers: Mapping[Value, Apply]) -> Linear | None:
    """Return a bound of a size that may depend on the index of a loop."""
    if not isinstance(loop, For):
        return size
    index = loop.body.params[0]
    factor = size.terms.get(index, 0)
    if factor == 0:
        return size
    start, stop = linear(loop.start, makers), linear(loop.stop, makers)
    if start is None or stop is None:
        return None
    up = loop.step == Literal(1)
    last = stop - 1 if up else stop + 1
    return size + factor * ((last if up == (factor > 0) else start) - Linear({index: 1}))


def allocation(tape: Tape) -> list[Node]:
    """Make the empty tape."""
    if tape.kind == STACK:
        return [Apply(tape.storage, "list", (), role=Role.TAPE)]
    nodes: list[Node] = []
    sizes = [_size(form, nodes) for form in tape.sizes]
    dtype = dtype_of(tape.kind)
    shape: Atom = sizes[0]
    if len(sizes) > 1:
        shape = Value("shape", temporary=True)
        nodes.append(Apply(shape, "tuple", tuple(sizes), role=Role.TAPE))
    return [*nodes, Apply(tape.storage, "np.empty", (shape, *dtype), role=Role.TAPE)]


def _size(form: Linear, nodes: list[Node]) -> Atom:
    """Compute a size, zero where it would be negative."""
    total = write_form(form, nodes)
    if isinstance(total, Literal):
        return Literal(max(form.constant, 0))
    larger = Value(hint("max"), temporary=True)
    nodes.append(Apply(larger, "max", (total, Literal(0)), role=Role.TAPE))
    return larger


def record(tape: Tape) -> list[Node]:
    """Keep the value of this iteration; the tape of an inner loop becomes a part of this one."""
    if tape.kind == STACK:
        return [Effect("append", (tape.storage, tape.value), role=Role.TAPE)]
    nodes, position = _position(tape)
    if tape.inner:
        fill = [] if tape.source is None else [Store(tape.value, (), tape.source, role=Role.TAPE)]
        return [*nodes, Apply(tape.value, "getitem", (tape.storage, position), role=Role.TAPE), *fill]
    return [*nodes, Store(tape.storage, (position,), tape.value, role=Role.TAPE)]


def load(tape: Tape) -> list[Node]:
    """Read back the value of this iteration."""
    if tape.kind == STACK:
        return [Apply(tape.value, "pop", (tape.storage,), role=Role.TAPE)]
    nodes, position = _position(tape)
    return [*nodes, Apply(tape.value, "getitem", (tape.storage, position), role=Role.TAPE)]


def _position(tape: Tape) -> tuple[list[Node], Atom]:
    """The number of the iteration: the index itself, or its distance from the start.

    Copies of arrays are numbered from the last iteration: the reverse sweep then reads them upwards, as the
    hardware expects, and first those that are still in the cache.
    """
    loop = tape.loop
    assert isinstance(loop, For)
    index = loop.body.params[0]
    if tape.inner and tape.source is not None:
        last, distance = Value("last", temporary=True), Value("row", temporary=True)
        if loop.step == Literal(1):
            before = Apply(last, "sub", (loop.stop, Literal(1)), role=Role.TAPE)
            return [before, Apply(distance, "sub", (last, index), role=Role.TAPE)], distance
        before = Apply(last, "add", (loop.stop, Literal(1)), role=Role.TAPE)
        return [before, Apply(distance, "sub", (index, last), role=Role.TAPE)], distance
    if loop.start == Literal(0) and loop.step == Literal(1):
        return [], index
    distance = Value("row", temporary=True)
    ends = (index, loop.start) if loop.step == Literal(1) else (loop.start, index)
    return [Apply(distance, "sub", ends, role=Role.TAPE)], distance
