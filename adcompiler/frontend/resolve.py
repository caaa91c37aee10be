"""What a name outside the function means, and the canonical name of a primitive."""

from __future__ import annotations

import builtins
import cmath
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from adcompiler.frontend.facts import MISSING as MISSING
from adcompiler.frontend.facts import behind, looked_up
from adcompiler.frontend.seen import note_attribute, note_name
from adcompiler.graph.layout import as_plain as as_plain
from adcompiler.graph.nodes import Atom, Global, Literal
from adcompiler.primitives import CARDS, Spelling
from adcompiler.runtime.guards import times

_CANONICAL = {also: known.name for known in CARDS.values() for also in known.also.split()}
METHODS = {known.method: known.name for known in CARDS.values() if known.method}
ATTRIBUTES = {known.name for known in CARDS.values() if known.spelling is Spelling.ATTRIBUTE}

_NUMBERS: dict[type, type] = {float: np.float64, int: np.int64, bool: np.bool_, complex: np.complex128}
"""What Python's own types of numbers mean as the type of an array: compiled code knows few of them there."""

PYTHON_SPECIAL = ("zeta", "polygamma", "logsumexp", "softmax", "log_softmax")
"""Functions of `scipy.special` that are written in Python."""
MATRIX_FUNCTIONS = ("expm", "sqrtm", "logm")


def lookup(function: types.FunctionType, name: str) -> object:
    """Return what a free name of the function stands for, or `MISSING`."""
    found = looked_up(function, name)
    note_name(function, name, found)
    return found


def attribute(owner: object, name: str) -> object:
    """Return an attribute of a captured object, or `MISSING`."""
    found = getattr(owner, name, MISSING)
    note_attribute(owner, name, found)
    return found


def primitive(function: object) -> str | None:
    """Return the canonical name of a builtin, math or NumPy function, or None.

    >>> primitive(math.tanh), primitive(np.tanh), primitive(np.transpose), primitive(len)
    ('math.tanh', 'np.tanh', 'T', 'len')
    """
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return None
    if isinstance(owner := getattr(function, "__self__", None), np.ufunc):
        return f"np.{owner.__name__}.{name}"
    if getattr(builtins, name, MISSING) is function:
        return name
    if getattr(math, name, MISSING) is function:
        return _CANONICAL.get(f"math.{name}", f"math.{name}")
    if getattr(cmath, name, MISSING) is function:
        return f"cmath.{name}"
    if function is times:
        return name
    if name == "prange" and getattr(function, "__module__", "").startswith("numba"):
        return _CANONICAL["numba.prange"]
    module = str(getattr(function, "__module__", None) or "numpy")
    for path in (module, "numpy"):
        if path.split(".")[0] == "numpy":
            home = _numpy_home(path, name, function)
            if home is not None:
                return _CANONICAL.get(home, home)
    if module == "adcompiler.runtime.plain_factors":
        return f"factors.{name}"
    if module == "adcompiler.definitions.common":
        return f"common.{name}"
    return _scipy_name(function, name, module)


def _scipy_name(function: object, name: str, module: str) -> str | None:
    if name in MATRIX_FUNCTIONS and module.startswith("scipy.linalg"):
        return f"linalg.{name}"
    special = sys.modules.get("scipy.special")
    is_special = special is not None and getattr(special, name, MISSING) is function
    return f"special.{name}" if is_special and not _has_source(function, name) else None


def _has_source(function: object, name: str) -> bool:
    """Tell whether a function of SciPy is followed into its source rather than known by its name."""
    return isinstance(function, types.FunctionType) and name not in PYTHON_SPECIAL


def _numpy_home(path: str, name: str, function: object) -> str | None:
    owner: Any = np
    for part in path.split(".")[1:]:
        owner = getattr(owner, part, None)
    if getattr(owner, name, MISSING) is not function:
        return None
    return path.replace("numpy", "np", 1) + f".{name}"


def constant(name: str, value: object) -> Atom:
    """Return the atom for a captured object: numbers become text, all else keeps its name."""
    if isinstance(value, np.bool_):
        return Literal(bool(value))
    if isinstance(value, np.float64):
        return Literal(float(value))
    if isinstance(value, np.int64):
        return Literal(int(value))
    if isinstance(value, complex):
        return Literal(complex(value))
    if value is None or isinstance(value, bool):
        return Literal(value)
    if isinstance(value, type) and value in _NUMBERS:
        value = _NUMBERS[value]
    if isinstance(value, int | float | str):
        return Literal(as_plain(value))
    if isinstance(value, type) and issubclass(value, np.generic):
        return Global("np.bool_" if value is np.bool_ else f"np.{value.__name__}", value)
    return Global(name, value)


def is_followed(function: object) -> bool:
    """Tell whether a callable has Python source that the frontend can go into."""
    return isinstance(behind(function), types.FunctionType)


def makes_derivatives(function: object) -> bool:
    """Tell whether a function is one of this package that makes derivatives: `grad`, `vjp` and the like."""
    module = str(getattr(function, "__module__", None))
    is_here = module.startswith("adcompiler.api.") or module == "adcompiler.custom"
    return is_here and isinstance(function, types.FunctionType) and "<" not in function.__qualname__


def unwrap(function: Callable[..., Any]) -> types.FunctionType:
    """Return the Python function of a dispatcher or function."""
    plain = behind(function)
    assert isinstance(plain, types.FunctionType)
    return plain
