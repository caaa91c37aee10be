"""Reads and writes of elements, slices, masks and index arrays in reverse."""

from __future__ import annotations

from dataclasses import dataclass

from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_array_atom, is_list, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Global,
    Literal,
    Node,
    Region,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.reverse.adjoints import AdjointSweep, Contribution
from adcompiler.rules.find import atom_rank


def reverse_getitem(sweep: AdjointSweep, node: Apply, adjoint: Contribution) -> None:
    """`y = a[i]`: the adjoint of a[i] gains that of y."""
    base, index = node.args[0], node.args[1:]
    if not isinstance(base, Value) or base not in sweep.active:
        return
    if not _is_gather(sweep, index):
        sweep.nodes.append(
            Store(sweep.shadow(base), index, adjoint.atom, True, loc=sweep.loc, role=sweep.role)
        )
        return
    found = sweep.full(node.out, adjoint)
    k, pick = Value("k"), Value("item", temporary=True)
    element = _element(sweep, node, index, k)
    pieces = (
        Apply(pick, "getitem", (found, *element.item)),
        Store(sweep.shadow(base), element.place, pick, True),
    )
    sweep.loop(sweep.apply("len", element.array), k, (*element.nodes, *pieces))


def reverse_store(sweep: AdjointSweep, node: Store) -> None:
    """`a[i] = v`: the adjoint of v gains that of a[i], which becomes zero."""
    if node.array not in sweep.active:
        return
    shadow = sweep.shadow(node.array)
    if _is_gather(sweep, node.index):
        _reverse_scatter(sweep, node, shadow)
    elif is_list(node.array.type):
        _reverse_item(sweep, node, shadow)
    else:
        _reverse_part(sweep, node, shadow)


def _reverse_part(sweep: AdjointSweep, node: Store, shadow: Value) -> None:
    """An element or slice of an array is written."""
    if _overlaps(sweep, node):
        item = sweep.apply("getitem", shadow, *node.index) if node.index else shadow
        item = sweep.apply("copy", item)
        if not node.accumulate:
            sweep.nodes.append(Store(shadow, node.index, Literal(0.0), False, loc=sweep.loc, role=sweep.role))
        _hand_on(sweep, node, item, _picked_rank(sweep, node), is_new=True)
        return
    if isinstance(node.value, Value) and node.value in sweep.active:
        item = sweep.apply("getitem", shadow, *node.index) if node.index else shadow
        _hand_on(sweep, node, item, _picked_rank(sweep, node), is_new=False)
    if not node.accumulate:
        sweep.nodes.append(Store(shadow, node.index, Literal(0.0), False, loc=sweep.loc, role=sweep.role))


def _overlaps(sweep: AdjointSweep, node: Store) -> bool:
    """Tell whether a part of an array may be assigned to another part of the same array."""
    value, classes = node.value, sweep.info.classes
    if not isinstance(value, Value) or value not in sweep.active or not is_array(type_of(value)):
        return False
    return classes.get(value, value) is classes.get(node.array, node.array)


def _reverse_item(sweep: AdjointSweep, node: Store, shadow: Value) -> None:
    """An item of a list is replaced: the shadow gets a new zero."""
    if sweep.binds_items(node.array):
        if node.accumulate and isinstance(node.value, Value) and node.value in sweep.active:
            found = sweep.apply("copy", sweep.bound.items[node])
            sweep.contribute(node.value, Contribution(found))
        return
    item = sweep.apply("getitem", shadow, *node.index)
    is_number = not is_array(node.array.type.dtype)
    found = item if is_number or not node.accumulate else sweep.apply("copy", item)
    zero = Literal(0.0) if is_number or node.accumulate else sweep.apply("np.zeros_like", item)
    if isinstance(node.value, Value) and node.value in sweep.active:
        sweep.contribute(node.value, Contribution(found))
    if not node.accumulate:
        sweep.nodes.append(Store(shadow, node.index, zero, False, loc=sweep.loc, role=sweep.role))


def _hand_on(sweep: AdjointSweep, node: Store, item: Atom, picked: int, is_new: bool) -> None:
    """Add the adjoint of the place that is written to that of the value, undoing broadcasts."""
    assert isinstance(node.value, Value)
    own = rank(node.value.type)
    if own == 0 and picked > 0:
        item = sweep.apply("np.sum", item)
    elif own < picked or (picked and not _same_shape(sweep, node)):
        item = sweep.sum_to(item, picked, node.value)
    is_added_at_once = node.accumulate and sweep.is_buffered(node.value)
    if picked and own == picked and not is_new and not is_added_at_once:
        item = sweep.apply("copy", item)
    sweep.contribute(node.value, Contribution(item))


def _picked_rank(sweep: AdjointSweep, node: Store) -> int:
    """Return the number of axes of the place that is written."""
    count = rank(node.array.type)
    for atom in node.index:
        if atom == Literal(None):
            count += 1
        elif atom != Literal(...) and not _is_slice(sweep, atom):
            count -= 1
    return count


