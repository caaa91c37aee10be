"""Functions that stand for NumPy's while types are inferred: the same types, and nothing to compile.

To type a call of `np.where` or `a @ b`, Numba compiles its implementation. That takes up to a second, which
is lost where the call is written as a loop afterwards, or is one for another layout in the end.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from dataclasses import replace
from typing import Any

from numba import boolean, complex64, complex128, float32, float64, int64
from numba.core import types
from numba.extending import intrinsic

from adcompiler.analysis.elementwise_kinds import UnknownTypeError
from adcompiler.analysis.result_kinds import result_kind
from adcompiler.graph.nodes import Apply, Literal, Node, Region, Value
from adcompiler.graph.walk import map_region
from adcompiler.primitives import card

_CONTINUOUS = (float64, float32, complex128, complex64)
_SIMPLE = (*_CONTINUOUS, int64)


def _untyped(*_):  # pragma: no cover - nothing is generated while types are inferred
    raise NotImplementedError


@intrinsic
def outer(typingctx, a, b):
    """Type of `np.outer`."""
    if not all(isinstance(x, types.Array) and x.ndim == 1 and x.dtype in _CONTINUOUS for x in (a, b)):
        return None
    kind = typingctx.unify_types(a.dtype, b.dtype)
    is_plain = a.dtype == b.dtype or isinstance(kind, types.Complex)
    return (types.Array(kind, 2, "C")(a, b), _untyped) if is_plain else None


@intrinsic
def where(typingctx, test, a, b):
    """Type of `np.where` for a mask and numbers or arrays of one type."""
    kinds = {x.dtype if isinstance(x, types.Array) else types.unliteral(x) for x in (a, b)}
    ranks = [x.ndim for x in (test, a, b) if isinstance(x, types.Array)]
    is_mask = isinstance(test, types.Array) and test.dtype == boolean
    widest = next((kind for kind in (complex128, float64, float32) if kind in kinds), None)
    is_known = kinds <= {complex128, float64, float32, int64} and (widest != float32 or len(kinds) == 1)
    if is_mask and is_known and widest is not None:
        return types.Array(widest, max(ranks), "C")(test, a, b), _untyped
    return None


@intrinsic
def sum_axis(typingctx, array, axis):
    """Type of `np.sum` along one axis."""
    if not isinstance(array, types.Array) or array.dtype not in _SIMPLE:
        return None
    result = types.Array(array.dtype, array.ndim - 1, "C") if array.ndim > 1 else array.dtype
    return result(array, axis), _untyped


@intrinsic
def of_all(typingctx, array):
    """Type of `np.sum`, `np.max` and `np.min` of a whole array."""
    is_known = isinstance(array, types.Array) and array.dtype in _CONTINUOUS
    return (array.dtype(array), _untyped) if is_known else None


@intrinsic
def times(typingctx, d, slope):
    """Type of a product that keeps zeros."""
    arrays = [x for x in (d, slope) if isinstance(x, types.Array)]
    numbers = [x.dtype if isinstance(x, types.Array) else types.unliteral(x) for x in (d, slope)]
    result = typingctx.unify_types(*numbers)
    if not all(isinstance(x, types.Number) for x in numbers) or result is None:
        return None
    if arrays and all(x.layout == "F" for x in arrays):
        return None
    if arrays:
        result = types.Array(result, max(x.ndim for x in arrays), "C")
    return result(d, slope), _untyped


@intrinsic
def matmul(typingctx, a, b):
    """Type of `a @ b`."""
    if not all(isinstance(x, types.Array) and x.ndim in (1, 2) for x in (a, b)):
        return None
    rank, kind = a.ndim + b.ndim - 2, typingctx.unify_types(a.dtype, b.dtype)
    if not isinstance(kind, types.Float | types.Complex):
        return None
    return (types.Array(kind, rank, "C") if rank else kind)(a, b), _untyped


@intrinsic
def reshape(typingctx, array, shape):
    """Type of `x.reshape(shape)`, of arrays, too, that have to be copied for it."""
    if not isinstance(array, types.Array) or not isinstance(shape, types.Integer | types.BaseTuple):
        return None
    rank = len(shape) if isinstance(shape, types.BaseTuple) else 1
    return array.copy(ndim=rank, layout="C")(array, shape), _untyped


def _signature(fn: str, *kinds: types.Type) -> Any:
    """Return the signature of a function whose types are known without Numba, None where they are not."""
    atoms = tuple(Value("x", type=types.unliteral(kind)) for kind in kinds)
    try:
        result = result_kind(Apply(Value("y"), fn, atoms), [atom.type for atom in atoms])
    except UnknownTypeError:
        return None
    return result(*kinds), _untyped


@intrinsic
def solve(typingctx, a, b):
    """Type of `np.linalg.solve`."""
    return _signature("np.linalg.solve", a, b)


def _of_matrix(name: str) -> Any:
    """Return what stands for a function of one matrix."""

    @intrinsic
    def stand_in(typingctx, a):
        return _signature(f"np.linalg.{name}", a)

    return stand_in


inv, pinv, det, slogdet, cholesky = map(_of_matrix, ("inv", "pinv", "det", "slogdet", "cholesky"))
eigvalsh, eigh, svd, qr = map(_of_matrix, ("eigvalsh", "eigh", "svd", "qr"))
_LINALG = ("solve", "inv", "pinv", "det", "slogdet", "cholesky", "eigvalsh", "eigh", "svd", "qr")


def with_products(body: Region) -> Region:
    """Return a region that calls those for products, which take factors of two types."""

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(_as_product, region.nodes)))

    return map_region(body, rewrite)


def _as_product(node: Node) -> Node:
    takes_one_type = isinstance(node, Apply) and card(node.fn).takes_one_type
    return _replaced(node) if takes_one_type else node


def with_stand_ins(body: Region) -> Region:
    """Return a region that calls these functions."""

    def rewrite(region: Region) -> Region:
        return replace(region, nodes=tuple(map(_replaced, region.nodes)))

    return map_region(body, rewrite)


def _replaced(node: Node) -> Node:
    match node:
        case Apply(fn="np.outer" | "np.where", keywords=()):
            return replace(node, fn=node.fn.replace("np.", "stand_ins."))
        case Apply(fn="np.dot" | "np.vdot", args=(_, _), keywords=()):
            return replace(node, fn="stand_ins.matmul")
        case Apply(fn="times" | "matmul" | "reshape"):
            return replace(node, fn=f"stand_ins.{node.fn}")
        case Apply(fn="np.sum" | "np.max" | "np.min", args=(_,), keywords=()):
            return replace(node, fn="stand_ins.of_all")
        case Apply(fn="factors.lower_solved" | "factors.upper_solved"):
            return replace(node, fn="stand_ins.solve")
        case Apply(fn=fn, keywords=()) if fn.startswith("np.linalg.") and fn[10:] in _LINALG:
            return replace(node, fn=f"stand_ins.{fn[10:]}")
        case Apply(fn="np.sum", args=(array,), keywords=(("axis", Literal(value=int()) as axis),)):
            return replace(node, fn="stand_ins.sum_axis", args=(array, axis), keywords=())
    return node
