"""Sine, cosine and arc tangent that LLVM vectorises, for every float64.

An angle is reduced by multiples of pi/2: up to 100,000 in three steps (Cody and Waite), beyond by multiplying
with the digits of 2/pi that matter for its exponent (Payne and Hanek 1983), which a table holds.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

import numpy as np

from adcompiler.runtime.bits import TO_INTEGER, product_error, split, two_sum
from adcompiler.runtime.straight import bits, from_bits, inline

_TWO_OVER_PI = 0.6366197723675814
_HALF_PI = 1.5707963267948966
_HALF_PI_REST = 6.123233995736766e-17
_LARGE = 1e5


def _pi(digits: int) -> int:
    """Return pi * 2**digits, rounded down (Machin 1706)."""

    def inverse_tangent(n: int) -> int:
        term = (1 << (digits + 20)) // n
        total, k = term, 1
        while term:
            term //= -n * n
            total += term // (2 * k + 1)
            k += 1
        return total

    return (16 * inverse_tangent(5) - 4 * inverse_tangent(239)) >> 20


def _table() -> list[np.ndarray]:
    """Return 2**(e - 52) * 2/pi modulo 4 for every exponent e, as six parts: five of 26 bits and the rest."""
    digits = 1300
    ratio = (1 << (2 * digits + 1)) // _pi(digits)  # 2/pi * 2**digits
    parts = [np.empty(1024) for _ in range(6)]
    for e in range(1024):
        rest = ((ratio << e) >> 52) & ((1 << (digits + 2)) - 1)
        for k in range(5):
            unit = digits - 24 - 26 * k
            parts[k][e] = (rest >> unit) * 2.0 ** (-24 - 26 * k)
            rest &= (1 << unit) - 1
        parts[5][e] = (rest >> (unit - 60)) * 2.0 ** (-24 - 26 * 4 - 60)
    return parts


_PART_0, _PART_1, _PART_2, _PART_3, _PART_4, _REST = _table()


@inline
def _modulo_4(x):
    return x - 4.0 * ((x * 0.25 + TO_INTEGER) - TO_INTEGER)


@inline
def _far(size):
    """Return quarter turns and the rest of a large positive angle; all sums but the last are exact."""
    whole = bits(size)
    e = np.uint64(min(max((whole >> 52) - 1023, 0), 1023))
    n = from_bits((whole & 4503599627370495) | (1075 << 52))  # the angle is n * 2**(e - 52)
    high, low = split(n)
    p1, p2, p3, p4 = _PART_1[e], _PART_2[e], _PART_3[e], _PART_4[e]
    turns = _modulo_4(low * _PART_0[e]) + _modulo_4(high * p1)
    turns = turns + _modulo_4(low * p1) + _modulo_4(high * p2)
    k = (turns + TO_INTEGER) - TO_INTEGER
    s, a = two_sum(turns - k, low * p2)
    s, b = two_sum(s, high * p3)
    s, c = two_sum(s, low * p3)
    s, d = two_sum(s, high * p4)
    s, lost = two_sum(s, (a + b) + (c + d))
    rest = lost + (low * p4 + n * _REST[e])
    f = s + rest
    r = f * _HALF_PI
    return k, r + (product_error(f, _HALF_PI, r) + (((s - f) + rest) * _HALF_PI + f * _HALF_PI_REST))


@inline
def _reduced(x):
    """Return k modulo 4 and r with x = k*pi/2 + r, |r| <= pi/4 and a little."""
    size = abs(x)
    k = (size * _TWO_OVER_PI + TO_INTEGER) - TO_INTEGER
    a = size - k * 1.5707963267341256
    w = k * 6.077100506303966e-11
    b = a - w
    r = b + (((a - b) - w) - k * 2.0222662487959506e-21)
    far_k, far_r = _far(size)
    is_far = size > _LARGE
    k = far_k if is_far else k
    r = far_r if is_far else r
    quarter = bits(k + TO_INTEGER)
    return (quarter if x > 0.0 else -quarter), (r if x > 0.0 else -r)


@inline
def _sine(r):
    z = r * r
    p = 2.755731610272404e-06 + z * (-2.5051131855038572e-08 + z * 1.5918128541918099e-10)
    return r + r * z * (
        -0.16666666666666666 + z * (0.00833333333333095 + z * (-0.00019841269836759227 + z * p))
    )


@inline
def _cosine(r):
    z = r * r
    p = -2.755731727176012e-07 + z * (2.0876146260419914e-09 + z * -1.1382631029830765e-11)
    p = 0.041666666666666664 + z * (-0.0013888888888887398 + z * (2.4801587298765926e-05 + z * p))
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + z * z * p)


@inline
def sin(x):
    """Return the sine of an angle in radians."""
    k, r = _reduced(x)
    y = _cosine(r) if k & 1 else _sine(r)
    y = -y if k & 2 else y
    y = y if x != 0.0 else x
    return y if abs(x) < float("inf") else float("nan")


@inline
def cos(x):
    """Return the cosine of an angle in radians."""
    k, r = _reduced(x)
    y = _sine(r) if k & 1 else _cosine(r)
    y = -y if (k + 1) & 2 else y
    return y if abs(x) < float("inf") else float("nan")


@inline
def _arc(t):
    """Return atan(t) - t for |t| <= tan(pi/8)."""
    z = t * t
    p = 0.0585846619390682 + z * (
        -0.05087017210566913 + z * (0.039274537300523514 + z * -0.01922674486796715)
    )
    p = -0.09090904713714933 + z * (0.07692186130710371 + z * (-0.06664550264445561 + z * p))
    p = 0.19999999999995774 + z * (-0.14285714284714932 + z * (0.1111111101884979 + z * p))
    return t * z * (-0.3333333333333333 + z * p)


@inline
def _quotient_angle(y, x):
    """Return atan(y/x) for y >= 0 and x >= 0; either may be infinite, but not both, nor both zero."""
    is_steep = y > x
    low, high = (x if is_steep else y), (y if is_steep else x)
    is_middle = low > 0.41421356237309503 * high
    top, bottom = (low - high if is_middle else low), (low + high if is_middle else high)
    t = top / bottom
    part = 0.7853981633974483 if is_middle else 0.0
    rest = 3.061616997868383e-17 if is_middle else 0.0
    angle = part + ((rest + _arc(t)) + t)
    steep = (_HALF_PI - part) - (((rest - _HALF_PI_REST) + _arc(t)) + t)
    return steep if is_steep else angle


@inline
def atan(x):
    """Return the arc tangent in radians."""
    y = _quotient_angle(abs(x), 1.0)
    y = y if x > 0.0 else -y
    y = y if x != 0.0 else x
    return y if x == x else x


@inline
def atan2(y, x):
    """Return the angle of the point (x, y) in radians, between -pi and pi."""
    width, height = abs(x), abs(y)
    scale = 1.0 if max(width, height) < 1e300 else 0.25  # a sum of two must not overflow
    is_inf = width == float("inf") and height == float("inf")
    width = 1.0 if is_inf else width * scale
    height = 1.0 if is_inf else height * scale
    width = 1.0 if width == 0.0 and height == 0.0 else width
    angle = _quotient_angle(height, width)
    angle = angle if bits(x) >= 0 else np.pi - (angle - 2.0 * _HALF_PI_REST)
    angle = angle if bits(y) >= 0 else -angle
    return angle if x == x and y == y else float("nan")
