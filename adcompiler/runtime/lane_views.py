"""Arrays of lanes in compiled code: how they are made, and how arrays of numbers are seen as such."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin
from numba.np import arrayobj

from adcompiler.runtime.lane_numbers import IN_MEMORY, LANES, array_of_lanes
from adcompiler.runtime.plain_lanes import WIDTH, empty, empty_like, numbers, of, zeros, zeros_like

_SIZE = 8 * WIDTH


def _of_arrays(function, result, emit):
    """Let compiled code hold what a function does with arrays instead of a call."""

    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            made = result(*args)
            return None if kws or made is None else signature(made, *args)

    lower_builtin(function, types.VarArg(types.Any))(emit)


def _kind_of_view(array):
    return array_of_lanes(array.ndim - 1) if array.ndim > 1 else LANES


def _kind_of_numbers(array):
    if not isinstance(array, types.Array):
        return types.Array(types.float64, 1, "C")
    return types.Array(types.float64, array.ndim + 1, "C" if array.layout == "C" else "A")


def _view(context, builder, sig, args):
    """Take the last axis of an array, which has as many numbers as there are lanes, for the lanes."""
    (kind,), (array,) = sig.args, args
    source = arrayobj.make_array(kind)(context, builder, array)
    data = builder.bitcast(source.data, IN_MEMORY.as_pointer())
    if kind.ndim == 1:
        return builder.extract_value(builder.load(data), 0)
    made = arrayobj.make_array(sig.return_type)(context, builder)
    shape, strides = (cgutils.unpack_tuple(builder, part)[:-1] for part in (source.shape, source.strides))
    _populate(context, builder, made, data, shape, strides, _SIZE, source.meminfo)
    return arrayobj.impl_ret_borrowed(context, builder, sig.return_type, made._getvalue())


def _as_numbers(context, builder, sig, args):
    """Take the lanes of an array for its last axis, or copy those of a number to a new array."""
    (kind,), (array,) = sig.args, args
    intp = context.get_value_type(types.intp)
    width, item = ir.Constant(intp, WIDTH), ir.Constant(intp, 8)
    if kind == LANES:
        made = arrayobj._empty_nd_impl(context, builder, sig.return_type, [width])
        whole = builder.insert_value(ir.Constant(IN_MEMORY, ir.Undefined), array, 0)
        builder.store(whole, builder.bitcast(made.data, IN_MEMORY.as_pointer()))
        return arrayobj.impl_ret_new_ref(context, builder, sig.return_type, made._getvalue())
    source = arrayobj.make_array(kind)(context, builder, array)
    made = arrayobj.make_array(sig.return_type)(context, builder)
    data = builder.bitcast(source.data, ir.DoubleType().as_pointer())
    shape, strides = (cgutils.unpack_tuple(builder, part) for part in (source.shape, source.strides))
    _populate(context, builder, made, data, [*shape, width], [*strides, item], 8, source.meminfo)
    return arrayobj.impl_ret_borrowed(context, builder, sig.return_type, made._getvalue())


def _populate(context, builder, made, data, shape, strides, itemsize, meminfo):
    arrayobj.populate_array(
        made,
        data=data,
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=ir.Constant(context.get_value_type(types.intp), itemsize),
        meminfo=meminfo,
    )


def _kind_of_shape(shape):
    if isinstance(shape, types.Integer):
        return array_of_lanes(1)
    is_shape = isinstance(shape, types.UniTuple) and isinstance(shape.dtype, types.Integer)
    return array_of_lanes(shape.count) if is_shape else None


def _kind_like(array):
    return array_of_lanes(array.ndim) if isinstance(array, types.Array) else None


def _allocation(is_zero):
    def emit(context, builder, sig, args):
        (kind,), (given,) = sig.args, args
        if isinstance(kind, types.Array):
            given = arrayobj.make_array(kind)(context, builder, given).shape
        sizes = [given] if isinstance(kind, types.Integer) else cgutils.unpack_tuple(builder, given)
        inner = kind if isinstance(kind, types.Integer) else getattr(kind, "dtype", types.intp)
        inner = types.intp if isinstance(kind, types.Array) else inner
        sizes = [context.cast(builder, size, inner, types.intp) for size in sizes]
        made = arrayobj._empty_nd_impl(context, builder, sig.return_type, sizes)
        if is_zero:
            cgutils.memset(builder, made.data, builder.mul(made.itemsize, made.nitems), 0)
        return arrayobj.impl_ret_new_ref(context, builder, sig.return_type, made._getvalue())

    return emit


_of_arrays(of, _kind_of_view, _view)
_of_arrays(numbers, _kind_of_numbers, _as_numbers)
_of_arrays(zeros, _kind_of_shape, _allocation(is_zero=True))
_of_arrays(empty, _kind_of_shape, _allocation(is_zero=False))
_of_arrays(zeros_like, _kind_like, _allocation(is_zero=True))
_of_arrays(empty_like, _kind_like, _allocation(is_zero=False))
