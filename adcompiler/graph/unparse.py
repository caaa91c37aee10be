"""Python source from a tree: astunparse with operator precedence and comments."""

from __future__ import annotations

import ast
import io

import astunparse

_BINARY = {
    ast.BitOr: 6,
    ast.BitXor: 7,
    ast.BitAnd: 8,
    ast.LShift: 9,
    ast.RShift: 9,
    ast.Add: 10,
    ast.Sub: 10,
    ast.Mult: 11,
    ast.Div: 11,
    ast.FloorDiv: 11,
    ast.Mod: 11,
    ast.MatMult: 11,
    ast.Pow: 13,
}
_UNARY, _ATOM = 12, 15
_ASSOCIATIVE = (ast.Add,)


class Comment(ast.stmt):
    """A comment line; an empty text is a blank line."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text


def precedence(node: ast.AST) -> int:
    """Return how tightly the outermost operator of an expression binds."""
    match node:
        case ast.IfExp():
            return 1
        case ast.BoolOp():
            return 2 if isinstance(node.op, ast.Or) else 3
        case ast.UnaryOp():
            return 4 if isinstance(node.op, ast.Not) else _UNARY
        case ast.Compare():
            return 5
        case ast.BinOp():
            return _BINARY[type(node.op)]
        case ast.Constant() if isinstance(node.value, int | float) and node.value < 0:
            return _UNARY
        case _:
            return _ATOM


class PreciseUnparser(astunparse.Unparser):
    """astunparse's `Unparser` with parentheses only where precedence needs them."""

    def _operand(self, node: ast.AST, least: int) -> None:
        if precedence(node) < least:
            self.write("(")
            self.dispatch(node)
            self.write(")")
        else:
            self.dispatch(node)

    def _Comment(self, tree: Comment) -> None:
        if tree.text:
            self.fill(f"# {tree.text}")
        else:
            self.write("\n")

    def _BinOp(self, tree: ast.BinOp) -> None:
        own = _BINARY[type(tree.op)]
        right_first = isinstance(tree.op, ast.Pow)
        self._operand(tree.left, own + right_first)
        symbol = self.binop[type(tree.op).__name__]
        self.write(symbol if right_first else f" {symbol} ")
        self._operand(tree.right, _UNARY if right_first else own + 1)

    def _UnaryOp(self, tree: ast.UnaryOp) -> None:
        is_not = isinstance(tree.op, ast.Not)
        self.write("not " if is_not else self.unop[type(tree.op).__name__])
        self._operand(tree.operand, 4 if is_not else _UNARY)

    def _BoolOp(self, tree: ast.BoolOp) -> None:
        word = " or " if isinstance(tree.op, ast.Or) else " and "
        for k, value in enumerate(tree.values):
            if k:
                self.write(word)
            self._operand(value, precedence(tree) + 1)

    def _Compare(self, tree: ast.Compare) -> None:
        self._operand(tree.left, 6)
        for op, right in zip(tree.ops, tree.comparators, strict=True):
            self.write(f" {self.cmpops[type(op).__name__]} ")
            self._operand(right, 6)

    def _IfExp(self, tree: ast.IfExp) -> None:
        self._operand(tree.body, 2)
        self.write(" if ")
        self._operand(tree.test, 2)
        self.write(" else ")
        self._operand(tree.orelse, 1)

    def _Tuple(self, tree: ast.Tuple) -> None:
        self.write("(")
        self._items(tree)
        self.write(")")

    def _items(self, tree: ast.Tuple) -> None:
        for k, item in enumerate(tree.elts):
            if k:
                self.write(", ")
            self.dispatch(item)
        if len(tree.elts) == 1:
            self.write(",")

    def _bare(self, tree: ast.AST) -> None:
        """A tuple without its parentheses, where Python lets them go."""
        if isinstance(tree, ast.Tuple) and tree.elts:
            self._items(tree)
        else:
            self.dispatch(tree)

    def _Subscript(self, tree: ast.Subscript) -> None:
        self._operand(tree.value, _ATOM)
        self.write("[")
        self._bare(tree.slice)
        self.write("]")

    def _Attribute(self, tree: ast.Attribute) -> None:
        self._operand(tree.value, _ATOM)
        self.write(f".{tree.attr}")

    def _Assign(self, tree: ast.Assign) -> None:
        self.fill()
        for target in tree.targets:
            self._bare(target)
            self.write(" = ")
        self._bare(tree.value)

    def _Constant(self, tree: ast.Constant) -> None:
        self.write(repr(tree.value))

    def _Return(self, tree: ast.Return) -> None:
        self.fill("return")
        if tree.value is not None:
            self.write(" ")
            self._bare(tree.value)

    def _Expr(self, tree: ast.Expr) -> None:
        if isinstance(tree.value, ast.Constant) and isinstance(tree.value.value, str):
            self.fill(f'"""{_quoted(tree.value.value)}"""')
        else:
            self.fill()
            self.dispatch(tree.value)


def _quoted(text: str) -> str:
    """Return a docstring's text so that it can stand between three quotes, in a file."""
    is_open = '"""' in text or text.endswith('"')
    text = text.encode("utf-8", "replace").decode().replace("\\", "\\\\")
    return text.replace('"', '\\"') if is_open else text


def unparse(tree: ast.AST) -> str:
    """Return source text for a tree.

    >>> unparse(ast.parse("y = (-(a + b)) * (c ** 2) + (d * e)"))
    'y = -(a + b) * c**2 + d * e\\n'
    >>> unparse(ast.parse("y = a - (b - c) - d, (a / (b * c)) ** -(p if q else r), (a @ b).T"))
    'y = a - (b - c) - d, (a / (b * c))**-(p if q else r), (a @ b).T\\n'
    """
    out = io.StringIO()
    PreciseUnparser(tree, out)
    return out.getvalue().strip("\n") + "\n"
