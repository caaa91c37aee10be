"""`derivative.check(*args)`: a gradient against complex steps or differences, element by element."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adcompiler.api.differences import central_difference, complex_step
from adcompiler.api.explaining import typed_primal
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.dispatchers import name_of
from adcompiler.turns import importing, in_turn

if TYPE_CHECKING:
    from adcompiler.api.faulty_line import Fault
    from adcompiler.graph.nodes import Graph

_SHOWN = 5
"""How many elements of an argument are shown, those with the largest errors."""


@dataclass(frozen=True)
class Comparison:
    """One number of a gradient, and what is expected.

    Attributes:
        name: the argument, with the index of the element.
        found: the derivative.
        expected: the complex step, or the difference quotient.
        bound: how far they may be apart.
    """

    name: str
    found: float
    expected: float
    bound: float

    @property
    def holds(self) -> bool:
        same = self.found == self.expected or (math.isnan(self.found) and math.isnan(self.expected))
        return same or abs(self.found - self.expected) <= self.bound

    @property
    def row(self) -> tuple[str, ...]:
        """Name, derivative, what is expected, error and verdict, as text."""
        error = f"{abs(self.found - self.expected):.1e}"
        verdict = "pass" if self.holds else "FAIL"
        return self.name, f"{self.found:.8g}", f"{self.expected:.8g}", error, verdict


@dataclass(frozen=True)
class Check:
    """How a gradient compares; it is true if all of it agrees, and prints as a table.

    Attributes:
        function: name of the function.
        method: what the gradient was compared with: `"complex steps"` or `"differences"`.
        arguments: the comparisons by each argument.
        fault: the first primitive whose derivative, taken alone, is off; None if there is none.
        value: what the function returns.
    """

    function: str
    method: str
    arguments: tuple[tuple[Comparison, ...], ...]
    fault: Fault | None = None
    value: float = 0.0

    @property
    def failed(self) -> list[Comparison]:
        return [part for parts in self.arguments for part in parts if not part.holds]

    @property
    def count(self) -> int:
        return sum(map(len, self.arguments))

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The largest errors by each argument."""
        chosen = (sorted(parts, key=lambda part: (part.holds, _order(part))) for parts in self.arguments)
        return [part.row for parts in chosen for part in parts[:_SHOWN]]

    @property
    def columns(self) -> tuple[str, ...]:
        return "element", "derivative", self.method.removesuffix("s"), "error", "verdict"

    @property
    def summary(self) -> str:
        """How many agree, and where the fault is."""
        text = f"{self.count - len(self.failed)} of {self.count} derivatives agree with {self.method}"
        if self.fault is not None:
            return f"{text}\nthe first line that is off: {self.fault}"
        if not math.isfinite(self.value):
            return f"{text}\nthe function itself is {self.value} here: debug_nans=True says from where on"
        if self.failed:
            text += "\nno line, taken alone, is off: is the function differentiable at this point?"
        return text

    def __bool__(self) -> bool:
        return self.count > 0 and not self.failed

    def __str__(self) -> str:
        table = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            f"{row[0]:<{widths[0]}}  "
            + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in table
        ]
        return "\n".join(
            [f"{self.function.rstrip('_')}: the largest errors by each argument", *lines, self.summary]
        )

    __repr__ = __str__


def _order(part: Comparison) -> float:
    error = abs(part.found - part.expected)
    return -math.inf if math.isnan(error) else -error


