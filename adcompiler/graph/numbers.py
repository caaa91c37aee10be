"""Constants and signs as one writes them by hand: `2.0 * math.pi`, and `a - 0.5 * b` for `a + -0.5 * b`."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
from numba.core import types

_TURNS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
"""Multiples of pi that formulas have."""


def dotted(path: str) -> ast.expr:
    """Return the tree of `np.linalg.norm`."""
    first, *rest = path.split(".")
    tree: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        tree = ast.Attribute(tree, part, ast.Load())
    return tree


def literal(value: Any) -> ast.expr:
    """Return the tree of a constant; infinities, NaN and multiples of pi are written with their names.

    >>> from adcompiler.graph.unparse import unparse
    >>> print(unparse(literal(-2.0 * math.pi)), end="")
    -2.0 * math.pi
    """
    if isinstance(value, np.float32):
        return ast.Call(dotted("np.float32"), [literal(float(str(value)))], [])
    if isinstance(value, float) and math.isnan(value):
        return dotted("np.nan")
    if isinstance(value, float) and math.isinf(value):
        return dotted("np.inf") if value > 0 else ast.UnaryOp(ast.USub(), dotted("np.inf"))
    if isinstance(value, complex) and str(value).startswith("(-0-"):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return (_of_pi(value) if isinstance(value, float) else None) or ast.Constant(value)


def _of_pi(value: float) -> ast.expr | None:
    """Return a multiple of pi, or the reciprocal of its root, by name; None for other numbers."""
    ratio = value / math.pi
    if abs(ratio) in _TURNS and ratio * math.pi == value:
        pi = dotted("math.pi")
        signed = pi if ratio > 0 else ast.UnaryOp(ast.USub(), pi)
        return signed if abs(ratio) == 1.0 else ast.BinOp(ast.Constant(ratio), ast.Mult(), pi)
    if abs(value) == 2.0 / math.sqrt(math.pi):
        root = ast.Call(dotted("math.sqrt"), [dotted("math.pi")], [])
        return ast.BinOp(ast.Constant(math.copysign(2.0, value)), ast.Div(), root)
    return None


def without_minus(tree: ast.expr) -> ast.expr | None:
    """Return an expression without the minus sign that it begins with; None where it has none.

    Only products and quotients: the sign is that of the whole.
    """
    match tree:
        case ast.UnaryOp(op=ast.USub()):
            return tree.operand
        case ast.Constant(value=int() | float()) if tree.value < 0:  # type: ignore[operator]
            return ast.Constant(-tree.value)  # type: ignore[operator]
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            left = without_minus(tree.left)
            return None if left is None else ast.BinOp(left, tree.op, tree.right)
    return None


def sum_of(left: ast.expr, right: ast.expr) -> ast.expr:
    """Return a sum, as a difference where the second part begins with a minus sign."""
    positive = without_minus(right)
    return ast.BinOp(left, ast.Add(), right) if positive is None else ast.BinOp(left, ast.Sub(), positive)


def add_in_place(target: ast.Name | ast.Subscript, value: ast.expr) -> ast.stmt:
    """Return `target += value`, as `-=` where the value begins with a minus sign."""
    positive = without_minus(value)
    op = ast.Add() if positive is None else ast.Sub()
    return ast.AugAssign(target, op, value if positive is None else positive)


def add_to_all(array: ast.expr, value: ast.expr, kind: types.Type | None) -> ast.stmt:
    """Return what adds to a whole array that a list may hold, too.

    Where it inlines, Numba drops `array += value` if the name is not read again: it does not look into lists.
    """
    positive = without_minus(value)
    if not isinstance(getattr(kind, "dtype", None), types.Number):
        whole = ast.Subscript(array, ast.Slice(), ast.Store())
        return add_in_place(whole, value)
    function = ast.Attribute(
        ast.Name("np", ast.Load()), "add" if positive is None else "subtract", ast.Load()
    )
    return ast.Expr(ast.Call(function, [array, value if positive is None else positive, array], []))


def in_place(name: str, value: ast.expr) -> ast.stmt | None:
    """Return `name = name + x` as `name += x`, and so on; None for all else."""
    match value:
        case ast.BinOp(left=ast.Name(id=left), op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()) if (
            left == name
        ):
            return ast.AugAssign(ast.Name(name, ast.Store()), value.op, value.right)
    return None
