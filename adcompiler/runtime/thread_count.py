"""Into how many parts a loop is cut whose iterations run at once: written into the code that asks.

Numba does not keep machine code that calls `numba.get_num_threads()`; what is behind it may be called.
"""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, no-untyped-call"
from __future__ import annotations

from llvmlite import ir
from numba import get_num_threads, int64
from numba.core import types
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable
from numba.np.ufunc.parallel import _launch_threads


def number_of_parts(count, least):
    """Return into how many parts to cut iterations: one for each thread, none shorter than `least`.

    >>> number_of_parts(10, 20)
    1
    """
    return max(1, min(get_num_threads(), count // least))


@type_callable(number_of_parts)
def _type_of_number(context):
    return lambda count, least: signature(int64, int64, int64)


@lower_builtin(number_of_parts, types.Integer, types.Integer)
def _written_in(context, builder, sig, args):
    kind = args[0].type
    found = builder.module.globals.get("get_num_threads")
    threads = found or ir.Function(builder.module, ir.FunctionType(kind, []), "get_num_threads")
    most, number = builder.sdiv(*args), builder.call(threads, [])
    number = builder.select(builder.icmp_signed("<", most, number), most, number)
    one = ir.Constant(kind, 1)
    return builder.select(builder.icmp_signed("<", number, one), one, number)


_launch_threads()  # code that was kept refers to their number
