"""The ufuncs of `scipy.special`.

Formulas: NIST Digital Library of Mathematical Functions (dlmf.nist.gov), whose chapters the groups name.
"""

import math
from collections.abc import Iterable

from adcompiler.primitives.card import Follows
from adcompiler.primitives.deck import elementwise, enter
from adcompiler.primitives.rule import UNKNOWN


def series(variable: str, coefficients: Iterable[float]) -> str:
    """Return the text of a power series, in Horner's form.

    >>> series("x", [1.0, 0.5])
    '1.0 + (x) * (0.5)'
    """
    first, *rest = coefficients
    return f"{first!r} + ({variable}) * ({series(variable, rest)})" if rest else repr(first)


# gamma and related functions (5)
elementwise("special.gamma", "y * special.psi(x)", at=((0.3,), (2.7,), (-1.4,)))
elementwise("special.gammaln special.loggamma", "special.psi(x)", at=((0.3,), (2.7,)))
elementwise("special.rgamma", "-y * special.psi(x)", at=((0.3,), (2.7,)))
elementwise("special.psi", "special.zeta(2.0, x)", at=((0.3,), (2.7,), (-1.4,)))
elementwise("special.zeta", UNKNOWN, "-a * special.zeta(a + 1, b)", at=((2.0, 0.7), (3.5, 12.4)))
elementwise(
    "special.beta",
    "y * (special.psi(a) - special.psi(a + b))",
    "y * (special.psi(b) - special.psi(a + b))",
    at=((0.3, 1.2), (2.5, 0.4)),
)
elementwise(
    "special.betaln",
    "special.psi(a) - special.psi(a + b)",
    "special.psi(b) - special.psi(a + b)",
    at=((0.3, 1.2), (2.5, 0.4)),
)
elementwise(
    "special.binom",
    "y * (special.psi(a + 1) - special.psi(a - b + 1))",
    "y * (special.psi(a - b + 1) - special.psi(b + 1))",
    at=((5.3, 1.2), (2.5, 0.4)),
)
elementwise(
    "special.poch",
    "y * (special.psi(a + b) - special.psi(a))",
    "y * special.psi(a + b)",
    at=((5.3, 1.2), (2.5, 0.4)),
)

