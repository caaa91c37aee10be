"""Outer products that a loop adds up, as one product of matrices after it.

The adjoint of `w` in `w @ h`, in each step of a recurrence, is an outer product that is added to a whole
matrix. If the loop reads nothing of the sum, the factors are kept as the rows of two matrices instead, and
multiplied at the end: `d_w += d_rows.T @ h_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numba import float32, float64, int64
from numba.core import types as nt

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.alias import is_opaque, shared_memory, written_by
from adcompiler.analysis.sizes import Shapes, Size, form_of, size_of
from adcompiler.analysis.types import element, is_array, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Global,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    entry,
)
from adcompiler.graph.walk import (
    defined,
    free,
    operands,
    regions,
    uses,
    values,
    walk,
    walk_regions,
    with_regions,
)
from adcompiler.primitives import hint


def multiply_at_once(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph with sums of outer products after the loops that make the factors.

    Args:
        graph: a typed graph.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    classes = shared_memory(graph.body)
    counts = uses(graph.body)
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    writers: dict[Value, list[Node]] = {}
    for node in walk(graph.body):
        for array in written_by(node):
            writers.setdefault(classes.get(array, array), []).append(node)

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(map(region, regions(node))))
            sums = _sums(node, classes, counts, shapes) if isinstance(node, For) else []
            if isinstance(node, For) and sums:
                rows = _Rows(node, tuple(nodes), makers, classes, writers, shapes, sizes)
                nodes = _gathered(nodes, node, sums, rows)
            else:
                nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


@dataclass(frozen=True)
class _Sum:
    """An outer product, and the statement that adds it to an array."""

    product: Apply
    store: Store


def _sums(
    loop: For,
    classes: Mapping[Value, Value],
    counts: Mapping[Value, int],
    shapes: Shapes,
) -> list[_Sum]:
    """Return the outer products that each iteration adds to arrays which it does not use otherwise."""
    if not _is_counted(loop) or any(map(is_opaque, walk(loop.body))):
        return []
    own = {node.out: node for node in loop.body.nodes if isinstance(node, Apply)}
    inside = defined(loop.body)
    found = []
    for node in loop.body.nodes:
        product = entry(own, node.value) if isinstance(node, Store) else None
        if product is None or not isinstance(node, Store) or not node.accumulate or node.index:
            continue
        is_ours = product.fn == "np.outer" and counts[product.out] == 1
        is_ours = is_ours and all(_is_vector(atom, inside) for atom in product.args)
        if is_ours and node.array not in inside and shapes.get(node.array) == shapes.get(product.out):
            found.append(_Sum(product, node))
    stores = {each.store for each in found}
    used = {
        classes.get(v, v) for node in walk(loop.body) if node not in stores for v in values(operands(node))
    }
    for inner in walk_regions(loop.body):
        used |= {classes.get(v, v) for v in values(inner.yields)}
    used |= {classes.get(v, v) for v in values(loop.inits)}
    return [each for each in found if classes.get(each.store.array, each.store.array) not in used]


def _is_counted(loop: For) -> bool:
    """Tell whether the first of the indices, in their order, is a constant, and all iterations run."""
    if loop.breaks or loop.independent or loop.checkpoints or loop.parallel:
        return False
    least = _least(loop)
    return least is not None and least >= 0


def _least(loop: For) -> int | None:
    """Return the least index of a loop, where it is a constant."""
    match loop:
        case For(start=Literal(value=int(start)), step=Literal(value=1)):
            return start
        case For(stop=Literal(value=int(stop)), step=Literal(value=-1)):
            return stop + 1
    return None


def _is_vector(atom: Atom, inside: Mapping[Value, None]) -> bool:
    if not isinstance(atom, Value) or not is_array(atom.type) or atom not in inside:
        return False
    return rank(atom.type) == 1 and element(atom.type) in (float64, float32)


@dataclass
class _Rows:
    """Where the vectors of all iterations of a loop are, as rows of matrices.

    Attributes:
        earlier: what stands before the loop, and runs as often as it.
        before: what is to stand before the loop.
        after: what is to stand after the loop.
        stores: what keeps a vector, to stand where the vector is multiplied.
        kept: the matrices made for vectors.
    """

    loop: For
    earlier: Sequence[Node]
    makers: Mapping[Value, Apply]
    classes: Mapping[Value, Value]
    writers: Mapping[Value, list[Node]]
    shapes: Shapes
    sizes: Mapping[Value, Size]
    before: list[Node] = field(default_factory=list)
    after: list[Node] = field(default_factory=list)
    stores: dict[Value, Store] = field(default_factory=dict)
    kept: dict[Value, Value] = field(default_factory=dict)

    @property
    def index(self) -> Value:
        return self.loop.body.params[0]

    def memory(self, array: Value) -> Value:
        return self.classes.get(array, array)

    def of(self, vector: Value, array: Value, axis: int) -> Value:
        """Return the matrix of all values of a vector, which is as long as an axis of an array."""
        found = self._at_hand(vector) or self._added(vector)
        return self._part(*(found or (self._kept(vector, array, axis), 0)))

    def _row_of(self, view: Value) -> tuple[Value, int] | None:
        """Return the matrix from outside that a view is a row of, and the row's distance from the index."""
        made = self.makers.get(view)
        if made is None or made.fn != "getitem" or len(made.args) != 2:
            return None
        base, place = made.args
        form = linear(place, self.makers)
        shift = form - Linear({self.index: 1}) if form is not None else None
        if shift is None or shift.terms or (_least(self.loop) or 0) + shift.constant < 0:
            return None
        if not isinstance(base, Value) or base in defined(self.loop.body) or rank(base.type) != 2:
            return None
        return base, shift.constant

    def _at_hand(self, vector: Value) -> tuple[Value, int] | None:
        """Return the matrix whose row a vector is, if the loop does not write it."""
        found = self._row_of(vector)
        if found is None:
            return None
        return None if self._is_written(found[0]) else found

    def _is_written(self, array: Value) -> bool:
        """Tell whether the loop writes an array after it is made."""
        return not set(walk(self.loop.body)).isdisjoint(self.writers.get(self.memory(array), ()))

    def _added(self, vector: Value) -> tuple[Value, int] | None:
        """Return a matrix of zeros to whose row the vector is added, and nothing else."""
        if self._is_written(vector):
            return None  # it may be another vector by the time that it is multiplied
        for node in self.loop.body.nodes:
            if not isinstance(node, Store) or not node.accumulate or node.index or node.value is not vector:
                continue
            found = self._row_of(node.array)
            made = self.makers.get(found[0]) if found is not None else None
            is_new = made is not None and made.fn.startswith("np.zeros") and made in self.earlier
            if is_new and self.writers[self.memory(node.array)] == [node]:
                return found
        return None

    def _stop(self) -> Atom:
        """Return the number behind the greatest index."""
        if self.loop.step == Literal(1):
            return self.loop.stop
        made = entry(self.makers, self.loop.start)
        if made is not None and made.fn == "sub" and made.args[1] == Literal(1):
            return made.args[0]
        return self._apply(self.before, int64, "add", self.loop.start, Literal(1))

    def _part(self, base: Value, shift: int) -> Value:
        """Return the rows of a matrix that the loop goes through."""
        first, stop = (_least(self.loop) or 0) + shift, self._stop()
        shape = self.shapes.get(base)
        end = form_of(size_of(stop, self.sizes)) + shift
        is_all = base in self.kept.values() or (shape is not None and end == form_of(shape[0]))
        if first == 0 and is_all:
            return base
        if shift:
            stop = self._apply(self.after, int64, "add", stop, Literal(shift))
        part = self._apply(self.after, nt.slice2_type, "slice", Literal(first or None), stop)
        assert base.type is not None
        return self._apply(self.after, base.type, "getitem", base, part)

    def _kept(self, vector: Value, array: Value, axis: int) -> Value:
        """Return a new matrix that each iteration writes a row of."""
        if vector in self.kept:
            return self.kept[vector]
        assert array.type is not None and vector.type is not None
        count = self._apply(self.before, int64, "max", self._stop(), Literal(0))
        made = self.makers.get(array)
        like = made.args[0] if made is not None and made.fn == "np.zeros_like" else array
        shape = self._apply(self.before, nt.UniTuple(int64, rank(array.type)), "shape", like)
        size = self._apply(self.before, int64, "getitem", shape, Literal(axis))
        both = self._apply(self.before, nt.UniTuple(int64, 2), "tuple", count, size)
        kind = element(vector.type)
        dtype = () if kind == float64 else (Global("np.float32", np.float32),)
        rows = self._apply(
            self.before, nt.Array(kind, 2, "C"), "np.empty", both, *dtype, name=f"{vector.name}_rows"
        )
        self.stores[vector] = Store(rows, (self.index,), vector, role=Role.TAPE)
        self.kept[vector] = rows
        return rows

    def _apply(self, nodes: list[Node], kind: nt.Type, fn: str, *args: Atom, name: str = "") -> Value:
        out = Value(name or hint(fn), temporary=True, type=kind)
        nodes.append(Apply(out, fn, args, role=Role.TAPE))
        return out


