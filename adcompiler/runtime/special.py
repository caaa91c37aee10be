"""SciPy's special functions inside compiled code: each is called where SciPy's Cython interface keeps it.

Importing this module teaches Numba the functions of `scipy.special` that work on real numbers one by one.
Their addresses are entered as symbols of the linker, so that compiled code can be kept on disk.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from numba import njit, types, vectorize
from numba.extending import get_cython_function_address, overload
from scipy import special
from scipy.special import cython_special

_capsule_name = ctypes.pythonapi.PyCapsule_GetName
_capsule_name.restype, _capsule_name.argtypes = ctypes.c_char_p, [ctypes.py_object]


def _signatures() -> dict[str, tuple[str, int]]:
    """Return the name in the Cython interface, and the number of arguments, of each function of numbers."""
    found: dict[str, tuple[str, int]] = {}
    for symbol, capsule in cython_special.__pyx_capi__.items():
        name = symbol.split("__pyx_fuse_")[-1]
        name = name.lstrip("0123456789_") if name != symbol else name
        result, _, arguments = _capsule_name(capsule).decode().partition(" (")
        kinds = [kind.strip() for kind in arguments.rstrip(")").split(",")]
        is_real = result == "double" and kinds[-1].startswith("int") and set(kinds[:-1]) == {"double"}
        if is_real and isinstance(getattr(special, name, None), special.gammaln.__class__):
            found[name] = symbol, len(kinds) - 1
    return found


def _of_numbers(name: str, symbol: str, count: int) -> Any:
    """Return the compiled function of an entry, for numbers."""
    linked = f"scipy_special_{name}"
    llvm.add_symbol(linked, get_cython_function_address("scipy.special.cython_special", symbol))
    return types.ExternalFunction(linked, types.float64(*[types.float64] * count, types.int32))


def _call(function: Any, count: int) -> Callable[..., Any]:
    """Return a Python function that calls the compiled one."""
    match count:
        case 1:
            return lambda x: function(x, 0)
        case 2:
            return lambda a, b: function(a, b, 0)
        case 3:
            return lambda a, b, c: function(a, b, c, 0)
        case _:
            return lambda a, b, c, d: function(a, b, c, d, 0)


def _register(name: str, symbol: str, count: int) -> None:
    call = _call(_of_numbers(name, symbol, count), count)
    over_arrays: list[Any] = []

    def choose(*kinds: Any) -> Callable[..., Any] | None:
        if len(kinds) != count:
            return None
        if not any(isinstance(kind, types.Array) for kind in kinds):
            return call if all(isinstance(kind, types.Number | types.Boolean) for kind in kinds) else None
        if not over_arrays:
            over_arrays.append(vectorize(call))
        return _call_arrays(over_arrays[0], count)

    overload(getattr(special, name))(_with_arity(choose, count))


def _call_arrays(function: Any, count: int) -> Callable[..., Any]:
    match count:
        case 1:
            return lambda x: function(x)
        case 2:
            return lambda a, b: function(a, b)
        case 3:
            return lambda a, b, c: function(a, b, c)
        case _:
            return lambda a, b, c, d: function(a, b, c, d)


def _with_arity(choose: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Numba compares the names of an overload's arguments with those of what it returns."""
    return _call_arrays(choose, count)


_BERNOULLI = (  # B(2k) / (2k)!
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
)


def _zeta(s, q):
    """Return the Hurwitz zeta function, which SciPy keeps for itself, by Euler-Maclaurin summation.

    Terms are added one by one until q is large; the rest is given by an asymptotic series (DLMF 25.11.43).
    """
    if s <= 1.0 or (q <= 0.0 and q == math.floor(q)):
        return math.inf if s >= 1.0 else math.nan
    total = 0.0
    while q < 10.0 + s:
        total += q ** int(-s) if s == math.floor(s) else q**-s
        q += 1.0
    total += q ** (1.0 - s) / (s - 1.0) + 0.5 * q**-s
    factor = s * q ** (-s - 1.0)
    for k, weight in enumerate(_BERNOULLI):
        total += weight * factor
        factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (q * q)
    return total


def _register_zeta() -> None:
    compiled = njit(cache=True)(_zeta)
    over_arrays = vectorize(_zeta)

    @overload(special.zeta)
    def choose(x, q):
        if isinstance(x, types.Array) or isinstance(q, types.Array):
            return lambda x, q: over_arrays(x, q)
        return lambda x, q: compiled(x, q)


REAL = _signatures()
for _name, (_symbol, _count) in REAL.items():
    _register(_name, _symbol, _count)
_register_zeta()
