"""What the derivative of each primitive is."""

from adcompiler.rules import arrays, functions, linalg, operators, special
from adcompiler.rules.refused import REFUSED
from adcompiler.rules.table import CONSTANT, ELEMENTWISE, STRUCTURED, Elementwise, Structured

__all__ = [
    "CONSTANT",
    "ELEMENTWISE",
    "REFUSED",
    "STRUCTURED",
    "Elementwise",
    "Structured",
    "arrays",
    "functions",
    "linalg",
    "operators",
    "special",
]