# error function and normal distribution (7)
elementwise("special.erf", "1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)))
elementwise("special.erfc", "-1.1283791670955126 * exp(-x * x)", at=((0.3,), (-1.2,)))
elementwise("special.erfcx", "2 * x * y - 1.1283791670955126", at=((0.3,), (-1.2,)))
elementwise("special.erfi", "1.1283791670955126 * exp(x * x)", at=((0.3,), (-1.2,)))
elementwise("special.erfinv", "0.886226925452758 * exp(y * y)", at=((0.3,), (-0.7,)))
elementwise("special.erfcinv", "-0.886226925452758 * exp(y * y)", at=((0.3,), (1.7,)))
elementwise("special.dawsn", "1 - 2 * x * y", at=((0.3,), (-1.2,)))
elementwise("special.ndtr", "0.3989422804014327 * exp(-0.5 * x * x)", at=((0.3,), (-1.2,)))
elementwise("special.log_ndtr", "0.3989422804014327 * exp(-0.5 * x * x - y)", at=((0.3,), (-1.2,), (-9.0,)))
elementwise("special.ndtri", "2.5066282746310002 * exp(0.5 * y * y)", at=((0.3,), (0.9,)))
elementwise("special.ndtri_exp", "2.5066282746310002 * exp(0.5 * y * y + x)", at=((-0.3,), (-2.0,)))
elementwise(
    "special.owens_t",
    "-0.19947114020071635 * exp(-0.5 * a * a) * special.erf(0.7071067811865476 * a * b)",
    "0.15915494309189535 * exp(-0.5 * a * a * (1 + b * b)) / (1 + b * b)",
    at=((0.3, 1.2), (-0.7, 0.4)),
)

# logistic, and products with logarithms
elementwise("special.expit", "y * (1 - y)", at=((0.3,), (-1.2,)))
elementwise("special.log_expit", "special.expit(-x)", at=((0.3,), (-1.2,), (-40.0,)))
elementwise("special.logit", "1 / (x * (1 - x))", at=((0.3,), (0.9,)))
elementwise("special.xlogy", "log(b)", "a / b if a != 0 else 0.0", at=((0.3, 1.2), (2.0, 0.4)))
elementwise("special.xlog1py", "log1p(b)", "a / (1 + b) if a != 0 else 0.0", at=((0.3, 1.2), (2.0, -0.4)))
elementwise("special.entr", "-log(x) - 1", at=((0.3,), (1.7,)))
elementwise(
    "special.rel_entr",  # infinite where b is zero
    "log(a / b) + 1 if a != 0 or b != 0 else -log(b)",
    "-a / b if a != 0 else 0.0",
    at=((0.3, 1.2), (2.0, 0.4)),
)
elementwise(
    "special.kl_div",
    "log(a / b) if a != 0 or b != 0 else -log(b)",
    "1 - a / b if a != 0 else 1.0",
    at=((0.3, 1.2), (2.0, 0.4)),
)
elementwise("special.exp10", "2.302585092994046 * y", at=((0.3,), (-1.2,)))
elementwise("special.exp2", "0.6931471805599453 * y", at=((0.3,), (-1.2,)))
elementwise("special.expm1", "y + 1", at=((0.3,), (-1.2,)))
elementwise("special.log1p", "1 / (1 + x)", at=((0.3,), (-0.6,)))
elementwise("special.cosm1", "-sin(x)", at=((0.3,), (-1.2,)))
elementwise("special.cbrt", "1 / (3 * y * y)", at=((0.3,), (-1.7,)))
# quotients lose digits near zero, and those of second derivatives sooner: there the series
_EXPREL = [(k + 1) / math.factorial(k + 2) for k in range(8)]
elementwise(
    "special.exprel",
    f"(exp(x) - y) / x if abs(x) > 0.1 else {series('x', _EXPREL)}",
    at=((0.3,), (-1.2,), (0.04,), (0.0,)),
)
elementwise(
    "special.boxcox",
    "a ** (b - 1)",
    "(log(a) * a ** b - y) / b if abs(b * log(a)) > 0.1 else"
    f" log(a) ** 2 * ({series('b * log(a)', _EXPREL)})",
    at=((1.3, 0.7), (0.4, -1.5), (2.0, 0.0), (1.3, 0.03)),
)
elementwise(
    "special.boxcox1p",
    "(1 + a) ** (b - 1)",
    "(log1p(a) * (1 + a) ** b - y) / b if abs(b * log1p(a)) > 0.1 else"
    f" log1p(a) ** 2 * ({series('b * log1p(a)', _EXPREL)})",
    at=((1.3, 0.7), (0.4, -1.5), (2.0, 0.0), (0.3, 0.03)),
)
elementwise(
    "special.inv_boxcox",
    "y ** (1 - b)",
    "y * (a / (b * (1 + a * b)) - log1p(a * b) / (b * b)) if abs(a * b) > 0.01 else"
    f" a * a * y * ({series('a * b', [(-1) ** (k + 1) * (k + 1) / (k + 2) for k in range(8)])})",
    at=((1.3, 0.7), (0.4, -0.5), (0.6, 0.0), (0.6, 0.004)),
)
elementwise("special.inv_boxcox1p", "(y + 1) ** (1 - b)", UNKNOWN, at=((1.3, 0.7), (0.4, -1.5)))
elementwise(
    "special.huber",
    "0.0 if abs(b) <= a else abs(b) - a",
    "b if abs(b) <= a else a * sign(b)",
    at=((1.3, 0.7), (0.4, -1.5)),
)
elementwise(
    "special.pseudo_huber",
    "a * ((b / a) ** 2 / sqrt(1 + (b / a) ** 2)) * ((b / a) ** 2 / (1 + sqrt(1 + (b / a) ** 2)) ** 2)"
    " if a != 0 else abs(b)",
    "b / sqrt(1 + (b / a) ** 2) if a != 0 else 0.0",
    at=((1.3, 0.7), (0.4, -1.5)),
)

# trigonometric functions of degrees
elementwise("special.sindg", "0.017453292519943295 * special.cosdg(x)", at=((30.0,), (-12.0,)))
elementwise("special.cosdg", "-0.017453292519943295 * special.sindg(x)", at=((30.0,), (-12.0,)))
elementwise("special.tandg", "0.017453292519943295 * (1 + y * y)", at=((30.0,), (-12.0,)))
elementwise("special.cotdg", "-0.017453292519943295 * (1 + y * y)", at=((30.0,), (-12.0,)))

# Bessel functions (10), in x only
elementwise("special.j0", "-special.j1(x)", at=((0.3,), (-1.2,)))
elementwise("special.j1", "special.j0(x) - y / x if x != 0 else 0.5", at=((0.3,), (-1.2,), (0.0,)))
elementwise("special.y0", "-special.y1(x)", at=((0.3,), (1.2,)))
elementwise("special.y1", "special.y0(x) - y / x", at=((0.3,), (1.2,)))
elementwise("special.i0", "special.i1(x)", at=((0.3,), (-1.2,)))
elementwise("special.i1", "special.i0(x) - y / x if x != 0 else 0.5", at=((0.3,), (-1.2,), (0.0,)))
elementwise("special.i0e", "special.i1e(x) - sign(x) * y", at=((0.3,), (-1.2,)))
elementwise(
    "special.i1e",
    "special.i0e(x) - y * (sign(x) + 1 / x) if x != 0 else 0.5",
    at=((0.3,), (-1.2,)),
)
elementwise("special.k0", "-special.k1(x)", at=((0.3,), (1.2,)))
elementwise("special.k1", "-special.k0(x) - y / x", at=((0.3,), (1.2,)))
elementwise("special.k0e", "y - special.k1e(x)", at=((0.3,), (1.2,)))
elementwise("special.k1e", "y * (1 - 1 / x) - special.k0e(x)", at=((0.3,), (1.2,)))
elementwise(
    "special.jv special.jve",
    UNKNOWN,
    "0.5 * (special.jv(a - 1, b) - special.jv(a + 1, b))",
    at=((1.0, 0.7), (2.5, 1.4)),
)
elementwise(
    "special.yv special.yn special.yve",
    UNKNOWN,
    "0.5 * (special.yv(a - 1, b) - special.yv(a + 1, b))",
    at=((1, 0.7), (2, 1.4)),
)
elementwise(
    "special.iv", UNKNOWN, "0.5 * (special.iv(a - 1, b) + special.iv(a + 1, b))", at=((1.0, 0.7), (2.5, 1.4))
)
elementwise(
    "special.kv special.kn",
    UNKNOWN,
    "-0.5 * (special.kv(a - 1, b) + special.kv(a + 1, b))",
    at=((1, 0.7), (2, 1.4)),
)
elementwise(
    "special.ive",
    UNKNOWN,
    "0.5 * (special.ive(a - 1, b) + special.ive(a + 1, b)) - sign(b) * y",
    at=((1.0, 0.7), (2.5, 1.4)),
)
elementwise(
    "special.kve",
    UNKNOWN,
    "y - 0.5 * (special.kve(a - 1, b) + special.kve(a + 1, b))",
    at=((1.0, 0.7), (2.5, 1.4)),
)
elementwise("special.berp", "(-y / x if x != 0 else 0.0) - special.bei(x)", at=((0.3,), (1.2,), (0.0,)))
elementwise("special.beip", "(-y / x if x != 0 else -0.5) + special.ber(x)", at=((0.3,), (1.2,), (0.0,)))
elementwise("special.kerp", "-y / x - special.kei(x)", at=((0.3,), (1.2,)))
elementwise("special.keip", "-y / x + special.ker(x)", at=((0.3,), (1.2,)))
elementwise("special.ber", "special.berp(x)", at=((0.3,), (1.2,)))
elementwise("special.bei", "special.beip(x)", at=((0.3,), (1.2,)))
elementwise("special.ker", "special.kerp(x)", at=((0.3,), (1.2,)))
elementwise("special.kei", "special.keip(x)", at=((0.3,), (1.2,)))

# incomplete gamma and beta functions, and the distributions that they give (8)
elementwise(
    "special.gammainc",
    UNKNOWN,
    "exp(special.xlogy(a - 1, b) - b - special.gammaln(a)) if b - b == 0 else 0.0",
    at=((1.5, 0.7), (0.4, 2.0)),
)
elementwise(
    "special.gammaincc",
    UNKNOWN,
    "-exp(special.xlogy(a - 1, b) - b - special.gammaln(a)) if b - b == 0 else 0.0",
    at=((1.5, 0.7), (0.4, 2.0)),
)
elementwise(
    "special.gammaincinv",
    UNKNOWN,
    "exp(y + special.gammaln(a) - special.xlogy(a - 1, y))",
    at=((1.5, 0.7), (0.4, 0.2)),
)
elementwise(
    "special.gammainccinv",
    UNKNOWN,
    "-exp(y + special.gammaln(a) - special.xlogy(a - 1, y))",
    at=((1.5, 0.7), (0.4, 0.2)),
)
elementwise(
    "special.betainc",
    UNKNOWN,
    UNKNOWN,
    "exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)
elementwise(
    "special.betaincc",
    UNKNOWN,
    UNKNOWN,
    "-exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)
elementwise(
    "special.betaincinv",
    UNKNOWN,
    UNKNOWN,
    "exp(special.betaln(a, b) - special.xlogy(a - 1, y) - special.xlog1py(b - 1, -y))",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)
elementwise(
    "special.chdtr",
    UNKNOWN,
    "0.5 * exp(special.xlogy(0.5 * a - 1, 0.5 * b) - 0.5 * b - special.gammaln(0.5 * a))",
    at=((1.5, 0.7), (4.0, 2.0)),
)
elementwise(
    "special.chdtrc",
    UNKNOWN,
    "-0.5 * exp(special.xlogy(0.5 * a - 1, 0.5 * b) - 0.5 * b - special.gammaln(0.5 * a))",
    at=((1.5, 0.7), (4.0, 2.0)),
)
elementwise(
    "special.stdtr",
    UNKNOWN,
    "exp(-0.5 * (a + 1) * log1p(b * b / a) - special.betaln(0.5 * a, 0.5)) / sqrt(a)",
    at=((1.5, 0.7), (4.0, -2.0)),
)
elementwise(
    "special.stdtrit",
    UNKNOWN,
    "sqrt(a) * exp(0.5 * (a + 1) * log1p(y * y / a) + special.betaln(0.5 * a, 0.5))",
    at=((1.5, 0.7), (4.0, 0.2)),
)
elementwise(
    "special.pdtr",
    UNKNOWN,
    "-exp(special.xlogy(floor(a), b) - b - special.gammaln(floor(a) + 1))",
    at=((2.0, 0.7), (0.0, 2.0)),
)
elementwise(
    "special.pdtrc",
    UNKNOWN,
    "exp(special.xlogy(floor(a), b) - b - special.gammaln(floor(a) + 1))",
    at=((2.0, 0.7), (0.0, 2.0)),
)
elementwise(
    "special.gdtr",
    "x * exp(special.xlogy(b - 1, a * x) - a * x - special.gammaln(b))",
    UNKNOWN,
    "a * exp(special.xlogy(b - 1, a * x) - a * x - special.gammaln(b))",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)
elementwise(
    "special.gdtrc",
    "-x * exp(special.xlogy(b - 1, a * x) - a * x - special.gammaln(b))",
    UNKNOWN,
    "-a * exp(special.xlogy(b - 1, a * x) - a * x - special.gammaln(b))",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)

# integrals: exponential (6), dilogarithm (25), elliptic (19)
elementwise("special.expi", "exp(x) / x", at=((0.3,), (-1.2,)))
elementwise("special.exp1", "-exp(-x) / x", at=((0.3,), (1.2,)))
elementwise("special.expn", UNKNOWN, "-special.expn(a - 1, b)", at=((2, 0.7), (3, 2.0)))
elementwise(
    "special.spence",
    f"log(x) / (1 - x) if abs(1 - x) > 0.01 else -({series('1 - x', [1 / (k + 1) for k in range(8)])})",
    at=((0.3,), (1.7,), (1.0,), (1.004,)),
)
elementwise(
    "special.ellipk",
    "(special.ellipe(x) / (1 - x) - y) / (2 * x) if abs(x) > 0.001 else"  # else the series, term by term
    " 0.39269908169872414 + x * (0.4417864669110646 + x * (0.46019423636569225 + x * 0.4697816162899778))",
    at=((0.3,), (-1.2,), (0.0,), (0.0004,)),
)
elementwise(
    "special.ellipkm1",
    "-(special.ellipe(1 - x) / x - y) / (2 * (1 - x))",
    at=((0.3,), (0.8,)),
)
elementwise(
    "special.ellipe",
    "(y - special.ellipk(x)) / (2 * x) if abs(x) > 0.001 else"
    " -0.39269908169872414 - x * (0.14726215563702155 + x * (0.09203884727313847 + x * 0.06711165946999682))",
    at=((0.3,), (-1.2,), (0.0,), (0.0004,)),
)
elementwise("special.ellipkinc", "1 / sqrt(1 - b * sin(a) ** 2)", UNKNOWN, at=((0.3, 0.5), (1.2, -0.4)))
elementwise(
    "special.ellipeinc",
    "sqrt(1 - b * sin(a) ** 2)",
    "(y - special.ellipkinc(a, b)) / (2 * b) if abs(b) > 1e-8 else -0.25 * (a - 0.5 * sin(2 * a))",
    at=((0.3, 0.5), (1.2, -0.4), (1.2, 0.0)),
)
elementwise("special.wrightomega", "y / (1 + y)", at=((0.3,), (-1.2,)))

# hypergeometric functions (13, 15) and orthogonal polynomials (18)
elementwise("special.hyp0f1", UNKNOWN, "special.hyp0f1(a + 1, b) / a", at=((1.5, 0.7), (0.4, -2.0)))
elementwise(
    "special.hyp1f1",
    UNKNOWN,
    UNKNOWN,
    "a / b * special.hyp1f1(a + 1, b + 1, x)",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, -0.8)),
)
elementwise(
    "special.hyperu",
    UNKNOWN,
    UNKNOWN,
    "-a * special.hyperu(a + 1, b + 1, x)",
    inputs="a b x",
    at=((1.5, 0.7, 0.3), (0.4, 2.0, 0.8)),
)
elementwise(
    "special.hyp2f1",
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    "a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, x)",
    inputs="a b c x",
    at=((1.5, 0.7, 2.1, 0.3), (0.4, 2.0, 1.3, -0.8)),
)
elementwise(
    "special.eval_legendre",
    UNKNOWN,
    "a * (b * y - special.eval_legendre(a - 1, b)) / (b * b - 1)",
    at=((2.0, 0.7), (3.0, -0.4)),
)
elementwise("special.eval_chebyt", UNKNOWN, "a * special.eval_chebyu(a - 1, b)", at=((2.0, 0.7), (3.0, -0.4)))
elementwise(
    "special.eval_chebyu",
    UNKNOWN,
    "((a + 1) * special.eval_chebyt(a + 1, b) - b * y) / (b * b - 1)",
    at=((2.0, 0.7), (3.0, -0.4)),
)
elementwise(
    "special.eval_laguerre",
    UNKNOWN,
    "-special.eval_genlaguerre(a - 1, 1.0, b)",
    at=((2.0, 0.7), (3.0, 0.4)),
)
elementwise(
    "special.eval_genlaguerre",
    UNKNOWN,
    UNKNOWN,
    "-special.eval_genlaguerre(a - 1, b + 1, x)",
    inputs="a b x",
    at=((2.0, 0.5, 0.7), (3.0, 1.0, 0.4)),
)
elementwise(
    "special.eval_gegenbauer",
    UNKNOWN,
    UNKNOWN,
    "2 * b * special.eval_gegenbauer(a - 1, b + 1, x)",
    inputs="a b x",
    at=((2.0, 0.5, 0.7), (3.0, 1.0, 0.4)),
)
elementwise(
    "special.eval_jacobi",
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    "0.5 * (a + b + c + 1) * special.eval_jacobi(a - 1, b + 1, c + 1, x)",
    inputs="a b c x",
    at=((2.0, 0.5, 0.2, 0.7), (3.0, 1.0, 0.3, 0.4)),
)

enter("special.gammasgn special.round", arity=(1, 1), follows=Follows.BROADCAST, is_constant=True)
