"""Products of a matrix and the rows of another, one in each iteration, as one product before the loop.

`w @ x[t]` for each t is row t of `x @ w.T`. A product of matrices reads the matrix from memory once and not
in each iteration, and so do the two products that reverse it, in place of an outer product that is added up
in each iteration. Where an iteration takes a part of the matrix that grows or shrinks by one (`x[:, i:]`),
half of the product is for nothing, which costs less than it gains. An iteration may overwrite the row that it
has taken (`x[t] = w @ x[t]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.alias import is_opaque, shared_memory, written_arrays, written_by
from adcompiler.analysis.result_kinds import kind_of_item
from adcompiler.analysis.sizes import Shapes, Size, size_of
from adcompiler.analysis.types import element, is_array, is_scalar, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import defined, operands, regions, values, walk, with_regions
from adcompiler.primitives import Follows, card, hint

_NONE = Literal(None)


def multiply_rows_at_once(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with products of rows before the loops that take the rows.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    classes = shared_memory(graph.body)

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(map(region, regions(node))))
            if isinstance(node, For) and _is_plain(node):
                before, node = _without_products(_iteration(node, classes, shapes, sizes))
                nodes += before
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _is_plain(loop: For) -> bool:
    """Tell whether a loop runs all its iterations, counting up from a constant, and does nothing unknown."""
    starts = isinstance(loop.start, Literal) and isinstance(loop.step, Literal) and loop.step.value == 1
    is_ordered = not (loop.breaks or loop.independent or loop.checkpoints)
    return starts and is_ordered and not any(map(is_opaque, walk(loop.body)))


def _iteration(
    loop: For, classes: Mapping[Value, Value], shapes: Shapes, sizes: Mapping[Value, Size]
) -> _Iteration:
    makers = {node.out: node for node in loop.body.nodes if isinstance(node, Apply)}
    written = {classes.get(array, array) for array in written_arrays(loop.body)}
    return _Iteration(loop, makers, set(defined(loop.body)), classes, written, shapes, sizes)


@dataclass
class _Iteration:
    """What an iteration takes from outside, and what is moved there.

    Attributes:
        loop: the loop.
        makers: what computes the values of an iteration.
        inside: the values that are not known before the loop.
        classes: the memory class of each array.
        written: classes that the loop writes.
        sizes: what is known of the numbers that are sizes.
        before: nodes to stand before the loop.
    """

    loop: For
    makers: dict[Value, Apply]
    inside: set[Value]
    classes: Mapping[Value, Value]
    written: set[Value]
    shapes: Shapes
    sizes: Mapping[Value, Size]
    before: list[Node] = field(default_factory=list)

    @property
    def first(self) -> int:
        assert isinstance(self.loop.start, Literal)
        return int(self.loop.start.value)

    def stays(self, atom: Atom) -> bool:
        """Tell whether an atom is the same in each iteration, memory included."""
        if not isinstance(atom, Value):
            return True
        if self.classes.get(atom, atom) in self.written:
            return False
        made = self.makers.get(atom)
        is_moved = made is not None and _is_view(made) and all(map(self.stays, operands(made)))
        return atom not in self.inside or is_moved

    def takes_own(self, base: Value, index: list[Atom], product: Apply) -> bool:
        """Tell whether each iteration takes its row before it writes there, and writes to no other row.

        Args:
            base: what it takes the row from.
            index: where, with the loop's index last.
            product: what reads the row.
        """
        if base in self.inside or self.shift(index[-1]) is None or not all(map(self.stays, index[:-1])):
            return False
        memory, place = self.classes.get(base, base), self.loop.body.nodes.index(product)
        return all(
            k > place and self._is_to(node, base, index)
            for k, top in enumerate(self.loop.body.nodes)
            for node in walk(Region((), (top,), ()))
            if any(self.classes.get(array, array) is memory for array in written_by(node))
        )

    def _is_to(self, node: Node, base: Atom, index: list[Atom]) -> bool:
        """Tell whether a node stores to an element of an array, or to a part of it."""
        if not isinstance(node, Store) or node.array is not base or len(node.index) < len(index):
            return False
        *front, last = node.index[: len(index)]
        return front == index[:-1] and self.shift(last) == self.shift(index[-1])

    def ahead(self, value: Atom) -> None:
        """Move the views that make a value which stays the same before the loop."""
        if isinstance(value, Value) and value in self.inside:
            made = self.makers[value]
            for part in values(operands(made)):
                self.ahead(part)
            self.inside.discard(value)
            self.before.append(made)

    def shift(self, atom: Atom) -> int | None:
        """Return what is added to the loop's index, where that is a constant and no index is negative."""
        form = linear(atom, self.makers)
        rest = form - Linear({self.loop.body.params[0]: 1}) if form else None
        is_constant = rest is not None and not rest.terms and rest.constant + self.first >= 0
        return rest.constant if rest is not None and is_constant else None

    def slice(self, atom: Atom) -> tuple[Atom, Atom] | None:
        """Return the bounds of a slice without a step."""
        made = self.makers.get(atom) if isinstance(atom, Value) else None
        if made is None or made.fn != "slice" or len(made.args) != 2:
            return None
        return made.args[0], made.args[1]

    def is_whole(self, atom: Atom) -> bool:
        return self.slice(atom) == (_NONE, _NONE)

    def add(self, fn: str, *args: Atom, kind: nt.Type, name: str = "") -> Value:
        """Append a node to those before the loop."""
        out = Value(name or hint(fn), temporary=True, type=kind)
        self.before.append(Apply(out, fn, args, role=Role.TAPE if fn == "slice" else Role.PRIMAL))
        return out

    def part(self, base: Atom, *index: Atom) -> Value:
        kind = kind_of_item(type_of(base), [type_of(atom) for atom in index], index)
        return self.add("getitem", base, *index, kind=kind)

    def turned(self, matrix: Atom) -> Value:
        layout = {"C": "F", "F": "C"}.get(type_of(matrix).layout, "A")
        return self.add("T", matrix, kind=type_of(matrix).copy(layout=layout))


