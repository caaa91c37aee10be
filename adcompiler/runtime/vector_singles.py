"""Functions of single precision that LLVM vectorises: twice as many numbers at a time as of double.

They are those of `vector_exponentials.py` and `vector_angles.py` with shorter polynomials, which were fitted
to the exact functions at 120 bits: correct to 2 units in the last place of float32, with the same care for
infinities, NaN, subnormals and signed zeros.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from adcompiler.runtime.straight import bits, from_bits, inline

TO_INTEGER = 12582912.0  # 1.5 * 2**23: adding it rounds, and leaves the integer in the low bits
_LN2_HIGH = 0.693359375  # the first 10 bits: its product with an exponent is exact
_LN2_LOW = -0.00021219444005469057
_LOG2_E = 1.4426950408889634
_QUARTER = 0.785398185253143  # pi/4 in single precision, and what it lacks
_QUARTER_REST = -2.1855694e-08
_SQRT_HALF_BITS = 0x3F3504F3


@inline
def _power_of_two(k):
    """Return 2**k for an integer-valued float within the normal range."""
    return from_bits((bits(k + TO_INTEGER) << 23) + (127 << 23))


@inline
def _exp_tail(r):
    """Return (exp(r) - 1 - r) / r**2 for |r| <= log(2)/2."""
    return 0.5 + r * (
        0.16666667 + r * (0.041666254 + r * (0.008333262 + r * (0.0013947212 + r * 0.00019919897)))
    )


@inline
def _scaled_exp(x, shift):
    """Return e**x / 2**shift."""
    bounded = max(min(x, 90.0), -105.0)
    k = (bounded * _LOG2_E + TO_INTEGER) - TO_INTEGER
    r = (bounded - k * _LN2_HIGH) - k * _LN2_LOW
    y = 1.0 + (r + r * r * _exp_tail(r))
    k = k - shift
    half = (k * 0.5 + TO_INTEGER) - TO_INTEGER  # in two steps: 2**128 and 2**-149 are out of range
    return y * _power_of_two(half) * _power_of_two(k - half)


@inline
def exp(x):
    """Return e**x."""
    y = _scaled_exp(x, 0.0)
    return y if x == x else x


@inline
def expm1(x):
    """Return e**x - 1 without cancellation."""
    bounded = max(min(x, 89.0), -18.0)
    k = (bounded * _LOG2_E + TO_INTEGER) - TO_INTEGER
    rest = bounded - k * _LN2_HIGH
    r = rest - k * _LN2_LOW
    low = (rest - r) - k * _LN2_LOW
    y = r + (r * r * _exp_tail(r) + low * (1.0 + r))
    half = _power_of_two(k - 1.0)
    y = 2.0 * (half * y + (half - 0.5))
    y = y if x != 0.0 else x
    return y if x == x else x


@inline
def _log_tail(z):
    """Return (2*atanh(s)/s - 2) / z for z = s**2, where |s| <= 0.172."""
    return 0.6666666 + z * (0.4000034 + z * (0.2853692 + z * 0.2358999))


@inline
def _scaled(x):
    """Return k and m with x = 2**k * m and m in [sqrt(1/2), sqrt(2)), for positive finite x."""
    is_small = x < 1.17549435e-38
    whole = bits(x * 33554432.0 if is_small else x)
    shift = (whole - _SQRT_HALF_BITS) & -8388608
    exponent = from_bits((shift >> 23) + 0x4B400000) - TO_INTEGER
    return exponent - (25.0 if is_small else 0.0), from_bits(whole - shift)


@inline
def _finished_log(y, x):
    """Put in what logarithms are at zero, infinity, NaN and below zero."""
    y = y if x < float("inf") else x
    y = y if x != 0.0 else -float("inf")
    return y if x >= 0.0 else float("nan")


@inline
def log(x):
    """Return the natural logarithm."""
    k, m = _scaled(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    y = k * _LN2_HIGH - ((half - (s * (half + z * _log_tail(z)) + k * _LN2_LOW)) - f)
    return _finished_log(y, x)


@inline
def log1p(x):
    """Return log(1 + x) without cancellation."""
    u = 1.0 + x
    rest = (x - (u - 1.0)) if u < 16777216.0 else 0.0
    k, m = _scaled(u)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    low = k * _LN2_LOW + rest / u
    y = k * _LN2_HIGH - ((half - (s * (half + z * _log_tail(z)) + low)) - f)
    y = _finished_log(y, u)
    return y if x != 0.0 else x


@inline
def log2(x):
    """Return the logarithm to base 2."""
    k, m = _scaled(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    high = from_bits(bits(f - half) & -4096)
    low = ((f - high) - half) + s * (half + z * _log_tail(z))
    # 1/log(2) in two parts, the first short enough for an exact product
    correction = (low + high) * 0.00031222838896340733 + low * 1.4423828125
    main = high * 1.4423828125
    total = k + main
    y = total + (((k - total) + main) + correction)
    return _finished_log(y, x)


@inline
def _odd(y, x):
    """Give an odd function's value for |x| the sign of x, and let zeros and NaN pass."""
    y = y if x > 0.0 else -y
    y = y if x != 0.0 else x
    return y if x == x else x


@inline
def tanh(x):
    """Return the hyperbolic tangent."""
    size = abs(x)
    z = size * size
    p = -0.053958617 + z * (0.021775227 + z * (-0.008388894 + z * 0.0023653924))
    small = size + size * z * (-0.3333333 + z * (0.13333288 + z * p))
    large = 1.0 - 2.0 / (_scaled_exp(2.0 * min(size, 10.0), 0.0) + 1.0)
    return _odd(small if size < 0.55 else large, x)


@inline
def sinh(x):
    """Return the hyperbolic sine."""
    size = abs(x)
    z = size * size
    p = 0.0083333505 + z * (0.00019836066 + z * 2.8174395e-06)
    small = size + size * z * (0.16666667 + z * p)
    half = _scaled_exp(size, 1.0)
    return _odd(small if size < 1.0 else half - 0.25 / half, x)


@inline
def cosh(x):
    """Return the hyperbolic cosine."""
    half = _scaled_exp(abs(x), 1.0)
    y = half + 0.25 / half
    return y if x == x else x


@inline
def erf(x):
    """Return the error function."""
    size = min(abs(x), 4.25)
    z = size * size
    p = -0.026854444 + z * (0.0051895357 + z * (-0.0008020842 + z * 7.889123e-05))
    small = size + size * (0.12837917 + z * (-0.37612626 + z * (0.112836 + z * p)))
    t = 2.0 / (2.0 + size)
    p = 0.39646497 + t * (-0.063874096 + t * (0.6361714 + t * -0.23062581))
    large = 1.0 - (0.0018114585 + t * (0.25979716 + t * p)) * _scaled_exp(-z, 0.0)
    return _odd(small if size < 1.0 else large, x)


@inline
def atan(x):
    """Return the arc tangent in radians."""
    size = abs(x)
    is_steep = size > 1.0
    low, high = (1.0 if is_steep else size), (size if is_steep else 1.0)
    is_middle = low > 0.41421356 * high
    t = (low - high if is_middle else low) / (low + high if is_middle else high)
    z = t * t
    p = -0.33333316 + z * (0.19998479 + z * (-0.14243628 + z * (0.105942756 + z * -0.06078855)))
    rest = _QUARTER_REST if is_middle else 0.0
    angle = (_QUARTER if is_middle else 0.0) + (t + (rest + t * z * p))
    y = 2.0 * _QUARTER - (angle - 2.0 * _QUARTER_REST) if is_steep else angle
    return _odd(y, x)
