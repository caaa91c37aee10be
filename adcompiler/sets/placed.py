"""Elements of arrays of sets, read and written: where a place is not known, it may be any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Effect, Literal, Node, Store, Value, type_of
from adcompiler.sets.forming import EMPTY, Forming, kind_in_sets
from adcompiler.sets.refusals import refuse


def item(sets: Forming, node: Apply) -> Atom:
    """Return the set of an element, or the sets of a part."""
    array, *index = node.args
    found = sets.seen(array)
    if sets.doubts(index):
        return _any_item(sets, node, found, index)
    is_checked = sets.is_unsure and is_scalar(node.out.type) and is_array(type_of(found))
    made = Value(node.out.name, node.out.temporary, kind_in_sets(node.out.type))
    fn = "sets.item" if is_checked else "getitem"
    sets.nodes.append(replace(node, out=made, fn=fn, args=(found, *index)))
    return made


def _any_item(sets: Forming, node: Apply, array: Atom, index: list[Atom]) -> Atom:
    """Each element that is read may be any of those that the index may mean."""
    kinds = [type_of(atom) for atom in index]
    is_picked = len(index) == 1 and is_array(kinds[0]) and kinds[0].dtype != nt.boolean
    is_known = is_scalar(node.out.type) or (is_picked and node.out.type.ndim == kinds[0].ndim)
    refuse(not is_known, "how many elements are read depends on floats", node)
    found = sets.whole(_any_place(sets, array, index, node))
    if is_scalar(node.out.type):
        return found
    shape = sets.apply("shape", (index[0],), nt.UniTuple(int64, kinds[0].ndim), "shape")
    return sets.apply("np.full", (shape, found), kind_in_sets(node.out.type))


def _any_place(sets: Forming, array: Atom, index: Iterable[Atom], node: Node) -> Value:
    """Return the part of an array that consists of all places that an index may mean."""
    kind = type_of(array)
    refuse(not is_array(kind), "which item of a list is meant depends on floats", node)
    places, axes = [], kind.ndim
    for atom in index:
        is_known = atom not in sets.in_doubt
        axes -= is_known and _is_number(atom)
        places.append(atom if is_known else sets.apply("slice", (Literal(None),), nt.slice2_type, "every"))
    return sets.apply("getitem", (array, *places), nt.Array(int64, axes, "A"), "part")


def store(sets: Forming, node: Store) -> None:
    """Write sets to an array; where the store may not happen, or is a sum, they are joined to those there."""
    array, value = sets.own[node.array], sets.read(node.value)
    if sets.doubts(node.index):
        part = _any_place(sets, array, node.index, node)
        _join(sets, "sets.join", (part, sets.book, sets.any_of((node.value,))), node)
    elif not (node.accumulate or sets.is_unsure):
        sets.nodes.append(replace(node, array=array, value=value))
    elif value != EMPTY:
        refuse(not is_array(array.type), "what a list holds depends on floats", node)
        _join_part(sets, array, value, node)


def _join_part(sets: Forming, array: Value, value: Atom, node: Store) -> None:
    """Enter further indices into the sets of a part of an array."""
    axes = array.type.ndim - sum(map(_is_number, node.index))
    if axes == 0:
        _join(sets, "sets.join_item", (array, sets.book, value, *node.index), node)
        return
    part = array
    if node.index:
        part = sets.apply("getitem", (array, *node.index), nt.Array(int64, axes, "A"), "part")
    _join(sets, "sets.join", (part, sets.book, value), node)


def _join(sets: Forming, fn: str, args: tuple[Atom, ...], node: Node) -> None:
    sets.nodes.append(Effect(fn, args, loc=node.loc, role=node.role))


def _is_number(atom: Atom) -> bool:
    return not isinstance(atom, Value) or is_scalar(atom.type)
