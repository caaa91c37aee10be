"""Python's operators, and NumPy's functions of the same names."""

import ast
import operator
from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Gives, Range, Shows, Spelling, Vanishes
from adcompiler.primitives.deck import elementwise, enter

_OPERATOR: dict[str, Any] = {"spelling": Spelling.OPERATOR, "is_instruction": True}
_CHEAP: dict[str, Any] = {"is_cheap": True, "is_cheap_on_arrays": True}

# arithmetic

_ADD = ("1", "1")
elementwise(
    "add",
    *_ADD,
    at=((0.3, -1.2),),
    gives=Gives.WIDEST,
    operator=ast.Add,
    compute=operator.add,
    is_analytic=True,
    **_CHEAP,
    **_OPERATOR,
    vanishes=Vanishes.WITH_ALL,
    is_safe=True,
)
elementwise("np.add", *_ADD, at=((0.3, -1.2),), is_analytic=True)

_SUB = ("1", "-1")
elementwise(
    "sub",
    *_SUB,
    at=((0.3, -1.2),),
    gives=Gives.WIDEST,
    operator=ast.Sub,
    compute=operator.sub,
    is_analytic=True,
    **_CHEAP,
    **_OPERATOR,
    vanishes=Vanishes.WITH_ALL,
    is_safe=True,
)
elementwise("np.subtract", *_SUB, at=((0.3, -1.2),), is_analytic=True)

_MUL = ("b", "a")
elementwise(
    "mul",
    *_MUL,
    at=((0.3, -1.2),),
    gives=Gives.WIDEST,
    operator=ast.Mult,
    compute=operator.mul,
    is_analytic=True,
    **_CHEAP,
    **_OPERATOR,
    vanishes=Vanishes.WITH_ANY,
    is_safe=True,
    takes_list=True,
)
elementwise("np.multiply", *_MUL, at=((0.3, -1.2),), is_analytic=True)
elementwise(  # zero where one of the factors is
    "times",
    *_MUL,
    at=((0.3, -1.2),),
    hint="mul",
    gives=Gives.WIDEST,
    is_analytic=True,
    is_instruction=True,
    **_CHEAP,
    vanishes=Vanishes.WITH_ANY,
)

_DIV = ("1 / b", "-y / b")
elementwise(
    "truediv",
    *_DIV,
    at=((0.3, -1.2), (2.0, 0.5)),
    hint="ratio",
    operator=ast.Div,
    compute=operator.truediv,
    is_analytic=True,
    **_CHEAP,
    **_OPERATOR,
    vanishes=Vanishes.WITH_FIRST,
    divides=True,
)
elementwise("np.divide np.true_divide", *_DIV, at=((0.3, -1.2), (2.0, 0.5)), is_analytic=True)

elementwise(
    "neg",
    "-1",
    at=((0.3,),),
    gives=Gives.SAME,
    operator=ast.USub,
    compute=operator.neg,
    is_analytic=True,
    **_CHEAP,
    **_OPERATOR,
    vanishes=Vanishes.WITH_ALL,
    is_safe=True,
)
elementwise("np.negative", "-1", at=((0.3,),), is_analytic=True)
elementwise(
    "pos",
    "1",
    at=((0.3,),),
    gives=Gives.SAME,
    operator=ast.UAdd,
    compute=operator.pos,
    is_cheap=True,
    is_analytic=True,
    **_OPERATOR,
    vanishes=Vanishes.WITH_ALL,
)
elementwise("np.positive", "1", at=((0.3,),), is_analytic=True)

_POW = (
    "b * a ** (b - 1.0) if b != 0 or a != 0 else 0.0",  # whole negative powers of zero are an error
    "y * log(a if a != 0 else 1.0)",
)
_POW_AT = ((1.3, 2.7), (0.4, -1.5), (2.0, 0.0))
elementwise(
    "pow",
    *_POW,
    at=_POW_AT,
    hint="power",
    gives=Gives.OWN,
    fast="pow",
    operator=ast.Pow,
    compute=operator.pow,
    is_analytic=True,
    is_steep_at_zero=True,
    **_OPERATOR,
)
elementwise(
    "math.pow np.power", *_POW, hint="power", at=_POW_AT, fast="pow", is_analytic=True, is_steep_at_zero=True
)
elementwise("np.float_power", *_POW, at=_POW_AT, is_steep_at_zero=True)

