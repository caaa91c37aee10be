"""The elementwise functions of the math module and of NumPy."""

from typing import Any

from adcompiler.primitives.card import Follows, Gives, Range, Shows
from adcompiler.primitives.deck import elementwise, enter

# exponentials and logarithms
elementwise("math.exp np.exp", "y", at=((0.3,), (-1.2,)), range=Range.NATURAL, fast="exp", is_analytic=True)
elementwise("math.exp2 np.exp2", "y * 0.6931471805599453", at=((0.3,), (-1.2,)), is_analytic=True)
elementwise("math.expm1 np.expm1", "y + 1", at=((0.3,), (-1.2,)), fast="expm1", is_analytic=True)
elementwise("math.log np.log", "1 / x", at=((0.3,), (1.7,)), fast="log", is_analytic=True)
elementwise("math.log2 np.log2", "1.4426950408889634 / x", at=((0.3,), (1.7,)), fast="log2", is_analytic=True)
elementwise("math.log10 np.log10", "0.4342944819032518 / x", at=((0.3,), (1.7,)), is_analytic=True)
elementwise("math.log1p np.log1p", "1 / (1 + x)", at=((0.3,), (-0.6,)), fast="log1p", is_analytic=True)
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
elementwise(
    "math.sqrt np.sqrt",
    "0.5 / y",
    at=((0.3,), (1.7,)),
    range=Range.NATURAL,
    is_cheap=True,
    is_instruction=True,
    is_analytic=True,
    is_steep_at_zero=True,
)
elementwise("np.cbrt", "1 / (3 * y * y)", at=((0.3,), (-1.7,)), is_steep_at_zero=True, also="math.cbrt")
elementwise(
    "np.square",
    "2 * x",
    at=((0.3,), (-1.2,)),
    range=Range.NATURAL,
    is_cheap=True,
    is_instruction=True,
    is_analytic=True,
)
elementwise("np.reciprocal", "-y * y", at=((0.3,), (-1.2,)), is_instruction=True, is_analytic=True)
elementwise(
    "math.hypot np.hypot",
    "a / y if y != 0 else 0.0",
    "b / y if y != 0 else 0.0",
    at=((0.3, -1.2),),
)

# trigonometric
elementwise(
    "math.sin np.sin", "cos(x)", at=((0.3,), (-1.2,)), range=Range.BOUNDED, fast="sin", is_analytic=True
)
elementwise(
    "math.cos np.cos", "-sin(x)", at=((0.3,), (-1.2,)), range=Range.BOUNDED, fast="cos", is_analytic=True
)
elementwise("math.tan np.tan", "1 + y * y", at=((0.3,), (-1.2,)), is_analytic=True)
elementwise(
    "math.asin np.arcsin np.asin",
    "1 / sqrt(1 - x * x)",
    at=((0.3,), (-0.7,)),
    on_complex=("d / sqrt(-(x * x - 1))", "t / sqrt(-(x * x - 1))"),  # keeps the side of the branch cut
    is_analytic=True,
)
elementwise(
    "math.acos np.arccos np.acos",
    "-1 / sqrt(1 - x * x)",
    at=((0.3,), (-0.7,)),
    on_complex=("-d / sqrt(-(x * x - 1))", "-t / sqrt(-(x * x - 1))"),
    is_analytic=True,
)
elementwise(
    "math.atan np.arctan np.atan",
    "1 / (1 + x * x)",
    at=((0.3,), (-1.2,)),
    range=Range.BOUNDED,
    fast="atan",
    is_analytic=True,
)
elementwise(
    "math.atan2 np.arctan2 np.atan2",
    "b / (a * a + b * b)",
    "-a / (a * a + b * b)",
    at=((0.3, -1.2), (-0.4, 0.6)),
    fast="atan2",
)
elementwise(
    "np.sinc",  # near zero, the quotient loses digits
    "(cos(3.141592653589793 * x) - y) / x if abs(x) > 0.01 else"
    " x * (-3.289868133696453 + x * x * (3.2469697011334144 - x * x * 1.1445109447325053))",
    at=((0.3,), (-1.2,), (0.004,), (0.0,)),
    is_analytic=True,
)
elementwise("math.degrees np.degrees np.rad2deg", "57.29577951308232", at=((0.3,),))
elementwise("math.radians np.radians np.deg2rad", "0.017453292519943295", at=((0.3,),))

