"""Structured primitives on arrays: reductions, products and shape.

Each function is the vector-Jacobian product of the primitives named above it, written in the
language itself: (inputs, output `y`, adjoint `d` of the output) to the adjoints of the inputs.
"""

# mypy: disable-error-code="no-untyped-def,no-redef"

import numpy as np

from adcompiler.rules.table import constant, structured


@structured("np.sum", 0)
@structured("np.sum", 1, broadcasts=True)
@structured("np.sum", 2, broadcasts=True)
@structured("np.sum", 3, broadcasts=True)
def sum_all(x, y, d):
    return d


@structured("np.sum", 1, axis=0, broadcasts=True)
@structured("np.sum", 2, axis=0, broadcasts=True)
@structured("np.sum", 3, axis=0, broadcasts=True)
def sum_first(x, y, d):
    return d


@structured("np.sum", 2, axis=1, broadcasts=True)
@structured("np.sum", 3, axis=1, broadcasts=True)
def sum_second(x, y, d):
    return np.expand_dims(d, 1)


@structured("np.sum", 3, axis=2, broadcasts=True)
def sum_third(x, y, d):
    return np.expand_dims(d, 2)


@structured("np.mean", 1, broadcasts=True)
@structured("np.mean", 2, broadcasts=True)
@structured("np.mean", 3, broadcasts=True)
def mean_all(x, y, d):
    return d / x.size


@structured("np.max np.min", 1)
@structured("np.max np.min", 2)
@structured("np.max np.min", 3)
def extremum(x, y, d):
    chosen = np.where(x == y, 1.0, 0.0)
    return d * chosen / np.sum(chosen)


@structured("matmul np.dot", 1, 1)
def dot_vectors(a, b, y, d):
    return d * b, d * a


@structured("matmul np.dot", 2, 1)
def dot_matrix_vector(a, b, y, d):
    return np.outer(d, b), a.T @ d


@structured("matmul np.dot", 1, 2)
def dot_vector_matrix(a, b, y, d):
    return b @ d, np.outer(a, d)


@structured("matmul np.dot", 2, 2)
def dot_matrices(a, b, y, d):
    return d @ b.T, a.T @ d


@structured("np.outer", 1, 1)
def outer(a, b, y, d):
    return d @ b, a @ d


@structured("T", 1)
@structured("T", 2)
@structured("T", 3)
def transpose(x, y, d):
    return d.T


def _reshaped(x, y, d):
    return np.ascontiguousarray(d).reshape(x.shape)


for _rank in (1, 2, 3):
    structured("reshape ravel flatten", _rank)(_reshaped)


def _same(x, y, d):
    return d


for _rank in (0, 1, 2, 3):
    structured("copy astype np.ascontiguousarray item np.float32", _rank)(_same)


@structured("np.full np.full_like", 0)
def full(value, y, d):
    return np.sum(d)


constant("np.zeros np.ones np.empty np.zeros_like np.ones_like np.empty_like np.arange")
constant("np.argmax np.argmin np.any np.all np.argsort np.searchsorted np.count_nonzero")
constant("str operator.contains print np.nonzero dict range np.random.seed hash isinstance type")