_MOD = ("1", "-(a // b)")
elementwise(
    "mod",
    *_MOD,
    at=((3.7, 1.2),),
    gives=Gives.SAME,
    operator=ast.Mod,
    compute=operator.mod,
    is_cheap=True,
    **_OPERATOR,
    divides=True,
)
elementwise("np.mod np.remainder", *_MOD, at=((3.7, 1.2),))
elementwise("np.fmod", "1", "-trunc(a / b)", at=((3.7, 1.2), (-3.7, 1.2)))
enter(
    "floordiv",
    arity=(2, 2),
    follows=Follows.BROADCAST,
    operator=ast.FloorDiv,
    compute=operator.floordiv,
    is_cheap=True,
    is_constant=True,
    **_OPERATOR,
    divides=True,
)
enter("np.floor_divide", arity=(2, 2), follows=Follows.BROADCAST, is_constant=True)

# size and order

_ABS: dict[str, Any] = {"gives": Gives.SAME, "is_instruction": True, "range": Range.NATURAL}
_OF_COMPLEX = ("d * conj(x) / (y if y != 0 else 1.0)", "real(conj(x) * t) / (y if y != 0 else 1.0)")
elementwise(
    "abs",
    "sign(x)",
    at=((0.3,), (-1.2,)),
    on_complex=_OF_COMPLEX,
    hint="magnitude",
    is_cheap=True,
    compute=abs,
    **_ABS,
)
elementwise(
    "np.abs", "sign(x)", at=((0.3,), (-1.2,)), on_complex=_OF_COMPLEX, is_cheap=True, **_ABS, hint="magnitude"
)
elementwise("np.absolute", "sign(x)", at=((0.3,), (-1.2,)), on_complex=_OF_COMPLEX, **_ABS)
elementwise("math.fabs np.fabs", "sign(x)", at=((0.3,), (-1.2,)), is_cheap=True, **_ABS)

_LARGER = ("1.0 if a > b else 0.5 if a == b else 0.0", "1.0 if b > a else 0.5 if a == b else 0.0")
_SMALLER = ("1.0 if a < b else 0.5 if a == b else 0.0", "1.0 if b < a else 0.5 if a == b else 0.0")
elementwise(
    "max",
    *_LARGER,
    at=((0.3, -1.2), (-2.0, 1.0)),
    arity=(1, None),
    hint="larger",
    gives=Gives.SAME,
    compute=max,
    is_cheap=True,
    is_instruction=True,
    is_of_tuples=True,
)
elementwise(
    "min",
    *_SMALLER,
    at=((0.3, -1.2), (-2.0, 1.0)),
    arity=(1, None),
    hint="smaller",
    gives=Gives.SAME,
    compute=min,
    is_cheap=True,
    is_instruction=True,
    is_of_tuples=True,
)
elementwise("np.maximum", *_LARGER, at=((0.3, -1.2), (-2.0, 1.0)))
elementwise("np.minimum", *_SMALLER, at=((0.3, -1.2), (-2.0, 1.0)))
elementwise(
    "np.fmax",  # the other argument where one is NaN
    "1.0 if a > b else 0.5 if a == b else 1.0 if b != b else 0.0",
    "1.0 if b > a else 0.5 if a == b else 1.0 if a != a else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
    is_choice=True,
)
elementwise(
    "np.fmin",
    "1.0 if a < b else 0.5 if a == b else 1.0 if b != b else 0.0",
    "1.0 if b < a else 0.5 if a == b else 1.0 if a != a else 0.0",
    at=((0.3, -1.2), (-2.0, 1.0)),
    is_choice=True,
)
elementwise(
    "np.where",
    None,
    "1.0 if c else 0.0",
    "0.0 if c else 1.0",
    at=((1.0, 0.3, 0.4), (0.0, 0.3, 0.4)),
    arity=(1, 3),
    gives=Gives.OWN,
    is_choice=True,
    is_analytic=True,
)

# tests

_TEST: dict[str, Any] = {
    "hint": "test",
    "arity": (2, 2),
    "follows": Follows.BROADCAST,
    "gives": Gives.TEST,
    "is_cheap": True,
    "is_constant": True,
    "is_safe": True,
} | _OPERATOR
enter("eq", operator=ast.Eq, compute=operator.eq, **_TEST, opposite="ne")
enter("ne", operator=ast.NotEq, compute=operator.ne, **_TEST, opposite="eq")
enter("lt", operator=ast.Lt, compute=operator.lt, **_TEST, opposite="ge")
enter("le", operator=ast.LtE, compute=operator.le, **_TEST, opposite="gt")
enter("gt", operator=ast.Gt, compute=operator.gt, **_TEST, opposite="le")
enter("ge", operator=ast.GtE, compute=operator.ge, **_TEST, opposite="lt")
enter(
    "np.equal np.not_equal np.less np.less_equal np.greater np.greater_equal",
    arity=(2, 2),
    follows=Follows.BROADCAST,
    gives=Gives.TEST,
    is_constant=True,
)
enter(
    "is",
    spelling=Spelling.FORM,
    arity=(2, 2),
    hint="test",
    follows=Follows.NUMBER,
    gives=Gives.TEST,
    compute=lambda a, b: isinstance(a, bool | np.bool_) and bool(a) is b,
    is_safe=True,
)

