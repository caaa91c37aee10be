"""Checks in generated code of what it assumes of sizes, and products that zeros pass through unharmed.

Compiled code has no calls of these: they are written into it, so that there is nothing to compile beside it.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call, misc"
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, overload, type_callable

from adcompiler.runtime.finite import finite


class SizeError(ValueError):
    """Sizes that were assumed to be equal differ: an array is stretched, or the program is at fault."""


_STRETCHED = "arrays that are combined differ in size; with broadcasting=True one may be stretched"
_CUT_OFF = "a slice reaches beyond its array; with broadcasting=True it may be cut off"
_UNFIT = "arrays that are multiplied do not fit: the sizes of which sums are formed differ"
_UNFILLED = "what is stored to an array differs in size from where it is stored"
_OUTSIDE = "index out of bounds: an array is too short for the elements that are read of it"
_RUNS_OUT = "index out of bounds: an array is too short for the loop that goes over it"


def same_size(one, two):
    """Raise SizeError unless two sizes are equal."""
    if one != two:
        raise SizeError(_STRETCHED)


def at_least(whole, needed):
    """Raise SizeError unless an array is large enough for a slice of it."""
    if whole < needed:
        raise SizeError(_CUT_OFF)


def fits(one, two):
    """Raise ValueError unless the sizes are equal along which arrays are multiplied."""
    if one != two:
        raise ValueError(_UNFIT)


def fills(part, given):
    """Raise ValueError unless what is stored has the size of where it is stored, or may be stretched."""
    if given != part and given != 1:
        raise ValueError(_UNFILLED)


def in_bounds(size, index, runs=1):
    """Raise IndexError unless an axis of some size has an element at an index, or if nothing runs."""
    if runs > 0 and (index >= size or index < -size):
        raise IndexError(_OUTSIDE)


def all_in_bounds(size, start, stop, runs=1):
    """Raise IndexError unless an axis has elements at all of range(start, stop), or if nothing runs."""
    if start < stop and runs > 0 and (stop > size or start < -size):
        raise IndexError(_RUNS_OUT)


def nonzero(divisor):
    """Raise ZeroDivisionError if a divisor is zero, as Python does."""
    if divisor == 0:
        raise ZeroDivisionError("division by zero")


def times(d, slope):
    """Return d * slope, but zero where one of them is zero: the other may be infinite or not a number."""
    if np.ndim(d) == 0 and np.ndim(slope) == 0:
        return d * slope if d != 0 and slope != 0 else 0 * (slope if slope == 0 else d)
    with np.errstate(all="ignore"):
        found = d * slope
        return np.where((d != 0) & (slope != 0), found, np.zeros_like(found))


GUARDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (same_size, at_least, fits, fills, in_bounds, all_in_bounds, nonzero, times, finite)
}


# in compiled code


def _compare(builder, test, one, two):
    return builder.icmp_signed(test, one, two)


def _differ(builder, one, two):
    return _compare(builder, "!=", one, two)


def _is_less(builder, whole, needed):
    return _compare(builder, "<", whole, needed)


def _is_unfilled(builder, part, given):
    is_stretched = _compare(builder, "==", given, ir.Constant(given.type, 1))
    return builder.and_(_compare(builder, "!=", part, given), builder.not_(is_stretched))


def _is_outside(builder, size, index, runs=None):
    is_outside = builder.or_(
        _compare(builder, ">=", index, size), _compare(builder, "<", index, builder.neg(size))
    )
    return _if_run(builder, is_outside, runs)


def _runs_out(builder, size, start, stop, runs=None):
    is_outside = builder.or_(
        _compare(builder, ">", stop, size), _compare(builder, "<", start, builder.neg(size))
    )
    return _if_run(builder, builder.and_(_compare(builder, "<", start, stop), is_outside), runs)


def _if_run(builder, test, runs):
    if runs is None:
        return test
    return builder.and_(test, _compare(builder, ">", runs, ir.Constant(runs.type, 0)))


def _write(function, fails, error, message):
    """Let compiled code hold a check of whole numbers instead of a call."""
    parameters = [*inspect.signature(function).parameters.values()]

    @infer_global(function)
    class _Check(AbstractTemplate):
        def generic(self, args, kws):
            given = parameters[: len(args) + len(kws)]
            plain = inspect.Signature(
                [parameter.replace(default=inspect.Parameter.empty) for parameter in given]
            )
            return signature(types.none, *[types.int64] * len(given)).replace(pysig=plain)

    @lower_builtin(function, types.VarArg(types.Any))
    def emit(context, builder, sig, args):
        with builder.if_then(fails(builder, *args), likely=False):
            context.call_conv.return_user_exc(builder, error, (message,))
        return context.get_dummy_value()


_write(same_size, _differ, SizeError, _STRETCHED)
_write(at_least, _is_less, SizeError, _CUT_OFF)
_write(fits, _differ, ValueError, _UNFIT)
_write(fills, _is_unfilled, ValueError, _UNFILLED)
_write(in_bounds, _is_outside, IndexError, _OUTSIDE)
_write(all_in_bounds, _runs_out, IndexError, _RUNS_OUT)


@overload(nonzero, inline="always")
def _nonzero(divisor):
    def check(divisor):
        if divisor == 0:
            raise ZeroDivisionError("division by zero")

    return check


@type_callable(times)
def _type_of_product(context):
    def typing(d, slope):
        kind = context.unify_types(d, slope)
        return signature(kind, kind, kind) if isinstance(kind, types.Float) else None

    return typing


@lower_builtin(times, types.Float, types.Float)
def _times_floats(context, builder, sig, args):
    zero = ir.Constant(args[0].type, 0.0)
    both = builder.and_(*(builder.fcmp_unordered("!=", arg, zero) for arg in args))
    return builder.select(both, builder.fmul(*args), zero)


@overload(times)
def _times_others(d, slope):
    if isinstance(d, types.Float) and isinstance(slope, types.Float):
        return None
    if isinstance(d, types.Number) and isinstance(slope, types.Number):
        return lambda d, slope: d * slope if d != 0 and slope != 0 else 0 * (slope if slope == 0 else d)
    if isinstance(d, types.Number):
        return lambda d, slope: _chosen(slope != 0, d * slope) if d != 0 else np.zeros_like(d * slope)
    if isinstance(slope, types.Number):
        return lambda d, slope: _chosen(d != 0, d * slope) if slope != 0 else np.zeros_like(d * slope)
    return lambda d, slope: _chosen((d != 0) & (slope != 0), d * slope)


@njit(cache=True)
def _chosen(mask, values):
    return np.where(mask, values, np.zeros_like(values))
