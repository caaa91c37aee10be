"""Loops that count down, in compiled code: LLVM sees that their index is not negative.

Numba's `range` counts the iterations that are left beside the index, so that LLVM does not know where the
index ends. It takes each `a[i]` for one that may be counted from the end, and does not vectorise the loop.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

from numba.core import cgutils
from numba.core import types as nt
from numba.core.datamodel.models import StructModel
from numba.core.imputils import RefType, iternext_impl
from numba.extending import lower_builtin, register_model, type_callable


def downwards(start, last):
    """Return `range(start, last, -1)`, where last is -1 or more.

    >>> [*downwards(3, -1)]
    [3, 2, 1, 0]
    """
    return range(start, last, -1)


class _Counted(nt.SimpleIteratorType):
    """The type of an iteration."""

    def __init__(self) -> None:
        super().__init__("iter(downwards)", nt.int64)


class _Range(nt.SimpleIterableType):
    """The type of what is iterated over."""

    def __init__(self) -> None:
        super().__init__("downwards", _Counted())


_RANGE = _Range()


@register_model(_Range)
class _RangeModel(StructModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, [("start", nt.int64), ("last", nt.int64)])


@register_model(_Counted)
class _CountedModel(StructModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, [("index", nt.EphemeralPointer(nt.int64)), ("last", nt.int64)])


@type_callable(downwards)
def _type_of_downwards(context):
    def typer(start, last):
        return _RANGE if isinstance(start, nt.Integer) and isinstance(last, nt.Integer) else None

    return typer


@lower_builtin(downwards, nt.Integer, nt.Integer)
def _downwards(context, builder, sig, args):
    made = cgutils.create_struct_proxy(_RANGE)(context, builder)
    made.start, made.last = (context.cast(builder, arg, t, nt.int64) for arg, t in zip(args, sig.args))
    return made._getvalue()


@lower_builtin("getiter", _Range)
def _begin(context, builder, sig, args):
    given = cgutils.create_struct_proxy(_RANGE)(context, builder, args[0])
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    made.index = cgutils.alloca_once_value(builder, given.start)
    made.last = given.last
    return made._getvalue()


@lower_builtin("iternext", _Counted)
@iternext_impl(RefType.UNTRACKED)
def _next(context, builder, sig, args, result):
    state = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0])
    index = builder.load(state.index)
    is_valid = builder.icmp_signed(">", index, state.last)
    result.set_valid(is_valid)
    with builder.if_then(is_valid):
        result.yield_(index)
        builder.store(builder.sub(index, context.get_constant(nt.int64, 1), flags=["nsw"]), state.index)
