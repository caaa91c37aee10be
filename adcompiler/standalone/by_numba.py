"""What is written into compiled code here, as functions that Numba compiles: for files of their own."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

import numpy as np
from numba import float64, int64, njit, types
from numba.extending import intrinsic, overload
from numba.np.ufunc.parallel import _iget_num_threads as number_of_threads

from adcompiler.runtime.vector_angles import atan, atan2, cos, sin
from adcompiler.runtime.vector_exponentials import cosh, erf, exp, expm1, log, log1p, log2, sinh, tanh
from adcompiler.runtime.vector_power import pow


@intrinsic
def bits(typingctx, x):
    """Return the bits of a float64 as an int64."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(int64))

    return int64(types.float64), codegen


@intrinsic
def from_bits(typingctx, whole):
    """Return the float64 of these bits."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(float64))

    return float64(types.int64), codegen


inline = njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)


@njit(cache=True, fastmath={"reassoc", "nsz"}, forceinline=True)
def add_up(total, term):
    """Return `total + term`, and let LLVM add the terms of a loop in any order, so that it vectorises."""
    return total + term


@njit(cache=True)
def number_of_parts(count, least):
    """Return into how many parts to cut iterations: one for each thread, none shorter than `least`."""
    return max(1, min(number_of_threads(), count // least))


@njit(cache=True)
def add_parts(array, parts):
    """Add up arrays, along the first axis of `parts`, and add the sum to an array."""
    for part in range(len(parts)):
        array += parts[part]


def product(d, slope):
    """Return d * slope, but zero where one of them is zero."""
    raise NotImplementedError


@overload(product)
def _product(d, slope):
    if isinstance(d, types.Number) and isinstance(slope, types.Number):
        return lambda d, slope: d * slope if d != 0 and slope != 0 else slope if slope == 0 else d
    if isinstance(d, types.Number):
        return lambda d, slope: _chosen(slope != 0, d * slope) if d != 0 else np.zeros_like(d * slope)
    if isinstance(slope, types.Number):
        return lambda d, slope: _chosen(d != 0, d * slope) if slope != 0 else np.zeros_like(d * slope)
    return lambda d, slope: _chosen((d != 0) & (slope != 0), d * slope)


@njit(cache=True)
def _chosen(mask, values):
    return np.where(mask, values, np.zeros_like(values))


@njit(cache=True)
def times(d, slope):
    """Return d * slope, but zero where one of them is zero: the other may be infinite or not a number."""
    return product(d, slope)


def _single(function):
    """Return the function of one number in single precision."""

    @inline
    def of_one(x):
        return np.float32(function(np.float64(x)))

    return of_one


def _single_of_two(function):
    """Return the function of two numbers in single precision."""

    @inline
    def of_two(x, y):
        return np.float32(function(np.float64(x), np.float64(y)))

    return of_two


exp32 = _single(exp)
expm132 = _single(expm1)
log32 = _single(log)
log1p32 = _single(log1p)
log232 = _single(log2)
tanh32 = _single(tanh)
sinh32 = _single(sinh)
cosh32 = _single(cosh)
erf32 = _single(erf)
sin32 = _single(sin)
cos32 = _single(cos)
atan32 = _single(atan)
atan232 = _single_of_two(atan2)
pow32 = _single_of_two(pow)
