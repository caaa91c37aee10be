"""Operators: arithmetic, comparisons, `not` and `in`."""

from __future__ import annotations

import operator

import gast

from adcompiler.frontend import defined, tuples
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.branches import boolean
from adcompiler.frontend.state import Lowering
from adcompiler.frontend.truth import test_of
from adcompiler.graph.nodes import Atom, Literal, Value
from adcompiler.primitives import CARDS, card

_SYMBOLS = {known.operator.__name__: name for name, known in CARDS.items() if known.operator}
_WHOLE = {gast.Add: operator.add, gast.Sub: operator.sub, gast.Mult: operator.mul}


def symbol(op: gast.AST) -> str:
    """Return the primitive that an operator of the syntax tree stands for."""
    return _SYMBOLS[type(op).__name__]


def binary(state: Lowering, node: gast.BinOp, name: str | None) -> Binding:
    """Lower `a + b` and the like; what is known of tuples and whole numbers is settled here."""
    joined = tuples.joined(state, node)
    if joined is not None:
        return joined
    left, right = state.atom(node.left), state.atom(node.right)
    if isinstance(node.op, gast.MatMult):
        product = defined.inlined(state, node, "matmul", (left, right), {}, name)
        if product is not None:
            return product
    known = _arithmetic(type(node.op), left, right)
    return state.apply(node, symbol(node.op), (left, right), name) if known is None else known


def _arithmetic(op: type[gast.operator], left: Atom, right: Atom) -> Literal | None:
    """Return the result for two whole numbers, such as the number of an axis and one."""
    if not (isinstance(left, Literal) and isinstance(right, Literal)):
        return None
    if type(left.value) is not int or type(right.value) is not int:
        return None
    if op in _WHOLE:
        return Literal(_WHOLE[op](left.value, right.value))
    if op in (gast.Mod, gast.FloorDiv) and right.value:
        return Literal(left.value % right.value if op is gast.Mod else left.value // right.value)
    return None


def unary(state: Lowering, node: gast.UnaryOp, name: str | None) -> Atom:
    """Lower `-a`, `not a` and the like."""
    operand = test_of(state, node.operand) if isinstance(node.op, gast.Not) else state.atom(node.operand)
    if isinstance(operand, Literal) and isinstance(node.op, gast.USub):
        assert isinstance(operand.value, int | float | complex)
        return Literal(-operand.value)
    if isinstance(operand, Literal) and isinstance(node.op, gast.Not):
        return Literal(not operand.value)
    return state.apply(node, symbol(node.op), (operand,), name)


def compare(state: Lowering, node: gast.Compare, name: str | None) -> Atom:
    """Lower a comparison."""
    if len(node.ops) > 1:
        return _chained(state, node, name)
    op = type(node.ops[0])
    if op in (gast.In, gast.NotIn):
        found = tuples.contained(state, node, state.atom(node.left), state.binding(node.comparators[0]))
        return _negated(state, node, found, op is gast.NotIn, name)
    left, right = state.atom(node.left), state.atom(node.comparators[0])
    if op in (gast.Is, gast.IsNot):
        return _negated(state, node, _same(state, node, left, right, name), op is gast.IsNot, name)
    if op.__name__ not in _SYMBOLS:
        raise state.refuse("AD102", f"'{op.__name__}' comparisons are not part of the language", node)
    if isinstance(left, Literal) and isinstance(right, Literal):
        compute = card(_SYMBOLS[op.__name__]).compute
        assert compute is not None
        return Literal(compute(left.value, right.value))
    return state.apply(node, _SYMBOLS[op.__name__], (left, right), name)


def _chained(state: Lowering, node: gast.Compare, name: str | None) -> Atom:
    """`a < b < c` is `a < b and b < c`, where a call in b is made once."""
    operands = [node.left, *node.comparators]
    parts: list[gast.expr] = []
    for k, op in enumerate(node.ops):
        right, again = operands[k + 1], operands[k + 1]
        if any(isinstance(inner, gast.Call) for inner in gast.walk(right)):
            target, again = (
                gast.copy_location(gast.Name(f"$between_{node.lineno}_{k}", context, None, None), right)
                for context in (gast.Store(), gast.Load())
            )
            right = gast.copy_location(gast.NamedExpr(target, right), right)
        parts.append(gast.copy_location(gast.Compare(operands[k], [op], [right]), node))
        operands[k + 1] = again
    return boolean(state, node, parts, name)


def _negated(state: Lowering, node: gast.Compare, found: Atom, is_not: bool, name: str | None) -> Atom:
    """Return the answer of `in` or `is`, or the opposite of it."""
    if isinstance(found, Literal):
        return Literal(bool(found.value) != is_not)
    return state.apply(node, "not", (found,), name) if is_not else found


def _same(state: Lowering, node: gast.Compare, left: Atom, right: Atom, name: str | None) -> Atom:
    """`a is b`, for None and constants; of a value only whether it is True, or False."""
    if Literal(None) in (left, right):
        return Literal(left == right)
    if isinstance(left, Value) and isinstance(right, Literal) and isinstance(right.value, bool):
        return state.apply(node, "is", (left, right), name)
    if isinstance(left, Value) or isinstance(right, Value):
        raise state.refuse("AD102", "'is' compares with None only", node, "compare with '=='")
    return Literal(type(left) is type(right) and left.value is right.value)
