"""Types of what primitives return, where they are those that Numba finds: numbers, and arrays of them."""

from __future__ import annotations

from collections.abc import Sequence

from numba import boolean, complex128, float32, float64, int64
from numba.core import types
from numba.core.typing.arraydecl import get_array_index_type

from adcompiler.analysis.common_kinds import common_kind, conjugate_kind, number_kind, real_kind
from adcompiler.analysis.elementwise_kinds import (
    CONTINUOUS,
    UnknownTypeError,
    chosen_kind,
    elementwise_kind,
    one_of,
    widest,
)
from adcompiler.graph.kinds import element, is_array, is_complex
from adcompiler.graph.nodes import Apply, Atom, Global, Literal
from adcompiler.primitives import card

_DTYPES = {
    "np.float64": float64,
    "np.float32": float32,
    "np.complex128": complex128,
    "np.int64": int64,
    "np.bool_": boolean,
}
_INDICES = (int64, types.slice2_type, types.slice3_type, types.none, types.ellipsis)
_VECTOR = types.Array(float64, 1, "C")


def result_kind(node: Apply, kinds: Sequence[types.Type | None]) -> types.Type:
    """Return the type of what a primitive returns.

    Args:
        node: its call.
        kinds: types of its arguments; None for what is captured.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    keywords = () if node.keywords == (("of_item", Literal(True)),) else node.keywords
    match node.fn, node.args, keywords:
        case "astype" | "np.empty" | "np.zeros" | "np.ones", (_, Global() as dtype), ():
            return _of_dtype(node.fn, kinds[0], dtype)
        case "np.empty" | "np.zeros" | "np.ones", (_,), (("dtype", Global() as dtype),):
            return _of_dtype(node.fn, kinds[0], dtype)
        case "np.sum", (_,), (("axis", Literal(value=int())),):
            kind = _new(kinds[0])
            return kind.copy(ndim=kind.ndim - 1) if kind.ndim > 1 else kind.dtype
        case "of_reals", (_, Literal()), () if kinds[0] is not None and not is_complex(kinds[0]):
            return kinds[0]
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds) or keywords:
        raise UnknownTypeError
    return _of_language(node, known) or _of_arrays(node, known) or elementwise_kind(node, known)


def kind_of_item(base: types.Type, kinds: Sequence[types.Type], index: Sequence[Atom]) -> types.Type:
    """Return the type of what an index of some types picks of a value of another.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    match base, kinds:
        case types.BaseTuple(), [_] if isinstance(index[0], Literal):
            return base.types[index[0].value]
        case types.List(dtype=item), [kind] if kind == int64 and item is not types.undefined:
            return item
        case types.Array(ndim=1), [types.Array(ndim=1, dtype=dtype)] if dtype in (int64, boolean):
            return types.Array(base.dtype, 1, "C")
        case types.Array(), _:
            for kind in kinds:
                one_of(kind, *_INDICES)
            place = kinds[0] if len(kinds) == 1 else types.Tuple.from_types(kinds)
            made = get_array_index_type(base, place)
            if made is not None:
                return made.result
    raise UnknownTypeError


def _of_language(node: Apply, kinds: list[types.Type]) -> types.Type | None:
    """Return the type of what is made of tuples, lists, sizes and numbers; None for another primitive."""
    match node.fn, kinds:
        case "getitem" | "nth", [base, *index]:
            return kind_of_item(base, index, node.args[1:])
        case "seed", [kind]:
            return kind
        case "tuple", _:
            return types.Tuple.from_types(kinds)
        case "slice", [_, _]:
            return types.slice2_type
        case "slice", [_, _, _]:
            return types.slice3_type
        case "len" | "size", _:
            return int64
        case "shape", [types.Array(ndim=ndim)]:
            return types.UniTuple(int64, ndim)
        case "dtype", [types.Array(dtype=number)]:
            return types.DType(number)
        case "pop", [types.List(dtype=item)]:
            return item
        case "list", []:
            return types.List(types.undefined)
        case "list", _:
            return _display(kinds)
        case "mul", [types.List() as items, count] | [count, types.List() as items]:
            one_of(count, int64)
            return whole(items)
        case "add", [types.List() as one, types.List() as two] if whole(one) == whole(two):
            return whole(one)
        case "iadd" | "isub" | "imul", [one, two]:
            return _in_place(one, two)
        case "itruediv", [types.Array() as one, two]:
            return _in_place(one, two)
        case "itruediv", [one, two] if one == two:
            return one_of(one, *CONTINUOUS)
        case "floordiv", [one, two] if one == two:
            return one_of(one, int64, float64)
        case "float" | "np.float64", [number]:
            one_of(number, int64, float64, *((float32,) if node.fn == "np.float64" else ()))
            return float64
        case "np.float32", [number]:
            one_of(number, float64, float32, int64)
            return float32
        case "np.complex128" | "complex", [number, *other]:
            one_of(number, complex128, float64, int64)
            if other:
                _alike([number, *other], float64)
            return complex128
        case "int", [number]:
            one_of(number, int64, float64)
            return int64
    return None