def _gathered(nodes: list[Node], loop: For, sums: list[_Sum], rows: _Rows) -> list[Node]:
    """Return the nodes before a loop, the loop, and the products after it."""
    for each in sums:
        array, (one, two) = each.store.array, each.product.args
        assert isinstance(one, Value) and isinstance(two, Value)
        left, right = rows.of(one, array, 0), rows.of(two, array, 1)
        assert left.type is not None
        turned = Value(hint("T"), temporary=True, type=left.type.copy(layout="F"))
        rows.after.append(Apply(turned, "T", (left,), role=each.product.role))
        product = replace(each.product, fn="matmul", args=(turned, right))
        zeros = rows.makers.get(array)
        if zeros is not None and _is_first(each, zeros, nodes, sums, rows):
            nodes = [node for node in nodes if node is not zeros]
            rows.after.append(replace(product, out=array))
        else:
            rows.after += [product, each.store]
    return [*nodes, *rows.before, _without(loop, sums, rows), *rows.after]


def _is_first(each: _Sum, zeros: Apply, nodes: list[Node], sums: list[_Sum], rows: _Rows) -> bool:
    """Tell whether a sum is the first use of an array of zeros, so that the array may as well be the sum."""
    if zeros.fn != "np.zeros_like" or zeros not in nodes or element(zeros.out.type) != float64:
        return False
    if [other.store.array for other in sums].count(each.store.array) > 1:
        return False
    between = Region((), (*nodes[nodes.index(zeros) + 1 :], *rows.before), ())
    return not any(rows.memory(value) == rows.memory(zeros.out) for value in free(between))


def _without(loop: For, sums: list[_Sum], rows: _Rows) -> For:
    """Return the loop without the products, with stores of what they multiply in their places."""
    taken = {each.product for each in sums} | {each.store for each in sums}
    nodes: list[Node] = []
    for node in loop.body.nodes:
        if node not in taken:
            nodes.append(node)
        elif isinstance(node, Apply):
            nodes += [rows.stores.pop(v) for v in values(node.args) if v in rows.stores]
    return replace(loop, body=replace(loop.body, nodes=tuple(nodes)))
