"""NumPy as compiled modules see it under the name `np`: new arrays are written in, all else is NumPy's.

Numba compiles four functions for the first `np.zeros_like(x)` of a process, which takes 0.2 s. Here there is
nothing to compile: the call becomes the instructions that allocate. Results are the same.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

import inspect as _inspect
import sys as _sys
from typing import Any as _Any

import numpy
from llvmlite import ir as _ir
from numba.core import cgutils as _cgutils
from numba.core import types as _types
from numba.core.typing import npydecl as _npydecl
from numba.core.typing import templates as _templates
from numba.extending import lower_builtin as _lower_builtin
from numba.extending import overload as _overload
from numba.np import arrayobj as _arrayobj

from adcompiler.runtime.blas import matmul as matmul
from adcompiler.runtime.cleared import fill_with_zeros as _fill_with_zeros
from adcompiler.runtime.counting import downwards as downwards
from adcompiler.runtime.counting import upwards as upwards

_LARGE, _PAGE, _HUGEPAGE = 4 << 20, 4096, 14
"""From how many bytes on, the size of a page, and what `madvise` calls large pages."""


def __getattr__(name: str) -> _Any:
    return getattr(numpy, name)


def empty(shape, dtype=float):
    """Return `numpy.empty(shape, dtype)`."""
    return numpy.empty(shape, dtype)


def zeros(shape, dtype=float):
    """Return `numpy.zeros(shape, dtype)`."""
    return numpy.zeros(shape, dtype)


def empty_like(array, dtype=None):
    """Return `numpy.empty_like(array, dtype)`."""
    return numpy.empty_like(array, dtype)


def zeros_like(array, dtype=None):
    """Return `numpy.zeros_like(array, dtype)`."""
    return numpy.zeros_like(array, dtype)


def _of_shape(shape, dtype=_types.float64):
    is_known = isinstance(shape, _types.Integer | _types.UniTuple)
    is_index = not isinstance(shape, _types.UniTuple) or isinstance(shape.dtype, _types.Integer)
    is_float = isinstance(dtype, _types.Function) and dtype.typing_key is float
    kind = _types.float64 if is_float or dtype == _types.float64 else _npydecl.parse_dtype(dtype)
    if not (is_known and is_index) or kind is None:
        return None
    return _types.Array(kind, getattr(shape, "count", 1), "C")


def _of_array(array, *dtype):
    if dtype or not isinstance(array, _types.Array):
        return None
    return array.copy(layout="C" if array.layout == "A" else array.layout, readonly=False)


def _write(function, result, is_zero):
    """Let compiled code hold an allocation instead of a call; other arguments are NumPy's."""
    names = [*_inspect.signature(function).parameters]

    @_templates.infer_global(function)
    class _Allocation(_templates.AbstractTemplate):
        def generic(self, args, kws):
            given = (*args, *kws.values())
            made = result(*given) if [*kws] == names[len(args) : len(given)] else None
            if made is None:
                return None
            parameters = [
                _inspect.Parameter(name, _inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names
            ]
            return _templates.signature(made, *given).replace(
                pysig=_inspect.Signature(parameters[: len(given)])
            )

    @_lower_builtin(function, _types.VarArg(_types.Any))
    def emit(context, builder, sig, args):
        made = _allocated(context, builder, sig, args)
        size = builder.mul(made.itemsize, made.nitems)
        _on_large_pages(builder, made.data, size)
        if is_zero:
            _fill_with_zeros(builder, made.data, size)
        made.data = _apart(builder, made.data)
        return made._getvalue()


def _allocated(context, builder, sig, args):
    if isinstance(sig.args[0], _types.Array):
        return _arrayobj._empty_nd_impl(
            context, builder, *_arrayobj._parse_empty_like_args(context, builder, sig, args)
        )
    return _arrayobj._empty_nd_impl(
        context, builder, *_arrayobj._parse_empty_args(context, builder, sig, args)
    )


def _on_large_pages(builder, data, size):
    """Ask Linux for pages of 2 MB for a large array, as NumPy does: there are 512 times fewer to find."""
    if _sys.platform != "linux":
        return
    word = size.type
    with builder.if_then(builder.icmp_unsigned(">=", size, word(_LARGE)), likely=False):
        kind = _ir.FunctionType(_cgutils.int32_t, [_cgutils.voidptr_t, word, _cgutils.int32_t])
        madvise = _cgutils.get_or_insert_function(builder.module, kind, "madvise")
        start = builder.and_(builder.add(builder.ptrtoint(data, word), word(_PAGE - 1)), word(-_PAGE))
        length = builder.sub(size, word(_PAGE))
        builder.call(
            madvise, [builder.inttoptr(start, _cgutils.voidptr_t), length, _cgutils.int32_t(_HUGEPAGE)]
        )


def _apart(builder, data):
    """Return a pointer to new memory, of which LLVM knows that no other pointer leads there.

    Numba reads it from the header of what was allocated, where LLVM cannot see that it is new, and compares
    it with all others at run time before it vectorises a loop, or gives up where there are many. What frees
    the memory is given the header, so that LLVM is told that others may come to know the pointer, too.
    """
    module = builder.module
    known = module.globals.get("adcompiler.apart")
    pointer = _cgutils.voidptr_t
    if known is None:
        known = _ir.Function(module, _ir.FunctionType(pointer, [pointer]), "adcompiler.apart")
        known.linkage = "internal"
        known.attributes.add("noinline")
        known.return_value.add_attribute("noalias")
        inner = _ir.IRBuilder(known.append_basic_block())
        inner.ret(inner.asm(known.ftype, "", "=r,0", [known.args[0]], side_effect=False))
    found = builder.call(known, [builder.bitcast(data, pointer)])
    builder.asm(_ir.FunctionType(_ir.VoidType(), [pointer]), "", "r,~{memory}", [found], side_effect=True)
    return builder.bitcast(found, data.type)


_write(empty, _of_shape, is_zero=False)
_write(zeros, _of_shape, is_zero=True)
_write(empty_like, _of_array, is_zero=False)
_write(zeros_like, _of_array, is_zero=True)


@_overload(empty)
def _empty(shape, dtype=float):
    return lambda shape, dtype=float: numpy.empty(shape, dtype)


@_overload(zeros)
def _zeros(shape, dtype=float):
    return lambda shape, dtype=float: numpy.zeros(shape, dtype)


@_overload(empty_like)
def _empty_like(array, dtype=None):
    return lambda array, dtype=None: numpy.empty_like(array, dtype)


@_overload(zeros_like)
def _zeros_like(array, dtype=None):
    return lambda array, dtype=None: numpy.zeros_like(array, dtype)
