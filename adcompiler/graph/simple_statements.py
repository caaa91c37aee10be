"""Small rewrites of Python statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def negated(test: ast.expr) -> ast.expr:
    """Return `not test`, without doubling a `not`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


def choice_of(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt]) -> list[ast.stmt]:
    """Return a branch, without arms that do nothing."""
    empty = [isinstance(arm[0], ast.Pass) for arm in (then, orelse)]
    match empty:
        case [True, True]:
            return []
        case [False, True]:
            return [ast.If(test, then, [])]
        case [True, False]:
            return [ast.If(negated(test), orelse, [])]
        case _:
            return [ast.If(test, then, orelse)]


def moved_out(body: list[ast.stmt]) -> list[ast.stmt]:
    """Take what stands before the one `break` of an endless loop out of its body, to stand after the loop.

    Numba 0.68 would take an assignment there for one that all of the loop sees.
    """
    ends = [arm for arm in _arms(body) if isinstance(arm[-1], ast.Break)]
    if len(ends) != 1:
        return []
    (arm,) = ends
    moved = arm[:-1]
    del arm[:-1]
    return moved


def _arms(body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Yield a block and those of its branches, but not of the loops inside it."""
    yield body
    for stmt in body:
        if isinstance(stmt, ast.If):
            yield from _arms(stmt.body)
            yield from _arms(stmt.orelse) if stmt.orelse else ()
