"""THE PAGE: every kind of node in the structured SSA graph.

A graph is a region with parameters. A region is a straight list of nodes with parameters and
yields; loops and branches are nodes that hold regions. Every `Value` is defined exactly once: as a
parameter of a region or as the output of one node. Nothing points backwards; uses are computed.

Arrays are memory: an array value is a reference, `getitem` with a slice, `T` and `reshape` are
views, and only `Store` writes. Scalars and tuples are plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from numba.core import types as nt

from adcompiler.graph.layout import Layout
from adcompiler.source import NOWHERE, Location

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


@dataclass(frozen=True, eq=False)
class Region:
    """A list of nodes with parameters, ending in yields."""

    params: tuple[Value, ...]
    nodes: tuple[Node, ...]
    yields: tuple[Atom, ...]


@dataclass(frozen=True, eq=False)
class Apply:
    """`out = fn(*args)`: a primitive such as `mul`, `math.exp`, `getitem`, `np.zeros`."""

    out: Value
    fn: str
    args: tuple[Atom, ...]
    keywords: tuple[tuple[str, Atom], ...] = ()
    loc: Location = NOWHERE


@dataclass(frozen=True, eq=False)
class Store:
    """`array[index] = value`, or `+=` where `accumulate`; an empty index means the whole array."""

    array: Value
    index: tuple[Atom, ...]
    value: Atom
    accumulate: bool = False
    loc: Location = NOWHERE


@dataclass(frozen=True, eq=False)
class Effect:
    """A statement run for what it does: `assert`, `raise`, `append`, or a call without a result."""

    fn: str
    args: tuple[Atom, ...]
    loc: Location = NOWHERE
    keywords: tuple[tuple[str, Atom], ...] = ()


@dataclass(frozen=True, eq=False)
class If:
    """Branches without parameters, each yielding `outs`."""

    test: Atom
    then: Region
    orelse: Region
    outs: tuple[Value, ...]
    loc: Location = NOWHERE


@dataclass(frozen=True, eq=False)
class For:
    """`for i in range(start, stop, step)`: body parameters are (i, *carried), yields the next carried.

    Where `breaks`, the first yield is a flag that ends the loop after this iteration.
    """

    start: Atom
    stop: Atom
    step: Atom
    inits: tuple[Atom, ...]
    body: Region
    outs: tuple[Value, ...]
    breaks: bool = False
    loc: Location = NOWHERE


@dataclass(frozen=True, eq=False)
class While:
    """`cond` has no parameters: it reads those of `body` and yields the test of each iteration."""

    inits: tuple[Atom, ...]
    cond: Region
    body: Region
    outs: tuple[Value, ...]
    breaks: bool = False
    loc: Location = NOWHERE


Node = Apply | Store | Effect | If | For | While


@dataclass(frozen=True, eq=False)
class Graph:
    """A function: `body.params` are the single values of its arguments, `body.yields` what it returns.

    Attributes:
        name: the function's name.
        body: its region.
        returns: how the yields are packed; None for one value, or a plain tuple of several.
        doc: first line of its docstring.
        defaults: the values of its last parameters where a call leaves them out.
        parameters: name and layout of each parameter; empty if each is one value of `body.params`.
    """

    name: str
    body: Region
    returns: Layout | None = None
    doc: str = ""
    defaults: tuple[Literal, ...] = ()
    parameters: tuple[tuple[str, Layout], ...] = ()
