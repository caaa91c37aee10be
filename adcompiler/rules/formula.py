"""From a rule's text to nodes: the same frontend reads it that reads users' functions."""

from __future__ import annotations

import ast
import importlib
import math
import types
from collections.abc import Callable, Mapping
from typing import Any

import gast
import numpy as np

from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.lower import lower_expression, lower_function
from adcompiler.frontend.parse import Source, parse
from adcompiler.graph.nodes import Apply, Atom, Node, Value
from adcompiler.runtime.guards import times

_NAMES = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "trunc", "floor")
_SCALAR = {name: getattr(math, name) for name in _NAMES} | {"sign": np.sign, "abs": abs, "times": times}
_ARRAY = {name: getattr(np, name) for name in _NAMES} | {
    "sign": np.sign,
    "abs": np.abs,
    "where": np.where,
    "times": times,
}
_COMPLEX = {"conj": np.conj, "real": np.real, "imag": np.imag}


def _scope(functions: dict[str, Any]) -> Source:
    """A place to look names up in: a function whose globals are those of the formulas."""
    anchor = types.FunctionType((lambda: None).__code__, functions | {"__name__": __name__})
    tree = gast.ast_to_gast(ast.parse("lambda: None", mode="eval")).body
    return Source(anchor, tree, "<rule>", ("",))


_SCOPES = {False: _scope(_SCALAR | _COMPLEX), True: _scope(_ARRAY | _COMPLEX)}


_HARMLESS = ("sin", "cos", "sign", "abs", "tanh", "trunc", "floor")
_BOUNDED = ("tanh", "tan", "expit", "copysign", "dawsn")
"""Functions that do not become infinite, whose slope is a polynomial of their value."""


def with_slope(node: Apply, name: str, change: str, partial: ast.expr, keeps_zeros: bool = False) -> ast.expr:
    """Return the formula of an adjoint or tangent times the slope of an elementwise function.

    A change that is exactly zero makes exactly zero, also where the slope is infinite or not a number.

    Args:
        node: the function.
        name: the argument that the slope belongs to.
        change: name of the adjoint or tangent.
        partial: the slope.
        keeps_zeros: whether a value that the slope is made of may be infinite or not a number.
    """
    left = ast.Name(change, ast.Load())
    return product(left, partial, node.fn.rpartition(".")[2] in _BOUNDED, keeps_zeros)


def _times(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("times", ast.Load()), [left, right], [])


def _is_finite(slope: ast.expr, is_bounded: bool) -> bool:
    """Tell whether a slope is finite at every finite argument; `is_bounded` tells it of the output `y`."""
    for node in ast.walk(slope):
        match node:
            case ast.BinOp(op=ast.Div() | ast.FloorDiv(), right=divisor) if not isinstance(
                divisor, ast.Constant
            ):
                return False
            case ast.BinOp(op=ast.Pow(), right=power) if not isinstance(power, ast.Constant):
                return False
            case ast.Call(func=function) if getattr(function, "id", None) not in _HARMLESS:
                return False
            case ast.Name(id="y") if not is_bounded:
                return False
    return True


def product(left: ast.expr, right: ast.expr, is_bounded: bool = False, keeps_zeros: bool = False) -> ast.expr:
    """Return the tree of left * right, written as one would by hand.

    Args:
        left: an adjoint or tangent.
        right: a slope.
        is_bounded: whether the output `y` of the function is finite.
        keeps_zeros: whether anything else may be infinite or not a number.

    >>> show = lambda text: ast.unparse(product(ast.Name("d"), ast.parse(text, mode="eval").body))
    >>> show("1"), show("-b"), show("-y / b"), show("1 if a > b else 0")
    ('d', '-(d * b)', '-times(d, y / b)', 'd if a > b else 0.0')
    """

    def part(slope: ast.expr) -> ast.expr:
        return product(left, slope, is_bounded, keeps_zeros)

    needs_care = keeps_zeros or not _is_finite(right, is_bounded)
    match right:
        case ast.IfExp() | ast.Constant() | ast.UnaryOp(op=ast.USub()):
            pass
        case ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=dividend), op=ast.Div()) if needs_care:
            quotient = ast.BinOp(dividend, ast.Div(), right.right)
            return ast.UnaryOp(ast.USub(), _times(left, quotient))
        case _ if needs_care:
            return _times(left, right)
    match right:
        case ast.Constant(value=1 | 1.0):
            return left
        case ast.Constant(value=0 | 0.0):
            return ast.Constant(0.0)
        case ast.UnaryOp(op=ast.USub()):
            return ast.UnaryOp(ast.USub(), part(right.operand))
        case ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=dividend), op=ast.Div()):
            quotient = ast.BinOp(dividend, ast.Div(), right.right)
            return ast.UnaryOp(ast.USub(), part(quotient))
        case ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Div()):
            return ast.BinOp(left, ast.Div(), right.right)
        case ast.BinOp(op=ast.Div()):
            return ast.BinOp(left, ast.Mult(), right)  # the quotient does not wait for the adjoint
        case ast.BinOp(op=ast.Mult()):
            return ast.BinOp(part(right.left), ast.Mult(), right.right)
        case ast.IfExp():
            arms = map(part, (right.body, right.orelse))
            return ast.IfExp(right.test, *arms)
        case _:
            return ast.BinOp(left, ast.Mult(), right)


class _Where(ast.NodeTransformer):
    """Write what stands for numbers as it stands for arrays."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """`or` of two tests."""
        one, two = node.values
        return ast.BinOp(one, ast.BitOr(), two)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("where", ast.Load()), [node.test, node.body, node.orelse], [])


def evaluate(
    tree: ast.expr, env: dict[str, Atom], arrays: bool, nodes: list[Node], is_complex: bool = False
) -> Atom:
    """Append the nodes of a formula and return its value.

    Args:
        tree: the formula.
        env: what its names stand for.
        arrays: True chooses NumPy's functions and `np.where`, False the math module's and branches.
        nodes: list to append to.
        is_complex: whether numbers are complex, which the math module does not take.
    """
    text = ast.unparse(tree)
    tree = ast.parse(text, mode="eval").body
    if arrays:
        tree = _Where().visit(tree)
    expression = ast.fix_missing_locations(ast.Expression(tree))
    scope = _SCOPES[arrays or is_complex]
    if "special." in text:
        scope.function.__globals__["special"] = importlib.import_module("scipy.special")
    return lower_expression(gast.ast_to_gast(expression).body, scope, dict(env), nodes)


def expand(
    function: Callable[..., Any], args: list[Atom], nodes: list[Node], ranks: Mapping[Value, int | None]
) -> tuple[Binding, ...]:
    """Append the nodes of a structured rule and return its results, one per input.

    Args:
        function: the rule.
        args: what its parameters stand for.
        nodes: list to append to.
        ranks: number of axes of the arguments.
    """
    source = parse(function)
    names = [a.id for a in source.tree.args.args]
    env: dict[str, Binding] = dict(zip(names, args, strict=True))
    result = lower_function(source, env, nodes, dict(ranks))
    return result if isinstance(result, tuple) else (result,)


def scalar_scope() -> Source:
    """Return where formulas over numbers look their functions up."""
    return _SCOPES[False]
