"""What a function reads of its surroundings, so that it can be told when that has changed."""

from __future__ import annotations

import builtins
import hashlib
import os
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adcompiler.custom import CustomFunction
from adcompiler.frontend.reads import Read, of_attribute, of_function, of_name

MISSING = object()
_UNCHANGING = ("numpy", "math", "scipy", "numba", "adcompiler", "builtins", "operator", "cmath", "functools")
_PROCESS = f"{os.getpid()} {time.time()}"  # objects without an address are the same in one process only


def looked_up(function: types.FunctionType, name: str) -> object:
    """Return what a free name of a function stands for, or `MISSING`."""
    code = function.__code__
    if name in code.co_freevars and function.__closure__ is not None:
        cell = function.__closure__[code.co_freevars.index(name)]
        try:
            return cell.cell_contents
        except ValueError:
            return MISSING
    if name in function.__globals__:
        return function.__globals__[name]
    return getattr(builtins, name, MISSING)


@dataclass
class Seen:
    """The names, attributes and functions that were read while a function was lowered, and what they held."""

    names: dict[tuple[types.FunctionType, str], Any] = field(default_factory=dict)
    attributes: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict)
    functions: dict[types.FunctionType, Any] = field(default_factory=dict)

    def is_current(self) -> bool:
        """Tell whether all that was read still holds the same."""
        return (
            all(_holds(kept, looked_up(*key)) for key, kept in self.names.items())
            and all(
                _holds(kept, getattr(owner, key[1], MISSING))
                for key, (owner, kept) in self.attributes.items()
            )
            and all(_holds(kept, _parts(function)) for function, kept in self.functions.items())
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

    def clear(self) -> None:
        """Forget everything."""
        self.names.clear()
        self.attributes.clear()
        self.functions.clear()


_ACTIVE: list[Seen] = []


@contextmanager
def seeing(seen: Seen) -> Iterator[None]:
    """Note in `seen` what is read."""
    _ACTIVE.append(seen)
    try:
        yield
    finally:
        _ACTIVE.pop()


def note_name(function: types.FunctionType, name: str, value: object) -> None:
    """Note that a free name of a function was read."""
    for seen in _ACTIVE:
        seen.names.setdefault((function, name), _kept(value))


def note_attribute(owner: object, name: str, value: object) -> None:
    """Note that an attribute of a captured object was read."""
    if _ACTIVE and not (isinstance(owner, types.ModuleType) and _is_unchanging(owner.__name__)):
        for seen in _ACTIVE:
            seen.attributes.setdefault((id(owner), name), (owner, _kept(value)))


def note_function(function: types.FunctionType) -> None:
    """Note that the source of a function was read."""
    for seen in _ACTIVE:
        if function not in seen.functions:
            seen.functions[function] = _kept(_parts(function))


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


def fingerprint(value: object) -> str:
    """Return what tells versions of an object apart: of functions their code, and what that reads.

    >>> fingerprint((1.0, "a")) == fingerprint((2.0, "a"))
    False
    """
    digest = hashlib.sha256()
    for part in _facts(value, set()):
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _facts(value: Any, done: set[int]) -> Iterator[str]:
    if id(value) in done:
        yield "seen"
        return
    if not isinstance(value, int | float | complex | str | bytes | None):
        done.add(id(value))
    match value:
        case None | int() | float() | complex() | str() | bytes():
            yield f"{type(value).__qualname__} {value!r}"
        case np.ndarray() if not value.dtype.hasobject:
            content = hashlib.sha256(np.ascontiguousarray(value).tobytes())
            yield f"{value.dtype}{value.shape}{content.hexdigest()}"
        case np.generic() | np.dtype() | np.ufunc():
            yield f"{type(value)} {value!r}"
        case tuple() | list() | set() | frozenset():
            for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                yield from _facts(item, done)
        case dict():
            for key, item in value.items():
                yield f"{key!r}"
                yield from _facts(item, done)
        case types.FunctionType():
            yield from _facts_of_function(value, done)
        case CustomFunction():
            for part in (value.dispatcher, value.vjp, value.jvp):
                yield from _facts(part, done)
        case types.ModuleType() | types.BuiltinFunctionType():
            yield f"{getattr(value, '__module__', '')} {value.__name__}"
        case type():
            yield f"{value.__module__} {value.__qualname__} {getattr(value, '_fields', '')}"
        case _ if isinstance(getattr(value, "py_func", None), types.FunctionType):
            yield f"{getattr(value, 'targetoptions', '')}"
            yield from _facts_of_function(value.py_func, done)
        case _:
            yield f"{type(value).__qualname__} {id(value)} {_PROCESS}"


def _facts_of_function(function: types.FunctionType, done: set[int]) -> Iterator[str]:
    if _is_unchanging(function.__module__ or ""):
        yield f"{function.__module__} {function.__qualname__}"
        return
    names: set[str] = set()
    yield from _facts_of_code(function.__code__, names)
    yield from _facts([function.__defaults__, function.__kwdefaults__], done)
    for name in sorted(names | set(function.__code__.co_freevars)):
        found = looked_up(function, name)
        if found is MISSING:
            continue
        yield name
        yield from _facts(found, done)
        if isinstance(found, types.ModuleType) and not _is_unchanging(found.__name__):
            for inner in sorted(names):
                if hasattr(found, inner):
                    yield from _facts(getattr(found, inner), done)


def _facts_of_code(code: types.CodeType, names: set[str]) -> Iterator[str]:
    names.update(code.co_names)
    yield code.co_code.hex()
    yield f"{code.co_names}{code.co_varnames}{code.co_freevars}{code.co_cellvars}"
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _facts_of_code(constant, names)
        else:
            yield f"{type(constant).__qualname__} {constant!r}"


def _is_unchanging(module: str) -> bool:
    return module.split(".")[0] in _UNCHANGING
