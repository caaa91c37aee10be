"""Exponentials, logarithms, hyperbolic functions and the error function that LLVM vectorises."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator"
from __future__ import annotations

from adcompiler.runtime.bits import TO_INTEGER
from adcompiler.runtime.straight import bits, from_bits, inline

LN2_HIGH = 0.693147180369123816490  # the first 33 bits: its product with an exponent is exact
LN2_LOW = 1.90821492927058770002e-10
_LOG2_E = 1.4426950408889634
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@inline
def _power_of_two(k):
    """Return 2**k for an integer-valued float within the normal range."""
    return from_bits((bits(k + TO_INTEGER) << 52) + (1023 << 52))


@inline
def _reduced(x):
    """Return k and r with x = k*log(2) + r, |r| <= log(2)/2."""
    k = (x * _LOG2_E + TO_INTEGER) - TO_INTEGER
    return k, (x - k * LN2_HIGH) - k * LN2_LOW


@inline
def _exp_tail(r):
    """Return (exp(r) - 1 - r) / r**2 for |r| <= log(2)/2."""
    p = 2.7557233931897097e-06 + r * (
        2.75572331516907e-07 + r * (2.5112347716747122e-08 + r * 2.0927002152430114e-09)
    )
    p = 0.0013888888888858289 + r * (0.00019841269897359146 + r * (2.4801587374010292e-05 + r * p))
    return 0.5 + r * (0.16666666666666685 + r * (0.04166666666666673 + r * (0.00833333333331662 + r * p)))


@inline
def scaled_exp(x, shift):
    """Return e**x / 2**shift."""
    k, r = _reduced(max(min(x, 711.0), -746.0))
    y = 1.0 + (r + r * r * _exp_tail(r))
    k = k - shift
    half = (k * 0.5 + TO_INTEGER) - TO_INTEGER  # in two steps: 2**1024 and 2**-1070 are out of range
    return y * _power_of_two(half) * _power_of_two(k - half)


@inline
def exp(x):
    """Return e**x."""
    y = scaled_exp(x, 0.0)
    return y if x == x else x


@inline
def expm1(x):
    """Return e**x - 1 without cancellation."""
    bounded = max(min(x, 710.0), -40.0)
    k = (bounded * _LOG2_E + TO_INTEGER) - TO_INTEGER
    rest = bounded - k * LN2_HIGH
    r = rest - k * LN2_LOW
    low = (rest - r) - k * LN2_LOW
    y = r + (r * r * _exp_tail(r) + low * (1.0 + r))
    half = _power_of_two(k - 1.0)
    y = 2.0 * (half * y + (half - 0.5))
    y = y if x != 0.0 else x
    return y if x == x else x


@inline
def _log_tail(z):
    """Return (2*atanh(s)/s - 2) / z for z = s**2, where |s| <= 0.172."""
    low = 0.6666666666666666 + z * (0.4000000000000597 + z * 0.2857142856915298)
    middle = 0.22222222638819356 + z * 0.18181776185411377
    high = 0.15387071840897196 + z * (0.132504785555751 + z * 0.1324852876502208)
    return low + z * z * z * (middle + z * z * high)


@inline
def scaled(x):
    """Return k and m with x = 2**k * m and m in [sqrt(1/2), sqrt(2)), for positive finite x."""
    is_small = x < 2.2250738585072014e-308
    whole = bits(x * 18014398509481984.0 if is_small else x)
    shift = (whole - _SQRT_HALF_BITS) & -4503599627370496
    exponent = from_bits((shift >> 52) + 0x4338000000000000) - TO_INTEGER
    return exponent - (54.0 if is_small else 0.0), from_bits(whole - shift)


@inline
def _finished_log(y, x):
    """Put in what logarithms are at zero, infinity, NaN and below zero."""
    y = y if x < float("inf") else x
    y = y if x != 0.0 else -float("inf")
    return y if x >= 0.0 else float("nan")


@inline
def log(x):
    """Return the natural logarithm."""
    k, m = scaled(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    y = k * LN2_HIGH - ((half - (s * (half + z * _log_tail(z)) + k * LN2_LOW)) - f)
    return _finished_log(y, x)


@inline
def log1p(x):
    """Return log(1 + x) without cancellation."""
    u = 1.0 + x
    rest = (x - (u - 1.0)) if u < 9007199254740992.0 else 0.0
    k, m = scaled(u)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    y = k * LN2_HIGH - ((half - (s * (half + z * _log_tail(z)) + (k * LN2_LOW + rest / u))) - f)
    y = _finished_log(y, u)
    return y if x != 0.0 else x


@inline
def log2(x):
    """Return the logarithm to base 2."""
    k, m = scaled(x)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    high = from_bits(bits(f - half) & -4294967296)
    low = ((f - high) - half) + s * (half + z * _log_tail(z))
    # 1/log(2) in two parts, the first short enough for an exact product
    correction = (low + high) * 1.67517131648865118353e-10 + low * 1.44269504072144627571
    main = high * 1.44269504072144627571
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
    p = 0.0005791638955766072 + z * (-0.00021033944976693155 + z * 5.104282902680937e-05)
    p = -0.008863194870733226 + z * (0.003591722222374531 + z * (-0.0014532274126150882 + z * p))
    p = 0.13333333333172617 + z * (-0.05396825387767143 + z * (0.021869486006891037 + z * p))
    small = size + size * z * (-0.3333333333333235 + z * p)
    large = 1.0 - 2.0 / (scaled_exp(2.0 * min(size, 20.0), 0.0) + 1.0)
    return _odd(small if size < 0.55 else large, x)


@inline
def sinh(x):
    """Return the hyperbolic sine."""
    size = abs(x)
    z = size * size
    p = 2.505212339382463e-08 + z * (1.6057240669077726e-10 + z * 7.759303232032252e-13)
    p = 0.008333333333333139 + z * (0.00019841269841437554 + z * (2.755731915537093e-06 + z * p))
    small = size + size * z * (0.16666666666666669 + z * p)
    half = scaled_exp(size, 1.0)
    return _odd(small if size < 1.0 else half - 0.25 / half, x)


@inline
def cosh(x):
    """Return the hyperbolic cosine."""
    half = scaled_exp(abs(x), 1.0)
    y = half + 0.25 / half
    return y if x == x else x


@inline
def _erf_below_one(x):
    """Return erf(x) for 0 <= x < 1."""
    z = x * x
    p = -1.6350396222864617e-07 + z * (
        1.466032872274226e-08 + z * (-1.137495573607015e-09 + z * 5.960685338520971e-11)
    )
    p = 0.0001205533113295582 + z * (-1.4925595772180906e-05 + z * (1.64610084778027e-06 + z * p))
    p = -0.026866170645077875 + z * (0.005223977624828431 + z * (-0.0008548326981425542 + z * p))
    return x + x * (0.1283791670955126 + z * (-0.3761263890318375 + z * (0.11283791670954885 + z * p)))


@inline
def erf(x):
    """Return the error function."""
    size = min(abs(x), 6.0)
    t = 2.0 / (2.0 + size)
    p = -1.7408427755722693 + t * (0.6737322665470893 + t * (-0.14613255258621738 + t * 0.013282031166679042))
    p = 1.8425015335572212 + t * (-2.8063102606092056 + t * (2.7762225067538946 + t * p))
    p = 0.0811762953879857 + t * (0.43499774687610687 + t * (-0.9558586998859038 + t * p))
    p = 0.28229071881536066 + t * (0.2796606538168947 + t * (0.2652875547376834 + t * p))
    large = 1.0 - (t * p - 7.273627662737056e-06) * scaled_exp(-size * size, 0.0)
    small = _erf_below_one(size)
    return _odd(small if size < 1.0 else large, x)
