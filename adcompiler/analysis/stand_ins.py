"""Functions that stand for NumPy's while types are inferred: the same types, and nothing to compile.

To type a call of `np.where`, Numba compiles its implementation. That takes a second, which is lost where the
call is written as a loop afterwards.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from dataclasses import replace

from numba import boolean, float32, float64, int64
from numba.core import types
from numba.extending import intrinsic

from adcompiler.graph.nodes import Apply, Literal, Node, Region
from adcompiler.graph.walk import map_region

_SIMPLE = (float64, float32, int64)


def _untyped(*_):  # pragma: no cover - nothing is generated while types are inferred
    raise NotImplementedError


@intrinsic
def outer(typingctx, a, b):
    """Type of `np.outer`."""
    for kind in (float64, float32):
        if all(isinstance(x, types.Array) and x.ndim == 1 and x.dtype == kind for x in (a, b)):
            return types.Array(kind, 2, "C")(a, b), _untyped
    return None


@intrinsic
def where(typingctx, test, a, b):
    """Type of `np.where` for a mask and numbers or arrays of one type."""
    kinds = {x.dtype if isinstance(x, types.Array) else types.unliteral(x) for x in (a, b)}
    ranks = [x.ndim for x in (test, a, b) if isinstance(x, types.Array)]
    is_mask = isinstance(test, types.Array) and test.dtype == boolean
    if is_mask and kinds <= {float64, int64} and float64 in kinds:
        return types.Array(float64, max(ranks), "C")(test, a, b), _untyped
    return None


@intrinsic
def sum_axis(typingctx, array, axis):
    """Type of `np.sum` along one axis."""
    if not isinstance(array, types.Array) or array.dtype not in _SIMPLE:
        return None
    result = types.Array(array.dtype, array.ndim - 1, "C") if array.ndim > 1 else array.dtype
    return result(array, axis), _untyped


def with_stand_ins(body: Region) -> Region:
    """Return a region that calls these functions."""

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(_replaced, region.nodes)))

    return map_region(body, rewrite)


def _replaced(node: Node) -> Node:
    match node:
        case Apply(fn="np.outer" | "np.where", keywords=()):
            return replace(node, fn=node.fn.replace("np.", "stand_ins."))
        case Apply(fn="np.sum", args=(array,), keywords=(("axis", Literal(value=int()) as axis),)):
            return replace(node, fn="stand_ins.sum_axis", args=(array, axis), keywords=())
    return node
