"""The state while a function is turned into nodes: what names are bound to, and the nodes so far.

It knows no expression and no statement. What lowers these stands above it and is part of the state, so that
every file between the two can go into what is nested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.bindings import (
    Ambiguous,
    Binding,
    Closure,
    Environment,
    Operation,
    Transform,
    TypeOf,
)
from adcompiler.frontend.parse import Source
from adcompiler.frontend.ranks import Listed, atom_rank, rank_of
from adcompiler.frontend.structure import Structured
from adcompiler.graph.nodes import Apply, Atom, Effect, Literal, Node, Value
from adcompiler.primitives import hint
from adcompiler.source import Location

T = TypeVar("T")


Bounds = tuple[Atom, Atom, Atom]


def bounds_of(args: Iterable[Atom]) -> Bounds:
    """Return start, stop and step, given the arguments of range."""
    given = [*args]
    start, stop = (Literal(0), given[0]) if len(given) == 1 else (given[0], given[1])
    return start, stop, given[2] if len(given) == 3 else Literal(1)


@dataclass
class Lowering:
    """The state while one function body is turned into nodes.

    Attributes:
        source: the function.
        env: what its variables are bound to at this point.
        nodes: the nodes so far, of the current region.
        lower_expression: lowers any expression; `binding` calls it.
        lower_statement: lowers any statement; `block` calls it.
        structured: the function's body without jumps.
        local_names: the names that the body binds.
        statement: the statement that is being lowered.
        enclosing: for a nested function, the state of the one around it.
        stack: the functions that are being followed.
        ranks: numbers of axes, as far as they are known.
        spans: the bounds of ranges that have names.
        lists: the lists that the function makes.
        raises: whether a division by zero raises; None where it does in `@njit` functions only.
        staying: the functions that are called, not inlined.
        staying_results: what each of them returns, given numbers, and how it is called; None for those
            that are inlined after all.
    """

    source: Source
    env: Environment
    nodes: list[Node]
    lower_expression: Callable[[Lowering, gast.expr, str | None], Binding]
    lower_statement: Callable[[Lowering, gast.stmt], None]
    structured: Structured = field(default_factory=lambda: Structured([]))
    local_names: set[str] = field(default_factory=set)
    statement: gast.AST | None = None
    enclosing: Lowering | None = None
    stack: tuple[Any, ...] = ()
    ranks: dict[Value, int | None] = field(default_factory=dict)
    spans: dict[Value, tuple[Atom, ...]] = field(default_factory=dict)
    lists: set[Value] = field(default_factory=set)
    raises: bool | None = False
    staying: frozenset[Any] = frozenset()
    staying_results: dict[Any, tuple[Binding, Any] | None] = field(default_factory=dict)

    def where(self, node: gast.AST) -> Location:
        """Return the location of a tree node within the current statement."""
        return self.source.locate(node, self.statement)

    def refuse(self, code: str, reason: str, node: gast.AST, cure: str | None = None) -> DifferentiationError:
        """Build the refusal of a tree node."""
        return DifferentiationError(code, reason, self.where(node), cure)

    # what is nested

    def binding(self, node: gast.expr, name: str | None = None) -> Binding:
        """Lower an expression; `name` is the variable that it is about to be assigned to."""
        return self.lower_expression(self, node, name)

    def atom(self, node: gast.expr, name: str | None = None) -> Atom:
        """Lower an expression to a single value; a tuple display becomes a tuple value."""
        return self.materialise(self.binding(node, name), node)

    def block(self, stmts: list[gast.stmt]) -> None:
        """Lower statements one after the other."""
        for stmt in stmts:
            self.lower_statement(self, stmt)

    def aside(self, run: Callable[[], T]) -> tuple[list[Node], T]:
        """Lower into a list of nodes of its own; return these, and what `run` returns."""
        nodes, self.nodes = self.nodes, []
        found = run()
        made, self.nodes = self.nodes, nodes
        return made, found

    # nodes

    def apply(
        self,
        node: gast.AST,
        fn: str,
        args: tuple[Atom, ...],
        name: str | None = None,
        keywords: tuple[tuple[str, Atom], ...] = (),
    ) -> Value:
        """Append a primitive and return its output, named for the variable or else for the primitive."""
        out = Value(name or hint(fn), temporary=name is None)
        made = Apply(out, fn, args, keywords, loc=self.where(node), raises=bool(self.raises))
        self.nodes.append(made)
        self.ranks[out] = rank_of(made, self.ranks)
        if fn == "list":
            self.lists.add(out)
        if fn == "range" and 1 <= len(args) <= 3:
            self.spans[out] = args
        return out

    def append(self, node: gast.AST, items: Atom, item: Atom) -> None:
        """Append what appends an item to a list, whose number of axes this may tell."""
        held = atom_rank(item, self.ranks)
        if isinstance(items, Value) and held is not None and self.ranks.get(items) is None:
            self.ranks[items] = Listed(held + 1)
        self.nodes.append(Effect("append", (items, item), loc=self.where(node)))

    def is_list(self, found: Binding) -> bool:
        """Tell whether a value is known to be a list."""
        is_listed = isinstance(found, Value) and isinstance(self.ranks.get(found), Listed)
        return is_listed or (isinstance(found, Value) and found in self.lists)

    def materialise(self, value: Binding, node: gast.AST) -> Atom:
        """Turn a binding into an atom."""
        if isinstance(value, tuple):
            return self.apply(node, "tuple", tuple(self.materialise(item, node) for item in value))
        if isinstance(value, TypeOf):
            return self.apply(node, "type", (value.value,))
        if isinstance(value, Closure | Transform | Operation):
            raise self.refuse("AD102", "a function cannot be used as a value here", node)
        if isinstance(value, Ambiguous):
            raise self.refuse("AD104", value.reason, node)
        return value
