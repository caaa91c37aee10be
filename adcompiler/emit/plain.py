"""Generated modules as plain Python, with the meaning that they have when compiled."""

from __future__ import annotations

import ast
import functools
import math
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from adcompiler.errors import DifferentiationError
from adcompiler.primitives import CARDS, card, library_function
from adcompiler.runtime.vector_math import UNCOMPILED

_Function = Callable[[Any, Any], Any]
_ARITHMETIC: dict[type[ast.operator], tuple[str, _Function, _Function]] = {
    ast.Div: ("divided_by", lambda a, b: a / b, np.true_divide),
    ast.FloorDiv: ("whole_times", lambda a, b: a // b, np.floor_divide),
    ast.Mod: ("remainder_by", lambda a, b: a % b, np.remainder),
    ast.Pow: ("to_the_power", lambda a, b: a**b, np.power),
}


def uncompiled(module: types.ModuleType, name: str) -> Any:
    """Return a function of a generated module as plain Python, its helpers likewise.

    Args:
        module: the module.
        name: the function's name.

    Raises:
        DifferentiationError: AD102 where it calls what only compiled code can call.
    """
    for key, value in vars(module).items():
        if hasattr(value, "__wrapper_address__") and not callable(value):
            reason = f"'{key}' can be called by compiled code only"
            raise DifferentiationError("AD102", reason, None, "leave jit=False out")
    namespace = dict(vars(module)) | {"np": _NumPy("numpy"), "math": numpy_math(), "fast": UNCOMPILED}
    for key, value in vars(module).items():
        if hasattr(value, "py_func") and value.py_func.__module__ != module.__name__:
            namespace[key] = value.py_func
        elif isinstance(value, np.ndarray):
            namespace[key] = with_fields(value)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for function in functions:
        function.decorator_list = []
    for key, plain, ufunc in _ARITHMETIC.values():
        namespace[f"_{key}"] = _forgiving(plain, ufunc)
    made = ast.fix_missing_locations(_Arithmetic().visit(ast.Module([*functions], [])))
    exec(compile(made, module.__file__, "exec"), namespace)
    return namespace[name]


def with_fields(value: Any) -> Any:
    """Return a value whose records, if it holds any, have their fields as attributes, as in compiled code.

    >>> records = np.array([(1.0, 2)], dtype=[("mass", float), ("charge", int)])
    >>> float(with_fields(records)[0].mass)
    1.0
    """
    if isinstance(value, tuple):
        parts = [*map(with_fields, value)]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, np.ndarray) and value.dtype.names and not isinstance(value, np.recarray):
        return value.view(np.recarray)
    if isinstance(value, np.void) and value.dtype.names and not isinstance(value, np.record):
        return np.array(value).view(np.recarray)[()]
    return np.float64(value) if type(value) is float else value


class _NumPy(types.ModuleType):
    """NumPy, but `np.diag` of a matrix is a copy, as in compiled code."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def diag(v: Any, k: int = 0) -> Any:
        return np.diag(v, k).copy()


@functools.cache
def numpy_math() -> types.SimpleNamespace:
    """Return the math module with NumPy's error model: infinity and NaN instead of exceptions."""
    functions: dict[str, Any] = dict(vars(math))
    for name, function in functions.items():
        if callable(function) and not card(f"math.{name}").is_constant:
            functions[name] = _without_errors(function)
        same = card(f"math.{name}").partials
        for other in CARDS.values():
            known = library_function(other.name) if other.name.startswith("np.") else None
            if same is not None and other.partials is same and known is not None:
                functions[name] = known
    return types.SimpleNamespace(**functions)


def _without_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except ValueError:
            return np.nan
        except OverflowError:
            return np.inf

    return call


def _forgiving(plain: _Function, ufunc: _Function) -> _Function:
    def apply(a: Any, b: Any) -> Any:
        try:
            found = plain(a, b)
        except (ZeroDivisionError, OverflowError):
            is_whole = isinstance(a, int) and isinstance(b, int) and ufunc is not np.power
            return ufunc(a, b) if is_whole else ufunc(*map(_as_float, (a, b)))
        if isinstance(found, complex) and not (isinstance(a, complex) or isinstance(b, complex)):
            return np.nan  # a root of a negative number, which Python makes a complex one
        return found

    return apply


def _as_float(value: Any) -> Any:
    return value if isinstance(value, complex | np.ndarray | np.generic) else np.float64(value)


class _Arithmetic(ast.NodeTransformer):
    """Writes divisions and powers as calls, whose error model is that of compiled code."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return self._call(node, node.op, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) not in _ARITHMETIC or not isinstance(node.target, ast.Name):
            return node
        value = self._call(node, node.op, ast.Name(node.target.id, ast.Load()), node.value)
        assert isinstance(value, ast.expr)
        return ast.copy_location(ast.Assign([node.target], value), node)

    def _call(self, node: ast.AST, op: ast.operator, left: ast.expr, right: ast.expr) -> ast.AST:
        if type(op) not in _ARITHMETIC:
            return node
        name, *_ = _ARITHMETIC[type(op)]
        return ast.copy_location(ast.Call(ast.Name(f"_{name}", ast.Load()), [left, right], []), node)
