"""Write a group of elementwise expressions, stores and sums as one nest of loops."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.fusible import summed_axes
from adcompiler.analysis.types import element, is_array, is_complex
from adcompiler.graph.kinds import zero_of
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    type_of,
)
from adcompiler.graph.walk import substitute
from adcompiler.loops.elements import Access, write_index
from adcompiler.prepare.allocation import allocate
from adcompiler.primitives import card, hint

_COUNTERS = "ijklmnpq"
TARGET = -1
Operand = tuple[Apply | Store, int]
"""A node, and the position of an argument; `TARGET` for what a store writes."""


@dataclass
class _Nest:
    """A nest of loops while it is written.

    Attributes:
        accesses: where each array is read or written.
        counters: the index of each loop, outermost first.
        body: the nodes of the innermost loop.
        numbers: the element of each array that the nest computes.
        sums: for each sum, its value before and after an iteration.
        partial: those of the sums that are stored for each index of some loops, and of which.
    """

    accesses: Mapping[Operand, Access]
    counters: list[Value]
    body: list[Node] = field(default_factory=list)
    numbers: dict[Value, Atom] = field(default_factory=dict)
    sums: dict[Value, tuple[Value, Atom]] = field(default_factory=dict)
    partial: dict[Value, tuple[int, ...]] = field(default_factory=dict)

    def apply(self, fn: str, *args: Atom, like: Apply, kind: nt.Type) -> Value:
        out = Value(like.out.name, like.out.temporary, kind)
        self.body.append(Apply(out, fn, args, loc=like.loc, role=like.role))
        return out

    def read(self, node: Apply | Store, position: int = 0) -> Atom:
        """Return the element of an operand."""
        atom = node.value if isinstance(node, Store) else node.args[position]
        if isinstance(atom, Value) and atom in self.numbers:
            return self.numbers[atom]
        if (node, position) not in self.accesses:
            return atom
        array, places = self.accesses[node, position]
        if not is_array(type_of(array)):
            return array
        index = write_index(places, self.counters, self.body)
        out = Value(hint("getitem"), temporary=True, type=element(type_of(array)))
        self.body.append(Apply(out, "getitem", (array, *index), role=Role.TAPE))
        return out


def write_loops(
    nodes: Sequence[Apply | Store],
    accesses: Mapping[Operand, Access],
    bounds: Sequence[Atom],
    kept: Collection[Value],
) -> list[Node]:
    """Return a nest of loops that computes the same.

    Args:
        nodes: expressions over arrays of one shape, stores of that shape, sums of such arrays.
        accesses: for each array that is read, and each store, where in which array it is.
        bounds: number of iterations of each loop, outermost first.
        kept: values that are used elsewhere, too.
    """
    counters = [Value(_COUNTERS[k], type=int64) for k in range(len(bounds))]
    nest = _Nest(accesses, counters)
    before: list[Node] = []
    after: list[Node] = []
    rows = _rows(nodes, kept)
    for node in nodes:
        if isinstance(node, Store):
            if isinstance(node.value, Value) and rows.get(node.value) is node:
                continue
            value = nest.read(node)
            array, places = accesses[node, TARGET]
            assert isinstance(array, Value)
            index = tuple(write_index(places, counters, nest.body))
            nest.body.append(Store(array, index, value, node.accumulate, loc=node.loc, role=node.role))
        elif node.fn in ("np.sum", "np.mean"):
            _sum(nest, node, bounds, before, after)
        else:
            number = _element(nest, node, node.out in kept)
            nest.numbers[node.out] = number
            if node.out in kept:
                row = rows.get(node.out)
                place = (
                    []
                    if row is None
                    else [Apply(node.out, "getitem", (row.array, *row.index), role=row.role)]
                )
                before += place or allocate("np.empty", node.out, bounds)
                nest.body.append(Store(node.out, tuple(counters), number, loc=node.loc, role=node.role))
    quotes = {node.loc.statement for node in nodes}
    return [*before, *_loops(nest, bounds, nodes[-1] if len(quotes) == 1 else None), *after]


def _rows(nodes: Sequence[Apply | Store], kept: Collection[Value]) -> dict[Value, Store]:
    """Return the copies of arrays to a tape: these arrays are computed in their place on the tape."""
    stores = [
        n for n in nodes if isinstance(n, Store) and n.value in kept and n.role is Role.TAPE and n.index
    ]
    return {n.value: n for n in reversed(stores) if isinstance(n.value, Value)}  # one place for each


def _element(nest: _Nest, node: Apply, is_kept: bool) -> Atom:
    """Append the computation of one element; where the array is kept, it has the name."""
    kind = element(node.out.type)
    if node.fn in ("copy", "astype"):
        number = nest.read(node)
        is_known = node.fn == "copy" or type_of(number) == kind
        return number if is_known else nest.apply(f"np.{kind}", number, like=node, kind=kind)
    args = [nest.read(node, position) for position in range(len(node.args))]
    match node:
        case Apply(fn="pow", args=(_, Literal(value=2))) if is_complex(kind):
            args, node = [args[0], args[0]], replace(node, fn="mul")  # Numba has one power for all exponents
        case Apply(fn="np.where"):
            out = Value(node.out.name, node.out.temporary or is_kept, type=kind)
            arms = [Region((), (), (arg,)) for arg in args[1:]]
            nest.body.append(If(args[0], arms[0], arms[1], (out,), loc=node.loc, role=node.role))
            return out
    like = replace(node, out=Value(node.out.name, True)) if is_kept else node
    return nest.apply(card(node.fn).on_numbers or node.fn, *args, like=like, kind=kind)


def _sum(nest: _Nest, node: Apply, bounds: Sequence[Atom], before: list[Node], after: list[Node]) -> None:
    """Append what sums elements: in a number over the last axes, in memory over others."""
    term = nest.read(node)
    axes = summed_axes(node) or ()
    kept = tuple(level for level in range(len(bounds)) if level not in axes)
    kind = element(node.out.type)
    last = len(bounds) - 1
    if kept and last in kept:
        before += _zeros(node, [bounds[level] for level in kept])
        index = tuple(nest.counters[level] for level in kept)
        nest.body.append(Store(node.out, index, term, True, loc=node.loc, role=node.role))
        return
    total = node.out
    if kept:
        is_whole = kept[-1] == len(kept) - 1  # nothing is summed around what is kept
        sizes = [bounds[level] for level in kept]
        before += allocate("np.empty", total, sizes) if is_whole else _zeros(node, sizes)
        nest.partial[total] = kept
    elif node.fn == "np.mean":
        total = Value("total", temporary=True, type=kind)
        count = bounds[0]
        for bound in bounds[1:]:
            size = Value("size", temporary=True, type=int64)
            after.append(Apply(size, "mul", (count, bound)))
            count = size
        after.append(Apply(node.out, "truediv", (total, count), loc=node.loc, role=node.role))
    entry = Value(total.name, temporary=True if kept else total.temporary, type=kind)
    nest.sums[total] = entry, nest.apply("add", entry, term, like=node, kind=kind)


def _zeros(node: Apply, sizes: Sequence[Atom]) -> list[Node]:
    return [replace(made, loc=node.loc, role=node.role) for made in allocate("np.zeros", node.out, sizes)]


def _loops(nest: _Nest, bounds: Sequence[Atom], like: Apply | Store | None) -> list[Node]:
    """Wrap the body in loops that carry the sums."""
    nodes = nest.body
    carried = dict(nest.sums)
    for level in range(len(bounds) - 1, -1, -1):
        if bounds[level] == Literal(1) and not carried:  # an axis of size 1
            once = substitute(Region((), tuple(nodes), ()), {nest.counters[level]: Literal(0)})
            nodes = [*once.nodes]
            continue
        params: list[Value] = []
        inits: list[Atom] = []
        yields: list[Atom] = []
        outs: list[Value] = []
        stores: list[Node] = []
        for total, (entry, last) in list(carried.items()):
            params.append(entry)
            yields.append(last)
            kept = nest.partial.get(total, ())
            if kept and kept[-1] == level - 1:
                out = _number(total)
                index = tuple(nest.counters[axis] for axis in kept)
                stores.append(Store(total, index, out, kept[-1] != len(kept) - 1))
                inits.append(Literal(zero_of(element(total.type))))
                del carried[total]
            elif level == 0:
                out = total
                inits.append(Literal(zero_of(element(total.type))))
            else:
                out, outer = _number(total), _number(total)
                carried[total] = outer, out
                inits.append(outer)
            outs.append(out)
        body = Region((nest.counters[level], *params), tuple(nodes), tuple(yields))
        loop = For(Literal(0), bounds[level], Literal(1), tuple(inits), body, tuple(outs))
        loop = loop if like is None else replace(loop, loc=like.loc, role=like.role)
        nodes = [loop, *stores]
    return nodes


def _number(total: Value) -> Value:
    return Value(total.name, temporary=True, type=element(total.type))
