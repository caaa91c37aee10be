"""Functions of NumPy and SciPy written in the language that users write."""

from adcompiler.definitions import linalg, products, randoms, reductions, scans, shapes, signals, statistics
from adcompiler.definitions.table import DEFINITIONS, SHOWN, Definition, refuse

__all__ = [
    "DEFINITIONS",
    "SHOWN",
    "Definition",
    "linalg",
    "products",
    "randoms",
    "reductions",
    "refuse",
    "scans",
    "shapes",
    "signals",
    "statistics",
]
