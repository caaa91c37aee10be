"""A module of `adcompiler.runtime` as statements that can be taken out one by one."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

Key = tuple[str, str]
"""A module of the runtime, and a name in it."""
_RUNTIME = "adcompiler.runtime."
BY_NUMBA = "by_numba"
_HOMES = {"straight": BY_NUMBA}
"""Modules in place of those that write into compiled code."""


@dataclass(frozen=True)
class RuntimeModule:
    """One module of the runtime.

    Attributes:
        name: its name.
        lines: the lines of its source.
        statements: the statement that binds each of its own names.
        runtime: names that it takes from other modules of the runtime.
        imports: names that it takes from elsewhere, with the import statement of each.
        overloads: names of functions that tell Numba what another name means, by that name.
    """

    name: str
    lines: list[str]
    statements: dict[str, ast.stmt]
    runtime: dict[str, Key]
    imports: dict[str, str]
    overloads: dict[str, str]

    def text(self, statement: ast.stmt, names: Mapping[str, str]) -> str:
        """Return the text of a statement, with other names for what it reads and binds at the top."""
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(node.lineno for node in decorators)])
        lines = self.lines[first - 1 : statement.end_lineno]
        places = [(node.lineno, node.col_offset, node.id) for node in globals_of(statement)]
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            keyword = "def " if isinstance(statement, ast.FunctionDef) else "class "
            places.append((statement.lineno, statement.col_offset + len(keyword), statement.name))
        for line, column, name in sorted(places, reverse=True):
            old = lines[line - first]
            lines[line - first] = old[:column] + names.get(name, name) + old[column + len(name) :]
        return "\n".join(lines)


@cache
def runtime_module(name: str) -> RuntimeModule:
    """Return a module of the runtime, taken apart.

    >>> runtime_module("guards").runtime, runtime_module("vector_power").runtime["bits"]
    ({'finite': ('finite', 'finite')}, ('by_numba', 'bits'))
    """
    package = __package__ + "." if name == BY_NUMBA else _RUNTIME
    text = inspect.getsource(importlib.import_module(f"{package}{name}"))
    made = RuntimeModule(name, text.splitlines(), {}, {}, {}, {})
    for statement in ast.parse(text).body:
        match statement:
            case ast.ImportFrom(module="__future__"):
                pass
            case ast.ImportFrom(module=str(home)) if home.startswith(_RUNTIME):
                for alias in statement.names:
                    own = home.removeprefix(_RUNTIME)
                    made.runtime[alias.asname or alias.name] = _HOMES.get(own, own), alias.name
            case ast.ImportFrom(module=home):
                for alias in statement.names:
                    made.imports[alias.asname or alias.name] = ast.unparse(ast.ImportFrom(home, [alias], 0))
            case ast.Import():
                made.imports.update(
                    (a.asname or a.name, ast.unparse(ast.Import([a]))) for a in statement.names
                )
            case _:
                made.statements.update(dict.fromkeys(_bound(statement), statement))
                made.overloads.update(_overload(statement))
    return made


def _bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign() | ast.AnnAssign():
            yield from _stored(statement)


def _overload(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the name that a function is an overload of, and its own."""
    if isinstance(statement, ast.FunctionDef):
        for decorator in statement.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id="overload"), args=[ast.Name(id=target)]):
                    yield target, statement.name


def _stored(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def globals_of(tree: ast.AST, local: frozenset[str] = frozenset()) -> Iterator[ast.Name]:
    """Yield the names in a statement that are no variables of functions in it.

    >>> found = globals_of(ast.parse("def f(x):\\n    y = x * z\\n    return sin(y)").body[0])
    >>> sorted(node.id for node in found)
    ['sin', 'z']
    """
    if isinstance(tree, ast.FunctionDef | ast.Lambda):
        args = tree.args
        own = {arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
        own |= {arg.arg for arg in (args.vararg, args.kwarg) if arg is not None}
        body = tree.body if isinstance(tree.body, list) else [tree.body]
        inner = local | own | {name for part in body for name in _stored(part)}
        inner |= {part.name for part in body if isinstance(part, ast.FunctionDef)}
        for part in ast.iter_child_nodes(tree):
            yield from globals_of(part, inner if part in body else local)
    elif isinstance(tree, ast.Name):
        if tree.id not in local:
            yield tree
    else:
        for part in ast.iter_child_nodes(tree):
            yield from globals_of(part, local)