def _of_arrays(node: Apply, kinds: list[types.Type]) -> types.Type | None:
    """Return the type of what a function of arrays makes; None for another primitive."""
    match node.fn, kinds:
        case "common.zeros" | "common.empty", [shape, *others]:
            return _of_shape(shape, common_kind(others) or float64)
        case "common.conjugate", [kind]:
            return conjugate_kind(kind)
        case "common.real" | "np.real", [kind]:
            return real_kind(kind)
        case "common.number", [kind, *others]:
            return number_kind(kind, others)
        case "common.within", [kind, other] if is_complex(other) or not is_complex(kind):
            return kind
        case "np.imag", [kind] if is_complex(kind):
            return real_kind(kind)
        case "np.array", [types.List(dtype=types.List(dtype=number))]:
            return types.Array(one_of(number, *CONTINUOUS, int64), 2, "C")
        case "np.array", [types.List(dtype=number)]:
            return types.Array(one_of(number, *CONTINUOUS, int64), 1, "C")
        case "np.empty" | "np.zeros" | "np.ones", [shape]:
            return _of_shape(shape, float64)
        case "np.empty" | "np.zeros" | "np.ones", [shape, types.DType(dtype=number)]:
            return _of_shape(shape, number)
        case "np.full", [shape, number]:
            return _of_shape(shape, one_of(number, *CONTINUOUS, int64))
        case "np.zeros_like" | "np.empty_like" | "np.ones_like", [types.Array() as array]:
            return _new(array, "C" if array.layout != "F" else "F")
        case "copy" | "np.ascontiguousarray" | "np.sort", [types.Array() as array]:
            return _new(array)
        case "np.roll", [types.Array() as array, shift] if shift == int64:
            return _new(array)
        case "flatten" | "ravel" | "np.cumsum", [types.Array() as array]:
            return _new(array).copy(ndim=1)
        case "reshape", [types.Array(layout="C") as array, shape]:
            return _of_shape(shape, array.dtype)
        case "np.argsort", [types.Array(ndim=1) as array]:
            one_of(array.dtype, float64, float32, int64)
            return types.Array(int64, 1, "C")
        case "np.argmax" | "np.argmin", [types.Array(dtype=number)]:
            one_of(number, float64, float32, int64)
            return int64
        case "np.searchsorted", [types.Array(ndim=1), where, *_]:
            return types.Array(int64, where.ndim, "C") if is_array(where) else int64
        case "np.nonzero", [types.Array(ndim=ndim)]:
            return types.UniTuple(types.Array(int64, 1, "C"), ndim)
        case "np.max" | "np.min", [types.Array(dtype=number)]:
            return one_of(number, float64, float32, int64)
        case "np.sum" | "np.mean" | "np.prod", [types.Array(dtype=number)]:
            return one_of(number, *CONTINUOUS)
        case "np.trace", [types.Array(ndim=2, dtype=number)]:
            return one_of(number, float64, complex128)
        case "np.var" | "np.std", [types.Array(dtype=number)]:
            one_of(number, float64, complex128)
            return float64
        case "np.outer", [types.Array(ndim=1, dtype=number), types.Array(ndim=1, dtype=other)]:
            one_of(number, *CONTINUOUS)
            return types.Array(one_of(widest((number, other)), number, complex128), 2, "C")
        case "sum_to", [types.Array() as array, shape]:
            return _of_shape(shape, _new(array).dtype)
        case "np.arange", _:
            return types.Array(_alike(kinds, int64, float64), 1, "C")
        case "np.stack" | "np.vstack" | "np.column_stack", [types.Array(ndim=1), *_]:
            return _new(_alike(list(map(_new, kinds)))).copy(ndim=2)
        case "T", [types.Array() as array]:
            turned = {"C": "F", "F": "C"}.get(array.layout, "A") if array.ndim > 1 else array.layout
            return array.copy(layout=turned)
        case "np.vdot", [types.Array(ndim=1, dtype=number), types.Array(ndim=1, dtype=other)]:
            return one_of(widest((number, other)), *CONTINUOUS)
        case "matmul" | "np.dot", [types.Array() as one, types.Array() as two]:
            return _product(one, two)
        case "np.linalg.svd", [_]:
            sides = _of_matrix("F", kinds)
            return types.Tuple((sides, _VECTOR, sides))
        case "np.linalg.eigvalsh", [_]:
            _of_matrix("", kinds)
            return _VECTOR
        case "np.linalg.eigh", [_]:
            return types.Tuple((_VECTOR, _of_matrix("F", kinds)))
        case "np.linalg.qr", [_]:
            return types.Tuple((_of_matrix("A", kinds), _of_matrix("F", kinds)))
        case "np.linalg.slogdet", [_]:
            return types.Tuple((_of_matrix("", kinds), float64))
        case "np.linalg.pinv", [_]:
            return _of_matrix("F", kinds)
        case "np.linalg.norm", [types.Array(layout="C" | "F", dtype=number)]:
            one_of(number, float64, complex128)
            return float64
        case "np.diag", [types.Array() as array]:
            return _new(array).copy(ndim=1 if array.ndim > 1 else 2)
        case "np.concatenate", _:
            return _joined(kinds)
        case "np.eye" | "np.identity", [*counts]:
            _alike(counts, int64)
            return types.Array(float64, 2, "C")
        case "and_" | "or_" | "xor" | "np.logical_and" | "np.logical_or", [one, two] if element(
            one
        ) == element(two) == boolean and (is_array(one) or is_array(two)):
            return types.Array(boolean, max(kind.ndim for kind in kinds if is_array(kind)), "C")
        case "np.where", [test, one, two]:
            return chosen_kind(test, [one, two])
        case fn, [_, *parts] if fn.endswith("]") and card(fn.partition("[")[0]).part_names:
            return parts[int(fn[-2])]
        case fn, _ if (order := card(fn).order_of_matrix) is not None:
            return _of_matrix(order, kinds[:2])
    return None


