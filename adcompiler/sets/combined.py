"""The sets of what primitives return."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, Global, Value, type_of
from adcompiler.primitives import Fill, Follows, Shows, card
from adcompiler.sets.forming import EMPTY, Forming, kind_in_sets
from adcompiler.sets.placed import item
from adcompiler.sets.refusals import refuse

UNKNOWN = "write it with loops and slices, or give the pattern: sparse_jacobian(f, pattern=...)"


def primitive(sets: Forming, node: Apply) -> Atom:
    """Return the sets of what a primitive returns."""
    known = card(node.fn)
    refuse(isinstance(node.out.type, nt.BaseTuple), "several values are returned at once", node, UNKNOWN)
    if node.fn == "getitem":
        return item(sets, node)
    if known.allocates is not None:
        return _allocation(sets, node)
    if is_scalar(node.out.type) and known.in_sets != node.fn:
        return sets.any_of(node.args)
    if known.in_sets.startswith("sets."):
        return _combination(sets, node)
    if known.in_sets or is_list(node.out.type):
        return _handed_on(sets, node)
    if known.is_elementwise or known.follows is Follows.BROADCAST:
        return _elementwise(sets, node)
    refuse(
        known.follows is not Follows.SAME_SHAPE,
        f"what '{node.fn}' does with each element is not known",
        node,
        UNKNOWN,
    )
    kind = kind_in_sets(node.out.type)
    shape = sets.apply("shape", (node.args[0],), nt.UniTuple(int64, kind.ndim), "shape")
    return sets.apply("np.full", (shape, sets.any_of(node.args)), kind)


def _elementwise(sets: Forming, node: Apply) -> Atom:
    """Numbers that do not vary may stretch those that do."""
    found: Atom = EMPTY
    for arg in node.args:
        if arg in sets.varying or is_array(type_of(arg)):
            found = sets.union(found, sets.read(arg))
    return found


def _allocation(sets: Forming, node: Apply) -> Atom:
    refuse(
        card(node.fn).reads_elements and sets.doubts(node.args[:1]),
        "how large an array is depends on floats",
        node,
    )
    kind, dtype = kind_in_sets(node.out.type), Global("np.int64", np.int64)
    first, *rest = node.args
    if card(node.fn).allocates is not Fill.VALUE or rest[0] not in sets.varying:
        fn = "np.zeros" if card(node.fn).reads_elements else "np.zeros_like"
        return sets.apply(fn, (first, dtype), kind, node.out.name)
    if not card(node.fn).reads_elements:
        first = sets.apply("shape", (first,), nt.UniTuple(int64, kind.ndim), "shape")
    return sets.apply("np.full", (first, sets.read(rest[0])), kind, node.out.name)


def _combination(sets: Forming, node: Apply) -> Atom:
    """Products, running sums, and sums along axes that were stretched."""
    if card(node.fn).follows is Follows.PRODUCT:
        return _product(sets, node)
    if len(node.args) == 2:
        args = (sets.book, sets.read(node.args[0]), sets.seen(node.args[1]))
        return sets.apply(card(node.fn).in_sets, args, kind_in_sets(node.out.type))
    is_known = rank(type_of(node.args[0])) == 1 and not node.keywords
    refuse(not is_known, f"'{node.fn}' goes along one axis of several", node, UNKNOWN)
    kind = kind_in_sets(node.out.type)
    return sets.apply(card(node.fn).in_sets, (sets.book, sets.read(node.args[0])), kind)


def _product(sets: Forming, node: Apply) -> Atom:
    """Any number may stand beside the sets."""
    a, b = node.args
    axes = rank(type_of(a)), rank(type_of(b))
    refuse(max(axes) > 2, "stacks of matrices are multiplied", node, UNKNOWN)
    if axes == (2, 2):
        args = (sets.book, sets.read(a), sets.read(b))
        return sets.apply(card(node.fn).in_sets, args, nt.Array(int64, 2, "C"), "products")
    matrix, vector = (a, b) if axes[0] == 2 else (b, a)
    found = sets.read(matrix)
    if axes[1] == 2:
        found = sets.apply("T", (found,), nt.Array(int64, 2, "A"), "columns")
    lines = sets.apply("sets.of_rows", (sets.book, found), nt.Array(int64, 1, "C"), "lines")
    return sets.union(lines, sets.any_of((vector,)))


def _handed_on(sets: Forming, node: Apply) -> Atom:
    """Elements go to other places, and stay what they are."""
    known = card(node.fn)
    refuse(known.changes_length and sets.is_unsure, "how long a list is depends on floats", node)
    first, *rest = node.args or (EMPTY,)
    rest = [] if known.in_sets not in ("", node.fn) else rest
    are_items = known.spelling.name == "JOIN" or known.shows is Shows.HOLDS
    refuse(not are_items and sets.doubts(rest), "where elements go to depends on floats", node)
    args = (sets.read(first), *(map(sets.read, rest) if are_items else rest)) if node.args else ()
    made = Value(node.out.name, node.out.temporary, kind_in_sets(node.out.type))
    sets.nodes.append(replace(node, out=made, fn=known.in_sets or node.fn, args=args))
    return made
