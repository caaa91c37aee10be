"""Types of what elementwise functions make of numbers and arrays, where they are those that Numba finds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from numba import boolean, complex128, float32, float64, int64
from numba.core import types

from adcompiler.graph.kinds import element, is_array
from adcompiler.graph.nodes import Apply, Literal, Role, Value
from adcompiler.primitives import Gives, card

CONTINUOUS = (float64, float32, complex128)


class UnknownTypeError(Exception):
    """Numba has to tell."""


def one_of(kind: types.Type | None, *known: types.Type) -> types.Type:
    """Return a type that is one of these.

    Raises:
        UnknownTypeError: where it is another.
    """
    if kind not in known:
        raise UnknownTypeError
    return kind


def widest(numbers: Iterable[types.Type]) -> types.Type:
    """Return the type that real and complex numbers have in common.

    >>> widest([float64, int64, complex128]), widest([float32, int64])
    (complex128, float64)
    """
    met = {*numbers}
    if not met or not met <= {*CONTINUOUS, int64}:
        raise UnknownTypeError
    if len(met) == 1:
        return next(iter(met))
    return complex128 if complex128 in met else float64


def elementwise_kind(node: Apply, kinds: Sequence[types.Type]) -> types.Type:
    """Return the type of what an elementwise function makes of arguments of some types.

    Raises:
        UnknownTypeError: where it is not plain.
    """
    if any(isinstance(kind, types.Sequence) for kind in kinds):
        raise UnknownTypeError
    arrays = [kind for kind in kinds if is_array(kind)]
    result = _number(node, kinds, arrays)
    if not arrays:
        return result
    ndim, layouts = max(kind.ndim for kind in arrays), {kind.layout for kind in arrays}
    if result == boolean:
        if "F" in layouts:
            raise UnknownTypeError
        return types.Array(boolean, ndim, "C")
    one_of(result, *CONTINUOUS)
    return types.Array(result, ndim, "F" if layouts in ({"F"}, {"F", "A"}) else "C")


def chosen_kind(test: types.Type, kinds: Sequence[types.Type]) -> types.Type:
    """Return the type of what a mask chooses from two numbers or arrays."""
    arrays = [kind for kind in (test, *kinds) if is_array(kind)]
    if not is_array(test) or test.dtype != boolean:
        raise UnknownTypeError
    number = widest(map(element, kinds))
    if number == int64 or (float32 in map(element, kinds) and number not in (float32, float64)):
        raise UnknownTypeError
    return types.Array(number, max(kind.ndim for kind in arrays), "C")


def _number(node: Apply, kinds: Sequence[types.Type], arrays: Sequence[types.Array]) -> types.Type:
    """Return the type of the numbers that are made."""
    numbers = {*map(element, kinds)}
    if not kinds or not numbers <= {*CONTINUOUS, int64, boolean}:
        raise UnknownTypeError
    if complex128 in numbers:
        return _of_complex(node, numbers)
    if {kind.dtype for kind in arrays} == {float32} and numbers == {float32, int64}:
        numbers = {float32}  # to an array, a whole number adds no precision
    if node.role is not Role.PRIMAL and _is_of_singles(node, kinds):
        numbers = {float32}
    return _of_reals(node, numbers, bool(arrays))


def _of_complex(node: Apply, numbers: set[types.Type]) -> types.Type:
    known = card(node.fn)
    if not numbers <= {complex128, float64, int64} or node.fn.startswith("math."):
        raise UnknownTypeError
    if node.fn in ("eq", "ne"):
        return boolean
    if known.gives is Gives.PART:
        return float64
    has_rule = known.is_analytic or (known.gives is Gives.SAME and known.complex_partials is not None)
    return _only(has_rule and known.is_elementwise, complex128)


def _is_of_singles(node: Apply, kinds: Sequence[types.Type]) -> bool:
    """Tell whether a derivative combines single precision and constants, which take its precision."""
    met = {element(kind) for atom, kind in zip(node.args, kinds, strict=True) if isinstance(atom, Value)}
    return met == {float32}


def _of_reals(node: Apply, numbers: set[types.Type], has_arrays: bool) -> types.Type:
    known = card(node.fn)
    is_one = len(numbers) == 1
    if known.operator is ast.Not or node.fn in ("and", "or"):
        return _only(numbers == {boolean} and not has_arrays, boolean)
    if known.gives is Gives.TEST:
        return boolean
    if boolean in numbers:
        raise UnknownTypeError
    match known.gives:
        case Gives.WIDEST:
            return next(iter(numbers)) if is_one else float64
        case Gives.SAME | Gives.PART:
            return _only(is_one, next(iter(numbers)))
        case Gives.REAL if numbers == {float32}:
            return _only(known.is_instruction or bool(known.fast), float32)
        case Gives.REAL if known.operator or (known.is_elementwise and numbers == {float64}):
            return float64
        case Gives.REAL if known.is_elementwise and numbers == {int64} and not has_arrays:
            return float64
    return _power(node, numbers)


def _power(node: Apply, numbers: set[types.Type]) -> types.Type:
    if node.fn == "pow" and numbers <= {float32, int64} and float32 in numbers:
        return _only(numbers == {float32} or isinstance(node.args[1], Literal), float32)
    return _only(node.fn == "pow" and float64 in numbers, float64)


def _only(is_plain: bool, kind: types.Type) -> types.Type:
    if not is_plain:
        raise UnknownTypeError
    return kind
