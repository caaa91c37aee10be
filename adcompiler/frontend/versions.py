"""Whether a text is what a function was compiled from: its file may have been edited since."""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import linecache
import os
import sys
import types
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from adcompiler.quiet import quietly
from adcompiler.source import keep_text, kept_texts

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag
_MARKS = ("NOP", "CACHE", "EXTENDED_ARG", "RESUME")


def texts(code: types.CodeType) -> Iterator[tuple[str, ...]]:
    """Yield the texts that a function may have been compiled from: as read before, then as the file is now.

    Raises:
        OSError: where there is no text.
    """
    yield from map(tuple, kept_texts(code.co_filename))
    cached = linecache.cache.get(code.co_filename)
    if cached is not None and len(cached) > 2:
        yield tuple(cached[2])
    if code.co_filename == "<string>" and "-c" in sys.orig_argv[:-1]:
        yield tuple(sys.orig_argv[sys.orig_argv.index("-c") + 1].splitlines(keepends=True))
    yield tuple(inspect.findsource(code)[0])


def keep(function: types.FunctionType) -> None:
    """Keep the text of the file that a function stands in: the file may change before it is needed."""
    file = function.__code__.co_filename
    with suppress(KeyError):  # of linecache, where another thread reads an edited file at this moment
        if os.path.exists(file):
            linecache.checkcache(file)
        lines = linecache.getlines(file, function.__globals__)
        if lines:
            keep_text(file, lines)


@lru_cache(maxsize=4096)
def is_of_text(code: types.CodeType, lines: tuple[str, ...]) -> bool:
    """Tell whether a function's code is what a text compiles to, as a whole or, in notebooks, by statements.

    Statements that pytest has written anew, assertions, are left out of the comparison.
    """
    flags, place, own = code.co_flags & _FUTURE, (code.co_name, code.co_firstlineno), _facts(code)
    try:
        same_place = _codes(lines, flags).get(place, [])
    except SyntaxError:
        return False
    if any(_facts(other) == own for other in same_place):
        return True
    if any(name.startswith(("@py_", "@pytest_")) for name in code.co_names + code.co_varnames):
        asserted = _asserted_lines(lines)
        steps = _steps(code, asserted)
        return any(_steps(other, asserted) == steps for other in same_place)
    return any(_facts(other) == own for other in _codes(lines, flags, by_statements=True).get(place, []))


@lru_cache(maxsize=256)
def _codes(
    lines: tuple[str, ...], flags: int, by_statements: bool = False
) -> dict[tuple[str, int], list[types.CodeType]]:
    """Return the code of every function in a text, by name and first line.

    Compiled by statements, a function does not know that what it calls was imported in its own cell.
    """
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    text = "".join(lines)
    with quietly(Warning):
        parts = [ast.Module([node], []) for node in ast.parse(text).body] if by_statements else [text]
        todo = [compile(part, "<text>", "exec", flags=flags, dont_inherit=True) for part in parts]
    found: dict[tuple[str, int], list[types.CodeType]] = {}
    while todo:
        code = todo.pop()
        found.setdefault((code.co_name, code.co_firstlineno), []).append(code)
        todo += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found


def _facts(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(
        _facts(c) if isinstance(c, types.CodeType) else (type(c).__name__, repr(c)) for c in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return code.co_code, constants, names, counts, tuple(code.co_positions())


@lru_cache(maxsize=256)
def _asserted_lines(lines: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse("".join(lines))):
        if isinstance(node, ast.Assert):
            found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(found)


def _steps(code: types.CodeType, left_out: frozenset[int]) -> list[Any]:
    """Return the instructions of a function that do not belong to lines left out, without their addresses."""
    found: list[Any] = []
    for step in dis.get_instructions(code):
        line = step.positions.lineno if step.positions is not None else None
        if line is None or line in left_out or step.opname in _MARKS:
            continue
        is_jump = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
        value = None if is_jump else step.argval
        if isinstance(value, types.CodeType):
            value = _steps(value, left_out)
        found.append((step.opname, repr(value), step.positions))
    return found
