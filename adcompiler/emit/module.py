"""The text of generated modules, which `.source` shows."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from adcompiler.emit.write import ModuleText
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.facts import process
from adcompiler.runtime.guards import GUARDS
from adcompiler.runtime.helpers import helper_source

_ONLY_PRANGE = ", ".join(
    f"{what}=False" for what in ("comprehension", "fusion", "numpy", "reduction", "setitem", "stencil")
)
"""Numba leaves all else alone: array code that is to run at once is written as loops."""


def _is_parallel(function: str) -> bool:
    return " in prange(" in function


def decorator(options: list[str], function: str) -> str:
    """Return the decorator of a function with Numba's options, whose loops may run at once.

    >>> print(decorator(["cache=True"], "for i in prange(3):"))  # doctest: +ELLIPSIS
    @njit(
        cache=True,
        parallel=dict(comprehension=False, fusion=False, ...),
    )
    """
    if not _is_parallel(function):
        return f"@njit({', '.join(options)})"
    return "\n".join(["@njit(", f"    {', '.join(options)},", f"    parallel=dict({_ONLY_PRANGE}),", ")"])


def names_of_numba(text: ModuleText) -> list[str]:
    """Return what the functions of a module need of Numba."""
    return ["njit", *(["prange"] if any(map(_is_parallel, text.sources)) else [])]


def module_text(text: ModuleText, header: str, options: Mapping[str, Any]) -> str:
    """Return the whole text of a generated module."""
    arguments = ", ".join(f"{key}={literal(value)}" for key, value in options.items())
    imports = [name for name in ("math", "operator") if any(f"{name}." in part for part in text.sources)]
    lines = [f"# {line}" for line in header.splitlines()]
    lines += [f"import {name}" for name in imports]
    lines += ["", "import numpy as np", f"from numba import {', '.join(names_of_numba(text))}", ""]
    runtime = []
    if any("fast." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import vector_math as fast")
    if any(re.search(r"\blanes\.", part) for part in text.sources):
        runtime.append("from adcompiler.runtime import lanes")
    if any(re.search(r"\bsets\.", part) for part in text.sources):
        runtime.append("from adcompiler.runtime import sets")
    if any("factors." in part for part in text.sources):
        runtime.append("from adcompiler.runtime import factors")
    if any("special." in part for part in text.sources):
        runtime.append("from adcompiler.runtime.special import special")
    guards = sorted(
        name for name in GUARDS if any(re.search(rf"(?<![\w.]){name}\(", part) for part in text.sources)
    )
    if guards:
        runtime.append(f"from adcompiler.runtime.guards import {', '.join(guards)}")
    if any("number_of_parts(" in part for part in text.sources):
        runtime.append("from adcompiler.runtime.thread_count import number_of_parts")
    if any("add_parts(" in part for part in text.sources):
        runtime.append("from adcompiler.runtime.thread_sums import add_parts")
    lines += [*runtime, ""] if runtime else []
    lines += [f"from {module} import {name}" for name, module in text.imports.items()]
    lines += [f"# {name}: handed over by the caller" for name in text.objects]
    lines += [f"{name} = {literal(value)}" for name, value in text.constants.items()]
    for helper in text.helpers:
        lines += ["", "@njit", helper_source(helper)]
    for function in text.sources:
        lines += ["", decorator([arguments], function), function]
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
    """Return what tells a module apart from all others, of any process, by its text and what it is handed."""
    facts = [source, *(f"{key} {version}" for key, version in text.versions.items())]
    facts += [f"{key} {id(value)} {process()}" for key, value in text.objects.items()]
    return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogatepass")).hexdigest()
