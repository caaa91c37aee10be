"""What the derivative of each primitive is."""

from adcompiler.rules import arrays, complex_numbers, functions, linalg, operators, special
from adcompiler.rules.refused import REFUSED
from adcompiler.rules.table import (
    ANALYTIC,
    COMPLEX,
    CONSTANT,
    ELEMENTWISE,
    LINEAR,
    STRUCTURED,
    TANGENTS,
    Elementwise,
    Structured,
)

__all__ = [
    "ANALYTIC",
    "COMPLEX",
    "CONSTANT",
    "ELEMENTWISE",
    "LINEAR",
    "REFUSED",
    "STRUCTURED",
    "TANGENTS",
    "Elementwise",
    "Structured",
    "arrays",
    "complex_numbers",
    "functions",
    "linalg",
    "operators",
    "special",
]
