"""From a Python function, or an `@njit` dispatcher, to its gast tree with true file positions."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.frontend.dispatchers import error_model, python_function
from adcompiler.frontend.seen import note_function
from adcompiler.frontend.versions import is_of_text, texts
from adcompiler.source import Location


@dataclass(frozen=True)
class Source:
    """A parsed function: its tree, the file it stands in, and the Python function itself.

    Attributes:
        function: the Python function.
        tree: its tree.
        file: the file it stands in.
        lines: the lines of that file.
        model: how it divides by zero, `"python"` or `"numpy"`, if it is a dispatcher that says so; empty for
            one that does not; None for a plain function.
    """

    function: types.FunctionType
    tree: gast.FunctionDef | gast.Lambda
    file: str
    lines: tuple[str, ...]
    model: str | None = None

    def locate(self, node: gast.AST, statement: gast.AST | None = None) -> Location:
        """Return the place of a node; `statement` is the statement it belongs to."""
        owner = statement if statement is not None else node
        line = self.lines[owner.lineno - 1].strip() if owner.lineno <= len(self.lines) else ""
        same = node.end_lineno == node.lineno
        end = node.end_col_offset if same else len(self.lines[node.lineno - 1])
        return Location(self.file, node.lineno, node.col_offset, end, self._joined(owner, line))

    def _joined(self, owner: gast.AST, first: str) -> str:
        """Join a simple statement that goes over several lines; keep only the head of a compound one."""
        if hasattr(owner, "body") or owner.end_lineno == owner.lineno:
            return first
        text = " ".join(self.lines[n].strip() for n in range(owner.lineno - 1, owner.end_lineno))
        return text.replace("( ", "(").replace(" )", ")").replace("[ ", "[").replace(" ]", "]")


@lru_cache(maxsize=256)
def _parse_lines(lines: tuple[str, ...]) -> ast.Module:
    return ast.parse("".join(lines))


@lru_cache(maxsize=1024)
def _of_any_version(tree: ast.FunctionDef | ast.Lambda) -> gast.FunctionDef | gast.Lambda:
    return gast.ast_to_gast(tree)


def parse(function: Callable[..., Any]) -> Source:
    """Find and parse the source of a function.

    Args:
        function: a Python function, a lambda, or an `@njit` dispatcher.

    Raises:
        DifferentiationError: AD001 where Python has no source text for it.

    >>> from adcompiler.samples import sigmoid
    >>> parse(sigmoid).tree.name
    'sigmoid'
    """
    plain = python_function(function)
    note_function(plain)
    code, name = plain.__code__, plain.__name__
    lines = lines_of(code, name)
    tree = _find(_parse_lines(lines), code)
    if tree is None:
        raise DifferentiationError("AD001", f"'{name}' is not in {code.co_filename} any more")
    return Source(plain, _of_any_version(tree), code.co_filename, lines, error_model(function))


def lines_of(code: types.CodeType, name: str) -> tuple[str, ...]:
    """Return the lines of the file that a function was compiled from.

    Raises:
        DifferentiationError: AD001 where there are none.
    """
    try:
        for lines in texts(code):
            if is_of_text(code, lines):
                return lines
    except (OSError, TypeError) as error:
        cure = "define it in a file, a notebook or IPython; prompts keep texts from Python 3.13 on"
        at_prompt = code.co_filename.startswith("<stdin>")
        reason = f"no source text for '{name}': {error}"
        raise DifferentiationError("AD001", reason, None, cure if at_prompt else None) from None
    reason = f"the text in {code.co_filename} is not what '{name}' was compiled from"
    cure = "import it again: the file was edited, or the function was rewritten while it was imported"
    raise DifferentiationError("AD001", reason, None, cure)


def own_nodes(node: gast.AST) -> Iterator[gast.AST]:
    """Walk a tree in source order, without going into nested functions."""
    yield node
    if isinstance(node, gast.FunctionDef | gast.Lambda):
        return
    for child in gast.iter_child_nodes(node):
        yield from own_nodes(child)


def default_trees(tree: gast.arguments) -> dict[str, gast.expr]:
    """Return the expressions of defaults, by the names of their parameters.

    >>> [*default_trees(gast.parse("def f(a, b=1, *, c, d=2): pass").body[0].args)]
    ['b', 'd']
    """
    positional = tree.posonlyargs + tree.args
    first = len(positional) - len(tree.defaults)
    pairs = [
        *zip(positional[first:], tree.defaults, strict=True),
        *zip(tree.kwonlyargs, tree.kw_defaults, strict=True),
    ]
    return {parameter.id: default for parameter, default in pairs if default is not None}


def assigned(stmts: list[gast.stmt]) -> dict[str, None]:
    """Return the names that statements bind, in order of first binding (an ordered set)."""
    found: dict[str, None] = {}
    for stmt in stmts:
        for node in own_nodes(stmt):
            if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store):
                found[node.id] = None
            elif isinstance(node, gast.FunctionDef):
                found[node.name] = None
    return found


def _find(module: ast.Module, code: types.CodeType) -> ast.FunctionDef | ast.Lambda | None:
    """Return the tree of a function's code: of lambdas, the innermost that holds all of its instructions."""
    lambdas: list[ast.Lambda] = []
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=code.co_name):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if first == code.co_firstlineno:
                    return node
            case ast.Lambda() if code.co_name == "<lambda>" and _holds(node, code):
                lambdas.append(node)
    return max(lambdas, key=lambda node: (node.body.lineno, node.body.col_offset), default=None)


def _holds(node: ast.Lambda, code: types.CodeType) -> bool:
    """Tell whether a lambda's body spans the positions of the code's instructions."""
    body = node.body
    spots = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[3] != p[2]]
    start, end = (body.lineno, body.col_offset), (body.end_lineno, body.end_col_offset)
    return bool(spots) and all(start <= (p[0], p[2]) and (p[1], p[3]) <= end for p in spots)