def _is_view(node: Apply) -> bool:
    return node.fn == "slice" or (card(node.fn).is_view and node.fn in ("getitem", "T"))


@dataclass(frozen=True)
class _Rows:
    """Which rows of a matrix, or columns, an iteration takes one of: from an axis of `base[index]`."""

    base: Value
    index: tuple[Atom, ...]
    shift: int
    are_columns: bool = False


@dataclass(frozen=True)
class _Matrix:
    """A matrix, and which part of it an iteration takes along the axis that is not summed over."""

    base: Value
    lower: Atom = _NONE
    upper: Atom = _NONE
    length: int | None = None
    """What is added to the loop's index to get the end of the part, if that varies."""

    @property
    def is_whole(self) -> bool:
        return self.lower == self.upper == _NONE


def _without_products(known: _Iteration) -> tuple[list[Node], For]:
    """Return what is to stand before a loop, and the loop in which products are rows of those before it."""
    nodes: list[Node] = []
    for node in known.loop.body.nodes:
        found = _operands(node, known) if isinstance(node, Apply) else None
        nodes += _picked(node, *found, known) if isinstance(node, Apply) and found is not None else [node]
    moved = set(known.before)
    kept = tuple(node for node in nodes if node not in moved)
    return known.before, replace(known.loop, body=replace(known.loop.body, nodes=kept))


def _is_product(node: Apply) -> bool:
    """Tell whether a node multiplies a matrix and a vector."""
    if card(node.fn).follows is not Follows.PRODUCT or node.keywords or not is_array(node.out.type):
        return False
    return sorted(rank(type_of(atom)) for atom in node.args) == [1, 2]


def _operands(node: Apply, known: _Iteration) -> tuple[_Rows, _Matrix, bool] | None:
    """Return the rows, the matrix, and whether the matrix stands first, where a node multiplies these."""
    if not _is_product(node):
        return None
    is_first = rank(type_of(node.args[0])) == 2
    matrix, vector = node.args if is_first else node.args[::-1]
    shape = entry(known.shapes, matrix)
    if shape is None or all(isinstance(size, int) for size in shape):
        return None  # arrays of a few numbers are those numbers
    rows, whole = _rows(vector, node, known), _matrix(matrix, 0 if is_first else 1, known)
    return None if rows is None or whole is None else (rows, whole, is_first)


