"""Modules made of their text, and their functions compiled, or loaded from machine code that was kept."""

from __future__ import annotations

import ast
import linecache
import re
import sys
import types
from collections.abc import Mapping
from importlib.abc import MetaPathFinder
from typing import Any

import numpy as np
from numba.core.errors import NumbaError, NumbaPerformanceWarning

from adcompiler.emit.disk import writable_folder, write_at_once
from adcompiler.emit.effort import measured_effort
from adcompiler.emit.machine_code import Holder
from adcompiler.errors import DifferentiationError
from adcompiler.quiet import quietly
from adcompiler.runtime import numpy_forms
from adcompiler.turns import uninterrupted

PREFIX = "adcompiler_generated_"


def stem_of(name: str, digest: str) -> str:
    """Return the name under which a module stands in the cache folder.

    >>> stem_of("größe_grad", 64 * "0")
    'gr__e_grad_0000000000000000'
    """
    return f"{name.encode('ascii', 'replace').decode().replace('?', '_')}_{digest[:16]}"


_DOWN = re.compile(r"range\(.*, (-1|\d+), -1\)", re.DOTALL)
_UP = re.compile(r"range\((\d+, )?[^,]*\)")
_made_of: dict[str, tuple[str, Mapping[str, object]]] = {}
"""The text of each module of this process, and what was handed over to it."""


def named_in(code: bytes) -> dict[str, tuple[str, Mapping[str, object]]]:
    """Return the texts of modules that machine code names, with what they were handed, by their stems."""
    names = {found.decode() for found in re.findall(rb"adcompiler_generated_\w+", code)}
    return {name.removeprefix(PREFIX): _made_of[name] for name in sorted(names) if name in _made_of}


def load(source: str, stem: str, objects: Mapping[str, object]) -> types.ModuleType:
    """Make a module of its text, which is also written to the cache folder, for people and debuggers.

    Args:
        source: the text; what stands in the file is never run.
        stem: its name in the cache folder.
        objects: what is handed over to it.
    """
    full_name = f"{PREFIX}{stem}"
    if full_name in sys.modules:
        return sys.modules[full_name]
    path = writable_folder() / f"{stem}.py"
    if not path.exists() or path.read_text("utf-8", "replace") != source:
        write_at_once(path, source.encode())
    linecache.cache[str(path)] = len(source), None, source.splitlines(keepends=True), str(path)
    module = types.ModuleType(full_name)
    module.__file__ = str(path)
    frozen = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in objects.items()}
    vars(module).update(frozen)
    exec(compile(_Calls().visit(ast.parse(source)), str(path), "exec"), vars(module))
    _made_of[full_name] = source, objects
    vars(module)["np"] = numpy_forms  # compiles faster than NumPy, and is the same
    sys.modules[full_name] = module  # now that it is whole
    return module


class _NotYetMade(MetaPathFinder):
    """Tells Numba's cache of callers (`cache=True`) that a module is missing: it compiles the caller anew."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname.startswith(PREFIX):
            raise OSError(f"{fullname} is made when it is needed")


sys.meta_path.append(_NotYetMade())


class _Calls(ast.NodeTransformer):
    """Writes `a @ b` as a call, which compiles faster, and ranges as what LLVM knows more of."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.MatMult):
            return node
        function = ast.Attribute(ast.Name("np", ast.Load()), "matmul", ast.Load())
        call = ast.Call(function, [node.left, node.right], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        match ast.unparse(node.iter), node.iter:
            case text, ast.Call(args=[start, last, _]) if _DOWN.fullmatch(text):
                _count(node, "downwards", start, last)
            case text, ast.Call(args=[*start, stop]) if _UP.fullmatch(text) and _has_choices(node):
                _count(node, "upwards", *(start or [ast.Constant(0)]), stop)
        return ast.fix_missing_locations(node)


def _count(loop: ast.For, name: str, *ends: ast.expr) -> None:
    """Let a loop go over a range that LLVM knows more of."""
    function = ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())
    loop.iter = ast.copy_location(ast.Call(function, [*ends], []), loop.iter)


def _has_choices(loop: ast.For) -> bool:
    """Tell whether an innermost loop chooses what to do in an iteration."""
    inside = [*map(type, (node for part in loop.body for node in ast.walk(part)))]
    return ast.If in inside and not {ast.For, ast.While, ast.Break}.intersection(inside)


def compile_now(
    function: Any, kinds: tuple[Any, ...], origin: types.FunctionType, loaded: Any = None
) -> Holder:
    """Compile a generated function for argument types, or take over its machine code.

    Args:
        function: the dispatcher.
        kinds: the types.
        origin: the function that it was generated for.
        loaded: the machine code that was kept, if any.

    Returns:
        what holds the machine code.

    Raises:
        DifferentiationError: AD901 where Numba cannot compile the text.
    """
    holder = function._cache = Holder(loaded)
    try:
        source, _ = _made_of[function.__module__]
        with uninterrupted(), measured_effort(source), quietly(NumbaPerformanceWarning):
            function.compile(kinds)
    except NumbaError as error:
        reason = f"Numba cannot compile the code generated for '{origin.__name__}': {str(error)[:600]}"
        raise DifferentiationError("AD901", reason) from error
    except BaseException:  # the next try begins with a dispatcher that nothing has happened to
        sys.modules.pop(function.__module__, None)
        raise
    return holder
