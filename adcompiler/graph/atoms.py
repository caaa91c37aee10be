"""What nodes read: values of the graph, constants, and objects known by a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from numba.core import types as nt

T = TypeVar("T")


@dataclass(eq=False)
class Value:
    """One SSA value; `name` is the user's name for it, or a hint such as `tanh` if `temporary`.

    Its type is Numba's, None as long as it is not known.
    """

    name: str
    temporary: bool = False
    type: nt.Type = None

    def __repr__(self) -> str:
        return f"%{self.name}"


@dataclass(frozen=True, eq=False)
class Literal:
    """A Python constant written into the text: float, int, bool, str or None.

    Unlike in Python, `Literal(0)`, `Literal(0.0)`, `Literal(-0.0)` and `Literal(False)` all differ.
    """

    value: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Literal) or type(self.value) is not type(other.value):
            return False
        return repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), repr(self.value)))


@dataclass(frozen=True, eq=False)
class Global:
    """A Python object known by a name: a dtype, a function, an array captured from a module or closure.

    Two are equal if they are the same object under the same name: other modules have other objects.
    """

    name: str
    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Global) and self.name == other.name and self.value is other.value

    def __hash__(self) -> int:
        return hash(self.name)


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Literal(_Undefined())
"""What a variable holds on a path where the program has not assigned it yet."""


def is_adjoint(value: Value) -> bool:
    """Tell whether a value is named as the adjoint of another one."""
    return value.name.startswith("d_")


Atom = Value | Literal | Global


def entry(table: Mapping[Any, T], atom: object) -> T | None:
    """Return what a table has for an atom: nothing for constants."""
    return table.get(atom) if isinstance(atom, Value) else None


def type_of(atom: object) -> nt.Type:
    """Return the type of a value, as far as it is known; None for constants."""
    return atom.type if isinstance(atom, Value) else None
