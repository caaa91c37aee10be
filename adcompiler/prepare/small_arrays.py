"""Which arrays are a few numbers: of small constant shape, with every element named by constants.

All of these exist as numbers only. Where one is needed as an array, it is put together there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import boolean, float64

from adcompiler.analysis.alias import owner_of, shared_memory, written_by
from adcompiler.analysis.fusible import is_elementwise
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import element, is_array, is_complex, is_list, is_scalar
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    Literal,
    Node,
    Store,
    Value,
    While,
    entry,
    type_of,
)
from adcompiler.graph.walk import merges, operands, regions, values, walk, walk_regions
from adcompiler.primitives import Fill, Follows, Shows, card

_MOST = 16
"""So many elements at most."""
_FEW = 9
"""An array of more, or a factor of one of more, is not taken apart if it is put together anywhere."""
_STARTS: dict[Fill | None, Atom | None] = {
    Fill.NOTHING: None,
    Fill.ZEROS: Literal(0.0),
    Fill.ONES: Literal(1.0),
}
Index = tuple[Any, ...]


def small_arrays(graph: Graph, shapes: Shapes) -> set[Value]:
    """Return the arrays that can be numbers, and of which some element is used as one.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
    """
    found = _Facts(graph, shapes)
    chosen = {value for value in (*found.makers, *found.sources) if is_small(value, shapes)}
    while refused := {value for value in chosen if not found.is_possible(value, chosen)}:
        chosen -= refused
    return chosen


def is_small(value: Value, shapes: Shapes) -> bool:
    """Tell whether a value is an array of a few numbers, or truth values."""
    shape = constant_shape(shapes, value)
    is_right = is_array(value.type) and element(value.type) in (float64, boolean)
    return is_right and shape is not None and 1 <= math.prod(shape) <= _MOST


def constant_shape(shapes: Shapes, atom: object) -> tuple[int, ...] | None:
    """Return the shape of an array, None where it is not made of constants.

    >>> constant_shape({}, Literal(1.0)) is None
    True
    """
    shape = (
        shapes.get(atom) if isinstance(atom, Value) else getattr(getattr(atom, "value", None), "shape", None)
    )
    if not shape or not all(type(size) is int for size in shape):
        return None
    return tuple(shape)


def constant_index(
    index: tuple[Atom, ...], shape: tuple[int, ...], makers: dict[Value, Node]
) -> Index | None:
    """Return an index as NumPy takes it, None where it is not constant or not inside."""
    found = tuple(_part(atom, makers) for atom in index)
    if any(part is NotImplemented for part in found):
        return None
    try:
        np.empty(shape, np.bool_)[found]
    except IndexError:
        return None
    return found


def _part(atom: Atom, makers: dict[Value, Node]) -> Any:
    match atom:
        case Literal(value=value) if value is None or value is ... or type(value) is int:
            return value
        case Value() if isinstance(made := makers.get(atom), Apply) and made.fn == "slice":
            if all(isinstance(end, Literal) for end in made.args):
                return slice(*(end.value for end in made.args if isinstance(end, Literal)))
    return NotImplemented


def start_of(made: Apply) -> Atom | None:
    """Return what each element of a new array is, None if nothing."""
    known = card(made.fn).allocates
    return made.args[1] if known is Fill.VALUE else _STARTS[known]


def _within(node: Node) -> Iterator[Node]:
    yield node
    for inner in regions(node):
        yield from walk(inner)


@dataclass
class _Facts:
    """What a graph does with its arrays."""

    graph: Graph
    shapes: Shapes
    makers: dict[Value, Node] = field(default_factory=dict)
    users: dict[Value, list[Node]] = field(default_factory=dict)
    sources: dict[Value, list[Atom]] = field(default_factory=dict)
    targets: dict[Value, list[Value]] = field(default_factory=dict)
    carried: dict[Value, Value] = field(default_factory=dict)
    """What loops leave behind, with the parameter of the loop that it was."""

    def __post_init__(self) -> None:
        for node in walk(self.graph.body):
            if isinstance(node, Apply):
                self.makers[node.out] = node
            if isinstance(node, For | While):
                self.carried.update(zip(node.outs, node.carried, strict=True))
            for value in {*values(operands(node))}:
                self.users.setdefault(value, []).append(node)
            for merged, source in merges(node):
                self.sources.setdefault(merged, []).append(source)
                if isinstance(source, Value):
                    self.targets.setdefault(source, []).append(merged)
        self.classes = shared_memory(self.graph.body)
        self.written = {self.classes.get(v, v) for n in walk(self.graph.body) for v in written_by(n)}
        self.late = {self.classes.get(v, v) for v in self._written_late()}

    def _written_late(self) -> Iterator[Value]:
        """Yield arrays that are written elsewhere than between their allocation and their first join."""
        for region in walk_regions(self.graph.body):
            open_: set[Value] = set()
            for node in region.nodes:
                for array in written_by(node):
                    if owner_of(self.makers, array) not in open_:
                        yield array
                joined = {entry(self.classes, source) for n in _within(node) for _, source in merges(n)}
                open_ = {array for array in open_ if self.classes.get(array) not in joined}
                if isinstance(node, Apply) and not card(node.fn).is_view:
                    open_.add(node.out)

    def is_possible(self, value: Value, chosen: set[Value]) -> bool:
        """Tell whether an array can be numbers if all that are chosen are."""
        if value in self.sources:
            is_made = self._is_joined(value, chosen)
        else:
            is_made = self._is_computed(self.makers[value], chosen)
        users = self.users.get(value, ())
        is_used = all(self._may_use(node, value, chosen) for node in users)
        targets = self.targets.get(value, ())
        if not (is_made and is_used and all(target in chosen for target in targets)):
            return False
        if any(self._puts_together(node, chosen) for node in users) and self._is_large(value, chosen):
            return False
        return not users or bool(targets) or any(self._uses_elements(n, value, chosen) for n in users)

    def _is_joined(self, value: Value, chosen: set[Value]) -> bool:
        if self.classes.get(value, value) in self.late or self.carried.get(value, value) not in chosen:
            return False
        shape = constant_shape(self.shapes, value)
        return all(
            source in chosen or source == UNDEFINED or self._is_readable(source, shape)
            for source in self.sources[value]
        )

    def _is_readable(self, source: Atom, shape: tuple[int, ...] | None) -> bool:
        """Tell whether the elements of an array that exists can be read where it is joined."""
        if not isinstance(source, Value) or not is_array(source.type):
            return False
        is_unwritten = self.classes.get(source, source) not in self.written
        return is_unwritten and constant_shape(self.shapes, source) == shape

    def _is_computed(self, made: Node, chosen: set[Value]) -> bool:
        if not isinstance(made, Apply):
            return False
        known = card(made.fn)
        if element(made.out.type) == boolean:
            return is_elementwise(made) and self._are_readable(made)
        if known.allocates is not None and known.follows in (Follows.GIVEN, Follows.SAME_SHAPE):
            start = start_of(made)
            is_plain = not any(key != "dtype" for key, _ in made.keywords)
            return is_plain and (start is None or is_number_of_float(start))
        if known.is_view:
            return self._view(made, chosen)
        if is_unit_matrix(made):
            return True
        if made.fn == "np.array":
            return display_items(made, self.makers) is not None
        return is_expandable(made) and self._are_readable(made)

    def _are_readable(self, node: Apply) -> bool:
        """Tell whether the elements of all operands can be read one by one."""
        return all(
            constant_shape(self.shapes, atom) is not None for atom in node.args if is_array(type_of(atom))
        )

    def _view(self, node: Apply, chosen: set[Value]) -> bool:
        base = node.args[0]
        if base not in chosen or not isinstance(base, Value):
            return False
        if node.fn == "getitem":
            return self._index(node.args[1:], base) is not None
        is_whole = isinstance(self.makers.get(base), Apply) and owner_of(self.makers, base) is base
        return node.fn == "T" or (is_whole and node.fn in ("reshape", "ravel"))

    def _index(self, index: tuple[Atom, ...], base: Value) -> Index | None:
        shape = constant_shape(self.shapes, base)
        return None if shape is None else constant_index(index, shape, self.makers)

    def _may_use(self, node: Node, value: Value, chosen: set[Value]) -> bool:
        """Tell whether a node can be given numbers, or an array that is put together for it."""
        match node:
            case For() | While():
                return True  # as what it joins
            case Store(array=array, index=index, value=stored):
                if array is value:
                    return self._index(index, value) is not None and self._can_be_stored(stored)
                return not is_list(array.type)
            case Apply(fn="getitem") if is_scalar(node.out.type) and node.args[0] is value:
                return self._index(node.args[1:], value) is not None
            case Apply() if card(node.fn).is_view and value in node.args[:1]:
                return node.out in chosen
            case Apply() if card(node.fn).measures:
                return node.args == (value,)
            case Apply():
                known = card(node.fn)
                is_read = known.shows is Shows.NOTHING and not (known.may_keep or known.writes_first)
                return is_read and known.is_pure and not known.is_opaque
            case Effect():
                return False
        return True

    def _is_large(self, value: Value, chosen: set[Value]) -> bool:
        """Tell whether much text is written for an array, or for a product with one that stays as it is."""
        near = (*self.users.get(value, ()), self.makers.get(value))
        products = (node for node in near if isinstance(node, Apply) and sums_products(node))
        factors = (atom for node in products for atom in node.args if atom not in chosen)
        sizes = (constant_shape(self.shapes, atom) or () for atom in (value, *factors))
        return max(map(math.prod, sizes)) > _FEW

    def _puts_together(self, node: Node, chosen: set[Value]) -> bool:
        """Tell whether a node would be given an array that is put together for it."""
        if not isinstance(node, Apply) or card(node.fn).measures or node.out in chosen:
            return False
        return not (is_scalar(node.out.type) and (node.fn == "getitem" or self._is_written_out(node)))

    def _is_written_out(self, node: Apply) -> bool:
        return is_expandable(node) and self._are_readable(node)

    def _can_be_stored(self, stored: Atom) -> bool:
        if is_array(type_of(stored)):
            is_float = element(type_of(stored)) == float64
            return is_float and constant_shape(self.shapes, stored) is not None
        return is_number_of_float(stored)

    def _uses_elements(self, node: Node, value: Value, chosen: set[Value]) -> bool:
        match node:
            case Store():
                return True
            case Apply() if card(node.fn).measures:
                return False
            case Apply(fn="getitem"):
                return True
            case Apply():
                return node.out in chosen or self._is_written_out(node)
        return False


def is_number_of_float(atom: Atom) -> bool:
    """Tell whether an atom is a number that an array of floats can hold as it is."""
    if isinstance(atom, Literal):
        return type(atom.value) in (int, float)
    return isinstance(atom, Value) and atom.type == float64


def is_expandable(node: Apply) -> bool:
    """Tell whether a result can be written out, element by element, from those of its operands."""
    are_real = not any(is_complex(type_of(atom)) for atom in (node.out, *node.args))
    return are_real and (sums_products(node) or is_elementwise(node))


def sums_products(node: Apply) -> bool:
    """Tell whether elements of a result are sums of elements, or of products of two."""
    follows = card(node.fn).follows
    is_product = follows is Follows.PRODUCT or node.fn == "np.outer"
    is_sum = node.fn == "np.sum" and len(node.args) == 1
    are_floats = all(is_array(type_of(a)) and element(type_of(a)) == float64 for a in node.args)
    return (is_product or is_sum) and are_floats and not node.keywords


def is_unit_matrix(made: Apply) -> bool:
    """Tell whether a node makes ones on the diagonal, and zeros elsewhere."""
    is_plain = all(isinstance(atom, Literal) for atom in made.args) and not made.keywords
    return made.fn in ("np.eye", "np.identity") and is_plain and len(made.args) < 3


def display_items(made: Apply, makers: dict[Value, Node]) -> list[Atom] | None:
    """Return the numbers of `np.array([…])` in C order, None where it holds anything else."""

    def items(atom: Atom) -> list[Atom] | None:
        listed = makers.get(atom) if isinstance(atom, Value) else None
        if not isinstance(listed, Apply) or listed.fn != "list":
            return [atom] if is_number_of_float(atom) else None
        found = [items(part) for part in listed.args]
        return None if None in found else [atom for part in found if part for atom in part]

    if made.keywords or len(made.args) != 1 or not isinstance(made.args[0], Value):
        return None
    listed = makers.get(made.args[0])
    return items(made.args[0]) if isinstance(listed, Apply) and listed.fn == "list" else None
