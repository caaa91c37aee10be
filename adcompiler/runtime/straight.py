"""Functions without branches, written straight into the code that calls them.

What Numba compiles by itself costs some 50 ms for each function, and an error function is made of twelve. The
text of these functions is turned into LLVM's instructions where they are called: assignments, arithmetic,
comparisons, choices of which both sides are computed, and calls of each other.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import ast
import functools
import inspect
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import float32, float64
from numba.core import cgutils
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, type_callable

FLAGS = ("contract",)
"""Products and sums may be fused; the functions are right either way."""
_DOUBLE, _SINGLE, _BIT = ir.DoubleType(), ir.FloatType(), ir.IntType(1)
_Function = Callable[..., Any]
_INLINE: set[_Function] = set()
_FLOATS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_WHOLE = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and_", ast.BitOr: "or_"}
_WHOLE |= {ast.LShift: "shl", ast.RShift: "ashr"}
_CONSTANT: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.BitOr: operator.or_,
    ast.LShift: operator.lshift,
}
_TESTS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
Operand = Any
"""A value of LLVM, or a number of Python; of functions with several results, a tuple."""


def bits(x: float) -> int:
    """Return the bits of a float64 as an int64: in functions of this kind only."""
    return int(np.float64(x).view(np.int64))


def from_bits(whole: int) -> float:
    """Return the float64 of these bits: in functions of this kind only."""
    return float(np.int64(whole).view(np.float64))


def inline(function: _Function) -> _Function:
    """Let functions of this kind call this one."""
    _INLINE.add(function)
    return function


def of_numbers(function: _Function, kind: Any = float64, gives: Any = None) -> _Function:
    """Return a function of floats that compiled code can call.

    Args:
        function: one that was marked `inline` and returns a float.
        kind: the precision that it computes in.
        gives: float32 where a result in double precision is rounded.

    >>> from numba import njit
    >>> from adcompiler.runtime.vector_exponentials import exp
    >>> fast_exp = of_numbers(exp)
    >>> round(njit(lambda x: fast_exp(x))(1.0), 14)
    2.71828182845905
    """

    def known(*args):
        raise NotImplementedError(f"{function.__name__} is called by compiled code only")

    arity = len(inspect.signature(function).parameters)
    known.__name__ = function.__name__

    def emit(context, builder, sig, args):
        found = _Writer(context, builder, function, kind == float32).call(args)
        return found if gives is None else builder.fptrunc(found, ir.FloatType())

    @type_callable(known)
    def typing(context):
        sig = signature(gives or kind, *[kind] * arity)
        return (lambda x: sig) if arity == 1 else lambda x, y: sig

    lower_builtin(known, *[kind] * arity)(emit)
    return known


@functools.cache
def _texts(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


class _Writer:
    """Writes one call of a function, whose floats and integers have 64 bits, or 32."""

    def __init__(self, context: Any, builder: Any, function: Any, is_single: bool) -> None:
        self.context, self.builder, self.function, self.is_single = context, builder, function, is_single
        self.real, self.whole = (_SINGLE, ir.IntType(32)) if is_single else (_DOUBLE, ir.IntType(64))
        self.names: dict[str, Operand] = {}

    def call(self, args: Sequence[Operand]) -> Operand:
        text = _texts(self.function.__module__)[self.function.__name__]
        self.names = {parameter.arg: arg for parameter, arg in zip(text.args.args, args, strict=True)}
        for statement in text.body:
            match statement:
                case ast.Return(value=ast.expr() as value):
                    return self.operand(value)
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.operand(value))
        raise AssertionError(f"{self.function.__name__} returns nothing")

    def assign(self, target: ast.expr, value: Operand) -> None:
        match target:
            case ast.Name(id=name):
                self.names[name] = value
            case ast.Tuple(elts=parts):
                for part, one in zip(parts, value, strict=True):
                    self.assign(part, one)

    def operand(self, node: ast.expr) -> Operand:
        """Write an expression."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names[name] if name in self.names else self.function.__globals__[name]
            case ast.Tuple(elts=parts):
                return tuple(map(self.operand, parts))
            case ast.Attribute(attr="pi"):
                return np.pi
            case ast.UnaryOp(op=op, operand=inner):
                return self.unary(op, self.operand(inner))
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.operand(left), self.operand(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.test(op, self.operand(left), self.operand(right))
            case ast.BoolOp(op=op, values=values):
                join = self.builder.and_ if isinstance(op, ast.And) else self.builder.or_
                return functools.reduce(join, (self.truth(self.operand(value)) for value in values))
            case ast.IfExp(test=test, body=then, orelse=orelse):
                one, two = self.alike(self.operand(then), self.operand(orelse))
                return self.builder.select(self.truth(self.operand(test)), one, two)
            case ast.Subscript(value=table, slice=index):
                return self.entry(self.operand(table), self.operand(index), ast.unparse(table))
            case ast.Call(func=called, args=args):
                return self.result(ast.unparse(called), [self.operand(arg) for arg in args])
        raise NotImplementedError(ast.unparse(node))

    def value(self, operand: Operand, kind: Any) -> Operand:
        """Return an operand as a value of a type."""
        if not isinstance(operand, ir.Value):
            return ir.Constant(kind, float(operand) if kind == self.real else int(operand))
        return (
            self.builder.sitofp(operand, kind)
            if operand.type == self.whole and kind == self.real
            else operand
        )

    def alike(self, one: Operand, two: Operand) -> tuple[Operand, Operand]:
        """Return two operands as values of one type, floats if one of them is."""
        kinds = [
            x.type if isinstance(x, ir.Value) else self.real if type(x) is float else None for x in (one, two)
        ]
        kind = self.real if self.real in kinds else next(kind for kind in kinds if kind is not None)
        return self.value(one, kind), self.value(two, kind)

    def truth(self, operand: Operand) -> Operand:
        is_whole = operand.type == self.whole
        return self.builder.icmp_signed("!=", operand, ir.Constant(self.whole, 0)) if is_whole else operand

    def unary(self, op: ast.unaryop, operand: Operand) -> Operand:
        if isinstance(op, ast.Not):
            return self.builder.not_(operand)
        if not isinstance(operand, ir.Value):
            return -operand
        return self.builder.fneg(operand) if operand.type == self.real else self.builder.neg(operand)

    def binary(self, op: ast.operator, one: Operand, two: Operand) -> Operand:
        if not isinstance(one, ir.Value) and not isinstance(two, ir.Value):
            return _CONSTANT[type(op)](one, two)
        one, two = self.alike(one, two)
        if one.type == self.real:
            return getattr(self.builder, _FLOATS[type(op)])(one, two, flags=FLAGS)
        return getattr(self.builder, _WHOLE[type(op)])(one, two)

    def test(self, op: ast.cmpop, one: Operand, two: Operand) -> Operand:
        one, two = self.alike(one, two)
        if one.type == self.whole:
            return self.builder.icmp_signed(_TESTS[type(op)], one, two)
        compare = self.builder.fcmp_unordered if isinstance(op, ast.NotEq) else self.builder.fcmp_ordered
        return compare(_TESTS[type(op)], one, two)

    def entry(self, table: np.ndarray[Any, Any], index: Operand, name: str) -> Operand:
        """Read a table of floats, which becomes a constant of the module."""
        module = self.builder.module
        known = module.globals.get(f"adcompiler{name}")
        if known is None:
            content = ir.Constant(ir.ArrayType(self.real, len(table)), [*map(float, table)])
            known = cgutils.global_constant(module, f"adcompiler{name}", content)
        return self.builder.load(self.builder.gep(known, [ir.Constant(self.whole, 0), index]))

    def result(self, name: str, args: list[Operand]) -> Operand:
        """Write a call."""
        match name, args:
            case "float", [str() as text]:
                return float(text)
            case "np.uint64", [whole]:
                return whole
            case "bits", [x]:
                return self.builder.bitcast(self.value(x, self.real), self.whole)
            case "from_bits", [whole]:
                return self.builder.bitcast(whole, self.real)
            case "abs" | "np.floor", [x]:
                same = {"abs": "llvm.fabs", "np.floor": "llvm.floor"}[name]
                return self.builder.call(self.builder.module.declare_intrinsic(same, [self.real]), [x])
            case "min" | "max", [one, two]:
                one, two = self.alike(one, two)
                is_second = self.test(ast.Lt() if name == "min" else ast.Gt(), two, one)
                return self.builder.select(is_second, two, one)
        called = self.function.__globals__[name]
        assert called in _INLINE, name
        return _Writer(self.context, self.builder, called, self.is_single).call(args)
