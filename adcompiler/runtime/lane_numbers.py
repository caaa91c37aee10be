"""Numbers of several lanes in compiled code: vectors of LLVM, and arrays of them.

What is done to a number is done to all lanes by an instruction or two. Arrays of lanes are arrays like any
others to Numba, whose own code indexes, slices, transposes and writes them.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

import operator

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import PrimitiveModel
from numba.core.typeconv import Conversion
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, lower_cast, register_model

from adcompiler.runtime.plain_lanes import WIDTH, spread, times

VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
IN_MEMORY = ir.LiteralStructType([VECTOR], packed=True)


class LanesType(types.Number):
    """The type of a number of several lanes."""

    def __init__(self) -> None:
        super().__init__("Lanes")

    def can_convert_from(self, typingctx, other):
        """A number is the same in all lanes."""
        is_real = isinstance(other, types.Float | types.Integer)
        return Conversion.safe if is_real else None

    def unify(self, typingctx, other):
        """A variable that holds lanes on one path holds them on all."""
        return self if isinstance(other, types.Float | types.Integer) else None


LANES = LanesType()


def array_of_lanes(ndim: int, layout: str = "C") -> types.Array:
    """Return the type of an array of lanes."""
    return types.Array(LANES, ndim, layout)


@register_model(LanesType)
class _Model(PrimitiveModel):
    """A vector, which in memory may lie at any address: arrays and lists do not care for more."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, VECTOR)

    def get_data_type(self):
        return IN_MEMORY

    def as_data(self, builder, value):
        return builder.insert_value(ir.Constant(IN_MEMORY, ir.Undefined), value, 0)

    def from_data(self, builder, value):
        return builder.extract_value(value, 0)


@lower_cast(types.Float, LanesType)
@lower_cast(types.Integer, LanesType)
def _cast(context, builder, fromty, toty, val):
    return _spread(builder, context.cast(builder, val, fromty, types.float64))


def _spread(builder, number):
    first = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(VECTOR, ir.Undefined), mask)


def _lanewise(function, instruction, count):
    def result(*args):
        if len(args) != count or (LANES not in args and function is not spread):
            return None
        is_number = all(isinstance(arg, LanesType | types.Float | types.Integer) for arg in args)
        return signature(LANES, *[LANES] * count) if is_number else None

    @infer_global(function)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            return None if kws else result(*args)

    lower_builtin(function, *[LanesType] * count)(
        lambda context, builder, sig, args: instruction(builder, *args)
    )


def _product(builder, d, slope):
    zero = ir.Constant(VECTOR, [0.0] * WIDTH)
    both = builder.and_(*(builder.fcmp_unordered("!=", arg, zero) for arg in (d, slope)))
    return builder.select(both, builder.fmul(d, slope), zero)


_lanewise(operator.add, lambda builder, a, b: builder.fadd(a, b), 2)
_lanewise(operator.sub, lambda builder, a, b: builder.fsub(a, b), 2)
_lanewise(operator.mul, lambda builder, a, b: builder.fmul(a, b), 2)
_lanewise(operator.truediv, lambda builder, a, b: builder.fdiv(a, b), 2)
_lanewise(operator.neg, lambda builder, a: builder.fneg(a), 1)
_lanewise(times, _product, 2)
_lanewise(spread, lambda builder, a: a, 1)
_IN_PLACE = {operator.iadd: "fadd", operator.isub: "fsub", operator.imul: "fmul", operator.itruediv: "fdiv"}
for _operator, _name in _IN_PLACE.items():
    _lanewise(_operator, lambda builder, a, b, name=_name: getattr(builder, name)(a, b), 2)