# hyperbolic
elementwise("math.sinh np.sinh", "cosh(x)", at=((0.3,), (-1.2,)), fast="sinh", is_analytic=True)
elementwise(
    "math.cosh np.cosh",
    "sinh(x)",
    at=((0.3,), (-1.2,)),
    range=Range.AT_LEAST_ONE,
    fast="cosh",
    is_analytic=True,
)
elementwise(
    "math.tanh np.tanh", "1 - y * y", at=((0.3,), (-1.2,)), range=Range.BOUNDED, fast="tanh", is_analytic=True
)
elementwise("math.asinh np.arcsinh np.asinh", "1 / sqrt(x * x + 1)", at=((0.3,), (-1.2,)), is_analytic=True)
elementwise(
    "math.acosh np.arccosh np.acosh",
    "1 / sqrt(x * x - 1)",
    at=((1.3,), (2.2,)),
    on_complex=("d / (sqrt(x - 1) * sqrt(x + 1))", "t / (sqrt(x - 1) * sqrt(x + 1))"),
    is_analytic=True,
)
elementwise("math.atanh np.arctanh np.atanh", "1 / (1 - x * x)", at=((0.3,), (-0.7,)), is_analytic=True)

# special
elementwise(
    "math.erf", "1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)), range=Range.BOUNDED, fast="erf"
)
elementwise("math.erfc", "-1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)), range=Range.BOUNDED)
elementwise("math.gamma", "y * special.psi(x)", at=((0.3,), (2.7,), (-1.4,)))
elementwise("math.lgamma", "special.psi(x)", at=((0.3,), (2.7,)))

# parts of numbers
elementwise("math.copysign np.copysign", "sign(y) * sign(a)", None, at=((0.3, -1.2), (-0.3, -1.2)))
elementwise("math.ldexp np.ldexp", "2.0 ** b", None, at=((0.3, 3), (-1.2, -2)))
_PARTS_KEPT = tuple(  # of a complex number, each part is replaced for itself
    f"(real({d}) if real(x) - real(x) == 0 else 0.0) + 1j * (imag({d}) if imag(x) - imag(x) == 0 else 0.0)"
    for d in "dt"
)
elementwise(
    "np.nan_to_num",
    "1.0 if x - x == 0 else 0.0",
    at=((0.3,), (-1.2,)),
    on_complex=(_PARTS_KEPT[0], _PARTS_KEPT[1]),
    is_choice=True,
)
_OF_REALS: dict[str, Any] = {"is_conversion": True, "keeps_reals": True}
_CONJUGATE: dict[str, Any] = {"on_complex": ("conj(d)", "conj(t)"), "gives": Gives.SAME}
elementwise("np.conj", "1", at=((0.3,),), method="conj", **_CONJUGATE, **_OF_REALS)
elementwise("np.conjugate", "1", at=((0.3,),), method="conjugate", **_CONJUGATE, **_OF_REALS)
_PART: dict[str, Any] = {"gives": Gives.PART, "shows": Shows.FIRST}
elementwise("np.real", "1", at=((0.3,),), on_complex=("d", "real(t)"), **_PART, **_OF_REALS)
elementwise("np.imag", "0.0", at=((0.3,), (1.2,)), on_complex=("-1j * d", "imag(t)"), **_PART)
_ANGLE = ("-1j * d / x", "imag(t / x)")
elementwise("np.angle", "0.0", at=((0.3,), (1.2,)), on_complex=_ANGLE, gives=Gives.PART)
elementwise("math.nextafter np.nextafter", "1", None, at=((0.3, 1.0),))


# steps, tests and whole numbers

_OF_ONE: dict[str, Any] = {"arity": (1, 1), "follows": Follows.BROADCAST, "is_constant": True}
_STEP = _OF_ONE | {"is_step": True}
enter("math.floor", is_cheap=True, is_instruction=True, **_OF_ONE)
enter("math.ceil", is_instruction=True, **_OF_ONE)
enter("math.trunc", **_OF_ONE)
enter("np.floor np.ceil", is_instruction=True, **_STEP)
enter("np.trunc np.rint", **_STEP)
enter(
    "np.sign", is_constant_of_reals=True, gives=Gives.SAME, range=Range.BOUNDED, is_instruction=True, **_STEP
)
enter("np.round", arity=(1, 3), hint="rounded", method="round", follows=Follows.SAME_RANK, is_constant=True)
enter("np.around np.round_", arity=(1, 3), follows=Follows.SAME_RANK, is_constant=True)
enter("np.spacing", **_OF_ONE)

enter("math.isnan math.isinf math.isfinite", **_OF_ONE)
enter("np.isnan np.isinf np.isfinite", gives=Gives.TEST, **_OF_ONE)
enter("np.signbit np.isreal np.iscomplex np.isneginf np.isposinf np.isnat", **_OF_ONE)
enter("np.isscalar", arity=(1, 1), is_constant=True)
enter("np.heaviside np.gcd np.lcm", arity=(2, 2), follows=Follows.BROADCAST, is_constant=True)
enter("math.gcd math.lcm math.factorial math.comb", follows=Follows.BROADCAST, is_constant=True)
