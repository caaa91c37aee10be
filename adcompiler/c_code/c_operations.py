"""What primitives compute of numbers, as expressions in C."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from numba.core import types as nt

from adcompiler.c_code.c_types import (
    ATOM,
    BOTH,
    CHOICE,
    EITHER,
    EQUAL,
    ORDER,
    PRODUCT,
    SUM,
    UNARY,
    Term,
    cast,
    number_type,
)
from adcompiler.primitives import CARDS, card

_SYMBOLS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Add: ("+", SUM),
    ast.Sub: ("-", SUM),
    ast.Mult: ("*", PRODUCT),
    ast.Lt: ("<", ORDER),
    ast.LtE: ("<=", ORDER),
    ast.Gt: (">", ORDER),
    ast.GtE: (">=", ORDER),
    ast.Eq: ("==", EQUAL),
    ast.NotEq: ("!=", EQUAL),
}


def operation(fn: str, args: Sequence[Term], kind: nt.Type) -> Term | None:
    """Return what a primitive computes of numbers; None where it has no expression.

    Args:
        fn: the primitive.
        args: its arguments.
        kind: the type of its result.

    >>> x = Term("x", nt.float64)
    >>> operation("mul", [operation("add", [x, x], nt.float64), x], nt.float64).text
    '(x + x) * x'
    >>> operation("np.tanh", [x], nt.float64).text
    'tanh(x)'
    """
    symbol = card(_operator_of(fn)).operator
    if symbol in _SYMBOLS:
        return _binary(*_SYMBOLS[symbol], args, kind)
    number = _number(fn, args, kind)
    return number or _of_libm(fn, args, kind)


def _operator_of(fn: str) -> str:
    """Return the operator that a function of NumPy stands for: `mul` for `np.multiply`."""
    if fn.startswith("np.") and card(fn).partials is not None:
        for other in CARDS.values():
            if other.operator is not None and other.partials is card(fn).partials:
                return other.name
    return fn


def _binary(symbol: str, level: int, args: Sequence[Term], kind: nt.Type) -> Term:
    if level >= SUM:
        args = [_widened(arg, kind, args) for arg in args]
    one, two = args
    return Term(f"{one.within(level)} {symbol} {two.within(level + 1)}", kind, level)


def _widened(term: Term, kind: nt.Type, args: Sequence[Term]) -> Term:
    """Return an operand with the precision of the result, where C would compute with less."""
    if isinstance(kind, nt.Float) and all(number_type(arg.kind) != number_type(kind) for arg in args):
        return cast(term, kind)
    is_narrow = isinstance(kind, nt.Integer) and number_type(term.kind) != number_type(kind)
    return cast(term, kind) if is_narrow and not isinstance(term.kind, nt.Float) else term


def call(function: str, args: Sequence[Term], kind: nt.Type) -> Term:
    """Return a call of a function."""
    return Term(f"{function}({', '.join(arg.text for arg in args)})", kind)


def _helper(name: str, args: Sequence[Term], kind: nt.Type) -> Term:
    """Return a call of one of the functions at the top of the file, in the version for a type."""
    suffix = "f32" if kind == nt.float32 else "f64" if isinstance(kind, nt.Float) else "i64"
    return call(f"ad_{name}_{'c128' if isinstance(kind, nt.Complex) else suffix}", args, kind)


def _number(fn: str, args: Sequence[Term], kind: nt.Type) -> Term | None:
    """Return operations that C has no function for, or that mean something else there."""
    one, *rest = args or [Term("0", nt.int64)]
    is_complex = any(isinstance(arg.kind, nt.Complex) for arg in args)
    match _operator_of(fn):
        case "truediv":
            left = cast(one, kind) if not isinstance(one.kind, nt.Float | nt.Complex) else one
            return Term(f"{left.within(PRODUCT)} / {rest[0].within(UNARY)}", kind, PRODUCT)
        case "neg":
            text = one.within(UNARY)
            return Term(f"-{text}" if not text.startswith("-") else f"-({text})", kind, UNARY)
        case "pos" | "stop_gradient" | "of_reals" | "item" | "np.asarray":
            return one
        case "times":
            slope = rest[0]
            if one.level < ATOM or slope.level < ATOM or not (_is_simple(one) and _is_simple(slope)):
                return _helper("times", args, kind)
            product = f"{one.text} * {slope.text}"
            return Term(f"{one.text} != 0 && {slope.text} != 0 ? {product} : 0", kind, CHOICE)
        case "floordiv" | "np.floor_divide":
            return _helper("floordiv", args, kind)
        case "next_checkpoint" | "slots_within" | "number_of_parts":
            return call(f"ad_{fn}", args, kind)
        case "mod" | "np.fmod" if fn != "np.fmod":
            return _helper("mod", args, kind)
        case "np.fmod":
            return call("fmod", args, kind)
        case "pow" | "math.pow" | "np.power" if not is_complex:
            return power(one, rest[0], kind)
        case "abs" | "np.abs" | "np.absolute" | "math.fabs" | "np.fabs":
            return _absolute(one, kind)
        case "min" | "max" | "np.minimum" | "np.maximum" | "np.fmin" | "np.fmax":
            return _extremum(fn.removeprefix("np."), args, kind)
        case "np.where" if len(args) == 3:
            return Term(f"{one.within(BOTH)} ? {rest[0].within(BOTH)} : {rest[1].within(BOTH)}", kind, CHOICE)
        case "not" | "np.logical_not" | "invert" if isinstance(kind, nt.Boolean):
            return Term(f"!{one.within(UNARY)}", kind, UNARY)
        case "and" | "np.logical_and" | "and_" | "np.bitwise_and" if isinstance(kind, nt.Boolean):
            return Term(" && ".join(arg.within(EQUAL) for arg in args), kind, BOTH)
        case "or" | "np.logical_or" | "or_" | "np.bitwise_or" if isinstance(kind, nt.Boolean):
            return Term(" || ".join(arg.within(EQUAL) for arg in args), kind, EITHER)
        case "np.logical_xor" | "xor" if isinstance(kind, nt.Boolean):
            return Term(f"{one.within(ORDER)} != {rest[0].within(ORDER)}", kind, EQUAL)
        case "int" | "float" | "bool" | "np.float32" | "np.float64" | "astype" | "np.bool_" | "cast":
            return cast(args[-1] if fn == "cast" else one, kind)
        case "np.square":
            return Term(f"{one.within(PRODUCT)} * {one.within(UNARY)}", kind, PRODUCT)
        case "np.reciprocal":
            return Term(f"1 / {one.within(UNARY)}", kind, PRODUCT)
        case "np.sign":
            return _helper("sign", args, kind)
        case "complex" | "np.complex128":
            imaginary = f" + {rest[0].within(PRODUCT)} * I" if rest else ""
            return Term(f"{one.within(SUM)}{imaginary}", kind, SUM) if rest else cast(one, kind)
        case "np.real" | "real":
            return call("creal", args, kind) if is_complex else one
        case "np.imag" | "imag":
            return call("cimag", args, kind) if is_complex else Term("0.0", kind)
        case "np.conj" | "np.conjugate":
            return call("conj", args, kind) if is_complex else one
        case "math.isnan" | "np.isnan":
            return Term(f"{one.within(ORDER)} != {one.within(ORDER)}", kind, EQUAL)
        case "np.isfinite" | "math.isfinite" | "np.isinf" | "math.isinf":
            return call(fn.split(".")[1], args, kind)
        case "math.floor" | "math.ceil" | "math.trunc":
            return cast(call(fn.removeprefix("math."), args, nt.float64), kind)
        case "np.floor" | "np.ceil" | "np.trunc" | "np.rint" if isinstance(kind, nt.Float):
            return call(fn.removeprefix("np."), args, kind)
        case "np.cbrt":
            return call("cbrt", args, kind)
        case "np.logaddexp":
            return call("ad_logaddexp_f64", args, kind)
        case "math.degrees" | "np.degrees" | "np.rad2deg":
            return Term(f"{one.within(PRODUCT)} * (180.0 / 3.141592653589793)", kind, PRODUCT)
        case "math.radians" | "np.radians" | "np.deg2rad":
            return Term(f"{one.within(PRODUCT)} * (3.141592653589793 / 180.0)", kind, PRODUCT)
    name = fn.removeprefix("np.")
    if card(fn).operator is None and name.startswith(("int", "uint")) and isinstance(kind, nt.Integer):
        return cast(one, kind) if fn.startswith("np.") else None
    return cast(one, kind) if fn == "np.float64" else None


def _is_simple(term: Term) -> bool:
    return all(c.isalnum() or c in "_.[]+- " for c in term.text) and term.level == ATOM


def _absolute(term: Term, kind: nt.Type) -> Term:
    if isinstance(term.kind, nt.Complex):
        return call("cabs", [term], kind)
    return call("fabs" if isinstance(kind, nt.Float) else "llabs", [term], kind)


def _extremum(name: str, args: Sequence[Term], kind: nt.Type) -> Term | None:
    if isinstance(kind, nt.Complex):
        return None
    while len(args) > 2:
        args = [_helper(name, args[:2], kind), *args[2:]]
    return _helper(name, args, kind)


def power(base: Term, exponent: Term, kind: nt.Type) -> Term:
    """Return a power; small whole ones as products."""
    if exponent.text == "2" and _is_simple(base):
        base = cast(base, kind)
        return Term(f"{base.within(PRODUCT)} * {base.within(UNARY)}", kind, PRODUCT)
    if isinstance(exponent.kind, nt.Integer | nt.Boolean):
        return _helper("power", [base, exponent], kind)
    return call("pow", [base, exponent], kind)


def _of_libm(fn: str, args: Sequence[Term], kind: nt.Type) -> Term | None:
    """Return a call of a function of the C library; NumPy's functions are those with the same derivative."""
    if not fn.startswith(("math.", "np.")) or not isinstance(kind, nt.Float | nt.Complex):
        return None
    name = fn if fn.startswith("math.") else _sibling(fn)
    if name is None or card(name).partials is None:
        return None
    function = {"gamma": "tgamma"}.get(name.removeprefix("math."), name.removeprefix("math."))
    if isinstance(kind, nt.Complex):
        if not card(fn).is_analytic or function.endswith(("2", "1p", "m1", "10")):
            return None
        function = f"c{function}"
    return call(function, args, kind)


def _sibling(fn: str) -> str | None:
    """Return the function of the module math with the same rule."""
    rule = card(fn).partials
    found = (
        other.name for other in CARDS.values() if other.name.startswith("math.") and other.partials is rule
    )
    return next(found, None) if rule is not None else None
