"""The texts that a function takes along to another process, where its file may not be."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.facts import Facts, is_unchanging
from adcompiler.frontend.parse import lines_of


def texts_of(function: types.FunctionType) -> list[tuple[str, tuple[str, ...]]]:
    """Return file and text of a function and of those that it calls, each at its place in an else empty text.

    >>> from adcompiler.samples import sigmoid
    >>> [(_, lines)] = texts_of(sigmoid)
    >>> lines[sigmoid.__code__.co_firstlineno - 1], lines[0]
    ('def sigmoid(x):\\n', '\\n')
    """
    firsts: dict[tuple[str, tuple[str, ...]], set[int]] = {}
    for reached in _reached(function):
        code = reached.__code__
        with suppress(DifferentiationError):  # it is refused there as it is here
            text = code.co_filename, lines_of(code, reached.__name__)
            firsts.setdefault(text, set()).add(code.co_firstlineno)
    return [(file, _cut(lines, frozenset(wanted))) for (file, lines), wanted in firsts.items()]


def _reached(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """Yield a function and those of users that it can reach."""
    facts = Facts()
    facts.visit(function)
    for reached in facts.functions:
        if reached is function or not is_unchanging(reached.__module__ or ""):
            yield reached


@lru_cache(maxsize=256)
def _cut(lines: tuple[str, ...], wanted: frozenset[int]) -> tuple[str, ...]:
    """Return a text with the statements of a module only in which some lines are; the others are empty."""
    kept: set[int] = set()
    for statement in ast.parse("".join(lines)).body:
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        start = min([statement.lineno, *(expression.lineno for expression in decorators)])
        places = range(start, (statement.end_lineno or start) + 1)
        if not wanted.isdisjoint(places):
            kept.update(places)
    return tuple(line if k in kept else "\n" for k, line in enumerate(lines[: max(kept, default=0)], start=1))