# logic

_LOGIC: dict[str, Any] = {"is_cheap": True, "is_constant": True, "is_instruction": True}
enter(
    "not",
    arity=(1, 1),
    hint="negation",
    spelling=Spelling.OPERATOR,
    operator=ast.Not,
    compute=operator.not_,
    follows=Follows.NUMBER,
    **_LOGIC,
    is_safe=True,
)
enter(
    "and",
    arity=(2, None),
    hint="both",
    spelling=Spelling.FORM,
    compute=lambda a, b: a and b,
    follows=Follows.NUMBER,
    **_LOGIC,
    is_safe=True,
)
enter(
    "or",
    arity=(2, None),
    hint="either",
    spelling=Spelling.FORM,
    compute=lambda a, b: a or b,
    follows=Follows.NUMBER,
    **_LOGIC,
    is_safe=True,
)

_BITS: dict[str, Any] = {"arity": (2, 2), "follows": Follows.BROADCAST, "is_constant": True} | _OPERATOR
enter("and_", hint="both", operator=ast.BitAnd, compute=operator.and_, on_numbers="and", **_BITS)
enter("or_", hint="either", operator=ast.BitOr, compute=operator.or_, on_numbers="or", **_BITS)
enter("xor", operator=ast.BitXor, compute=operator.xor, **_BITS)
enter("lshift", operator=ast.LShift, compute=operator.lshift, **_BITS)
enter("rshift", operator=ast.RShift, compute=operator.rshift, **_BITS)
enter(
    "invert",
    arity=(1, 1),
    spelling=Spelling.OPERATOR,
    operator=ast.Invert,
    compute=operator.invert,
    follows=Follows.BROADCAST,
    is_constant=True,
    is_instruction=True,
)
enter("np.logical_and", arity=(2, 2), follows=Follows.BROADCAST, on_numbers="and", is_constant=True)
enter("np.logical_or", arity=(2, 2), follows=Follows.BROADCAST, on_numbers="or", is_constant=True)
enter("np.logical_not", arity=(1, 1), follows=Follows.BROADCAST, on_numbers="not", is_constant=True)
enter(
    "np.logical_xor np.bitwise_and np.bitwise_or np.bitwise_xor np.left_shift np.right_shift",
    arity=(2, 2),
    follows=Follows.BROADCAST,
    is_constant=True,
)
enter("np.invert np.bitwise_not", arity=(1, 1), follows=Follows.BROADCAST, is_constant=True)

# in place: what `a += b` is for arrays, and for whatever has no other operator

_IN_PLACE: dict[str, Any] = {"arity": (2, 2), "shows": Shows.FIRST, "writes_first": True, "is_pure": False}
enter("iadd", compute=operator.iadd, out_of_place="add", **_IN_PLACE)
enter("isub", compute=operator.isub, out_of_place="sub", **_IN_PLACE)
enter("imul", compute=operator.imul, out_of_place="mul", **_IN_PLACE)
enter("itruediv", compute=operator.itruediv, out_of_place="truediv", **_IN_PLACE)
enter("ifloordiv", compute=operator.ifloordiv, out_of_place="floordiv", **_IN_PLACE)
enter("imod", compute=operator.imod, out_of_place="mod", **_IN_PLACE)
enter("ipow", compute=operator.ipow, out_of_place="pow", **_IN_PLACE)
enter("imatmul", compute=operator.imatmul, out_of_place="matmul", **_IN_PLACE)
enter("iand", compute=operator.iand, out_of_place="and_", **_IN_PLACE)
enter("ior", compute=operator.ior, out_of_place="or_", **_IN_PLACE)
enter("ixor", compute=operator.ixor, out_of_place="xor", **_IN_PLACE)
enter("ilshift", compute=operator.ilshift, out_of_place="lshift", **_IN_PLACE)
enter("irshift", compute=operator.irshift, out_of_place="rshift", **_IN_PLACE)
