"""The functions of `cmath`: those of NumPy, with a complex result for real numbers, too."""
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from adcompiler.definitions.table import define, has


@define("cmath.exp", is_analytic=True)
def exp(z):
    return np.exp(np.complex128(z))


@define("cmath.sqrt", is_analytic=True)
def sqrt(z):
    return np.sqrt(np.complex128(z))


@define("cmath.log10", is_analytic=True)
def log10(z):
    return np.log10(np.complex128(z))


@define("cmath.log", is_analytic=True)
def log(z, base=None):
    return (
        np.log(np.complex128(z)) if base is None else np.log(np.complex128(z)) / np.log(np.complex128(base))
    )


@define("cmath.sin", is_analytic=True)
def sin(z):
    return np.sin(np.complex128(z))


@define("cmath.cos", is_analytic=True)
def cos(z):
    return np.cos(np.complex128(z))


@define("cmath.tan", is_analytic=True)
def tan(z):
    return np.tan(np.complex128(z))


@define("cmath.sinh", is_analytic=True)
def sinh(z):
    return np.sinh(np.complex128(z))


@define("cmath.cosh", is_analytic=True)
def cosh(z):
    return np.cosh(np.complex128(z))


@define("cmath.tanh", is_analytic=True)
def tanh(z):
    return np.tanh(np.complex128(z))


@define("cmath.asin", is_analytic=True)
def asin(z):
    return np.arcsin(np.complex128(z))


@define("cmath.acos", is_analytic=True)
def acos(z):
    return np.arccos(np.complex128(z))


@define("cmath.atan", is_analytic=True)
def atan(z):
    return np.arctan(np.complex128(z))


@define("cmath.asinh", is_analytic=True)
def asinh(z):
    return np.arcsinh(np.complex128(z))


@define("cmath.acosh", is_analytic=True)
def acosh(z):
    return np.arccosh(np.complex128(z))


@define("cmath.atanh", is_analytic=True)
def atanh(z):
    return np.arctanh(np.complex128(z))


@define("cmath.phase", is_analytic=True)
def phase(z):
    return np.angle(np.complex128(z))


@define("cmath.polar", is_analytic=True)
def polar(z):
    return abs(np.complex128(z)), np.angle(np.complex128(z))


@define("cmath.rect", is_analytic=True)
def rect(r, phi):
    return r * np.exp(1j * phi)


@define("np.angle", when=has("deg"), is_analytic=True)
def angle_in_degrees(z, deg):
    return np.degrees(np.angle(z))
