"""What runs without an error whenever it runs: it may be moved to where it runs more often.

Compiled code does not check indices, so that an element that is read or written beyond an end counts as an
error. Sizes that nothing relates count as different. Divisions are not errors: checks stand before those that
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.integers import Integers, integers_of, whole_slices
from adcompiler.analysis.sizes import Shape, Shapes, Size, captured, form_of
from adcompiler.analysis.types import element, is_array_atom, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, For, Graph, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import operands, values
from adcompiler.primitives import Follows, card

Facts = tuple[Linear, ...]


@dataclass
class CannotFail:
    """What is known of a graph.

    Attributes:
        shapes: symbolic shape of every array.
        integers: integers as forms over sizes.
        whole: the slices that are `:`.
    """

    shapes: Shapes
    integers: Integers
    whole: set[Value]

    def node(self, node: Node, facts: Facts = ()) -> bool:
        """Tell whether a node cannot fail where the facts hold."""
        match node:
            case Apply(fn="getitem") if is_scalar(node.out.type):
                return self.is_element(node.args[0], node.args[1:], facts)
            case Apply():
                return self.primitive(node)
            case Store():
                return self.store(node, facts)
            case If():
                arms = ((True, node.then), (False, node.orelse))
                said = self.integers.said_by
                return all(self.region(arm, (*facts, *said(node.test, holds))) for holds, arm in arms)
            case For(breaks=False, checkpoints=None):
                return self.region(node.body, (*facts, *self.integers.of_index(node)))
        return False

    def region(self, region: Region, facts: Facts) -> bool:
        """Tell whether no node of a region can fail."""
        return all(self.node(node, facts) for node in region.nodes)

    def is_element(self, array: Atom, index: tuple[Atom, ...], facts: Facts) -> bool:
        """Tell whether an element exists; places that count from the end are not looked into."""
        shape = self.shapes.get(array) if isinstance(array, Value) else None
        if shape is None or len(shape) != len(index):
            return False
        for atom, size in zip(index, shape, strict=True):
            place = None if is_array_atom(atom) else self.integers.form(atom)
            if place is None or not self.integers.is_known(place, facts):
                return False
            if not self.integers.is_known(form_of(size) - place - 1, facts):
                return False
        return True

    def store(self, node: Store, facts: Facts) -> bool:
        """Tell whether a store is in bounds: of a number to one element, or to all of them."""
        if is_array_atom(node.value):
            return False
        is_filled = len(node.index) == rank(node.array.type) and all(
            atom in self.whole for atom in node.index
        )
        return is_filled or self.is_element(node.array, node.index, facts)

    def primitive(self, node: Apply) -> bool:
        """Tell whether a primitive has no error to raise for what it is given."""
        known, kind = card(node.fn), node.out.type
        arrays = [*map(self.shape, filter(is_array_atom, operands(node)))]
        shapes = [shape for shape in arrays if shape is not None]
        if not known.is_pure or known.is_opaque or known.is_call or len(shapes) < len(arrays):
            return False
        if known.divides and isinstance(element(kind), nt.Integer):
            return False
        if known.follows is Follows.PRODUCT:
            return len(shapes) == 2 and _fit(*shapes)
        if known.follows is Follows.REDUCED:
            return known.is_linear
        if node.fn == "getitem":
            return bool(arrays) and all(atom in self.whole or atom == Literal(None) for atom in node.args[1:])
        if known.allocates is not None or node.fn in ("slice", "tuple"):
            return True
        is_plain = known.is_elementwise or bool(known.opposite) or (is_scalar(kind) and known.is_cheap)
        is_of_numbers = all(map(is_scalar, map(type_of, values(operands(node)))))
        return (is_plain or (is_of_numbers and known.is_safe)) and _are_alike(shapes)

    def shape(self, array: Atom) -> Shape | None:
        """Return the symbolic shape of an array, also of one that is captured."""
        return self.shapes.get(array) if isinstance(array, Value) else captured(array)


def _fit(one: Shape, two: Shape) -> bool:
    """Tell whether a product of two arrays has sizes that belong together."""
    return bool(one) and bool(two) and one[-1] == two[max(len(two) - 2, 0)]


def _are_alike(shapes: list[Shape]) -> bool:
    """Tell whether arrays have one shape, but for axes of one element."""
    longest = max(map(len, shapes), default=0)
    axes: list[set[Size]] = [set() for _ in range(longest)]
    for shape in shapes:
        for sizes, size in zip(reversed(axes), reversed(shape), strict=False):
            sizes |= set() if size == 1 else {size}
    return all(len(sizes) < 2 for sizes in axes)


def cannot_fail(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> CannotFail:
    """Return what tells of nodes of a graph whether they can fail."""
    return CannotFail(shapes, integers_of(graph.body, sizes), whole_slices(graph.body))
