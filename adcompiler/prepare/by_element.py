"""Expressions on arrays of a few numbers, written out element by element."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numba import float64
from numba.core import types as nt

from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.prepare.allocation import allocate
from adcompiler.prepare.small_arrays import (
    constant_index,
    constant_shape,
    display_items,
    is_unit_matrix,
    start_of,
    sums_products,
)
from adcompiler.primitives import card, hint

Grid = Any
"""An array of Python objects: elements, or the numbers by which they are known."""
NOTHING = Literal(0.0)
"""What stands in for elements that were never written."""


@dataclass
class ByElement:
    """Elements of arrays at one point of a program, and the nodes that compute them.

    Attributes:
        chosen: arrays that become numbers.
        shapes: symbolic shape of every array.
        makers: what computes each value.
        cells: the elements that each of these arrays shows, by numbers: views share them with their arrays.
        names: a name for each element, whether it is a hint, and its type.
        held: what each element is at this point, if anything.
        mapping: what stands in the place of numbers that were read off arrays.
        renamed: values that have the name of an element, as it is stored there.
        nodes: the region that is being written.
    """

    chosen: set[Value]
    shapes: Shapes
    makers: dict[Value, Node]
    cells: dict[Value, Grid] = field(default_factory=dict)
    names: list[tuple[str, bool, nt.Type]] = field(default_factory=list)
    held: dict[int, Atom] = field(default_factory=dict)
    mapping: dict[Value, Atom] = field(default_factory=dict)
    renamed: dict[Value, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    # what there is

    def is_chosen(self, atom: object) -> bool:
        return isinstance(atom, Value) and atom in self.chosen

    def shape(self, array: Atom) -> tuple[int, ...]:
        shape = constant_shape(self.shapes, array)
        assert shape is not None
        return shape

    def fresh(self, array: Value) -> Grid:
        """Return elements that nothing else shows, named after an array."""
        shape, first = self.shape(array), len(self.names)
        for place in np.ndindex(*shape):
            name = array.name if array.temporary else "_".join(map(str, (array.name, *place)))
            self.names.append((name, array.temporary, element(array.type)))
        return np.arange(first, len(self.names)).reshape(shape)

    def value_of(self, cell: int) -> Value:
        """Return a new value with the name of an element."""
        return Value(*self.names[cell])

    def content(self, cell: int) -> Atom:
        return self.held.get(int(cell), NOTHING)

    def read(self, atom: Atom) -> Atom:
        return self.mapping.get(atom, atom) if isinstance(atom, Value) else atom

    def elements(self, atom: Atom, shape: tuple[int, ...], like: Node | None) -> list[Atom]:
        """Return what stands at each place of an operand that is stretched to a shape, in C order."""
        if isinstance(atom, Value) and atom in self.chosen:
            return [self.content(cell) for cell in np.broadcast_to(self.cells[atom], shape).ravel()]
        atom = self.read(atom)
        own = None if atom == UNDEFINED else constant_shape(self.shapes, atom)
        if own is None:
            return [atom] * math.prod(shape)
        found = [self.item(atom, place, like) for place in np.ndindex(*own)]
        places = np.broadcast_to(np.arange(len(found)).reshape(own), shape)
        return [found[place] for place in places.ravel()]

    def item(self, array: Atom, place: tuple[int, ...], like: Node | None) -> Value:
        """Append a read of an element of an array that exists."""
        kind = element(type_of(array)) if isinstance(array, Value) else float64
        out = Value(hint("getitem"), temporary=True, type=kind)
        return self.apply("getitem", (array, *map(Literal, place)), like, out)

    def apply(self, fn: str, args: Sequence[Atom], like: Node | None, out: Value) -> Value:
        made = Apply(out, fn, tuple(args))
        self.nodes.append(made if like is None else replace(made, loc=like.loc, role=like.role))
        return out

    def real(self, atom: Atom, like: Node | None) -> Atom:
        """Return an operand; if it became numbers, the array that they are put together to."""
        if not isinstance(atom, Value) or atom not in self.chosen:
            return self.read(atom)
        shape = self.shape(atom)
        out = Value(atom.name, atom.temporary, nt.Array(element(atom.type), len(shape), "C"))
        made = allocate("np.empty", out, tuple(map(Literal, shape)))
        for place, value in zip(np.ndindex(*shape), self.elements(atom, shape, like), strict=True):
            made.append(Store(out, tuple(map(Literal, place)), value))
        self.nodes += made if like is None else [replace(node, loc=like.loc, role=like.role) for node in made]
        return out

    # new arrays

    def define(self, node: Apply) -> None:
        """Find the elements of an array that becomes numbers."""
        known = card(node.fn)
        if known.is_view:
            self.cells[node.out] = self.view(node)
            return
        cells = self.fresh(node.out)
        if known.allocates is not None:
            start = start_of(node)
            found = [] if start is None else [as_float(self.read(start))] * cells.size
        elif is_unit_matrix(node):
            found = [Literal(float(place)) for place in np.eye(*cells.shape).flat]
        elif node.fn == "np.array":
            items = [as_float(self.read(item)) for item in display_items(node, self.makers) or ()]
            found = [self.named(item, cell) for item, cell in zip(items, cells.flat, strict=True)]
        else:
            found = self.computed(node, [self.value_of(cell) for cell in cells.flat])
        self.cells[node.out] = cells
        self.held.update(zip(map(int, cells.flat), found, strict=False))

    def view(self, node: Apply) -> Grid:
        """Return the elements that a view shows."""
        base = node.args[0]
        assert isinstance(base, Value)
        cells = self.cells[base]
        match node.fn:
            case "T":
                return cells.T
            case "getitem":
                return cells[constant_index(node.args[1:], cells.shape, self.makers)]
        return cells.reshape(self.shape(node.out))

    def named(self, atom: Atom, cell: int) -> Atom:
        """Give what is stored in an element its name, if it has none of its own."""
        if isinstance(atom, Value) and atom.temporary and atom not in self.renamed:
            is_here = any(isinstance(node, Apply) and node.out is atom for node in self.nodes)
            if is_here and not self.names[cell][1]:
                self.renamed[atom] = self.value_of(cell)
        return atom

    def computed(self, node: Apply, outs: list[Value]) -> list[Atom]:
        """Append what computes each element of an expression, and return these."""
        if sums_products(node):
            terms = self.terms(node)
            return [self.sum(parts, node, out) for parts, out in zip(terms, outs, strict=True)]
        shape = self.shape(node.out)
        columns = [self.elements(atom, shape, node) for atom in node.args]
        return [self.scalar(node, args, out) for *args, out in zip(*columns, outs, strict=True)]

    def scalar(self, node: Apply, args: Sequence[Atom], out: Value) -> Atom:
        """Append an elementwise function of numbers."""
        if node.fn == "copy":
            return args[0]
        if node.fn == "np.where":
            arms = [Region((), (), (arg,)) for arg in args[1:]]
            self.nodes.append(If(args[0], arms[0], arms[1], (out,), loc=node.loc, role=node.role))
            return out
        return self.apply(card(node.fn).on_numbers or node.fn, args, node, out)

    def terms(self, node: Apply) -> list[list[tuple[Atom, ...]]]:
        """Return for each element of a sum or a product of arrays the factors of what is added up."""
        parts = [self.grid(atom, node) for atom in node.args]
        if len(parts) == 1:
            return [[(atom,) for atom in parts[0].flat]]
        if node.fn == "np.outer":
            return [[(a, b)] for a in parts[0].flat for b in parts[1].flat]
        rows = parts[0].reshape(-1, parts[0].shape[-1])
        columns = parts[1].reshape(parts[1].shape[0], -1).T
        return [_nonzero([*zip(row, column, strict=True)]) for row in rows for column in columns]

    def grid(self, atom: Atom, like: Node) -> Grid:
        shape = self.shape(atom)
        found = np.empty(math.prod(shape), object)
        found[:] = self.elements(atom, shape, like)
        return found.reshape(shape)

    def sum(self, products: list[tuple[Atom, ...]], like: Apply, out: Value) -> Atom:
        """Append a sum of products, the last operation of which has the name of the result."""

        def apply(fn: str, args: tuple[Atom, ...], is_last: bool) -> Atom:
            return self.apply(fn, args, like, out if is_last else Value(hint(fn), True, float64))

        total: Atom | None = None
        for k, factors in enumerate(products):
            is_only = len(products) == 1
            term = apply("mul", factors, is_only) if len(factors) == 2 else factors[0]
            total = term if total is None else apply("add", (total, term), k == len(products) - 1)
        assert total is not None
        return total


def _nonzero(products: list[tuple[Atom, ...]]) -> list[tuple[Atom, ...]]:
    """Leave out products with zeros that the text of a matrix holds, as BLAS may."""
    return [factors for factors in products if NOTHING not in factors] or [(NOTHING,)]


def as_float(atom: Atom) -> Atom:
    """Return a number as an array of floats holds it."""
    if isinstance(atom, Literal) and type(atom.value) is int:
        return Literal(float(atom.value))
    return atom
