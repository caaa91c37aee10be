"""Directional derivatives of a program's own text, independent of the compiler.

The program runs once with numbers `value + tangent * STEP * 1j`. STEP is so small that its square vanishes
beside one, hence imaginary parts are exactly the tangents of dual numbers. Arrays are NumPy's, so that views
and aliases are what they are in the program. Comparisons of NumPy's complex numbers look at real parts first.
`numpy`, `math` and some builtins are replaced by versions that know of this.
"""

from __future__ import annotations

import builtins
import cmath
import math
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

STEP = 1e-40
OWN = np.complex128


def is_dual(value: Any) -> bool:
    return np.iscomplexobj(value)


def primal(value: Any) -> Any:
    """Return the value without its tangent."""
    return np.real(value) if is_dual(value) else value


def lift(value: Any) -> Any:
    """Return floating-point arrays as arrays that can hold tangents, others as they are."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(OWN)
    return value


def smooth(real: Callable[..., Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of one argument with its derivative written out."""

    def function(value: Any) -> Any:
        if not is_dual(value):
            return real(value)
        at = np.real(value)
        return (
            OWN(real(at) + 1j * slope(at) * np.imag(value))
            if np.ndim(value) == 0
            else real(at) + 1j * (slope(at) * np.imag(value))
        )

    return function


