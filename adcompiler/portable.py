"""Objects that go to other processes: by the name that leads to them, else by their parts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import lru_cache, reduce
from types import FunctionType
from typing import Any, Self

from numba.core import serialize

from adcompiler.source import keep_text

_MAIN = ("__main__", "__mp_main__")
_leaving: ContextVar[tuple[Any, ...]] = ContextVar("leaving", default=())
_arriving: ContextVar[tuple[Any, ...]] = ContextVar("arriving", default=())


class Portable:
    """What stands for a function: `pickle` treats it as it treats functions, and copies of it are itself.

    Functions that are taken along are pickled by what Numba pickles its dispatchers with: by their name, or
    by their code and what this reads. A main module may be another one there, so its objects take both along.
    """

    def _parts(self) -> tuple[Any, ...]:
        """Return the arguments that it can be made from."""
        raise NotImplementedError

    def _texts(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return files and texts that are needed to differentiate it where there are no files."""
        return []

    def __reduce__(self) -> Any:
        home, name = self.__module__, getattr(self, "__qualname__", "")
        is_named = _named(home, name) is self
        if is_named and home not in _MAIN:
            return name
        outside = _leaving.get()
        for number, other in enumerate(outside):
            if other is self:  # a function that it is made from reads it
                return _on_its_way, (number,)
        data = copy_context().run(self._taken_apart, outside)
        return _arrived, (type(self), (home, name) if is_named else None, data)

    def _taken_apart(self, outside: tuple[Any, ...]) -> Any:
        _leaving.set((*outside, self))
        return serialize.dumps((self._texts(), self._parts()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def _named(module: str, name: str) -> Any:
    """Return what a name in a module that is imported leads to; None if to nothing."""
    try:
        return reduce(getattr, name.split("."), sys.modules[module])
    except (KeyError, AttributeError):
        return None


def _on_its_way(number: int) -> Any:
    return _arriving.get()[number]


def _arrived(kind: type[Portable], home: tuple[str, str] | None, data: bytes) -> Portable:
    """Return the object of that name where it is made from the same parts, else a new one."""
    return _put_together(kind, home, data) if _arriving.get() else _put_together_once(kind, home, data)


def _put_together(kind: type[Portable], home: tuple[str, str] | None, data: bytes) -> Portable:
    made = kind.__new__(kind)
    texts, parts = copy_context().run(_unpacked, data, (*_arriving.get(), made))
    for file, lines in texts:
        keep_text(file, lines)
    own = _named(*home) if home is not None else None
    if type(own) is kind and _is_same(own._parts(), parts):
        return own
    made.__init__(*parts)  # type: ignore[misc]
    return made


# What comes again, with each piece of work, is compiled once.
_put_together_once: Callable[..., Portable] = lru_cache(maxsize=32)(_put_together)


def _unpacked(data: bytes, arriving: tuple[Any, ...]) -> Any:
    _arriving.set(arriving)
    return serialize.loads(data)


def _is_same(one: Any, two: Any) -> bool:
    """Tell whether two parts are equal, functions where their code is."""
    if isinstance(one, Portable):
        return type(one) is type(two) and _is_same(one._parts(), two._parts())
    if isinstance(one, tuple):
        return isinstance(two, tuple) and len(one) == len(two) and all(map(_is_same, one, two))
    one, two = getattr(one, "py_func", one), getattr(two, "py_func", two)
    if isinstance(one, FunctionType) and isinstance(two, FunctionType):
        return one.__code__ == two.__code__
    return bool(one == two)
