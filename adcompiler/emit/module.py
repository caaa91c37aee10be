"""Generated modules: their text, which `.source` shows, and what is made of it."""

from __future__ import annotations

import hashlib
import linecache
import math
import re
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
from numba.core.errors import NumbaError, NumbaPerformanceWarning

from adcompiler.emit.disk import writable_folder, write_at_once
from adcompiler.emit.machine_code import Holder
from adcompiler.emit.write import ModuleText
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.facts import fingerprint
from adcompiler.frontend.parse import error_model
from adcompiler.quiet import quietly
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import helper_source
from adcompiler.turns import uninterrupted

OWN_OPTIONS = ("accurate_math", "broadcasting")
_OPTIONS = ("fastmath", "parallel", "boundscheck", "nogil")
_KNOWN = (*_OPTIONS, "error_model", "inline", "forceinline", "looplift", "debug", "no_rewrites")
"""Numba's options that mean something for generated functions."""


def jit_options(function: object, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return Numba options: those of a dispatcher, then the caller's; division follows NumPy in any case.

    Raises:
        DifferentiationError: AD305 for options that there are not.
    """
    unknown = sorted(overrides.keys() - {*_KNOWN})
    if unknown:
        reason = f"there is no option {unknown[0]!r}"
        raise DifferentiationError("AD305", reason, None, f"options are {', '.join(OWN_OPTIONS + _KNOWN)}")
    taken = getattr(function, "targetoptions", {})
    found = {"error_model": "numpy"} | {key: taken[key] for key in _OPTIONS if taken.get(key)}
    return found | dict(overrides) | {"error_model": "numpy"}


def divides_like_python(function: object, overrides: Mapping[str, Any]) -> bool | None:
    """Tell whether a division by zero raises; None for a plain function, where it does in `@njit` functions.

    >>> divides_like_python(abs, {}), divides_like_python(abs, {"error_model": "python"})
    (None, True)
    """
    model = overrides.get("error_model", error_model(function))
    return None if model is None else model != "numpy"


def module_text(text: ModuleText, header: str, options: Mapping[str, Any]) -> str:
    """Return the whole text of a generated module."""
    arguments = ", ".join(f"{key}={literal(value)}" for key, value in options.items())
    imports = [name for name in ("math", "operator") if any(f"{name}." in part for part in text.sources)]
    lines = [f"# {line}" for line in header.splitlines()]
    lines += [f"import {name}" for name in imports]
    lines += ["", "import numpy as np", "from numba import njit", ""]
    runtime = []
    if any("fast." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import vector_math as fast")
    if any("factors." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import factors")
    if any("special." in part for part in text.sources):
        runtime.append("from adcompiler.runtime.special import special")
    guards = sorted(
        name for name in GUARDS if any(re.search(rf"(?<![\w.]){name}\(", part) for part in text.sources)
    )
    if guards:
        runtime.append(f"from adcompiler.runtime.guards import {', '.join(guards)}")
    lines += [*runtime, ""] if runtime else []
    lines += [f"from {module} import {name}" for name, module in text.imports.items()]
    lines += [f"# {name}: handed over by the caller" for name in handed_over(text)]
    lines += [f"{name} = {literal(value)}" for name, value in text.constants.items()]
    for helper in text.helpers:
        lines += ["", "@njit", helper_source(helper)]
    for function in text.sources:
        lines += ["", f"@njit({arguments})", function]
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Return the text of a constant, whatever its class says of itself.

    >>> literal((1, 2.5, float("inf"), "a", np.float32(0.5)))
    "(1, 2.5, float('inf'), 'a', np.float32(0.5))"
    """
    match value:
        case np.generic() if not isinstance(value, float | complex | str):
            name = {"bool": "bool_"}.get(value.dtype.name, value.dtype.name)
            return f"np.{name}({literal(value.item())})"
        case None | bool():
            return str(value)
        case int():
            return int.__repr__(value)
        case str():
            return str.__repr__(value)
        case float():
            text = float.__repr__(value)
            return text if math.isfinite(value) else f"float({text!r})"
        case complex():
            return f"complex({literal(value.real)}, {literal(value.imag)})"
        case tuple():
            return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(literal, value)))}}}"
        case dict():
            return f"{{{', '.join(f'{literal(key)}: {literal(item)}' for key, item in value.items())}}}"
    raise DifferentiationError("AD305", f"{type(value).__name__} is no value of an option")


def digest_of(source: str, text: ModuleText) -> str:
    """Return what tells a module apart from all others in this process, by its text and what it is handed."""
    digest = hashlib.sha256(source.encode())
    for key, version in text.versions.items():
        digest.update(f"{key} {version}".encode())
    for key, value in handed_over(text).items():
        digest.update(f"{key} {fingerprint(value) if isinstance(value, np.ndarray) else id(value)}".encode())
    return digest.hexdigest()


def handed_over(text: ModuleText) -> dict[str, object]:
    """Return the objects that a module's text does not define: captured arrays, and what has no address."""
    return text.objects | text.arrays


def stem_of(name: str, digest: str) -> str:
    """Return the name under which a module stands in the cache folder.

    >>> stem_of("größe_grad", 64 * "0")
    'gr__e_grad_0000000000000000'
    """
    return f"{name.encode('ascii', 'replace').decode().replace('?', '_')}_{digest[:16]}"


def load(source: str, stem: str, objects: Mapping[str, object]) -> types.ModuleType:
    """Make a module of its text, which is also written to the cache folder, for people and debuggers.

    Args:
        source: the text; what stands in the file is never run.
        stem: its name in the cache folder.
        objects: what is handed over to it.
    """
    full_name = f"adcompiler_generated_{stem}"
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
    exec(compile(source, str(path), "exec"), vars(module))
    sys.modules[full_name] = module  # now that it is whole
    return module


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
        with uninterrupted(), quietly(NumbaPerformanceWarning):  # one without parallel parts is no fault
            function.compile(kinds)
    except NumbaError as error:
        reason = f"Numba cannot compile the code generated for '{origin.__name__}': {str(error)[:600]}"
        raise DifferentiationError("AD901", reason) from error
    except BaseException:  # the next try begins with a dispatcher that nothing has happened to
        sys.modules.pop(function.__module__, None)
        raise
    return holder
