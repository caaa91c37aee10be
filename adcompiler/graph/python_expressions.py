"""Write what a primitive computes as a Python expression, with what it reads written in its place."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adcompiler.graph.nodes import Apply, Atom, Global, If, Literal, Node, Value
from adcompiler.graph.numbers import dotted, literal, sum_of
from adcompiler.primitives import Card, Spelling, card, part_of


@dataclass(frozen=True)
class Style:
    """How a graph is written.

    Attributes:
        names: a name per value.
        inlined: values written where they are used.
        scalars: numbers.
        quotes: whether the user's lines are quoted.
        makers: names of classes of named tuples, where they are not their own.
        unpacked: what the results of calls are unpacked to, None for what is not read; nothing for such a
            part, of which no statement is written.
    """

    names: dict[Value, str]
    inlined: Container[Value] = ()
    scalars: Container[Value] = ()
    quotes: bool = False
    makers: Mapping[Any, str] = field(default_factory=dict)
    unpacked: Mapping[Value, Sequence[Value | None]] = field(default_factory=dict)


def load(name: str) -> ast.Name:
    """Return a name that is read."""
    return ast.Name(name, ast.Load())


def _operation(known: Card, args: list[ast.expr]) -> ast.expr:
    symbol = known.operator
    assert symbol is not None
    if issubclass(symbol, ast.operator):
        return ast.BinOp(args[0], symbol(), args[1])
    if issubclass(symbol, ast.cmpop):
        return ast.Compare(args[0], [symbol()], [args[1]])
    return ast.UnaryOp(symbol(), args[0])


@dataclass
class ExpressionWriter:
    """Writes expressions; `definitions` holds the nodes of values written in place."""

    style: Style
    definitions: dict[Value, Node]

    def expr(self, atom: Atom) -> ast.expr:
        match atom:
            case Literal():
                return literal(atom.value)
            case Global():
                return dotted(atom.name)
            case Value() if atom in self.style.inlined:
                return self.compute(self.definitions[atom])
            case _:
                return load(self.style.names[atom])

    def exprs(self, atoms: Iterable[Atom]) -> list[ast.expr]:
        return [self.expr(atom) for atom in atoms]

    def compute(self, node: Node) -> ast.expr:
        if isinstance(node, If):
            return self.choice(node)
        assert isinstance(node, Apply)
        args = self.exprs(node.args)
        known = card(node.fn)
        if node.fn == "add":
            return sum_of(args[0], args[1])
        if known.spelling is Spelling.OPERATOR:
            return _operation(known, args)
        if known.spelling is Spelling.ATTRIBUTE:
            return ast.Attribute(args[0], node.fn, ast.Load())
        keywords = [ast.keyword(key, self.expr(atom)) for key, atom in node.keywords]
        part = part_of(node.fn, len(args))
        if part is not None or node.fn in ("stop_gradient", "of_reals"):
            return args[part or 0]
        if known.spelling is Spelling.JOIN:
            return ast.Call(dotted(node.fn), [ast.Tuple(args, ast.Load())], keywords)
        if known.spelling is Spelling.METHOD:
            return ast.Call(ast.Attribute(args[0], node.fn, ast.Load()), args[1:], keywords)
        match node.fn:
            case "getitem" | "nth":
                return ast.Subscript(args[0], self.index(node.args[1:]), ast.Load())
            case "np.transpose":
                return ast.Call(dotted(node.fn), [args[0], ast.Tuple(args[1:], ast.Load())], [])
            case "range":
                return ast.Call(load("range"), self.bounds(node.args), [])
            case "getattr":
                return ast.Attribute(args[0], _text_of(node.args[1]), ast.Load())
            case "method":
                return ast.Call(
                    ast.Attribute(args[0], _text_of(node.args[1]), ast.Load()), args[2:], keywords
                )
            case _ if known.is_call and known.spelling is Spelling.FORM:
                return ast.Call(args[0], args[1:], keywords)
            case "seed" | "captured":
                return args[0]
            case "is":
                return ast.Compare(args[0], [ast.Is()], [args[1]])
            case "cast":  # to the type of another value
                return ast.Call(ast.Call(load("type"), args[:1], []), args[1:], [])
            case "dict":
                return ast.Call(load("dict"), args, [])
            case "grad_of":
                return args[0]
            case "tuple":
                return ast.Tuple(args, ast.Load())
            case "list":
                return ast.List(args, ast.Load())
            case "and" | "or":
                op = ast.And() if node.fn == "and" else ast.Or()
                return ast.BoolOp(op, args)
            case _ if known.out_of_place:
                return ast.Call(dotted(f"operator.{node.fn}"), args, [])
            case _:
                return ast.Call(dotted(node.fn), args, keywords)

    def choice(self, node: If) -> ast.expr:
        """A branch with one output, written as `a and b`, `a or b`, or `a if test else b`."""
        test, then, orelse = self.exprs((node.test, node.then.yields[0], node.orelse.yields[0]))
        if node.orelse.yields[0] in (Literal(False), node.test):
            return ast.BoolOp(ast.And(), [test, then])
        if node.then.yields[0] in (Literal(True), node.test):
            return ast.BoolOp(ast.Or(), [test, orelse])
        return ast.IfExp(test, then, orelse)

    def bounds(self, args: tuple[Atom, ...]) -> list[ast.expr]:
        """Write the arguments of range without a start of 0 and a step of 1."""
        if len(args) == 3 and args[2] == Literal(1):
            args = args[:2]
        if len(args) == 2 and args[0] == Literal(0):
            args = args[1:]
        return self.exprs(args)

    def index(self, atoms: tuple[Atom, ...]) -> ast.expr:
        parts = [self.slice(atom) or self.expr(atom) for atom in atoms]
        return parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())

    def slice(self, atom: Atom) -> ast.expr | None:
        """Write a slice with colons, where it stands in an index."""
        node = self.definitions.get(atom) if isinstance(atom, Value) else None
        if not isinstance(node, Apply) or node.fn != "slice" or atom not in self.style.inlined:
            return None
        bounds = [None if a == Literal(None) else self.expr(a) for a in node.args]
        return ast.Slice(*bounds)


def _text_of(atom: Atom) -> str:
    assert isinstance(atom, Literal) and isinstance(atom.value, str)
    return atom.value
