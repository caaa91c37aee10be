"""Ranges of loops in compiled code: LLVM sees that their index is not negative.

It takes each `a[i]` for one that may be counted from the end where it does not see that, and does not
vectorise the loop. Numba's `range` counts the iterations that are left beside the index: where a loop counts
down, LLVM does not know where the index ends, and where one counts up, that it does not overflow, which it
finds out by itself in all loops but some with choices in them.
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


def upwards(start, stop):
    """Return `range(start, stop)`, where start is 0 or more.

    >>> [*upwards(1, 4)]
    [1, 2, 3]
    """
    return range(start, stop)


class _Counted(nt.SimpleIteratorType):
    """The type of an iteration."""

    def __init__(self, name: str) -> None:
        super().__init__(f"iter({name})", nt.int64)


class _Down(nt.SimpleIterableType):
    """The type of a range that counts down."""

    def __init__(self) -> None:
        super().__init__("downwards", _CountedDown("downwards"))


class _Up(nt.SimpleIterableType):
    """The type of one that counts up."""

    def __init__(self) -> None:
        super().__init__("upwards", _CountedUp("upwards"))


class _CountedDown(_Counted):
    """The type of an iteration downwards."""


class _CountedUp(_Counted):
    """The type of one upwards."""


_DOWN, _UP = _Down(), _Up()


@register_model(_Down)
@register_model(_Up)
class _RangeModel(StructModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, [("start", nt.int64), ("end", nt.int64)])


@register_model(_CountedDown)
class _DownModel(StructModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, [("index", nt.EphemeralPointer(nt.int64)), ("end", nt.int64)])


@register_model(_CountedUp)
class _UpModel(StructModel):
    def __init__(self, manager, kind):
        pointer = nt.EphemeralPointer(nt.int64)
        super().__init__(manager, kind, [("index", pointer), ("left", pointer)])


@type_callable(downwards)
def _type_of_downwards(context):
    return lambda start, last: _DOWN if _are_whole(start, last) else None


@type_callable(upwards)
def _type_of_upwards(context):
    return lambda start, stop: _UP if _are_whole(start, stop) else None


def _are_whole(*kinds):
    return all(isinstance(kind, nt.Integer) for kind in kinds)


@lower_builtin(downwards, nt.Integer, nt.Integer)
@lower_builtin(upwards, nt.Integer, nt.Integer)
def _range(context, builder, sig, args):
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    made.start, made.end = (context.cast(builder, arg, t, nt.int64) for arg, t in zip(args, sig.args))
    return made._getvalue()


@lower_builtin("getiter", _Down)
def _begin_down(context, builder, sig, args):
    given = cgutils.create_struct_proxy(_DOWN)(context, builder, args[0])
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    made.index = cgutils.alloca_once_value(builder, given.start)
    made.end = given.end
    return made._getvalue()


@lower_builtin("getiter", _Up)
def _begin_up(context, builder, sig, args):
    given = cgutils.create_struct_proxy(_UP)(context, builder, args[0])
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    made.index = cgutils.alloca_once_value(builder, given.start)
    runs = builder.icmp_signed("<", given.start, given.end)
    count = builder.sub(given.end, given.start, flags=["nsw"])
    left = builder.select(runs, count, context.get_constant(nt.int64, 0))
    made.left = cgutils.alloca_once_value(builder, left)
    return made._getvalue()


@lower_builtin("iternext", _CountedDown)
@iternext_impl(RefType.UNTRACKED)
def _next_down(context, builder, sig, args, result):
    state = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0])
    index, one = builder.load(state.index), context.get_constant(nt.int64, 1)
    is_valid = builder.icmp_signed(">", index, state.end)
    result.set_valid(is_valid)
    with builder.if_then(is_valid):
        result.yield_(index)
        builder.store(builder.sub(index, one, flags=["nsw"]), state.index)


@lower_builtin("iternext", _CountedUp)
@iternext_impl(RefType.UNTRACKED)
def _next_up(context, builder, sig, args, result):
    state = cgutils.create_struct_proxy(sig.args[0])(context, builder, args[0])
    index, one = builder.load(state.index), context.get_constant(nt.int64, 1)
    left = builder.load(state.left)
    is_valid = builder.icmp_signed(">", left, context.get_constant(nt.int64, 0))
    result.set_valid(is_valid)
    with builder.if_then(is_valid):
        result.yield_(index)
        builder.store(builder.sub(left, one, flags=["nsw"]), state.left)
        builder.store(builder.add(index, one, flags=["nsw", "nuw"]), state.index)
