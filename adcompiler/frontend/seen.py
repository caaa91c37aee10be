"""What a function reads of its surroundings, so that it can be told when that has changed."""

from __future__ import annotations

import builtins
import types
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adcompiler.custom import CustomFunction
from adcompiler.frontend.facts import MISSING, Facts, fingerprint, is_unchanging, looked_up
from adcompiler.frontend.reads import Read, of_attribute, of_function, of_name

_TOLD_BY_CONTENT = (np.ndarray, np.generic, np.ufunc)
"""Objects of which no attribute differs where their facts are the same."""


@dataclass
class Seen:
    """The names, attributes and functions that were read while a function was lowered, and what they held."""

    names: dict[tuple[types.FunctionType, str], Any] = field(default_factory=dict)
    attributes: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict)
    functions: dict[types.FunctionType, Any] = field(default_factory=dict)

    def is_current(self) -> bool:
        """Tell whether all that was read still holds the same; other threads may be reading on."""
        return (
            all(_holds(kept, looked_up(*key)) for key, kept in self.names.copy().items())
            and all(
                _holds(kept, getattr(owner, key[1], MISSING))
                for key, (owner, kept) in self.attributes.copy().items()
            )
            and all(_holds(kept, _parts(function)) for function, kept in self.functions.copy().items())
        )

    def reads(self) -> list[Read] | None:
        """Return how to read all of it again; None where identity does not tell whether it is the same."""
        attributes = [(owner, name, kept) for (_, name), (owner, kept) in self.attributes.items()]
        if any(isinstance(kept, _Copy) for kept in (*self.names.values(), *(k for *_, k in attributes))):
            return None
        found = [of_function(function, kept.value) for function, kept in self.functions.items()]
        if None in found:
            return None
        found += [of_name(*key, kept) for key, kept in self.names.items()]
        found += [of_attribute(*attribute) for attribute in attributes]
        return [read for some in found for read in some or ()]

    def covers(self, other: Seen) -> bool:
        """Tell whether all that another one has read was read here, too."""
        return (
            other.names.keys() <= self.names.keys()
            and other.attributes.keys() <= self.attributes.keys()
            and other.functions.keys() <= self.functions.keys()
        )

    def is_covered_by(self, facts: Facts) -> bool:
        """Tell whether all that was read is among the facts that tell versions of the function apart."""
        functions = [function for function in self.functions if function not in facts.functions]
        return (
            all(key in facts.names or _is_known(*key, kept) for key, kept in self.names.items())
            and all(
                key in facts.attributes or isinstance(owner, _TOLD_BY_CONTENT)
                for key, (owner, _) in self.attributes.items()
            )
            and all(is_unchanging(function.__module__ or "") for function in functions)
        )

    def enter(self, facts: Facts) -> None:
        """Note all facts of a function as read."""
        with seeing(self):
            for (function, name), value in facts.names.items():
                note_name(function, name, value)
            for (_, name), (owner, value) in facts.attributes.items():
                note_attribute(owner, name, value)
            for function in facts.functions:
                note_function(function)

    def clear(self) -> None:
        """Forget everything."""
        self.names.clear()
        self.attributes.clear()
        self.functions.clear()


_active: ContextVar[tuple[Seen, ...]] = ContextVar("seeing", default=())


@contextmanager
def seeing(seen: Seen) -> Iterator[None]:
    """Note in `seen` what is read."""
    before = _active.get()
    try:
        _active.set((*before, seen))
        yield
    finally:
        _active.set(before)


def note_name(function: types.FunctionType, name: str, value: object) -> None:
    """Note that a free name of a function was read."""
    for seen in _active.get():
        seen.names.setdefault((function, name), _kept(value))


def note_attribute(owner: object, name: str, value: object) -> None:
    """Note that an attribute of a captured object was read."""
    if _active.get() and not (isinstance(owner, types.ModuleType) and is_unchanging(owner.__name__)):
        for seen in _active.get():
            seen.attributes.setdefault((id(owner), name), (owner, _kept(value)))


def note_function(function: types.FunctionType) -> None:
    """Note that the source of a function was read."""
    for seen in _active.get():
        if function not in seen.functions:
            seen.functions[function] = _kept(_parts(function))


def _is_known(function: types.FunctionType, name: str, kept: object) -> bool:
    """Tell whether a name that does not stand in a function's code means the same in every process."""
    return is_unchanging(function.__module__ or "") or kept is getattr(builtins, name, MISSING)


def _parts(function: types.FunctionType) -> tuple[Any, ...]:
    return function.__code__, function.__defaults__, function.__kwdefaults__


@dataclass(frozen=True)
class _Copy:
    """An object whose content may change, and what it held."""

    value: Any
    content: Any


def _kept(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _Copy(value, value.copy())
    if isinstance(value, CustomFunction):
        return _Copy(value, fingerprint(value))
    if isinstance(value, tuple | list):
        return _Copy(value, [*map(_kept, value)])
    if isinstance(value, dict):
        return _Copy(value, {key: _kept(item) for key, item in value.items()})
    return value


def _holds(kept: Any, now: Any) -> bool:
    """Tell whether a value is what was kept of it."""
    if not isinstance(kept, _Copy):
        return kept is now or (type(kept) is type(now) and isinstance(now, int | float | str) and kept == now)
    if isinstance(now, np.ndarray):
        old = kept.content
        same = isinstance(old, np.ndarray) and old.shape == now.shape and old.dtype == now.dtype
        return same and (old.tobytes() == now.tobytes() if old.dtype.hasobject else _equal(old, now))
    if isinstance(now, CustomFunction):
        return now is kept.value and fingerprint(now) == kept.content
    if isinstance(now, dict) and isinstance(kept.content, dict):
        return now.keys() == kept.content.keys() and all(_holds(kept.content[key], now[key]) for key in now)
    if isinstance(now, tuple | list) and isinstance(kept.content, list) and type(now) is type(kept.value):
        return len(now) == len(kept.content) and all(map(_holds, kept.content, now))
    return False


def _equal(old: np.ndarray[Any, Any], now: np.ndarray[Any, Any]) -> bool:
    return bool(np.array_equal(old, now)) or old.tobytes() == now.tobytes()  # the latter where there are NaNs