def _rows(vector: Atom, product: Apply, known: _Iteration) -> _Rows | None:
    """Return the rows or columns that a vector is one of."""
    made = known.makers.get(vector) if isinstance(vector, Value) else None
    if made is None or made.fn != "getitem":
        return None
    base, *index = made.args
    assert isinstance(base, Value)
    while len(index) > 1 and known.is_whole(index[-1]):
        index.pop()
    if not (known.stays(base) or known.takes_own(base, index, product)):
        return None
    shift = known.shift(index[-1])
    if shift is None or not all(map(known.stays, index[:-1])):
        return None
    if all(is_scalar(type_of(atom)) for atom in index) and rank(type_of(base)) == len(index) + 1:
        return _Rows(base, tuple(index[:-1]), shift)
    if len(index) == rank(type_of(base)) == 2 and known.is_whole(index[0]):
        return _Rows(base, (), shift, are_columns=True)
    return None


def _matrix(matrix: Atom, axis: int, known: _Iteration) -> _Matrix | None:
    """Return a matrix that stays the same, or one of which an iteration takes all but some at one end."""
    assert isinstance(matrix, Value)
    if known.stays(matrix):
        return _Matrix(matrix)
    made = known.makers.get(matrix)
    if made is None or made.fn != "getitem" or not known.stays(made.args[0]):
        return None
    base, *index = made.args
    bounds = known.slice(index[axis]) if len(index) > axis else None
    others = [atom for k, atom in enumerate(index) if k != axis]
    if bounds is None or rank(type_of(base)) != 2 or not all(map(known.is_whole, others)):
        return None
    assert isinstance(base, Value)
    lower, upper = bounds
    if known.stays(upper) and known.shift(lower) is not None:
        return _Matrix(base, lower, upper)
    length = known.shift(upper)
    if lower in (_NONE, Literal(0)) and length is not None:
        return _Matrix(base, lower, upper, length)
    return None


def _picked(node: Apply, rows: _Rows, matrix: _Matrix, is_first: bool, known: _Iteration) -> list[Node]:
    """Write the product of all rows before the loop, and return what picks one of its rows."""
    for atom in (rows.base, *rows.index, matrix.base):
        known.ahead(atom)
    factors = _all_rows(rows, known), _all_columns(matrix, is_first, known)
    kind = nt.Array(element(node.out.type), 2, "C")
    products = known.add(node.fn, *factors, kind=kind)
    found: list[Node] = []
    place = known.loop.body.params[0]
    if known.first:
        place = Value("row", temporary=True, type=int64)
        found.append(Apply(place, "sub", (known.loop.body.params[0], Literal(known.first)), role=Role.TAPE))
    index = [place]
    if not matrix.is_whole:
        index.append(Value("slice", temporary=True, type=nt.slice2_type))
        found.append(Apply(index[1], "slice", (matrix.lower, matrix.upper), role=Role.TAPE))
    return [*found, replace(node, fn="getitem", args=(products, *index))]


def _all_rows(rows: _Rows, known: _Iteration) -> Value:
    """Return the rows that the loop takes, one below the other."""
    base = known.part(rows.base, *rows.index) if rows.index else rows.base
    axis = int(rows.are_columns)
    start, stop = known.first + rows.shift, known.loop.stop
    shape = entry(known.shapes, rows.base)
    size = shape[len(rows.index) + axis] if shape else None
    if start or rows.shift or size_of(stop, known.sizes) != size:
        end = known.add("add", stop, Literal(rows.shift), kind=int64) if rows.shift else stop
        part = known.add("slice", Literal(start or None), end, kind=nt.slice2_type)
        whole = [known.add("slice", _NONE, _NONE, kind=nt.slice2_type)] * axis
        base = known.part(base, *whole, part)
    return known.turned(base) if rows.are_columns else base


def _all_columns(matrix: _Matrix, is_first: bool, known: _Iteration) -> Value:
    """Return the matrix to multiply rows by, of which the loop takes some part each time."""
    base = matrix.base
    if matrix.length is not None:
        end = known.add("add", known.loop.stop, Literal(matrix.length - 1), kind=int64)
        part = known.add("slice", _NONE, end, kind=nt.slice2_type)
        whole = known.add("slice", _NONE, _NONE, kind=nt.slice2_type)
        base = known.part(base, *((part,) if is_first else (whole, part)))
    return known.turned(base) if is_first else base
