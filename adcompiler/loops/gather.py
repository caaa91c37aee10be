"""Sums to neighbours as one loop over the elements that they are added to, instead of one loop for each.

The reversal of `b[i] = w * (a[i - 1] + a[i + 1])` adds d_add to d_a[i - 1] and d_a[i + 1]. What is added is
kept for all iterations, with zeros at both ends, and a loop over the elements of d_a takes what it needs:
`d_a[j] += d_add[j + 1] + d_add[j - 1]`. A scatter becomes a gather (Hückelheim et al. 2019, who split the
ends off where we keep zeros).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from numba import boolean

from adcompiler.analysis.affine import Linear, feasible, linear
from adcompiler.analysis.sizes import Axis, form_of
from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Role, Store, Value, entry
from adcompiler.graph.walk import defined, values
from adcompiler.loops.elements import Elements
from adcompiler.loops.whole_numbers import counted_from, shifted

Makers = Mapping[Value, Apply]
_NEAR = 8
"""Elements further apart are no neighbours: zeros between them would be added in vain."""


@dataclass(frozen=True)
class Term:
    """A sum of a loop to an element at a fixed distance from the loop's index.

    Attributes:
        store: the sum.
        offset: the distance.
        value: what is kept of what is added.
        is_negative: whether that is subtracted.
    """

    store: Store
    offset: int
    value: Value
    is_negative: bool


Span = tuple[Linear | None, Linear | None]
Sums = tuple[Term, ...]
"""Sums of a loop to elements of one row."""


@dataclass(frozen=True)
class Kept:
    """An array of what iterations add; that of the first one stands at `first`."""

    array: Value
    first: int


def sums_to_gather(loop: For, later: Iterable[Store], makers: Makers) -> tuple[list[Sums], set[Store]]:
    """Return the sums to neighbours that one loop over a row can do, and those that `loop` then does itself.

    Args:
        loop: an innermost loop.
        later: its sums that may wait until it has run.
        makers: what computes each value.
    """
    waiting, inside = {*later}, {*defined(loop.body)}
    free_to_go = {store.array for store in waiting} - _accessed(loop.body)
    rows: dict[object, list[Term]] = {}
    for node in loop.body.nodes:
        term = _term(node, loop, makers) if isinstance(node, Store) and node.accumulate else None
        if term is None or term.value not in inside or not inside.isdisjoint(values(term.store.index[:-1])):
            continue
        if term.store in waiting or term.store.array in free_to_go:
            lead = tuple(_key(atom, makers) for atom in term.store.index[:-1])
            rows.setdefault((term.store.array, lead, term.value.type), []).append(term)
    found: list[Sums] = []
    staying: set[Store] = set()
    for row in rows.values():
        stays = None if waiting.issuperset(term.store for term in row) else _staying(row)
        moved = tuple(term for term in row if term is not stays)
        if moved and 0 < width(moved) <= _NEAR:
            found.append(moved)
            staying |= {stays.store} if stays else set()
    return found, staying


def _staying(row: list[Term]) -> Term | None:
    """Return the sum that the loop itself can do, which keeps no array for it; at most one may stay."""
    read = Counter(term.value for term in row)
    alone = [term for term in row if read[term.value] == 1]
    return min(alone, key=lambda term: abs(term.offset), default=None)


def _term(store: Store, loop: For, makers: Makers) -> Term | None:
    offset = distance(store.index[-1], loop.body.params[0], makers)
    made = entry(makers, store.value)
    is_negative = made is not None and made.fn == "neg"
    value = made.args[0] if made is not None and is_negative else store.value
    if offset is None or not isinstance(value, Value) or value.type != element(store.array.type):
        return None
    return Term(store, offset, value, is_negative)


def width(sums: Sums) -> int:
    """Return how far the elements lie apart that one iteration adds to."""
    return max(term.offset for term in sums) - min(term.offset for term in sums)


def _accessed(body: Region) -> set[Value]:
    """Return the arrays of which a loop reads or sets elements."""
    found: set[Value] = set()
    for node in body.nodes:
        match node:
            case Store(accumulate=False):
                found.add(node.array)
            case Apply(fn="getitem", args=(Value() as array, *_)):
                found.add(array)
    return found


def _key(atom: Atom, makers: Makers) -> object:
    form = linear(atom, makers)
    return atom if form is None else (frozenset(form.terms.items()), form.constant)


def distance(atom: Atom, index: Value, makers: Makers) -> int | None:
    """Return the distance of an element's index from the loop's, if it is a number."""
    form = linear(atom, makers)
    return None if form is None or form.terms != {index: 1} else form.constant


def gathered(loop: For, sums: Sums, kept: Mapping[Atom, Kept]) -> list[Node]:
    """Return the loop over the elements of a row.

    Args:
        loop: the loop whose iterations add to neighbours.
        sums: what they add.
        kept: the arrays of what they add, with zeros at both ends.
    """
    first, last = sums[0].store, sums[-1].store
    nodes: list[Node] = []
    least, most = min(term.offset for term in sums), max(term.offset for term in sums)
    start, stop = shifted(nodes, loop.start, least), shifted(nodes, loop.stop, most)
    index = Value(loop.body.params[0].name, type=loop.body.params[0].type)
    body: list[Node] = []
    total = _total(loop, sums, kept, index, body)
    body.append(replace(last, index=(*first.index[:-1], index), value=total))
    nodes.append(
        replace(loop, start=start, stop=stop, inits=(), body=Region((index,), (*body,), ()), outs=())
    )
    return nodes


def only_if(count: Value, nodes: list[Node], role: Role) -> list[Node]:
    """Return nodes behind the test that a loop has iterations."""
    runs = Value("runs", temporary=True, type=boolean)
    then, orelse = (Region((), part, ()) for part in ((*nodes,), ()))
    return [
        Apply(runs, "gt", (count, Literal(0)), role=role),
        If(runs, then, orelse, (), role=role),
    ]


def _total(loop: For, sums: Sums, kept: Mapping[Atom, Kept], index: Value, nodes: list[Node]) -> Atom:
    """Return the sum of what all iterations add to one element."""
    total: Atom | None = None
    for term in sorted(sums, key=lambda term: term.is_negative):
        made, store = kept[term.value], term.store
        place = counted_from(nodes, index, loop.start, made.first - term.offset)
        item = Value("item", temporary=True, type=term.value.type)
        nodes.append(Apply(item, "getitem", (made.array, place), loc=store.loc, role=store.role))
        fn = ("sub" if total else "neg") if term.is_negative else "add"
        if total is None and not term.is_negative:
            total = item
            continue
        out = Value(fn, temporary=True, type=item.type)
        nodes.append(
            Apply(out, fn, (item,) if total is None else (total, item), loc=store.loc, role=store.role)
        )
        total = out
    assert total is not None
    return total


def stays_inside(sums: Sums, loop: For, elements: Elements, bounds: list[Linear]) -> bool:
    """Tell whether neighbours of iterations are elements even if there is no iteration.

    Args:
        sums: the sums to them.
        loop: the loop.
        elements: knows the sizes of arrays.
        bounds: forms that are zero or more in the loops around it.
    """
    store, offsets = sums[0].store, [term.offset for term in sums]
    start, stop = linear(loop.start, elements.makers), linear(loop.stop, elements.makers)
    if start is None or stop is None:
        return False
    spans = [*_places(store.index[:-1], elements), (start + min(offsets), stop + max(offsets))]
    return _fit(store.array, spans, elements, bounds)


def is_element(store: Store, elements: Elements, bounds: list[Linear]) -> bool:
    """Tell whether a store is to an element in all iterations of the loops that bounds are of."""
    return _fit(store.array, _places(store.index, elements), elements, bounds)


def _places(index: Iterable[Atom], elements: Elements) -> list[Span]:
    forms = (linear(atom, elements.makers) for atom in index)
    return [(form, None if form is None else form + 1) for form in forms]


def _fit(array: Value, spans: list[Span], elements: Elements, bounds: list[Linear]) -> bool:
    """Tell whether spans, without their ends, are of elements of an array."""
    shape = elements.shapes.get(array, ())
    known = [_in_sizes(form, elements) for form in bounds]
    for axis, (low, high) in enumerate(spans):
        if low is None or high is None or axis >= len(shape):
            return False
        least, room = _in_sizes(low, elements), form_of(shape[axis]) - _in_sizes(high, elements)
        symbols = {symbol for form in (*known, least, room) for symbol in form.terms}
        conditions = [*known, *(Linear({symbol: 1}) for symbol in symbols if isinstance(symbol, Axis))]
        if any(feasible([*conditions, -1 * form - 1]) for form in (least, room)):
            return False
    return True


def _in_sizes(form: Linear, elements: Elements) -> Linear:
    """Return a form in the symbols of sizes, but for those that are zero where their own form is negative."""
    found = Linear({}, form.constant)
    for symbol, factor in form.terms.items():
        size = elements.in_sizes(Linear({symbol: 1}))
        axes = [Linear({axis: 1}) for axis in size.terms if isinstance(axis, Axis)]
        is_size = not feasible([*axes, -1 * size - 1])
        found = found + factor * (size if is_size else Linear({symbol: 1}))
    return found
