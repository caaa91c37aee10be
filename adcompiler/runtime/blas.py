"""Products of matrices and vectors, written into compiled code as calls of BLAS.

Numba compiles three functions for each pair of layouts that `a @ b` meets, which takes 0.5 to 0.9 s. Here
there is nothing to compile, and BLAS is called as Numba does.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

import numpy
from llvmlite import ir
from numba import float64
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, overload
from numba.np import arrayobj, linalg

_UNFIT = "matmul: the last axis of the first array and the last but one of the second differ in size"


def matmul(a, b):
    """Return `a @ b`."""
    return numpy.matmul(a, b)


@infer_global(matmul)
class _Product(AbstractTemplate):
    def generic(self, args, kws):
        a, b = args
        if not (_is_plain(a) and _is_plain(b)):
            return None
        rank = a.ndim + b.ndim - 2
        return signature(types.Array(float64, rank, "C") if rank else float64, a, b)


def _is_plain(kind):
    is_array = isinstance(kind, types.Array) and kind.dtype == float64 and kind.aligned
    return is_array and kind.ndim in (1, 2) and kind.layout in ("C", "F")


@overload(matmul)
def _others(a, b):
    return lambda a, b: a @ b


@lower_builtin(matmul, types.Array, types.Array)
def _emit(context, builder, sig, args):
    linalg.ensure_blas()
    a, b = (
        arrayobj.make_array(kind)(context, builder, arg) for kind, arg in zip(sig.args, args, strict=True)
    )
    left, right = (cgutils.unpack_tuple(builder, array.shape) for array in (a, b))
    for size in (*left, *right):
        linalg.check_c_int(context, builder, size)
    with builder.if_then(builder.icmp_signed("!=", left[-1], right[0]), likely=False):
        context.call_conv.return_user_exc(builder, ValueError, (_UNFIT,))
    shape = (*left[:-1], *right[1:])
    if not shape:
        total = cgutils.alloca_once_value(builder, ir.Constant(ir.DoubleType(), 0.0))
        _unless_empty(builder, left, lambda: _dot(context, builder, left[0], a, b, total))
        return builder.load(total)
    out = arrayobj._empty_nd_impl(context, builder, sig.return_type, shape)
    product = _of_matrices if len(shape) == 2 else _with_vector
    cgutils.memset(builder, out.data, builder.mul(out.itemsize, out.nitems), 0)
    _unless_empty(
        builder, (*left, *right), lambda: product(context, builder, sig, (a, left), (b, right), (out, shape))
    )
    return out._getvalue()


def _unless_empty(builder, sizes, write):
    zero = ir.Constant(sizes[0].type, 0)
    least = sizes[0]
    for size in sizes[1:]:
        least = builder.select(builder.icmp_signed("<", size, least), size, least)
    with builder.if_then(builder.icmp_signed(">", least, zero)):
        write()


def _dot(context, builder, size, a, b, out):
    linalg.call_xxdot(context, builder, False, float64, size, a.data, b.data, out)


def _with_vector(context, builder, sig, a, b, out):
    if sig.args[1].ndim == 1:
        _matrix_vector(context, builder, sig.args[0], a, b, out)
    else:
        _vector_matrix(context, builder, sig.args[1], a, b, out)


def _matrix_vector(context, builder, kind, a, b, out):
    linalg.call_xxgemv(context, builder, kind.layout == "C", kind, a[1], a[0].data, b[0].data, out[0].data)


def _vector_matrix(context, builder, kind, a, b, out):
    linalg.call_xxgemv(context, builder, kind.layout == "F", kind, b[1], b[0].data, a[0].data, out[0].data)


def _of_matrices(context, builder, sig, a, b, out):
    """Write a product of two matrices: one by a vector, where either is a row or a column."""
    left, right = sig.args
    one = ir.Constant(out[1][0].type, 1)
    is_row, is_column = (builder.icmp_signed("==", size, one) for size in out[1])
    with builder.if_else(is_column) as (column, wide):
        with column, builder.if_else(is_row) as (number, tall):
            with number:
                _dot(context, builder, a[1][1], a[0], b[0], out[0].data)
            with tall:
                _matrix_vector(context, builder, left, a, b, out)
        with wide, builder.if_else(is_row) as (row, full):
            with row:
                _vector_matrix(context, builder, right, a, b, out)
            with full:
                linalg.call_xxgemm(
                    context,
                    builder,
                    *(left, a[1], a[0].data),
                    *(right, b[1], b[0].data),
                    *(sig.return_type, out[1], out[0].data),
                )
