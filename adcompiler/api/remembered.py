"""What earlier processes made: found by the facts of a function before anything of it is lowered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from numba.core import types as nt

from adcompiler.api.interface import Interface
from adcompiler.emit.disk import read_entry, write_entry
from adcompiler.emit.machine_code import (
    Holder,
    dumped,
    has_recursion,
    loaded,
    parts_to_keep,
    toolchain,
    track,
    tracked,
)
from adcompiler.emit.running import compile_now, load, named_in, stem_of
from adcompiler.frontend.facts import Facts, given_by_users
from adcompiler.frontend.seen import Seen
from adcompiler.graph.kinds import element, is_array
from adcompiler.graph.layout import Layout, Leaf, Packed, Static
from adcompiler.watch import is_watched

Kinds = tuple[nt.Type, ...]


@dataclass(frozen=True)
class Entry:
    """What is kept of one specialisation.

    Attributes:
        name: the generated function's name.
        stem: name of its module, which the machine code refers to.
        source: text of its module.
        interface: what has to be known to call it.
        objects: what the module is handed over, by name.
        code: its machine code, to be unpacked where the module is there.
        classes: names under which the code finds classes, by their positions among the facts.
        others: texts of other modules that the code calls functions of, and what they are handed over.
    """

    name: str
    stem: str
    source: str
    interface: Interface
    objects: dict[str, object]
    code: bytes | None = None
    classes: Mapping[int, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)

    @property
    def called(self) -> list[str]:
        """The names of the functions that are called from outside."""
        second = self.interface.adjoint
        return [self.name] if second is None else [self.name, second.name]


@dataclass(frozen=True)
class Slot:
    """Where a specialisation is kept for other processes.

    Attributes:
        stem: its name in the cache folder.
        facts: all that it depends on.
    """

    stem: str
    facts: Facts

    def recall(self, seen: Seen) -> Entry | None:
        """Return what was kept, noting what it read; None if there is nothing, or it is damaged."""
        data = read_entry(self.stem)
        if data is None:
            return None
        try:
            found = loaded(data, self.facts.values)
        except Exception:  # of another version of something, or an object that is gone
            return None
        if not isinstance(found, Entry):
            return None
        track(found.classes, self.facts.values)
        seen.enter(self.facts)
        return found

    def unpacked(self, entry: Entry) -> Any:
        """Return the parts of the machine code of an entry whose module has been made; None without any."""
        try:
            for stem, (source, objects) in entry.others.items():
                load(source, stem, objects)
            return None if entry.code is None else loaded(entry.code, self.facts.values)
        except Exception:  # it is compiled again
            return None

    def remember(self, seen: Seen, entry: Entry, holders: Sequence[Holder]) -> None:
        """Keep what was compiled, if all that was read while it was lowered is among the facts."""
        is_portable = all(map(self._is_portable, entry.objects.values()))
        made = [holder.made for holder in holders]
        if None in made or not is_portable or not seen.is_covered_by(self.facts):
            return
        if has_recursion(entry.source):
            return
        parts = [*map(parts_to_keep, made)]
        if None in parts:
            return
        try:
            code = dumped(parts, self.facts.places)
            others = {stem: made for stem, made in named_in(code).items() if stem != entry.stem}
            if not all(self._is_portable(value) for _, given in others.values() for value in given.values()):
                return
            kept = replace(entry, code=code, classes=tracked(self.facts.values), others=others)
            data = dumped(kept, self.facts.places)
        except Exception:  # an object that cannot be written down
            return
        write_entry(self.stem, data)

    def _is_portable(self, value: object) -> bool:
        """Tell whether another process has an object, or can make it from what it has."""
        is_there = id(value) in self.facts.places and id(value) not in self.facts.opaque
        return is_there or hasattr(value, "remade")


def compile_all(
    entry: Entry, module: Any, kinds: Kinds, origin: FunctionType, slot: Slot | None
) -> list[Any]:
    """Compile the functions of a module that are called from outside, or take over their machine code.

    Args:
        entry: what the module was made of.
        module: the module.
        kinds: types of the arguments of its main function.
        origin: the function that it was generated for.
        slot: where machine code is kept.

    Returns:
        what holds the machine code of each.
    """
    second = entry.interface.adjoint
    all_kinds = [kinds] if second is None else [kinds, second.kinds]
    code = (None if slot is None else slot.unpacked(entry)) or [None] * len(all_kinds)
    return [
        compile_now(getattr(module, name), own, origin, loaded)
        for name, own, loaded in zip(entry.called, all_kinds, code, strict=True)
    ]


def slot_of(function: Any, name: str, layouts: Sequence[Layout], choices: Sequence[object]) -> Slot | None:
    """Return where a specialisation is kept; None where another process cannot know that it is the same.

    Args:
        function: the function that is differentiated.
        name: what the entry is called.
        layouts: layout of each argument.
        choices: which derivative it is, in which style.
    """
    if is_watched():
        return None
    facts = Facts()
    facts.enter(toolchain(), repr(choices))
    for overload in given_by_users():
        facts.enter(f"{overload.__module__} {overload.__qualname__}")
        facts.visit_code(overload.__code__, set())
    facts.visit(function)
    parts = [part for layout in layouts for part in _parts(layout)]
    facts.visit_all(parts)
    return None if any(part is None for part in parts) else Slot(stem_of(name, facts.hexdigest()), facts)


def _parts(layout: Layout) -> Iterator[object]:
    """Yield what tells a layout apart; None for types that may have the name of another one."""
    match layout:
        case Leaf(kind=kind):
            is_known = isinstance(element(kind) if is_array(kind) else kind, nt.Number | nt.Boolean)
            yield repr(kind) if is_known else None
        case Static(value=value):
            yield "fixed"
            yield "None" if value is None else value
        case Packed():
            yield f"packed {len(layout.parts)} {layout.names}"
            yield layout.maker
            for part in layout.parts:
                yield from _parts(part)