@in_turn
def check(derivative: Any, /, *args: Any, rtol: float = 1e-5, **keywords: Any) -> Check:
    """Compare the gradient with complex steps, or where the function allows none, with differences.

    Args:
        derivative: a gradient, or value and gradient.
        *args: the arguments of the function.
        rtol: tolerance, relative to the largest derivative by each argument.
        **keywords: arguments by name.

    Returns:
        what agrees, element by element. Where something does not, each primitive that ran is differentiated
        alone, and the first one that is off is named with its line.

    Raises:
        DifferentiationError: AD305 for another derivative than a gradient.

    >>> from adcompiler import grad
    >>> f = grad(lambda x, k: k * x * x, argnums=("x", "k"))
    >>> print(f.check(3.0, 2.0))
    lambda: the largest errors by each argument
    element  derivative  complex step    error  verdict
    x                12            12  0.0e+00     pass
    k                 9             9  0.0e+00     pass
    2 of 2 derivatives agree with complex steps
    """
    if derivative.mode not in ("grad", "value_and_grad"):
        cure = "check the gradient of the function, or of a number made of what this returns"
        raise DifferentiationError("AD305", f"{derivative.mode} is no gradient to check", None, cure)
    bound = derivative.bound(args, keywords)
    found = derivative(*bound)
    if derivative.mode == "value_and_grad":
        found = found[1]
    elif derivative.has_aux:
        found = found[0]
    primal, inputs = typed_primal(derivative, bound)
    method, expected = _expected(derivative, bound, primal)
    gradients = (found,) if derivative.style.single else found
    value = float(_scalar(derivative)(*bound))
    noise = (1e-13 if method == "complex steps" else 1e-10) * abs(value)
    pairs = zip(derivative.wrt, gradients, expected, strict=True)
    parts = tuple(_compared(derivative.names[k], one, other, rtol, noise) for k, one, other in pairs)
    result = Check(name_of(derivative.python), method, parts, value=value)
    return replace(result, fault=_fault(primal, inputs, rtol)) if result.failed else result


def _compared(name: str, found: Any, expected: Any, rtol: float, noise: float) -> tuple[Comparison, ...]:
    """Return the comparisons by one argument."""
    pairs = [*zip(_numbers(name, found), _numbers(name, expected), strict=True)]
    scale = max([0.0, *(abs(number) for _, (_, number) in pairs if math.isfinite(number))])
    bound = rtol * scale + noise
    return tuple(Comparison(label, one, other, bound) for (label, one), (_, other) in pairs)


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers in a gradient, with the place of each; complex ones by real and imaginary part."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(f"{name}[{key!r}]", part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _numbers(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, tuple | list):
        own = getattr(value, "_fields", None)
        for k, part in enumerate(value):
            yield from _numbers(f"{name}.{own[k]}" if own else f"{name}[{k}]", part)
    elif isinstance(value, np.ndarray):
        for index, part in np.ndenumerate(value):
            yield from _numbers(f"{name}[{', '.join(map(str, index))}]" if index else name, part)
    elif isinstance(value, complex | np.complexfloating):
        yield f"{name}.real", float(value.real)
        yield f"{name}.imag", -float(value.imag)
    elif value is not None:
        yield name, float(value)


# what is expected


def _scalar(derivative: Any) -> Callable[..., Any]:
    """Return the function that is differentiated, compiled, and without auxiliary values.

    The derivative of a holomorphic function is that of its real part.
    """
    function = derivative.primal if derivative.inner is None else derivative.inner
    if not derivative.has_aux and not derivative.holomorphic:
        scalar: Callable[..., Any] = function
        return scalar
    return lambda *args: np.real(function(*args)[0] if derivative.has_aux else function(*args))


def _expected(derivative: Any, args: Sequence[Any], primal: Graph) -> tuple[str, list[Any]]:
    """Return how the derivatives by each argument were found, and these."""
    with importing():
        from adcompiler.api.analytic import is_analytic

    if derivative.inner is None and is_analytic(primal):
        try:
            found = [_by_complex_steps(derivative, args, k) for k in derivative.wrt]
        except Exception:  # something in it takes no complex numbers
            found = [math.nan]
        if all(math.isfinite(number) for part in found for _, number in _numbers("", part)):
            return "complex steps", found
    function = _scalar(derivative)
    return "differences", [central_difference(function, args, k) for k in derivative.wrt]


def _by_complex_steps(derivative: Any, args: Sequence[Any], position: int) -> Any:
    with importing():
        from adcompiler.emit.plain import numpy_math

    python = derivative.python
    scope = {name: numpy_math() if value is math else value for name, value in python.__globals__.items()}
    made = types.FunctionType(python.__code__, scope, python.__name__, None, python.__closure__)
    with np.errstate(all="ignore"):
        if derivative.has_aux:
            return complex_step(lambda *given: made(*given)[0], args, position)
        return complex_step(made, args, position)


def _fault(primal: Graph, inputs: Sequence[Any], rtol: float) -> Fault | None:
    with importing():
        from adcompiler.api.faulty_line import faulty_line

    with np.errstate(all="ignore"):
        return faulty_line(primal, inputs, rtol)
