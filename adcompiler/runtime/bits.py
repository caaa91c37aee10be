"""Sums and products of floats, with what rounding lost."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from adcompiler.runtime.straight import bits, from_bits, inline

TO_INTEGER = 6755399441055744.0  # 1.5 * 2**52: adding it rounds, and leaves the integer in the low bits


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
