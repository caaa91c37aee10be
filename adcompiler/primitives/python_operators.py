"""Python's operators, and NumPy's functions of the same names."""

import ast
import operator
from typing import Any

import numpy as np

from adcompiler.primitives.card import Follows, Gives, Range, Shows, Spelling, Vanishes
from adcompiler.primitives.deck import CARDS, elementwise, enter

_OPERATOR: dict[str, Any] = {"spelling": Spelling.OPERATOR, "is_instruction": True}
_OF_TWO: dict[str, Any] = {"arity": (2, 2), "follows": Follows.BROADCAST}


def arithmetic(
    name: str,
    symbol: type[ast.operator] | type[ast.unaryop],
    others: str,
    *partials: str,
    at: tuple[tuple[float, ...], ...],
    **claims: Any,
) -> None:
    """Enter the card of an operator, and those of NumPy's functions that compute the same.

    Args:
        name: the operator's name in Python's module `operator`.
        symbol: how it is written.
        others: names of the functions, separated by spaces.
        partials: the formulas of its partial derivatives.
        at: points of comparison.
        claims: attributes of the operator's `Card`; the functions share `is_analytic`.
    """
    made = {"operator": symbol, "compute": getattr(operator, name), "is_cheap": True}
    elementwise(name, *partials, at=at, **made, **claims, **_OPERATOR)
    elementwise(others, *partials, at=at, is_analytic=claims.get("is_analytic", False))


# arithmetic

_WIDE: dict[str, Any] = {"gives": Gives.WIDEST, "is_cheap_on_arrays": True, "is_analytic": True}
_SAME: dict[str, Any] = {"gives": Gives.SAME, "vanishes": Vanishes.WITH_ALL, "is_analytic": True}
_SUM: dict[str, Any] = {"at": ((0.3, -1.2),), "vanishes": Vanishes.WITH_ALL, "is_safe": True}
_PRODUCT: dict[str, Any] = {"at": ((0.3, -1.2),), "vanishes": Vanishes.WITH_ANY}
arithmetic("add", ast.Add, "np.add", "1", "1", **_SUM, in_lanes="add", **_WIDE)
arithmetic("sub", ast.Sub, "np.subtract", "1", "-1", **_SUM, in_lanes="sub", **_WIDE)
arithmetic(
    "mul",
    ast.Mult,
    "np.multiply",
    "b",
    "a",
    takes_list=True,
    is_safe=True,
    **_PRODUCT,
    in_lanes="mul",
    **_WIDE,
)
elementwise(  # zero where one of the factors is
    "times",
    "b",
    "a",
    hint="mul",
    is_cheap=True,
    is_instruction=True,
    in_lanes="lanes.times",
    **_PRODUCT,
    **_WIDE,
)
arithmetic(
    "truediv",
    ast.Div,
    "np.divide np.true_divide",
    "1 / b",
    "-y / b",
    at=((0.3, -1.2), (2.0, 0.5)),
    hint="ratio",
    vanishes=Vanishes.WITH_FIRST,
    divides=True,
    in_lanes="truediv",
    is_cheap_on_arrays=True,
    is_analytic=True,
)
arithmetic(
    "neg",
    ast.USub,
    "np.negative",
    "-1",
    at=((0.3,),),
    in_lanes="neg",
    is_safe=True,
    is_cheap_on_arrays=True,
    **_SAME,
)
arithmetic("pos", ast.UAdd, "np.positive", "1", at=((0.3,),), **_SAME)
arithmetic(
    "mod",
    ast.Mod,
    "np.mod np.remainder",
    "1",
    "-(a // b)",
    at=((3.7, 1.2),),
    gives=Gives.SAME,
    divides=True,
)

_POW = (
    "b * a ** (b - 1.0) if b != 0 or a != 0 else 0.0",  # whole negative powers of zero are an error
    "y * log(a if a != 0 else 1.0)",
)
_POW_AT = ((1.3, 2.7), (0.4, -1.5), (2.0, 0.0))
elementwise(
    "pow",
    *_POW,
    at=_POW_AT,
    operator=ast.Pow,
    hint="power",
    gives=Gives.OWN,
    compute=operator.pow,
    fast="pow",
    is_analytic=True,
    is_steep_at_zero=True,
    **_OPERATOR,
)
elementwise(
    "math.pow np.power", *_POW, at=_POW_AT, hint="power", fast="pow", is_analytic=True, is_steep_at_zero=True
)
elementwise("np.float_power", *_POW, at=_POW_AT, is_analytic=True, is_steep_at_zero=True)

elementwise("np.fmod", "1", "-trunc(a / b)", at=((3.7, 1.2), (-3.7, 1.2)), also="math.fmod")
enter(
    "floordiv",
    operator=ast.FloorDiv,
    divides=True,
    compute=operator.floordiv,
    is_cheap=True,
    is_constant=True,
    **_OF_TWO,
    **_OPERATOR,
)
enter("np.floor_divide", is_constant=True, **_OF_TWO)

