"""Numbers that an inner loop computes alike in every iteration of an outer one: once, into a table.

`u[i] *= np.exp(-k * x[i])` in each time step, `np.log(w[c])` for each sample: the table is filled by a loop
of its own, which can then run before the outer one; the adjoint of an entry is what all iterations add to it.
Loop distribution with scalar expansion (Kennedy and McKinley 1990; Padua and Wolfe 1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from numba import float64, int64
from numba.core import types as nt

from adcompiler.analysis.cannot_fail import CannotFail
from adcompiler.analysis.sizes import size_of
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import all_reads, clone, defined, operands, values
from adcompiler.primitives import Gives, card, hint

_CHEAP_POWERS = range(5)


@dataclass
class _Table:
    """An array for a number that is the same in each iteration of the outer loop.

    Attributes:
        array: what holds it.
        loops: the loops around it, outermost first; their indices are its indices.
        made: what computes it.
    """

    array: Value
    loops: tuple[For, ...]
    made: Apply


def tabulated(
    loop: For, outer: For | While, is_changed: Callable[[Value], bool], safe: CannotFail
) -> list[Node]:
    """Return what fills tables, and a loop that reads them; nothing if it computes no such numbers.

    Args:
        loop: a loop in the body of another.
        outer: the other.
        is_changed: whether the memory of an array is written in an iteration of `outer`.
        safe: tells what cannot fail; learns of the tables.
    """
    inside = frozenset(defined(outer.body))
    search = _Search(inside, {*inside}, is_changed, safe)
    rest = search.rewritten(loop, ())
    if not search.tables:
        return []
    nodes: list[Node] = []
    for loops in dict.fromkeys(table.loops for table in search.tables):
        tables = [table for table in search.tables if table.loops == loops]
        nodes += [node for table in tables for node in _allocated(table, safe)]
        nodes.append(search.filling(loops, tables))
    return [*nodes, rest]


@dataclass
class _Search:
    """Looks for numbers that are alike in all iterations of a loop.

    Attributes:
        inside: what an iteration defines.
        changing: what of it is not alike.
        is_changed: whether the memory of an array is written in an iteration.
        safe: tells what cannot fail.
        fixed: what computes numbers that are alike, by the loop in which it stands.
        tables: those that were found.
    """

    inside: frozenset[Value]
    changing: set[Value]
    is_changed: Callable[[Value], bool]
    safe: CannotFail
    fixed: dict[For, list[Apply]] = field(default_factory=dict)
    tables: list[_Table] = field(default_factory=list)

    def rewritten(self, loop: For, above: tuple[For, ...]) -> For:
        """Return a loop that reads tables, also in the loops inside."""
        if not self.may_index(loop):
            return loop
        self.changing.discard(loop.body.params[0])
        loops = (*above, loop)
        varying, costly = {loop.body.params[0]}, set[Value]()
        self.fixed[loop] = fixed = []
        nodes: list[Node] = []
        for node in loop.body.nodes:
            if isinstance(node, For):
                node = self.rewritten(node, loops)
            elif isinstance(node, Apply) and self.is_alike(node):
                self.changing.discard(node.out)
                fixed.append(node)
                reads = {*values(operands(node))}
                varying |= set() if varying.isdisjoint(reads) else {node.out}
                is_costly = node.out in varying and (_is_costly(node) or _is_divisor(node, loop))
                costly |= {node.out} if is_costly or not costly.isdisjoint(reads) else set()
            nodes.append(node)
        needed = {*values(loop.body.yields)}
        kept: list[Node] = []
        for node in reversed(nodes):
            if node in fixed and isinstance(node, Apply):
                if node.out not in needed:
                    continue
                if node.out in costly and node.out.type == float64:
                    node = self.read(node, loops)
            needed |= all_reads(node)
            kept.append(node)
        return replace(loop, body=replace(loop.body, nodes=tuple(kept[::-1])))

    def may_index(self, loop: For) -> bool:
        """Tell whether the index of a loop counts by one, from zero or more, to what does not change."""
        if loop.breaks or loop.independent or loop.checkpoints is not None:
            return False
        first, last = (loop.start, loop.stop) if loop.step == Literal(1) else (loop.stop, loop.start)
        is_by_one = loop.step in (Literal(1), Literal(-1))
        least = 0 if loop.step == Literal(1) else -1
        is_from_zero = isinstance(first, Literal) and first.value >= least
        return is_by_one and is_from_zero and last not in self.inside

    def is_alike(self, node: Apply) -> bool:
        """Tell whether a node computes a number from what does not change and the indices of the loops."""
        known = card(node.fn)
        if not is_scalar(node.out.type) or not known.is_pure or known.is_call or known.is_opaque:
            return False
        arrays = [value for value in values(operands(node)) if not is_scalar(type_of(value))]
        is_load = node.fn == "getitem" or known.measures
        is_known = is_load or not arrays
        are_alike = self.changing.isdisjoint(values(operands(node))) and not any(map(self.is_changed, arrays))
        return is_known and are_alike

    def read(self, node: Apply, loops: tuple[For, ...]) -> Apply:
        """Return what reads a number from a new table."""
        kind = nt.Array(float64, len(loops), "C")
        array = Value(f"{node.out.name}_table", temporary=node.out.temporary, type=kind)
        self.tables.append(_Table(array, loops, node))
        index = tuple(loop.body.params[0] for loop in loops)
        return replace(node, fn="getitem", args=(array, *index))

    def filling(self, loops: tuple[For, ...], tables: list[_Table]) -> For:
        """Return a nest that fills tables."""
        needed = {table.made.out for table in tables}
        inner: list[Node] = []
        for loop in reversed(loops):
            nodes: list[Node] = []
            for node in reversed(self.fixed[loop]):
                if node.out in needed:
                    needed.update(values(operands(node)))
                    nodes.append(node)
            nest = [*nodes[::-1], *inner]
            if loop is loops[-1]:
                index = tuple(each.body.params[0] for each in loops)
                nest += [Store(table.array, index, table.made.out, loc=table.made.loc) for table in tables]
            body = Region(loop.body.params[:1], tuple(nest), ())
            inner = [replace(loop, inits=(), outs=(), body=body)]
        (copy,) = clone(Region((), tuple(inner), ()), {}).nodes
        assert isinstance(copy, For)
        self.enter(copy)
        return copy

    def enter(self, loop: For) -> None:
        for node in loop.body.nodes:
            if isinstance(node, Apply):
                self.safe.integers.enter(node, ())
            elif isinstance(node, For):
                self.enter(node)


def _is_divisor(node: Apply, loop: For) -> bool:
    """Tell whether a loop divides by what a node computes: the slope by a divisor is that by all it is of."""
    divisions = (n for n in loop.body.nodes if isinstance(n, Apply) and n.fn == "truediv")
    return node.fn != "getitem" and any(division.args[1] is node.out for division in divisions)


def _is_costly(node: Apply) -> bool:
    """Tell whether computing a number again takes longer than reading it: a function, or a quotient."""
    known = card(node.fn)
    if node.fn == "pow" and isinstance(node.args[1], Literal):
        return node.args[1].value not in _CHEAP_POWERS
    if node.fn == "truediv":
        return isinstance(node.args[1], Value)
    is_function = known.is_elementwise and known.gives is Gives.REAL
    is_product = (known.is_cheap or known.is_cheap_on_arrays) and not known.is_steep_at_zero
    return is_function and not is_product


def _allocated(table: _Table, safe: CannotFail) -> list[Node]:
    """Return what makes a table."""
    nodes: list[Node] = []
    sizes: list[Atom] = []
    for loop in table.loops:
        size: Atom = loop.stop
        if loop.step == Literal(-1):
            size = _applied(nodes, "add", (loop.start, Literal(1)), safe)
        form = safe.integers.form(size)
        if form is None or not safe.integers.is_known(form, ()):
            size = _applied(nodes, "max", (size, Literal(0)), safe)
        sizes.append(size)
    shape = sizes[0]
    if len(sizes) > 1:
        shape = Value(hint("shape"), temporary=True, type=nt.UniTuple(int64, len(sizes)))
        nodes.append(Apply(shape, "tuple", tuple(sizes)))
    safe.shapes[table.array] = tuple(size_of(size, safe.integers.sizes) for size in sizes)
    return [*nodes, Apply(table.array, "np.empty", (shape,))]


def _applied(nodes: list[Node], fn: str, args: tuple[Atom, ...], safe: CannotFail) -> Value:
    out = Value(hint(fn), temporary=True, type=int64)
    made = Apply(out, fn, args)
    safe.integers.enter(made, ())
    nodes.append(made)
    return out
