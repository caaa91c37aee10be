"""Functions of NumPy and SciPy written in the language that users write."""

from adcompiler.definitions import (
    arranging,
    complex_numbers,
    joining,
    linalg,
    products,
    randoms,
    reductions,
    scans,
    sequences,
    signals,
    statistics,
    ufunc_methods,
)
from adcompiler.definitions.table import DEFINITIONS, SHOWN, Definition, refuse

__all__ = [
    "DEFINITIONS",
    "SHOWN",
    "Definition",
    "arranging",
    "complex_numbers",
    "joining",
    "linalg",
    "products",
    "randoms",
    "reductions",
    "refuse",
    "scans",
    "sequences",
    "signals",
    "statistics",
    "ufunc_methods",
]