def flat(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that sees the values only: it is piecewise constant."""
    return lambda *values, **options: real(*(primal(value) for value in values), **options)


def chosen(left: Any, right: Any, takes_left: Any) -> Any:
    result = np.where(takes_left, left, right)
    return result[()] if np.ndim(result) == 0 else result


def maximum(left: Any, right: Any) -> Any:
    return chosen(left, right, primal(left) >= primal(right))


def minimum(left: Any, right: Any) -> Any:
    return chosen(left, right, primal(left) <= primal(right))


def absolute(value: Any) -> Any:
    if not is_dual(value):
        return np.abs(value)
    return value * np.sign(np.real(value))


def own_abs(value: Any) -> Any:
    return absolute(value) if is_dual(value) else abs(value)


def clip(value: Any, low: Any, high: Any) -> Any:
    return minimum(maximum(value, low), high)


def hypot(one: Any, two: Any) -> Any:
    return np.sqrt(one * one + two * two) if is_dual(one) or is_dual(two) else np.hypot(one, two)


def arctan2(one: Any, two: Any) -> Any:
    angle = np.arctan2(primal(one), primal(two))
    square = primal(one) ** 2 + primal(two) ** 2
    return angle + 1j * (primal(two) * np.imag(one) - primal(one) * np.imag(two)) / square


def var(values: Any, axis: int | None = None) -> Any:
    return np.mean((values - np.mean(values, axis=axis, keepdims=True)) ** 2, axis=axis)


def norm(values: Any) -> Any:
    return np.sqrt(np.sum(values * values))


def cholesky(matrix: Any) -> Any:
    """Return the lower factor; NumPy's own would conjugate."""
    n = len(matrix)
    factor = np.zeros((n, n), OWN)
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - np.sum(factor[i, :j] * factor[j, :j])
            factor[i, j] = np.sqrt(rest) if i == j else rest / factor[j, j]
    return factor


def allocating(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of NumPy that makes arrays which can hold tangents."""
    return lambda *values, **options: lift(function(*values, **options))


def interp(at: Any, knots: Any, values: Any) -> Any:
    """Interpolate linearly between increasing knots."""
    k = np.clip(np.searchsorted(primal(knots), primal(at), side="right") - 1, 0, len(knots) - 2)
    slope = (values[k + 1] - values[k]) / (knots[k + 1] - knots[k])
    inside = values[k] + slope * (at - knots[k])
    low = np.where(primal(at) < primal(knots)[0], values[0], inside)
    result = np.where(primal(at) > primal(knots)[-1], values[-1], low)
    return result[()] if np.ndim(result) == 0 else result


class Module:
    """A module of which some names are replaced."""

    def __init__(self, origin: Any, names: dict[str, Any]) -> None:
        self._origin = origin
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._origin, name)


def complex_or_real(name: str) -> Callable[[Any], Any]:
    """Return a function of `math` that takes dual numbers, too."""
    real, other = getattr(math, name), getattr(cmath, name)
    return lambda value: OWN(other(complex(value))) if is_dual(value) else real(value)


def linear_algebra() -> Module:
    return Module(np.linalg, {"norm": norm, "cholesky": cholesky})


def numpy_module() -> Module:
    made = (
        "zeros empty ones full array eye identity linspace "
        "zeros_like empty_like ones_like full_like asarray diag"
    )
    names: dict[str, Any] = {name: allocating(getattr(np, name)) for name in made.split()}
    names |= {
        name: flat(getattr(np, name)) for name in "floor ceil rint sign argsort searchsorted isnan".split()
    }
    names |= {name: flat(getattr(np, name)) for name in "argmax argmin count_nonzero isfinite".split()}
    names |= {"maximum": maximum, "minimum": minimum, "abs": absolute, "absolute": absolute, "fabs": absolute}
    names |= {"clip": clip, "hypot": hypot, "arctan2": arctan2, "var": var, "interp": interp}
    names |= {"std": lambda values: np.sqrt(var(values)), "linalg": linear_algebra()}
    names |= {"arctan": smooth(np.arctan, lambda at: 1.0 / (1.0 + at * at))}
    names |= {"logaddexp": lambda one, two: maximum(one, two) + np.log1p(np.exp(-absolute(one - two)))}
    names |= {"float64": lambda value: value, "arange": allocating(np.arange)}
    return Module(np, names)


def math_module() -> Module:
    both = "exp log sqrt sin cos tan tanh sinh cosh asin acos atan log10".split()
    names: dict[str, Any] = {name: complex_or_real(name) for name in both}
    names |= {"floor": flat(math.floor), "ceil": flat(math.ceil), "fabs": own_abs, "isnan": flat(math.isnan)}
    names |= {"hypot": hypot, "atan2": arctan2, "pow": lambda base, power: base**power}
    names |= {"log1p": np.log1p, "expm1": np.expm1, "isfinite": flat(math.isfinite)}
    error = smooth(math.erf, lambda at: 2.0 / math.sqrt(math.pi) * math.exp(-at * at))
    return Module(math, names | {"erf": error})


def own_max(*values: Any) -> Any:
    return max(*values, key=primal)


def own_min(*values: Any) -> Any:
    return min(*values, key=primal)


def own_float(value: Any) -> Any:
    return value if is_dual(value) else float(value)


def importing(modules: dict[str, Any]) -> Callable[..., Any]:
    """Return an import statement that finds the replaced modules."""

    def find(name: str, *rest: Any) -> Any:
        return modules[name] if name in modules else builtins.__import__(name, *rest)

    return find


def namespace() -> dict[str, Any]:
    """Return the global names in which a program runs on dual numbers."""
    same = types.SimpleNamespace(njit=lambda *f, **_: f[0] if f else (lambda g: g))
    modules = {"numpy": numpy_module(), "math": math_module(), "numba": same}
    own = dict(vars(builtins)) | {"__import__": importing(modules), "abs": own_abs, "float": own_float}
    own |= {"max": own_max, "min": own_min, "int": flat(int), "round": flat(round)}
    return {"__builtins__": own, "__name__": "program_on_duals"}


def seeded(argument: Any, direction: Any) -> Any:
    """Return an argument with its tangent."""
    return (
        OWN(argument + 1j * STEP * direction) if np.ndim(argument) == 0 else argument + 1j * STEP * direction
    )


def directional(source: str, args: Sequence[Any], directions: Sequence[Any]) -> tuple[float, float]:
    """Return the value of the text's function `program` and its derivative along a direction."""
    names = namespace()
    exec(compile(source, "<program on duals>", "exec"), names)
    duals = [seeded(argument, direction) for argument, direction in zip(args, directions, strict=True)]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        result = names["program"](*duals)
    return float(np.real(result)), float(np.imag(result)) / STEP
