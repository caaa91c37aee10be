"""THE PAGE: every kind of node in the structured SSA graph.

A region is a list of nodes with parameters and yields; loops and branches are nodes that hold regions. Each
`Value` (`atoms.py`) is defined once: as a parameter of a region or as the output of one node.
Arrays are memory: a value is a reference, `getitem` with a slice, `T`, `reshape` are views, `Store` writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adcompiler.graph.atoms import UNDEFINED as UNDEFINED
from adcompiler.graph.atoms import Atom as Atom
from adcompiler.graph.atoms import Global as Global
from adcompiler.graph.atoms import Literal as Literal
from adcompiler.graph.atoms import Value as Value
from adcompiler.graph.atoms import entry as entry
from adcompiler.graph.atoms import type_of as type_of
from adcompiler.graph.layout import Layout
from adcompiler.graph.role import Role as Role
from adcompiler.source import NOWHERE, Location


@dataclass(frozen=True, eq=False)
class Region:
    """A list of nodes with parameters, ending in yields."""

    params: tuple[Value, ...]
    nodes: tuple[Node, ...]
    yields: tuple[Atom, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Made:
    """What every node has: its role, and the place in the program that people are told of."""

    loc: Location = NOWHERE
    role: Role = Role.PRIMAL


@dataclass(frozen=True, eq=False)
class Apply(_Made):
    """`out = fn(*args)`: `mul`, `math.exp`, `np.zeros` …; `raises` where a division by zero is an error."""

    out: Value
    fn: str
    args: tuple[Atom, ...]
    keywords: tuple[tuple[str, Atom], ...] = ()
    raises: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, eq=False)
class Store(_Made):
    """`array[index] = value`, or `+=` where `accumulate`; an empty index means the whole array."""

    array: Value
    index: tuple[Atom, ...]
    value: Atom
    accumulate: bool = False


@dataclass(frozen=True, eq=False)
class Effect(_Made):
    """A statement run for what it does: `assert`, `raise`, `append`, or a call without a result."""

    fn: str
    args: tuple[Atom, ...]
    keywords: tuple[tuple[str, Atom], ...] = ()


@dataclass(frozen=True, eq=False)
class If(_Made):
    """Branches without parameters, each yielding `outs`."""

    test: Atom
    then: Region
    orelse: Region
    outs: tuple[Value, ...]


class _Loop(_Made):
    """An iteration begins with `carried` and hands on `next_values`; if `breaks`, its first yield ends it."""

    body: Region
    breaks: bool

    @property
    def next_values(self) -> tuple[Atom, ...]:
        return self.body.yields[self.breaks :]


@dataclass(frozen=True, eq=False)
class For(_Loop):
    """`for i in range(start, stop, step)`: body parameters are (i, *carried); see `checkpointed`.

    It is `independent` where the program says so, with `prange`, and `parallel` if iterations run at once.
    """

    start: Atom
    stop: Atom
    step: Atom
    inits: tuple[Atom, ...]
    body: Region
    outs: tuple[Value, ...]
    breaks: bool = False
    checkpoints: int | None = None
    independent: bool = False
    parallel: bool = False

    @property
    def carried(self) -> tuple[Value, ...]:
        return self.body.params[1:]


@dataclass(frozen=True, eq=False)
class While(_Loop):
    """`cond` has no parameters: it reads those of `body` and yields the test of each iteration."""

    inits: tuple[Atom, ...]
    cond: Region
    body: Region
    outs: tuple[Value, ...]
    breaks: bool = False

    @property
    def carried(self) -> tuple[Value, ...]:
        return self.body.params


Node = Apply | Store | Effect | If | For | While


@dataclass(frozen=True, eq=False)
class Graph:
    """A function: `body.params` are the single values of its arguments, `body.yields` what it returns.

    Attributes:
        returns: how the yields are packed; None for one value, or a plain tuple of several.
        defaults: the values of its last parameters where a call leaves them out.
        parameters: name and layout of each parameter; empty if each is one value of `body.params`.
    """

    name: str
    body: Region
    returns: Layout | None = None
    doc: str = ""
    defaults: tuple[Literal, ...] = ()
    parameters: tuple[tuple[str, Layout], ...] = ()
