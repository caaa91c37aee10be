"""Floats as bits, for functions that LLVM is to vectorise."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from numba import float64, int64, njit, types
from numba.extending import intrinsic

TO_INTEGER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds, and leaves the integer in the low bits


@intrinsic
def bits(typingctx, x):  # pragma: no cover - runs in the compiler
    """Return the bits of a float64 as an int64."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(int64))

    return int64(types.float64), codegen


@intrinsic
def from_bits(typingctx, whole):  # pragma: no cover - runs in the compiler
    """Return the float64 of these bits."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(float64))

    return float64(types.int64), codegen


inline = njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
"""Products and sums may be fused; the functions are right either way."""


@inline
def split(x):
    """Return x as a sum of a number of 26 bits and one of 27: products of such parts are exact."""
    high = from_bits(bits(x) & -134217728)
    return high, x - high


@inline
def two_sum(a, b):
    """Return the rounded sum and what rounding lost (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@inline
def product_error(a, b, p):
    """Return what rounding lost in p = a * b (Dekker 1971)."""
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    return ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low
