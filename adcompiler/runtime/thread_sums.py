"""What the parts of a loop have added to copies of an array, added up: in their order, on all cores."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable
from numba.np import arrayobj

from adcompiler.runtime.shares import LARGE, in_shares, is_around_loops


def add_parts(array, parts):
    """Add up arrays, along the first axis of `parts`, and add the sum to an array.

    Each element is summed up by itself, in the order of the parts, however many threads there are. Compiled,
    arrays have to lie in C order.

    >>> import numpy as np
    >>> total = np.ones(2)
    >>> add_parts(total, np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> print(total)
    [5. 7.]
    """
    for part in parts:
        array += part


@type_callable(add_parts)
def _type_of_sum(context):
    def typer(array, parts):
        is_plain = isinstance(array, types.Array) and array.layout == parts.layout == "C"
        return signature(types.none, array, parts) if is_plain else None

    return typer


@lower_builtin(add_parts, types.Array, types.Array)
def _written_in(context, builder, sig, args):
    array, parts = (
        arrayobj.make_array(kind)(context, builder, arg) for kind, arg in zip(sig.args, args, strict=True)
    )
    number = _number(sig.args[0].dtype)
    add = _adds(number)
    size = builder.mul(array.itemsize, array.nitems)
    count = cgutils.unpack_tuple(builder, parts.shape)[0]
    start, given = builder.bitcast(array.data, cgutils.voidptr_t), (array.data, parts.data, size, count)
    if is_around_loops(builder):
        is_large = builder.icmp_unsigned(">=", builder.mul(size, count), size.type(LARGE))
        with builder.if_else(is_large, likely=False) as (large, small):
            with large:
                in_shares(builder, f"adcompiler.sums_of_{number}", add, start, size, given)
            with small:
                add(builder, start, size, *given)
    else:
        add(builder, start, size, *given)
    return context.get_dummy_value()


def _number(kind):
    """Return the type of the numbers that are added: those of complex ones are two each."""
    return ir.FloatType() if kind in (types.float32, types.complex64) else ir.DoubleType()


def _adds(number):
    """Return what writes the sum of a share of the elements."""

    def add(builder, start, size, array, parts, whole, count):
        word, pointer = size.type, number.as_pointer()
        width = word(4 if number == ir.FloatType() else 8)
        base = builder.ptrtoint(array, word)
        first = builder.udiv(builder.sub(builder.ptrtoint(start, word), base), width)
        to, source = builder.bitcast(start, pointer), builder.bitcast(parts, pointer)
        numbers, step = builder.udiv(size, width), builder.udiv(whole, width)
        with cgutils.for_range(builder, count) as part:
            row = builder.gep(source, [builder.add(builder.mul(part.index, step), first)])
            with cgutils.for_range(builder, numbers) as k:
                place = builder.gep(to, [k.index])
                total = builder.fadd(builder.load(place), builder.load(builder.gep(row, [k.index])))
                builder.store(total, place)

    return add
