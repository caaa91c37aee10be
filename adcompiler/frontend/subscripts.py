"""Subscripts: elements, slices and items of tuples, as values and as targets."""

from __future__ import annotations

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend import resolve, tuples
from adcompiler.frontend.bindings import Binding, flatten, label
from adcompiler.frontend.buffers import writable
from adcompiler.frontend.grids import grid, is_grid
from adcompiler.frontend.ranks import atom_rank, rank_of
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Global, Literal, Value


def indices(state: Lowering, node: gast.expr) -> tuple[Atom, ...]:
    """Lower a subscript to its list of indices; slices are values made by `slice`."""
    if not isinstance(node, gast.Tuple):
        return tuple(flatten((_index(state, node),)))
    if not node.elts:  # x[()] is all of x
        return (Literal(...),)
    return tuple(_on_axis(state, part) for part in node.elts)


def _on_axis(state: Lowering, node: gast.expr) -> Atom:
    """Lower what stands for one axis: a tuple, too, is a list of places there."""
    places = _index(state, node)
    if isinstance(places, tuple):
        whole = state.apply(node, "list", places)
        return state.apply(node, "np.array", (whole,), "places")
    return places


def _index(state: Lowering, node: gast.expr) -> Atom | tuple[Atom, ...]:
    if isinstance(node, gast.Slice):
        bounds = [Literal(None) if e is None else state.atom(e) for e in (node.lower, node.upper)]
        step = [] if node.step is None else [state.atom(node.step)]
        return state.apply(node, "slice", (*bounds, *step))
    if isinstance(node, gast.Constant) and node.value is Ellipsis:
        return Literal(...)
    if isinstance(node, gast.List):
        return state.apply(node, "np.array", (state.atom(node),), "places")
    value = state.binding(node)
    if isinstance(value, Value) and value in state.spans:
        return state.apply(node, "np.arange", state.spans[value], "places")
    if isinstance(value, tuple):
        return tuple(state.materialise(item, node) for item in flatten(value))
    return state.materialise(value, node)


def place(state: Lowering, node: gast.AST) -> tuple[Value, tuple[Atom, ...]]:
    """Lower the target of a store: the array and its index."""
    if isinstance(node, gast.Attribute):
        raise field_refused(state, node)
    if not isinstance(node, gast.Subscript):
        raise state.refuse("AD101", "only names and elements of arrays can be assigned", node)
    array = writable(state, _whole(state, node.value), node)
    if not isinstance(array, Value):
        cure = "copy the constant into a local array first"
        raise state.refuse("AD101", "a captured constant cannot be written to", node, cure)
    return array, indices(state, node.slice)


def _whole(state: Lowering, node: gast.expr) -> Atom:
    """Lower what a subscript is of; `a.flat` is a view of an array as one row."""
    if not isinstance(node, gast.Attribute) or node.attr != "flat":
        return state.atom(node)
    array = state.atom(node.value)
    if atom_rank(array, state.ranks) == 1:
        return array
    return state.apply(node, "reshape", (array, state.apply(node, "size", (array,))), "flat")


def field_refused(state: Lowering, node: gast.Attribute) -> DifferentiationError:
    """Build the refusal of an assignment to a field."""
    cure = f"make a new object, as dataclasses.replace(…, {node.attr}=…) does, or write to an array in place"
    return state.refuse("AD101", f"the field '{node.attr}' cannot be assigned", node, cure)


def subscript(state: Lowering, node: gast.Subscript, name: str | None) -> Binding:
    """Lower the read of an element, slice, or item of a tuple."""
    is_flat = isinstance(node.value, gast.Attribute) and node.value.attr == "flat"
    base = _whole(state, node.value) if is_flat else state.binding(node.value)
    if isinstance(base, tuple):
        return tuples.item(state, node, base)
    whole = state.materialise(base, node)
    if isinstance(whole, Global) and is_grid(whole):
        return grid(state, node, whole, name)
    if isinstance(whole, Global) and isinstance(whole.value, tuple | dict):
        found = _of_constant(state, node, whole)
        if found is not None:
            return found
    places = indices(state, node.slice)
    out = Value(name or _element_name(whole, places), temporary=name is None)
    made = Apply(out, "getitem", (whole, *places), loc=state.where(node))
    state.nodes.append(made)
    state.ranks[out] = rank_of(made, state.ranks)
    return out


def _of_constant(state: Lowering, node: gast.Subscript, whole: Global) -> Atom | None:
    """Return the item of a captured tuple or dictionary at a constant place; None at one that varies."""
    index = state.atom(node.slice)
    key = index.value if isinstance(index, Literal) else None
    if key is None or (isinstance(whole.value, tuple) and not isinstance(key, int)):
        return None
    try:
        found = whole.value[key]
    except LookupError as error:
        raise state.refuse("AD102", f"'{whole.name}' has no item {key!r}", node) from error
    return resolve.constant(f"{whole.name}_{label(key) or abs(hash(key))}", found)


def _element_name(array: Atom, index: tuple[Atom, ...]) -> str:
    """Name an element after its array and index: `x_i` for `x[i]`."""
    if not isinstance(array, Value) or array.temporary:
        return "size" if getattr(array, "name", "") == "shape" else "item"
    plain = [atom.name for atom in index if isinstance(atom, Value) and not atom.temporary]
    plain += [str(atom.value) for atom in index if isinstance(atom, Literal) and str(atom.value).isdigit()]
    return "_".join([array.name, *plain]) if len(plain) == len(index) else "item"
