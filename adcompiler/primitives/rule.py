"""Derivative rules, as they stand on cards."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

UNKNOWN = "unknown"
"""Stands for the derivative with respect to an argument for which there is none in closed form."""

_INPUTS = {1: "x", 2: "a b", 3: "c a b"}


@dataclass(frozen=True)
class Elementwise:
    """Partial derivatives of one function, and the points at which tests compare them.

    Attributes:
        inputs: the names of its arguments in the formulas.
        partials: the derivative with respect to each; None where it is zero, or not known.
        at: points of comparison.
        unknown: positions of arguments for which no derivative is known.
        tangent: for complex arguments, the tangent of the result where it is no product with a partial.
    """

    inputs: tuple[str, ...]
    partials: tuple[ast.expr | None, ...]
    at: tuple[tuple[float, ...], ...]
    unknown: frozenset[int] = frozenset()
    tangent: ast.expr | None = None


@dataclass(frozen=True)
class Structured:
    """Vector-Jacobian product of a primitive for arguments of given ranks.

    Attributes:
        vjp: from (inputs, output, adjoint of the output) to the adjoints of the inputs.
        broadcasts: whether it returns an adjoint that is still to be stretched to the shape of the input.
    """

    vjp: Callable[..., Any]
    broadcasts: bool = False


def formula(text: str) -> ast.expr:
    """Return the tree of a formula."""
    return ast.parse(text, mode="eval").body


def partials_of(
    texts: tuple[str | None, ...], at: tuple[tuple[float, ...], ...], inputs: str | None
) -> Elementwise:
    """Return the rule that some formulas make."""
    trees = tuple(None if text is None or text == UNKNOWN else formula(text) for text in texts)
    unknown = frozenset(k for k, text in enumerate(texts) if text == UNKNOWN)
    return Elementwise(tuple((inputs or _INPUTS[len(texts)]).split()), trees, at, unknown)
