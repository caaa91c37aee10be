"""Elementary functions for loops that LLVM vectorises: no branches and no calls.

LLVM cannot vectorise a loop that calls libm. These are the classical reductions (Muller, Elementary
Functions, 3rd ed. 2016, chapters 11 and 12) with minimax polynomials of our own (Remez, at 200 bits), for
float64. They are correct to 2 units in the last place over the whole range, infinities, NaN, subnormals and
signed zeros included; `tests/test_vector_math.py` holds them against mpmath. Those for float32, such as
`exp32`, compute in single precision; of angles and powers, whose reductions need more digits, the result in
double precision is rounded.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import float32, types
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable

from adcompiler.runtime import vector_angles as angles
from adcompiler.runtime import vector_exponentials as exponentials
from adcompiler.runtime import vector_power as power
from adcompiler.runtime import vector_singles as singles
from adcompiler.runtime.straight import of_numbers

_FUNCTIONS = (
    *(exponentials.exp, exponentials.expm1, exponentials.log, exponentials.log1p, exponentials.log2),
    *(exponentials.tanh, exponentials.sinh, exponentials.cosh, exponentials.erf),
    *(angles.sin, angles.cos, angles.atan, angles.atan2, power.pow),
)


def add_up(total, term):
    """Return `total + term`, and let LLVM add the terms of a loop in any order, so that it vectorises."""
    return total + term


@type_callable(add_up)
def _type_of_sum(context):
    def typing(total, term):
        kind = context.unify_types(total, term)
        return signature(kind, kind, kind) if isinstance(kind, types.Float) else None

    return typing


@lower_builtin(add_up, types.Float, types.Float)
def _add_in_any_order(context, builder, sig, args):
    return builder.fadd(*args, flags=("reassoc", "nsz"))


def _single(function):
    """Return the function of numbers in single precision."""
    own = getattr(singles, function.__name__, None)
    return of_numbers(function, gives=float32) if own is None else of_numbers(own, float32)


exp, expm1, log, log1p, log2, tanh, sinh, cosh = map(of_numbers, _FUNCTIONS[:8])
erf, sin, cos, atan, atan2, pow = map(of_numbers, _FUNCTIONS[8:])
exp32, expm132, log32, log1p32, log232, tanh32, sinh32, cosh32 = map(_single, _FUNCTIONS[:8])
erf32, sin32, cos32, atan32, atan232, pow32 = map(_single, _FUNCTIONS[8:])


_NUMPY = {"atan": np.arctan, "atan2": np.arctan2, "pow": np.power}


def _uncompiled(name: str) -> Any:
    own = _NUMPY.get(name) or getattr(np, name, None)
    return own or np.vectorize(getattr(math, name), otypes=[float])


_NAMES = [function.__name__ for function in _FUNCTIONS]
UNCOMPILED = SimpleNamespace(
    add_up=add_up,
    **{name: _uncompiled(name) for name in _NAMES},
    **{f"{name}32": _uncompiled(name) for name in _NAMES},
)
"""The same functions for code that runs as plain Python."""
