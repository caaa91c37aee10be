"""What the derivative of each primitive is."""

from adcompiler.rules import arrays, functions, linalg, operators, special
from adcompiler.rules.table import CONSTANT, ELEMENTWISE, STRUCTURED, Elementwise, Structured

__all__ = [
    "CONSTANT",
    "ELEMENTWISE",
    "STRUCTURED",
    "Elementwise",
    "Structured",
    "arrays",
    "functions",
    "linalg",
    "operators",
    "special",
]