# size and order

_ABS: dict[str, Any] = {"gives": Gives.PART, "is_instruction": True, "range": Range.NATURAL}
_OF_COMPLEX = ("d * conj(x) / (y if y != 0 else 1.0)", "real(conj(x) * t) / (y if y != 0 else 1.0)")
elementwise(
    "abs",
    "sign(x)",
    at=((0.3,), (-1.2,)),
    on_complex=_OF_COMPLEX,
    hint="magnitude",
    compute=abs,
    is_cheap=True,
    **_ABS,
)
elementwise(
    "np.abs", "sign(x)", at=((0.3,), (-1.2,)), on_complex=_OF_COMPLEX, hint="magnitude", is_cheap=True, **_ABS
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
    is_of_tuples=True,
    is_cheap=True,
    is_instruction=True,
)
elementwise(
    "min",
    *_SMALLER,
    at=((0.3, -1.2), (-2.0, 1.0)),
    arity=(1, None),
    hint="smaller",
    gives=Gives.SAME,
    compute=min,
    is_of_tuples=True,
    is_cheap=True,
    is_instruction=True,
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

_TEST: dict[str, Any] = {"gives": Gives.TEST, "is_constant": True} | _OF_TWO
_ORDER: dict[str, Any] = {"hint": "test", "is_safe": True, "is_cheap": True} | _TEST | _OPERATOR
enter("eq", operator=ast.Eq, opposite="ne", compute=operator.eq, **_ORDER)
enter("ne", operator=ast.NotEq, opposite="eq", compute=operator.ne, **_ORDER)
enter("lt", operator=ast.Lt, opposite="ge", compute=operator.lt, **_ORDER)
enter("le", operator=ast.LtE, opposite="gt", compute=operator.le, **_ORDER)
enter("gt", operator=ast.Gt, opposite="le", compute=operator.gt, **_ORDER)
enter("ge", operator=ast.GtE, opposite="lt", compute=operator.ge, **_ORDER)
enter("np.equal np.not_equal np.less np.less_equal np.greater np.greater_equal", **_TEST)
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
    spelling=Spelling.OPERATOR,
    operator=ast.Not,
    arity=(1, 1),
    hint="negation",
    follows=Follows.NUMBER,
    gives=Gives.TEST,
    compute=operator.not_,
    is_safe=True,
    **_LOGIC,
)
enter(
    "and",
    spelling=Spelling.FORM,
    arity=(2, None),
    hint="both",
    follows=Follows.NUMBER,
    compute=lambda a, b: a and b,
    is_safe=True,
    **_LOGIC,
)
enter(
    "or",
    spelling=Spelling.FORM,
    arity=(2, None),
    hint="either",
    follows=Follows.NUMBER,
    compute=lambda a, b: a or b,
    is_safe=True,
    **_LOGIC,
)

_BITS: dict[str, Any] = {"is_constant": True, "is_cheap": True} | _OF_TWO | _OPERATOR
enter("and_", operator=ast.BitAnd, hint="both", compute=operator.and_, on_numbers="and", **_BITS)
enter("or_", operator=ast.BitOr, hint="either", compute=operator.or_, on_numbers="or", **_BITS)
enter("xor", operator=ast.BitXor, compute=operator.xor, **_BITS)
enter("lshift", operator=ast.LShift, compute=operator.lshift, **_BITS)
enter("rshift", operator=ast.RShift, compute=operator.rshift, **_BITS)
enter(
    "invert",
    spelling=Spelling.OPERATOR,
    operator=ast.Invert,
    arity=(1, 1),
    follows=Follows.BROADCAST,
    compute=operator.invert,
    is_instruction=True,
    is_constant=True,
)
enter("np.logical_and", on_numbers="and", is_constant=True, **_OF_TWO)
enter("np.logical_or", on_numbers="or", is_constant=True, **_OF_TWO)
enter("np.logical_not", arity=(1, 1), follows=Follows.BROADCAST, on_numbers="not", is_constant=True)
enter(
    "np.logical_xor np.bitwise_and np.bitwise_or np.bitwise_xor np.left_shift np.right_shift",
    is_constant=True,
    **_OF_TWO,
)
enter("np.invert np.bitwise_not", arity=(1, 1), follows=Follows.BROADCAST, is_constant=True)

# in place: what `a += b` is for arrays, and for whatever has no other operator

_IN_PLACE: dict[str, Any] = {"arity": (2, 2), "shows": Shows.FIRST, "writes_first": True, "is_pure": False}
for _name, _card in [*CARDS.items()]:
    if isinstance(_card.operator, type) and issubclass(_card.operator, ast.operator):
        _in_place = f"i{_name.removesuffix('_')}"
        enter(_in_place, out_of_place=_name, compute=getattr(operator, _in_place), **_IN_PLACE)
