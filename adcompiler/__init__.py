"""Gradients of numeric Python functions, compiled by Numba."""

from adcompiler.api import Derivative, grad, value_and_grad
from adcompiler.errors import DifferentiationError
from adcompiler.inside_numba import DerivativeType
from adcompiler.pullback import vjp
from adcompiler.view import ComputationGraph

__all__ = [
    "ComputationGraph",
    "Derivative",
    "DerivativeType",
    "DifferentiationError",
    "grad",
    "value_and_grad",
    "vjp",
]
__version__ = "0.1.0"
