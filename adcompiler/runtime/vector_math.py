"""Elementary functions for loops that LLVM vectorises: no branches and no calls.

LLVM cannot vectorise a loop that calls libm. These are the classical reductions (Muller, Elementary
Functions, 3rd ed. 2016, chapters 11 and 12) with minimax polynomials of our own (Remez, at 200 bits), for
float64. They are correct to 2 units in the last place over the whole range, infinities, NaN, subnormals and
signed zeros included; `tests/test_vector_math.py` holds them against mpmath. Those for float32, such as
`exp32`, round the result of the others.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import njit

from adcompiler.runtime.bits import inline
from adcompiler.runtime.vector_angles import atan, atan2, cos, sin
from adcompiler.runtime.vector_exponentials import cosh, erf, exp, expm1, log, log1p, log2, sinh, tanh
from adcompiler.runtime.vector_power import pow

_FUNCTIONS = (exp, expm1, log, log1p, log2, tanh, sinh, cosh, erf, sin, cos, atan, atan2, pow)


@njit(cache=True, fastmath={"reassoc", "nsz"}, forceinline=True)
def add_up(total, term):
    """Return `total + term`, and let LLVM add the terms of a loop in any order, so that it vectorises."""
    return total + term


def _single(function):
    """Return the function of one number in single precision."""

    @inline
    def of_one(x):
        return np.float32(function(np.float64(x)))

    return of_one


def _single_of_two(function):
    """Return the function of two numbers in single precision."""

    @inline
    def of_two(x, y):
        return np.float32(function(np.float64(x), np.float64(y)))

    return of_two


exp32 = _single(exp)
expm132 = _single(expm1)
log32 = _single(log)
log1p32 = _single(log1p)
log232 = _single(log2)
tanh32 = _single(tanh)
sinh32 = _single(sinh)
cosh32 = _single(cosh)
erf32 = _single(erf)
sin32 = _single(sin)
cos32 = _single(cos)
atan32 = _single(atan)
atan232 = _single_of_two(atan2)
pow32 = _single_of_two(pow)


_NUMPY = {"atan": np.arctan, "atan2": np.arctan2, "pow": np.power}


def _uncompiled(name: str) -> Any:
    own = _NUMPY.get(name) or getattr(np, name, None)
    return own or np.vectorize(getattr(math, name), otypes=[float])


_NAMES = [function.__name__ for function in _FUNCTIONS]
UNCOMPILED = SimpleNamespace(
    add_up=add_up.py_func,
    **{name: _uncompiled(name) for name in _NAMES},
    **{f"{name}32": _uncompiled(name) for name in _NAMES},
)
"""The same functions for code that runs as plain Python."""
