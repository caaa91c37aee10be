"""What a dispatcher says of itself: the function behind it, and the options that it was made with."""

from __future__ import annotations

import difflib
import keyword
import re
import types
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba.np.ufunc.dufunc import DUFunc

from adcompiler.custom import CustomFunction
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.facts import behind

OWN_OPTIONS = (
    "accurate_math",
    "broadcasting",
    "debug_nans",
    "wide_sums",
    "checkpoints",
    "memory",
    "workspace",
)
_OPTIONS = ("fastmath", "parallel", "boundscheck", "nogil")
_KNOWN = (*_OPTIONS, "error_model", "inline", "forceinline", "looplift", "debug", "no_rewrites")
"""Numba's options that mean something for generated functions."""


def python_function(function: Callable[..., Any]) -> types.FunctionType:
    """Return the plain Python function behind a function or an `@njit` dispatcher.

    Raises:
        DifferentiationError: AD001 for anything else, such as a builtin or a class.
    """
    function = function.function if isinstance(function, CustomFunction) else function
    function = behind(function)
    if not isinstance(function, types.FunctionType):
        raise DifferentiationError("AD001", f"{function!r} is not a Python function", None, _cure(function))
    return function


def _cure(function: Any) -> str:
    """Return what to differentiate in place of what has no text."""
    name, call = getattr(function, "__name__", "f"), "write a function that calls it: lambda"
    match function:
        case np.ufunc():
            given = ", ".join("xyzuvw"[: function.nin])
            return f"{call} {given}: np.{name}({given})"
        case types.BuiltinFunctionType():
            home = "" if function.__module__ == "builtins" else f"{function.__module__}."
            return f"{call} x: {home}{name}(x)"
        case types.MethodType():
            owner = f"{type(function.__self__).__name__}.{name}"
            return f"write a function of what it reads; of a dataclass, grad({owner}, argnums=1)"
        case type():
            return f"{call} x: … {name}(…) …"
        case DUFunc():
            given = ", ".join("xyzuvw"[: function.nin])
            return f"{call} {given}: np.sum({name}({given}))"
        case _ if callable(function):
            return "write a function of what the object reads"
    return "pass the function itself, and call what is returned: grad(f)(x)"


def error_model(function: object) -> str | None:
    """Return how a dispatcher says that it divides by zero, "" if it does not; None for a plain function.

    >>> from numba import njit
    >>> error_model(abs), error_model(njit(lambda x: x)), error_model(njit(error_model="numpy")(lambda x: x))
    (None, '', 'numpy')
    """
    options = getattr(function, "targetoptions", None)
    return None if options is None else str(options.get("error_model", ""))


def jit_options(function: object, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return Numba options: those of a dispatcher, then the caller's; division follows NumPy in any case.

    Raises:
        DifferentiationError: AD305 for options that there are not.
    """
    unknown = sorted(overrides.keys() - {*_KNOWN})
    if unknown:
        reason = f"there is no option {unknown[0]!r}"
        known = ("argnums", "jit", "has_aux", "holomorphic", *OWN_OPTIONS, *_KNOWN)
        others = [option for option in known if option != unknown[0]]
        near = (
            difflib.get_close_matches(unknown[0], others, 1)
            or ["argnums"][: unknown[0] in ("wrt", "argnames")]
        )
        cure = f"did you mean {near[0]}?" if near else f"options are {', '.join(others)}"
        raise DifferentiationError("AD305", reason, None, cure)
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


def name_of(function: Callable[..., Any]) -> str:
    """Return the name under which a function stands in generated code: an identifier of bounded length.

    >>> name_of(lambda x: x)
    'lambda_'
    """
    name = unicodedata.normalize("NFKC", function.__name__.replace("<lambda>", "lambda_"))
    name = re.sub(r"\W", "_", name)[:60]
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"function_{name}"
