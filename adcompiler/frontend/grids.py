"""`np.mgrid[0:n, a:b]` and `np.ogrid[...]`: the coordinates of a grid, one array for each axis."""

from __future__ import annotations

import gast
import numpy as np

from adcompiler.frontend import defined
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Atom, Global, Literal, Value


def is_grid(atom: Atom) -> bool:
    """Tell whether an atom is what makes grids when it is subscripted.

    >>> is_grid(Global("np.mgrid", np.mgrid)), is_grid(Literal(1.0))
    (True, False)
    """
    return isinstance(atom, Global) and (atom.value is np.mgrid or atom.value is np.ogrid)


def grid(state: Lowering, node: gast.Subscript, whole: Global, name: str | None) -> Binding:
    """Lower the grid over one or two ranges; over two, it is the tuple of its arrays.

    Args:
        state: what the frontend knows.
        node: the subscript.
        whole: `np.mgrid` or `np.ogrid`.
        name: of the result, where that is one array.

    Raises:
        DifferentiationError: where a range is none, or there are more than two.
    """
    parts = node.slice.elts if isinstance(node.slice, gast.Tuple) else [node.slice]
    if len(parts) > 2 or not all(isinstance(part, gast.Slice) and part.upper for part in parts):
        cure = "add np.arange(n)[:, None, None] and the like"
        raise state.refuse("AD102", f"np.{whole.name} needs one or two ranges 'a:b'", node, cure)
    ranges: list[Binding] = [_range(state, part, name if len(parts) == 1 else None) for part in parts]
    if len(ranges) == 1:
        return ranges[0]
    if whole.value is np.ogrid:
        column, row = (state.materialise(one, node) for one in ranges)
        whole_axis = state.apply(node, "slice", (Literal(None), Literal(None)))
        return (
            state.apply(node, "getitem", (column, whole_axis, Literal(None))),
            state.apply(node, "getitem", (row, Literal(None), whole_axis)),
        )
    found = defined.inlined(state, node, "np.meshgrid", ranges, {"indexing": Literal("ij")}, name)
    assert found is not None
    return found


def _range(state: Lowering, node: gast.Slice, name: str | None) -> Value:
    """Lower `a:b:step` to the numbers that it goes over."""
    if isinstance(node.step, gast.Constant) and isinstance(node.step.value, complex):
        raise state.refuse("AD102", "a number of points '5j' is not part of the language", node.step)
    start = Literal(0) if node.lower is None else state.atom(node.lower)
    step = () if node.step is None else (state.atom(node.step),)
    made = state.apply(node.upper, "np.arange", (start, state.atom(node.upper), *step), name)
    state.ranks[made] = 1
    return made
