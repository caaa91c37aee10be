"""Structured primitives on arrays: reductions, products and shape.

A function under `structured` is the vector-Jacobian product of the primitives named above it, written in the
language itself: (inputs, output `y`, adjoint `d` of the output) to the adjoints of the inputs. One under
`tangent` is the Jacobian-vector product: (inputs, output `y`, tangents of the inputs) to the parts of the
output's tangent.
"""

# mypy: disable-error-code="no-untyped-def,no-redef,no-untyped-call"

import numpy as np

from adcompiler.rules.table import constant, linear, structured, tangent

RANKS = range(1, 7)

linear("np.sum np.mean np.cumsum np.flip np.roll np.diag np.tril np.triu np.outer")
linear("matmul np.dot np.vdot T np.transpose reshape ravel flatten copy astype np.float32 item getitem")
linear("np.ascontiguousarray np.asfortranarray np.asarray np.asarray_chkfinite np.full np.full_like sum_to")


def sum_all(x, y, d):
    return d


def sum_axis_0(x, y, d):
    return d


def sum_axis_1(x, y, d):
    return np.expand_dims(d, 1)


def sum_axis_2(x, y, d):
    return np.expand_dims(d, 2)


def sum_axis_3(x, y, d):
    return np.expand_dims(d, 3)


def sum_axis_4(x, y, d):
    return np.expand_dims(d, 4)


def sum_axis_5(x, y, d):
    return np.expand_dims(d, 5)


structured("np.sum", 0)(sum_all)
for _rank in RANKS:
    structured("np.sum", _rank, broadcasts=True)(sum_all)
    for _axis, _rule in enumerate((sum_axis_0, sum_axis_1, sum_axis_2, sum_axis_3, sum_axis_4, sum_axis_5)):
        if _axis < _rank:
            structured("np.sum", _rank, axis=_axis, broadcasts=True)(_rule)


def mean_all(x, y, d):
    return d / x.size


def extremum(x, y, d):
    chosen = np.where(x == y, 1.0, 0.0)
    return d * chosen / np.sum(chosen)


def extremum_tangent(x, y, t):
    chosen = np.where(x == y, 1.0, 0.0)
    return np.sum(chosen * t) / np.sum(chosen)


def variance(x, y, d):
    return 2.0 * d / x.size * (x - np.mean(x))


def variance_tangent(x, y, t):
    return 2.0 / x.size * np.sum((x - np.mean(x)) * t)


def deviation(x, y, d):
    scale = d / (x.size * y) if y > 0.0 else 0.0
    return scale * (x - np.mean(x))


def deviation_tangent(x, y, t):
    scale = 1.0 / (x.size * y) if y > 0.0 else 0.0
    return scale * np.sum((x - np.mean(x)) * t)


for _rank in RANKS:
    structured("np.mean", _rank, broadcasts=True)(mean_all)
    structured("np.max np.min", _rank)(extremum)
    structured("np.var", _rank)(variance)
    structured("np.std", _rank)(deviation)
    tangent("np.max np.min", _rank)(extremum_tangent)
    tangent("np.var", _rank)(variance_tangent)
    tangent("np.std", _rank)(deviation_tangent)


@structured("np.cumsum", 1)
def cumulative_sum(x, y, d):
    return np.cumsum(d[::-1])[::-1]


@structured("np.sort", 1)
def sort(x, y, d):
    return d[np.argsort(np.argsort(x))]


@tangent("np.sort", 1)
def sort_tangent(x, y, t):
    return t[np.argsort(x)]


def product_of_others(x):
    """The product of all other elements, without dividing: elements may be zero."""
    flat, one = x.flatten(), np.ones(1)
    before = np.cumprod(np.concatenate((one, flat)))[: x.size]
    after = np.cumprod(np.concatenate((one, flat[::-1])))[: x.size]
    return before * after[::-1]


def product_all(x, y, d):
    return (d * product_of_others(x)).reshape(x.shape)


def product_tangent(x, y, t):
    return np.sum(product_of_others(x) * t.flatten())


def flip(x, y, d):
    return np.flip(d)


def rolled(x, shift, y, d):
    return np.roll(d, -shift), 0


def without_nan(x, y, d):
    return np.where(np.isnan(x), 0.0, d)


def without_nan_tangent(x, y, t):
    return np.sum(np.where(np.isnan(x), 0.0, t))


for _rank in RANKS:
    structured("np.prod", _rank)(product_all)
    tangent("np.prod", _rank)(product_tangent)
    tangent("np.nansum", _rank)(without_nan_tangent)
    structured("np.flip", _rank)(flip)
    structured("np.roll", _rank, 0)(rolled)
    structured("np.nansum", _rank)(without_nan)


@structured("np.diag", 1)
def diagonal_matrix(x, y, d):
    return np.diag(d).copy()  # NumPy's is a view that cannot be written


@structured("np.diag", 2)
def diagonal(x, y, d):
    below = np.zeros(x.shape[0] - y.size)
    return np.concatenate((d, below))[:, None] * np.eye(x.shape[0], x.shape[1])


@structured("np.tril", 2)
def lower_triangle(x, y, d):
    return np.tril(d)


@structured("np.triu", 2)
def upper_triangle(x, y, d):
    return np.triu(d)


@structured("matmul np.dot np.vdot", 1, 1)
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


def transpose(x, y, d):
    return d.T


def _reshaped(x, y, d):
    return np.ascontiguousarray(d).reshape(x.shape)


for _rank in RANKS:
    structured("T", _rank)(transpose)
    structured("reshape ravel flatten", _rank)(_reshaped)


def _same(x, y, d):
    return d


for _rank in (0, *RANKS):
    structured(
        "copy astype np.ascontiguousarray np.asfortranarray np.asarray np.asarray_chkfinite item np.float32",
        _rank,
    )(_same)


@structured("np.full np.full_like", 0)
def full(value, y, d):
    return np.sum(d)


constant(
    "np.linalg.eigh np.linalg.qr np.linalg.svd np.linalg.slogdet np.linalg.slogdet[0] np.linalg.matrix_rank"
)
constant("np.histogram np.unravel_index np.broadcast_shapes")
constant("np.allclose np.isclose np.array_equal np.array_equiv np.digitize")
constant("np.eye np.identity np.tri np.indices np.bartlett np.blackman np.hamming np.hanning np.kaiser")
constant(
    "np.flatnonzero np.argwhere np.tril_indices np.triu_indices np.tril_indices_from np.triu_indices_from"
)
constant("np.diag_indices np.diag_indices_from np.isin np.in1d np.iscomplexobj np.isrealobj np.nanargmax")
constant("np.nanargmin np.ndindex np.ndenumerate np.round_ np.argpartition np.mask_indices")
constant("np.zeros np.ones np.empty np.zeros_like np.ones_like np.empty_like np.arange")
constant("np.argmax np.argmin np.any np.all np.argsort np.searchsorted np.count_nonzero")
constant("str operator.contains print np.nonzero dict range np.random.seed hash isinstance type")
