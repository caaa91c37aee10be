"""What is kept of a loop so that its iterations can be run again: the states at a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import element, is_array
from adcompiler.graph.kinds import bytes_of
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Role, Value, While, type_of
from adcompiler.graph.steps import Room
from adcompiler.prepare.allocation import dtype_of
from adcompiler.prepare.guard import write_form
from adcompiler.storage.loop_state import LoopState
from adcompiler.storage.tape_nodes import TapeNodes


@dataclass(frozen=True)
class At:
    """How many states are kept, and the iteration whose state is to be kept next."""

    count: Value
    due: Value

    @classmethod
    def new(cls) -> At:
        return cls(Value("kept", type=int64), Value("due", type=int64))


@dataclass
class Checkpoints:
    """The states that are kept of one loop.

    Attributes:
        loop: the loop of the primal.
        state: what an iteration begins with.
        room: what limits the states.
        trips: how many iterations there are.
        is_counted: whether only running the loop tells that.
        slots: how many states there is room for.
        places: the array of the iterations whose states are kept.
        kept: for each part of the state, where it is kept.
        copies: for each array that is written after the loop, what the iterations read that are run again.
        order: for loops that are counted, the slots, in the order in which they are filled.
    """

    loop: For | While
    state: LoopState
    room: Room
    trips: Value
    is_counted: bool
    slots: Atom = field(default_factory=lambda: Literal(1))
    places: Value = field(default_factory=lambda: Value("checkpoints", type=nt.Array(int64, 1, "C")))
    kept: dict[Value, Value] = field(default_factory=dict)
    copies: dict[Value, Atom] = field(default_factory=dict)
    order: Value = field(default_factory=lambda: Value("order", type=nt.Array(int64, 1, "C")))

    @property
    def has_state(self) -> bool:
        """Whether iterations hand anything on: else each can be run again by itself."""
        state = self.state
        return bool(state.numbers or state.arrays or state.memory or state.shadows or state.lists)

    def allocation(self) -> list[Node]:
        """Return what makes room for the states."""
        nodes = TapeNodes()
        for value in self.state.stale:
            self.copies[value] = copy = Value(f"{value.name}_then", type=value.type.copy(layout="C"))
            nodes.made.append(Apply(copy, "copy", (value,), role=Role.TAPE))
        if not self.has_state:
            return nodes.made
        memory = self.room.memory
        self.slots = Literal(self.room.slots) if memory is None else self._slots(nodes, memory)
        nodes.made.append(Apply(self.places, "np.empty", (self.slots, *dtype_of(int64)), role=Role.TAPE))
        if self.is_counted:
            nodes.made.append(Apply(self.order, "np.arange", (self.slots,), role=Role.TAPE))
        for value in self.state.numbers:
            self._allocate(nodes, value, ())
        for value, sizes in (self.state.arrays | self.state.memory).items():
            self._allocate(nodes, value, [write_form(size, nodes.made) for size in sizes])
        for value in self.state.lists:
            self.kept[value] = lengths = Value(f"{value.name}_lengths", type=nt.Array(int64, 1, "C"))
            nodes.made.append(Apply(lengths, "np.empty", (self.slots, *dtype_of(int64)), role=Role.TAPE))
        for value in self.state.shadows:
            init = self.loop.inits[self.loop.carried.index(value)]
            one = nodes.apply("one", "list", init)
            self.kept[value] = nodes.apply(f"{value.name}_kept", "mul", one, self.slots)
        return nodes.made

    def _slots(self, nodes: TapeNodes, memory: int) -> Value:
        """Append what tells how many states there is room for."""
        single = (3 if self.is_counted else 1) + len(self.state.numbers)
        total: Value | Literal = Literal(8 * (single + len(self.state.shadows) + len(self.state.lists)))
        for value, sizes in (self.state.arrays | self.state.memory).items():
            part: Atom = Literal(bytes_of(type_of(value)))
            for size in sizes:
                part = nodes.whole("size", "mul", part, write_form(size, nodes.made))
            total = nodes.whole("state", "add", total, part)
        if isinstance(total, Value):
            total.temporary = False
        most = Literal(2**40) if self.is_counted else self.trips
        slots = nodes.whole("slots", "slots_within", Literal(memory), total, most)
        slots.temporary = False
        nodes.made[-1] = replace(nodes.made[-1], loc=self.loop.loc)
        return slots

    def _allocate(self, nodes: TapeNodes, value: Value, sizes: Sequence[Atom]) -> None:
        shape = nodes.apply("shape", "tuple", self.slots, *sizes) if sizes else self.slots
        kind = element(type_of(value)) if is_array(type_of(value)) else type_of(value)
        kept = nt.Array(kind, len(sizes) + 1, "C")
        self.kept[value] = out = Value(f"{value.name}_kept", type=kept)
        nodes.made.append(Apply(out, "np.empty", (shape, *dtype_of(kind)), role=Role.TAPE))

    def slot(self, nodes: TapeNodes, position: Value) -> Value:
        """Return the slot of the state that is kept at some position among all."""
        return nodes.whole("slot", "getitem", self.order, position) if self.is_counted else position

    def keep(self, nodes: TapeNodes, now: dict[Value, Atom], number: Atom, at: At, end: Atom | None) -> At:
        """Append what keeps the state of an iteration if it is due; return what holds afterwards.

        Args:
            nodes: the nodes of the iteration so far.
            now: what stands for each part of the state.
            number: the number of the iteration.
            at: how many states are kept, and which one is due next.
            end: the iteration before which those that are to be reversed end; None if that is not known.
        """
        if not self.has_state:
            return at
        inner = TapeNodes()
        position = at.count
        if end is None:
            position = inner.whole("kept", "thinned", self.places, self.order, at.count, number)
        inner.store(self.places, (position,), number)
        slot = self.slot(inner, position)
        for value, kept in self.kept.items():
            part = inner.whole("length", "len", value) if value in self.state.lists else now.get(value, value)
            inner.store(kept, (slot,), part)
        more = inner.whole("kept", "add", position, Literal(1))
        if end is None:
            then = inner.whole("due", "next_of_many", self.places, more)
        else:
            room = inner.whole("room", "sub", self.slots, more)
            then = inner.whole("due", "next_checkpoint", number, end, room)
        outs = At.new()
        arms = Region((), tuple(inner.made), (more, then)), Region((), (), (at.count, at.due))
        test = nodes.apply("is_due", "eq", number, at.due)
        nodes.made.append(If(test, *arms, (outs.count, outs.due), role=Role.TAPE))
        return outs

    def restore(self, nodes: TapeNodes, position: Value) -> dict[Value, Atom]:
        """Append what puts back a state that is kept; return what stands for carried values."""
        slot = self.slot(nodes, position)
        mapping = dict(self.copies)
        for value in self.state.memory:
            nodes.store(value, (), nodes.apply("row", "getitem", self.kept[value], slot))
        for value in self.state.lists:
            _shorten(nodes, value, nodes.whole("length", "getitem", self.kept[value], slot))
        for value, last in zip(self.loop.carried, self.loop.outs, strict=True):
            if value not in self.kept:
                mapping[value] = last  # of the same type: no iteration reads it
                continue
            part = Value(value.name, value.temporary, type=value.type)
            source: tuple[Atom, ...] = self.kept[value], slot
            if value in self.state.arrays:
                source = (nodes.apply("row", "getitem", *source),)
            nodes.made.append(Apply(part, "copy" if len(source) == 1 else "getitem", source, role=Role.TAPE))
            mapping[value] = part
        return mapping


def _shorten(nodes: TapeNodes, items: Value, length: Value) -> None:
    """Append what takes items off the end of a list until it has this length."""
    last = Apply(Value("unused", type=items.type.dtype), "pop", (items,), role=Role.TAPE)
    region = Region((Value("k", type=int64),), (last,), ())
    end = nodes.whole("end", "len", items)
    nodes.made.append(For(length, end, Literal(1), (), region, (), role=Role.TAPE))
