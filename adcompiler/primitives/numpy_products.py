"""Products of vectors and matrices."""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

import ast
import operator
from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Spelling, Vanishes
from adcompiler.primitives.deck import enter, vjp

_OF_TWO: dict[str, Any] = {"arity": (2, 2), "is_linear": True}
_LINEAR: dict[str, Any] = _OF_TWO | {"is_analytic": True}
_OF_ONE_TYPE: dict[str, Any] = {"takes_one_type": True}
enter(
    "matmul",
    in_sets="sets.products",
    spelling=Spelling.OPERATOR,
    operator=ast.MatMult,
    in_lanes="lanes.matmul",
    also="np.matmul",
    follows=Follows.PRODUCT,
    vanishes=Vanishes.WITH_ANY,
    compute=operator.matmul,
    example="m @ v",
    **_LINEAR,
    **_OF_ONE_TYPE,
)

enter(
    "np.dot",
    in_sets="sets.products",
    in_lanes="lanes.matmul",
    method="dot",
    follows=Follows.PRODUCT,
    vanishes=Vanishes.WITH_ANY,
    takes_array=True,
    example="np.dot(m, v)",
    **_LINEAR,
    **_OF_ONE_TYPE,
)
enter(
    "np.vdot",
    follows=Follows.NUMBER,
    takes_array=True,
    holds_for_complex=True,
    example="np.vdot(v, v)",
    **_OF_TWO,
    **_OF_ONE_TYPE,
)
enter(
    "np.outer",
    follows=Follows.MATRIX,
    vanishes=Vanishes.WITH_ANY,
    on_numbers="mul",
    takes_array=True,
    example="np.outer(v, v)",
    **_LINEAR,
)


@vjp("matmul np.dot", 1, 1)
def dot_vectors(a, b, y, d):
    return d * b, d * a


@vjp("np.vdot", 1, 1)
def vdot(a, b, y, d):
    return np.conj(d * b), d * np.conj(a)


@vjp("matmul np.dot", 2, 1)
def dot_matrix_vector(a, b, y, d):
    return np.outer(d, b), a.T @ d


@vjp("matmul np.dot", 1, 2)
def dot_vector_matrix(a, b, y, d):
    return b @ d, np.outer(a, d)


@vjp("matmul np.dot", 2, 2)
def dot_matrices(a, b, y, d):
    return d @ b.T, a.T @ d


@vjp("np.outer", 1, 1)
def outer(a, b, y, d):
    return d @ b, a @ d
