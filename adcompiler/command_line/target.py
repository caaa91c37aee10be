"""The function that is meant on a command line: `file.py:function` or `package.module:function`."""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from adcompiler.api.derivative import Derivative

_MODES = ("grad", "value_and_grad", "hvp", "jacobian", "jacfwd", "jacrev", "hessian", "primal")


class CommandError(Exception):
    """What stands on the command line cannot be carried out; the text says why."""


def find(target: str) -> tuple[Any, ModuleType]:
    """Return the function that is meant, and its module.

    Raises:
        CommandError: where there is none.

    >>> find("adcompiler.samples:recurrence")[0].__name__
    'recurrence'
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise CommandError(f"'{target}' names no function: write {_functions_of(Path(target))}")
    module = _of_file(Path(place)) if place.endswith(".py") else _of_name(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise CommandError(f"'{place}' has no function '{name}'{_similar(part, vars(found))}")
        found = getattr(found, part)
    if not callable(found):
        raise CommandError(f"'{name}' in '{place}' is of type {type(found).__name__}, not a function")
    return found, module


def _of_file(path: Path) -> ModuleType:
    if not path.is_file():
        near = [other.name for other in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise CommandError(f"there is no file '{path}'{_similar(path.name, near)}")
    folder = path.parent.resolve()
    sys.path.insert(0, str(folder))
    if (folder / "__init__.py").is_file():
        return _of_package(path.stem, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    _run(str(path), functools.partial(spec.loader.exec_module, module))
    return module


def _of_package(name: str, folder: Path) -> ModuleType:
    """Import a file that may import its neighbours by `from . import …`."""
    while (folder / "__init__.py").is_file():
        name, folder = f"{folder.name}.{name}", folder.parent
    return _of_name(name, str(folder))


def _of_name(name: str, folder: str = "") -> ModuleType:
    sys.path.insert(0, folder)
    module: ModuleType = _run(name, lambda: importlib.import_module(name))
    return module


def _run(name: str, load: Any) -> Any:
    try:
        return load()
    except Exception as error:
        raise CommandError(f"'{name}' cannot be imported: {type(error).__name__}: {error}") from error


def _functions_of(path: Path) -> str:
    """Return how the functions of a file are named on the command line, or any function if it is none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return "file.py:function or package.module:function"
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return " or ".join(f"{path}:{name}" for name in names[:4] or ["function"])


def _similar(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, [str(k) for k in known if not str(k).startswith("_")], 2)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def derivative_for(function: Any, mode: str, wrt: str, jit: bool = True) -> Derivative[..., Any]:
    """Return the derivative that is meant.

    Args:
        function: a function, or a derivative, which is taken as it is unless something else is asked for.
        mode: which derivative; empty for that of a decorated function, or else value and gradient.
        wrt: names or positions of the arguments to differentiate, separated by commas.
        jit: whether it is to be compiled.

    Raises:
        CommandError: for a mode that there is not.
    """
    if mode and mode not in _MODES:
        raise CommandError(f"'{mode}' is no derivative: one of {', '.join(_MODES)}")
    if not isinstance(function, Derivative):
        return Derivative(function, mode or "value_and_grad", _argnums(wrt) if wrt else 0, jit, {})  # type: ignore[arg-type]
    argnums = _argnums(wrt) if wrt else function.argnums
    return Derivative(function.function, mode or function.mode, argnums, jit, function.given)  # type: ignore[arg-type]


def _argnums(wrt: str) -> int | str | Sequence[Any]:
    parts: list[Any] = [int(p) if p.strip().isdigit() else p.strip() for p in wrt.split(",") if p.strip()]
    return parts[0] if len(parts) == 1 else tuple(parts)
