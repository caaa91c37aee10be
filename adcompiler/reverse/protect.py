"""Copies of arrays that the reverse sweep reads and the primal overwrites before that."""

from __future__ import annotations

from collections.abc import Iterator

from adcompiler.analysis.alias import content_reads, written_arrays
from adcompiler.analysis.types import is_array, is_memory
from adcompiler.graph.nodes import Apply, Atom, Effect, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import operands, regions, substitute, values, walk
from adcompiler.primitives import card
from adcompiler.reverse.adjoints import AdjointSweep


def protect(sweep: AdjointSweep, node: Apply | Store | Effect, start: int) -> None:
    """Let the reversal of a node read copies of arrays that the primal overwrites later.

    Taking a view, as in `a.T @ d`, counts as reading: its elements are read through it.
    """
    for position in range(start, len(sweep.nodes)):
        made = sweep.nodes[position]
        parts = [made, *(inner for region in regions(made) for inner in walk(region))]
        stale = {value for part in parts for value in _element_reads(part) if _is_stale(sweep, value, node)}
        if stale:
            mapping: dict[Value, Atom] = {value: _copy_of(sweep, value, node) for value in stale}
            sweep.nodes[position] = substitute(Region((), (made,), ()), mapping).nodes[0]


def _is_stale(sweep: AdjointSweep, value: Value, node: Node) -> bool:
    """Tell whether the primal overwrites an array after the node has run."""
    is_shadow = value in sweep.bound.all
    return is_memory(type_of(value)) and not is_shadow and sweep.info.written_after(value, node)


def forget_copies(sweep: AdjointSweep, node: Node) -> None:
    """Forget the copies that do not hold what arrays held before a node, as it writes these."""
    if not sweep.copies:
        return
    classes = sweep.info.classes
    written = {classes.get(array, array) for array in written_arrays(Region((), (node,), ()))}
    for value in [value for value in sweep.copies if classes.get(value, value) in written]:
        del sweep.copies[value]


def _copy_of(sweep: AdjointSweep, value: Value, node: Apply | Store | Effect) -> Value:
    """Return a copy of an array as it is when the primal node runs; a later node may have made it."""
    if value not in sweep.copies:
        copy = Value(f"{value.name}_copy")
        made = Apply(copy, "copy", (value,), loc=node.loc, role=node.role)
        is_output = isinstance(node, Apply) and value is node.out
        (sweep.after if is_output else sweep.before).setdefault(node, []).append(made)
        kind = value.type
        is_strided = is_array(kind) and kind.layout == "A"
        copy.type = kind.copy(layout="C") if is_strided else kind
        if value in sweep.shapes:
            sweep.shapes[copy] = sweep.shapes[value]
        sweep.info.access[made] = sweep.info.access[node]
        sweep.copies[value] = copy
    return sweep.copies[value]


def _element_reads(node: Node) -> Iterator[Value]:
    is_view = isinstance(node, Apply) and card(node.fn).is_view
    yield from values(operands(node)) if is_view else content_reads(node)