def whole(kind: types.Type) -> types.Type:
    """Return a type that is known in all its parts: what will be in an empty list, Numba sees."""
    if isinstance(kind, types.List) and kind.dtype is types.undefined:
        raise UnknownTypeError
    return kind


def _display(kinds: list[types.Type]) -> types.Type:
    """Return the type of a list of numbers, arrays or lists."""
    kind = _alike(kinds)
    if not isinstance(kind, types.Array | types.List):
        one_of(kind, *CONTINUOUS, int64)
    return types.List(whole(kind))


def _in_place(one: types.Type, two: types.Type) -> types.Type:
    """Return the type of `one += two`: of arrays, the array itself."""
    number = one.dtype if is_array(one) else one
    fits = two in (number, int64) or (number == complex128 and two == float64)
    if is_array(one) and is_array(two) and two.ndim <= one.ndim:
        fits = two.dtype == number or (number == complex128 and two.dtype == float64)
    if is_array(one) and number in CONTINUOUS and one.mutable and fits:
        return one
    if one == two == float32:
        return float32
    numbers = {one_of(one, complex128, float64, int64), one_of(two, complex128, float64, int64)}
    return next(kind for kind in (complex128, float64, int64) if kind in numbers)


def _of_dtype(fn: str, kind: types.Type | None, dtype: Global) -> types.Type:
    """Return the type of an array of another type, or of a shape, whose numbers have a type by name."""
    number = _DTYPES.get(dtype.name)
    if number is None or kind is None:
        raise UnknownTypeError
    if fn != "astype":
        return _of_shape(kind, number)
    if not is_array(kind) or (is_complex(kind) and number != complex128):
        raise UnknownTypeError
    one_of(number, *CONTINUOUS)
    return _new(kind, "F" if kind.layout == "F" else "C").copy(dtype=number)


def _of_shape(shape: types.Type, number: types.Type) -> types.Type:
    rank = len(shape) if isinstance(shape, types.UniTuple) else 1 if shape == int64 else 0
    if rank == 0:
        raise UnknownTypeError
    return types.Array(number, rank, "C")


def _new(kind: types.Type | None, layout: str = "C") -> types.Array:
    """Return a new array like one of numbers."""
    if kind is None or not is_array(kind):
        raise UnknownTypeError
    return types.Array(one_of(kind.dtype, *CONTINUOUS, int64), kind.ndim, layout)


def _product(one: types.Array, two: types.Array) -> types.Type:
    number, rank = one_of(widest((one.dtype, two.dtype)), *CONTINUOUS), one.ndim + two.ndim - 2
    if not (1 <= one.ndim <= 2 and 1 <= two.ndim <= 2):
        raise UnknownTypeError
    return types.Array(number, rank, "C") if rank else number


def _of_matrix(order: str, kinds: Sequence[types.Type]) -> types.Type:
    """Return the type of a function of a matrix, or of a matrix and what stands on the right of a system."""
    if not all(map(is_array, kinds)) or kinds[0].ndim != 2:
        raise UnknownTypeError
    number = widest(one_of(kind.dtype, float64, complex128) for kind in kinds)
    if not order:
        return number
    *_, last = kinds
    return types.Array(number, last.ndim, order if last.ndim > 1 else "C")


def _joined(parts: Sequence[types.Type]) -> types.Type:
    """Return the type of vectors one after another."""
    return _alike(list(map(_new, parts)), *(types.Array(number, 1, "C") for number in CONTINUOUS))


def _alike(kinds: Sequence[types.Type], *known: types.Type) -> types.Type:
    """Return the type that all have, which is one of some if these are given."""
    for kind in kinds:
        one_of(kind, kinds[0])
    return one_of(kinds[0], *known) if known else kinds[0]