def _same_shape(sweep: AdjointSweep, node: Store) -> bool:
    """Tell whether a stored array is known to have the shape of the place that it is stored to."""
    return sweep.shapes.get(node) == entry(sweep.shapes, node.value)


def _is_slice(sweep: AdjointSweep, atom: Atom) -> bool:
    return isinstance(type_of(atom), nt.SliceType)


def _is_gather(sweep: AdjointSweep, index: tuple[Atom, ...]) -> bool:
    """Tell whether an array is among the indices: what is picked is then a copy, not a view."""
    return any(is_array_atom(atom) for atom in index)


def _reverse_scatter(sweep: AdjointSweep, node: Store, shadow: Value) -> None:
    """`a[idx] = v` with an array of integers or a mask as index; the last of several writes counts."""
    is_mask = any(_is_mask(sweep, atom) for atom in node.index)
    _positions(sweep, node, node.index)  # refuses what cannot be taken apart
    item = sweep.apply("getitem", shadow, *node.index)
    if is_mask:
        sweep.nodes.append(Store(shadow, node.index, Literal(0.0), False, loc=sweep.loc, role=sweep.role))
    else:
        _take_backwards(sweep, node, shadow, item)
    if isinstance(node.value, Value) and node.value in sweep.active:
        _hand_on(sweep, node, item, _picked_rank(sweep, node) + 1, is_new=True)


def _take_backwards(sweep: AdjointSweep, node: Store, shadow: Value, item: Value) -> None:
    """Move what belongs to each write out of the shadow, last write first."""
    k, pick = Value("k"), Value("item", temporary=True)
    element = _element(sweep, node, node.index, k)
    nodes = (
        *element.nodes,
        Apply(pick, "getitem", (shadow, *element.place)),
        Store(item, element.item, pick),
        Store(shadow, element.place, Literal(0.0)),
    )
    last = sweep.apply("sub", sweep.apply("len", element.array), Literal(1))
    bounds = last, Literal(-1), Literal(-1)
    sweep.nodes.append(For(*bounds, (), Region((k,), nodes, ()), (), False, loc=sweep.loc, role=sweep.role))


def _is_mask(sweep: AdjointSweep, atom: Atom) -> bool:
    if isinstance(atom, Global):
        return getattr(getattr(atom.value, "dtype", None), "kind", "") == "b"
    kind = type_of(atom)
    return is_array(kind) and isinstance(kind.dtype, nt.Boolean)


def _positions(sweep: AdjointSweep, node: Apply | Store, index: tuple[Atom, ...]) -> tuple[list[Atom], int]:
    """Return the arrays of integers that an index stands for, and the axis that they make in the result.

    Raises:
        DifferentiationError: AD102 for several index arrays of more than one axis, or apart from each other.
    """
    picking = [k for k, atom in enumerate(index) if _picks(sweep, atom)]
    arrays = [atom for atom in index if is_array_atom(atom)]
    if any(atom_rank(array) != 1 for array in arrays):
        reason = "an index array or mask has more than one axis"
        raise DifferentiationError("AD102", reason, node.loc, "loop over the indices")
    together = picking == [*range(picking[0], picking[-1] + 1)]
    if not together or Literal(...) in index[: picking[0]] or Literal(None) in index:
        raise DifferentiationError("AD102", "index arrays with other indices between them", node.loc)
    return [_places(sweep, array) for array in arrays], picking[0]


def _places(sweep: AdjointSweep, array: Atom) -> Atom:
    """Return the integers that an index array or mask stands for."""
    if not _is_mask(sweep, array):
        return array
    found = sweep.apply("np.nonzero", array)
    return sweep.apply("getitem", found, Literal(0), name="places")


def _picks(sweep: AdjointSweep, atom: Atom) -> bool:
    return atom not in (Literal(None), Literal(...)) and not _is_slice(sweep, atom)


@dataclass
class _Element:
    """One element of a gather.

    Attributes:
        nodes: what reads its positions.
        place: its index in the array.
        item: its index in what is picked.
        array: an array as long as there are elements.
    """

    nodes: list[Node]
    place: tuple[Atom, ...]
    item: tuple[Atom, ...]
    array: Atom


def _element(sweep: AdjointSweep, node: Apply | Store, index: tuple[Atom, ...], k: Value) -> _Element:
    """Return element number k of a gather."""
    arrays, axis = _positions(sweep, node, index)
    nodes: list[Node] = []
    place: list[Atom] = []
    supply = iter(arrays)
    for atom in index:
        if not is_array_atom(atom):
            place.append(atom)
            continue
        position = Value("position", temporary=True)
        nodes.append(Apply(position, "getitem", (next(supply), k)))
        place.append(position)
    before = [sweep.apply("slice", Literal(None), Literal(None))] * axis if axis else []
    return _Element(nodes, tuple(place), (*before, k), arrays[0])
