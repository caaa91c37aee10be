"""Complex numbers on the way from real arguments to a real result.

The adjoint of a complex number z is the d for which the result changes by the real part of d * dz. Analytic
functions then have the rules that they have for real numbers; this is JAX's convention, too.
"""

from adcompiler.rules.table import analytic, elementwise, for_complex, linear

analytic(
    "add sub mul truediv neg pos pow np.add np.subtract np.multiply np.divide np.true_divide np.negative"
)
analytic(
    "np.positive np.power np.square np.reciprocal np.where np.exp np.exp2 np.expm1 np.log np.log2 np.log10"
)
analytic(
    "np.log1p np.sqrt np.sin np.cos np.tan np.arcsin np.arccos np.arctan np.sinh np.cosh np.tanh np.arcsinh"
)
analytic("np.arccosh np.arctanh np.asin np.acos np.atan np.asinh np.acosh np.atanh np.sinc")
analytic("getitem T np.transpose reshape ravel flatten copy astype np.ascontiguousarray np.asfortranarray")
analytic("np.asarray np.full np.full_like np.sum np.mean np.cumsum np.prod matmul np.dot np.outer np.trace")
analytic("times np.diag np.flip np.roll np.tril np.triu np.linalg.inv")
analytic("np.linalg.solve np.linalg.det np.array np.complex128 np.complex64")

linear("np.complex128 np.complex64")
elementwise("complex", "1", "1j", at=((0.3, -1.2),))
elementwise("np.imag np.angle", "0.0", at=((0.3,), (1.2,)))
for_complex("np.real", "d", "real(t)")
for_complex("np.imag", "-1j * d", "imag(t)")
for_complex("np.conj np.conjugate", "conj(d)", "conj(t)")
for_complex(
    "abs np.abs np.absolute",
    "d * conj(x) / (y if y != 0 else 1.0)",
    "real(conj(x) * t) / (y if y != 0 else 1.0)",
)
for_complex("np.angle", "-1j * d / x", "imag(t / x)")
