"""What is known about each primitive: one card each."""

from adcompiler.primitives import (
    elementwise,
    language,
    numpy_copies,
    numpy_creation,
    numpy_linalg,
    numpy_products,
    numpy_reductions,
    of_lanes,
    of_sets,
    python_operators,
    refused,
    scipy_special,
    vector_functions,
)
from adcompiler.primitives.card import Card, Fill, Follows, Gives, Range, Shows, Spelling, Vanishes
from adcompiler.primitives.deck import CARDS, card, hint, is_known, library_function, part_of, similar_names
from adcompiler.primitives.rule import Elementwise, Structured, formula

__all__ = [
    "CARDS",
    "Card",
    "Elementwise",
    "Fill",
    "Follows",
    "Gives",
    "Range",
    "Shows",
    "Spelling",
    "Structured",
    "Vanishes",
    "card",
    "elementwise",
    "formula",
    "hint",
    "is_known",
    "language",
    "library_function",
    "numpy_copies",
    "numpy_creation",
    "numpy_linalg",
    "numpy_products",
    "numpy_reductions",
    "of_lanes",
    "of_sets",
    "part_of",
    "python_operators",
    "refused",
    "scipy_special",
    "similar_names",
    "vector_functions",
]
