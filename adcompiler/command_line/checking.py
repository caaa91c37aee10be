"""`adcompiler check`: a gradient against differences, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcompiler.api.derivative import Derivative
from adcompiler.testing import central_difference


@dataclass(frozen=True)
class Comparison:
    """One number of a gradient, and what differences say.

    Attributes:
        name: the argument, with the index of the element.
        found: the derivative.
        expected: the difference quotient.
        bound: how far they may be apart.
    """

    name: str
    found: float
    expected: float
    bound: float

    @property
    def holds(self) -> bool:
        return bool(abs(self.found - self.expected) <= self.bound)


def compared(derivative: Derivative, args: Sequence[Any], rtol: float) -> Iterator[list[Comparison]]:
    """Yield the comparisons of each argument.

    Args:
        derivative: a value and gradient.
        args: the arguments.
        rtol: the tolerance, relative to the largest derivative by each argument.

    >>> squared = Derivative(lambda x: x * x, "value_and_grad", 0, False, {})
    >>> [(part.name, part.found, part.holds) for part in next(compared(squared, (3.0,), 1e-6))]
    [('x', 6.0, True)]
    """
    bound = derivative.bound(tuple(args))
    _, gradient = derivative(*bound)
    gradients = (gradient,) if derivative.style.single else gradient
    for position, found in zip(derivative.wrt, gradients, strict=True):
        expected = central_difference(derivative.primal, bound, position)
        name = derivative.names[position]
        pairs = [*zip(_numbers(name, found), _numbers(name, expected), strict=True)]
        scale = max([1.0, *(abs(number) for _, (_, number) in pairs)])
        yield [Comparison(label, one, other, rtol * scale) for (label, one), (_, other) in pairs]


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    """Yield the numbers in a gradient, with the place of each."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(f"{name}[{key!r}]", part)
    elif isinstance(value, tuple | list):
        fields = getattr(value, "_fields", None)
        for k, part in enumerate(value):
            yield from _numbers(f"{name}.{fields[k]}" if fields else f"{name}[{k}]", part)
    elif isinstance(value, np.ndarray):
        for index, part in np.ndenumerate(value):
            yield f"{name}[{', '.join(map(str, index))}]" if index else name, float(part)
    elif value is not None:
        yield name, float(value)
