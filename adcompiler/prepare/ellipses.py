"""Write `a[..., 0]` as `a[:, 0]`, or as `a[0]` if a is a vector.

Of a vector, `a[..., 0]` is a view without axes in plain NumPy and in Numba; all that follows knows only
numbers, and views that have axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numba.core import types as nt

from adcompiler.analysis.types import enter_types, infer, is_array, rank
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region

_DOTS, _ALL = Literal(...), Literal(None)


def without_ellipses(graph: Graph) -> Graph:
    """Return the graph with a slice for each axis that an ellipsis stands for; the same graph if it has none.

    Args:
        graph: the graph.
    """
    changed: list[Node] = []

    def spread(array: Atom, index: tuple[Atom, ...], node: Node, nodes: list[Node]) -> tuple[Atom, ...]:
        axes = _rank(array)
        if index.count(_DOTS) == 1 and axes == 0:
            cure = "use a number, or an array of one element; x.item() reads an array without axes"
            raise DifferentiationError(
                "AD304", "the array has no axes, and has no elements to name", node.loc, cure
            )
        if index.count(_DOTS) != 1 or not axes:
            return index
        changed.append(node)
        return _spread(index, axes, nodes)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            match node:
                case Apply(fn="getitem", args=(array, *index)):
                    node = replace(node, args=(array, *spread(array, tuple(index), node, nodes)))
                case Store():
                    node = replace(node, index=spread(node.array, node.index, node, nodes))
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    body = map_region(graph.body, rewrite)
    return replace(graph, body=body) if changed else graph


def _rank(array: Atom) -> int | None:
    """Return the number of axes of an array; None for what is none."""
    if isinstance(array, Global):
        return getattr(array.value, "ndim", None)
    kind = type_of(array)
    return rank(kind) if is_array(kind) else None


def _spread(index: tuple[Atom, ...], axes: int, nodes: list[Node]) -> tuple[Atom, ...]:
    """Return an index with slices in place of its ellipsis; those at its end are left out."""
    place = index.index(_DOTS)
    before, after = index[:place], index[place + 1 :]
    if not after and before:
        return before
    kinds = [type_of(atom) for atom in (*before, *after)]
    named = sum(len(kind.types) if isinstance(kind, nt.BaseTuple) else 1 for kind in kinds)
    named -= sum(atom == _ALL for atom in index)
    slices = [Value("slice", temporary=True) for _ in range(axes - named if after else 1)]
    nodes += [Apply(out, "slice", (_ALL, _ALL)) for out in slices]
    return (*before, *slices, *after)


def typed_without_ellipses(graph: Graph, arguments: Sequence[nt.Type]) -> Graph:
    """Return a typed graph without `...`; what stands for it gets its types, given those of the arguments."""
    spread = without_ellipses(graph)
    if spread is not graph:
        enter_types(infer(spread, arguments))
    return spread
