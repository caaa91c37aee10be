"""Powers that LLVM vectorises: the logarithm in two floats, then the exponential.

An error in the logarithm is multiplied by up to 745, so that it needs some 65 bits.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import numpy as np

from adcompiler.runtime.bits import product_error, two_sum
from adcompiler.runtime.straight import bits, inline
from adcompiler.runtime.vector_exponentials import LN2_HIGH, LN2_LOW, scaled, scaled_exp


@inline
def _log(x):
    """Return log(x) of a positive finite number as the sum of two floats."""
    k, m = scaled(x)
    f = m - 1.0
    u = 1.0 + m
    s = f / u
    product = s * u
    s_low = (((f - product) - product_error(s, u, product)) - s * (m - (u - 1.0))) / u
    z = s * s
    z_low = product_error(s, s, z) + 2.0 * s * s_low
    p = 0.15384594872224233 + z * (0.1333480919529892 + z * (0.1170612507385906 + z * 0.1172425897646252))
    p = 0.28571428571429375 + z * (0.2222222222165133 + z * (0.18181818336322408 + z * p))
    p = z * (0.4 + z * p)
    g = 0.6666666666666666 + p
    g_low = ((0.6666666666666666 - g) + p) + 3.700743415417188e-17
    h = z * g
    h_low = product_error(z, g, h) + (z * g_low + z_low * g)
    c = s * h
    c_low = product_error(s, h, c) + (s * h_low + s_low * h)
    high, low = two_sum(k * LN2_HIGH, 2.0 * s)
    high, more = two_sum(high, c)
    low = (low + more) + ((2.0 * s_low + c_low) + k * LN2_LOW)
    total = high + low
    return total, (high - total) + low


@inline
def pow(x, y):
    """Return x**y."""
    size = abs(x)
    high, low = _log(size)
    high = high if size < float("inf") else size
    high = high if size != 0.0 else -float("inf")
    low = low if size > 0.0 and size < float("inf") else 0.0
    e = y * high if high != 0.0 else y * low
    is_finite = abs(e) < 1e4 and abs(y) < 1e300
    rest = (product_error(y, high, e) + y * low) if is_finite and high != 0.0 else 0.0
    power = scaled_exp(e, 0.0)
    power = (power + power * rest) if power < float("inf") else power
    is_whole = np.floor(y) == y
    half = 0.5 * y
    is_odd = is_whole and np.floor(half) != half
    power = -power if is_odd and bits(x) < 0 else power
    power = float("nan") if x < 0.0 and x > -float("inf") and not is_whole else power
    power = 1.0 if size == 1.0 and abs(y) == float("inf") else power
    power = power if x == x and y == y else float("nan")
    return 1.0 if y == 0.0 or x == 1.0 else power
