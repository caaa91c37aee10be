"""New arrays."""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

from typing import Any

import numpy as np

from adcompiler.primitives.card import Fill, Follows
from adcompiler.primitives.deck import enter, vjp

_NEW: dict[str, Any] = {"arity": (1, 2), "follows": Follows.GIVEN, "is_constant": True}
enter("np.zeros", in_lanes="lanes.zeros", allocates=Fill.ZEROS, example="np.zeros(v.shape)", **_NEW)
enter("np.ones", allocates=Fill.ONES, example="np.ones(v.shape)", **_NEW)
enter(
    "np.empty",
    also="np.ndarray",
    in_lanes="lanes.empty",
    allocates=Fill.NOTHING,
    example="np.empty(v.shape)",
    **_NEW,
)
_LIKE: dict[str, Any] = {
    "arity": (1, 2),
    "follows": Follows.SAME_SHAPE,
    "reads_elements": False,
    "is_constant": True,
}
enter("np.zeros_like", in_lanes="lanes.zeros_like", allocates=Fill.ZEROS, example="np.zeros_like(v)", **_LIKE)
enter("np.ones_like", allocates=Fill.ONES, example="np.ones_like(v)", **_LIKE)
enter(
    "np.empty_like", in_lanes="lanes.empty_like", allocates=Fill.NOTHING, example="np.empty_like(v)", **_LIKE
)
_FULL: dict[str, Any] = {"arity": (2, 3), "allocates": Fill.VALUE, "is_linear": True, "is_analytic": True}
enter("np.full", in_lanes="lanes.full", follows=Follows.GIVEN, example="np.full(v.shape, x)", **_FULL)
enter(
    "np.full_like",
    in_lanes="lanes.full_like",
    follows=Follows.SAME_SHAPE,
    reads_elements=False,
    example="np.full_like(v, x)",
    **_FULL,
)
enter("np.arange", arity=(1, 4), follows=Follows.VECTOR, is_constant=True, example="np.arange(5)")
enter("np.linspace", follows=Follows.VECTOR)
enter("np.eye np.tri", follows=Follows.MATRIX, is_constant=True)
enter("np.identity", arity=(1, 2), follows=Follows.MATRIX, is_constant=True, example="np.identity(3)")
enter("np.vander", follows=Follows.MATRIX)


@vjp("np.full np.full_like", 0)
def full(value, y, d):
    return np.sum(d)
