"""The elementwise functions of the math module and of NumPy."""

from adcompiler.rules.table import constant, elementwise

# exponentials and logarithms
elementwise("math.exp np.exp", "y", at=((0.3,), (-1.2,)))
elementwise("math.exp2 np.exp2", "y * 0.6931471805599453", at=((0.3,), (-1.2,)))
elementwise("math.expm1 np.expm1", "y + 1", at=((0.3,), (-1.2,)))
elementwise("math.log np.log", "1 / x", at=((0.3,), (1.7,)))
elementwise("math.log2 np.log2", "1.4426950408889634 / x", at=((0.3,), (1.7,)))
elementwise("math.log10 np.log10", "0.4342944819032518 / x", at=((0.3,), (1.7,)))
elementwise("math.log1p np.log1p", "1 / (1 + x)", at=((0.3,), (-0.6,)))
elementwise(
    "np.logaddexp",
    "exp(a - y) if a != y else 1.0",  # the difference of two infinities is none
    "exp(b - y) if b != y else 1.0",
    at=((0.3, -1.2), (800.0, -800.0)),
)
elementwise(
    "np.logaddexp2",
    "2.0 ** (a - y) if a != y else 1.0",
    "2.0 ** (b - y) if b != y else 1.0",
    at=((0.3, -1.2),),
)

# powers
elementwise("math.sqrt np.sqrt", "0.5 / y", at=((0.3,), (1.7,)))
elementwise("np.cbrt", "1 / (3 * y * y)", at=((0.3,), (-1.7,)))
elementwise("np.square", "2 * x", at=((0.3,), (-1.2,)))
elementwise("np.reciprocal", "-y * y", at=((0.3,), (-1.2,)))
elementwise(
    "math.hypot np.hypot",
    "a / y if y != 0 else 0.0",
    "b / y if y != 0 else 0.0",
    at=((0.3, -1.2),),
)

# trigonometric
elementwise("math.sin np.sin", "cos(x)", at=((0.3,), (-1.2,)))
elementwise("math.cos np.cos", "-sin(x)", at=((0.3,), (-1.2,)))
elementwise("math.tan np.tan", "1 + y * y", at=((0.3,), (-1.2,)))
elementwise("math.asin np.arcsin np.asin", "1 / sqrt(1 - x * x)", at=((0.3,), (-0.7,)))
elementwise("math.acos np.arccos np.acos", "-1 / sqrt(1 - x * x)", at=((0.3,), (-0.7,)))
elementwise("math.atan np.arctan np.atan", "1 / (1 + x * x)", at=((0.3,), (-1.2,)))
elementwise(
    "math.atan2 np.arctan2 np.atan2",
    "b / (a * a + b * b)",
    "-a / (a * a + b * b)",
    at=((0.3, -1.2), (-0.4, 0.6)),
)
elementwise(
    "np.sinc",  # near zero, the quotient loses digits
    "(cos(3.141592653589793 * x) - y) / x if abs(x) > 0.01 else"
    " x * (-3.289868133696453 + x * x * (3.2469697011334144 - x * x * 1.1445109447325053))",
    at=((0.3,), (-1.2,), (0.004,), (0.0,)),
)
elementwise("math.degrees np.degrees np.rad2deg", "57.29577951308232", at=((0.3,),))
elementwise("math.radians np.radians np.deg2rad", "0.017453292519943295", at=((0.3,),))

# hyperbolic
elementwise("math.sinh np.sinh", "cosh(x)", at=((0.3,), (-1.2,)))
elementwise("math.cosh np.cosh", "sinh(x)", at=((0.3,), (-1.2,)))
elementwise("math.tanh np.tanh", "1 - y * y", at=((0.3,), (-1.2,)))
elementwise("math.asinh np.arcsinh np.asinh", "1 / sqrt(x * x + 1)", at=((0.3,), (-1.2,)))
elementwise("math.acosh np.arccosh np.acosh", "1 / sqrt(x * x - 1)", at=((1.3,), (2.2,)))
elementwise("math.atanh np.arctanh np.atanh", "1 / (1 - x * x)", at=((0.3,), (-0.7,)))

# special
elementwise("math.erf", "1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)))
elementwise("math.erfc", "-1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)))
elementwise("math.gamma", "y * special.psi(x)", at=((0.3,), (2.7,), (-1.4,)))
elementwise("math.lgamma", "special.psi(x)", at=((0.3,), (2.7,)))

# parts of numbers
elementwise("math.copysign np.copysign", "sign(y) * sign(a)", None, at=((0.3, -1.2), (-0.3, -1.2)))
elementwise("math.ldexp np.ldexp", "2.0 ** b", None, at=((0.3, 3), (-1.2, -2)))
elementwise("np.nan_to_num", "1.0 if x - x == 0 else 0.0", at=((0.3,), (-1.2,)))
elementwise("np.real np.conj np.conjugate", "1", at=((0.3,),))
elementwise("math.nextafter np.nextafter", "1", None, at=((0.3, 1.0),))

constant("math.floor np.floor math.ceil np.ceil math.trunc np.trunc np.rint np.round np.around np.sign")
constant("math.isnan np.isnan math.isinf np.isinf math.isfinite np.isfinite np.signbit np.heaviside")
constant("np.fix np.spacing np.isreal np.iscomplex np.isscalar np.isneginf np.isposinf")
constant(
    "math.gcd np.gcd np.lcm np.isnat np.invert np.bitwise_and np.bitwise_or np.bitwise_xor np.bitwise_not"
)
constant("np.left_shift np.right_shift")
constant("np.equal np.not_equal np.less np.less_equal np.greater np.greater_equal")
constant("np.logical_and np.logical_or np.logical_not np.logical_xor")
