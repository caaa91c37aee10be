"""The table of rules: one line for an elementwise function, one small function for a structured one.

An elementwise rule gives the partial derivative for each argument as Python source over the inputs
(`x`, or `a` and `b`) and the output `y`. A structured rule is a function in the language that users write,
from (inputs, output, adjoint of the output) to the adjoints of the inputs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Elementwise:
    """Partial derivatives of one function, and the points at which tests compare them."""

    inputs: tuple[str, ...]
    partials: tuple[ast.expr | None, ...]
    at: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Structured:
    """Vector-Jacobian product of a primitive for arguments of given ranks."""

    vjp: Callable[..., Any]
    broadcasts: bool = False


ELEMENTWISE: dict[str, Elementwise] = {}
STRUCTURED: dict[tuple[str, tuple[int, ...], int | None], Structured] = {}
CONSTANT: set[str] = set()

_INPUTS = {1: ("x",), 2: ("a", "b"), 3: ("c", "a", "b")}


def elementwise(names: str, *partials: str | None, at: tuple[tuple[float, ...], ...]) -> None:
    """Enter an elementwise rule.

    Args:
        names: canonical names that share the rule, separated by spaces.
        partials: source of ∂y/∂input for each input; None where there is no derivative.
        at: points (one tuple of inputs each) at which tests compare with differences.
    """
    trees = tuple(None if text is None else ast.parse(text, mode="eval").body for text in partials)
    rule = Elementwise(_INPUTS[len(partials)], trees, at)
    for name in names.split():
        assert name not in ELEMENTWISE, f"two rules for {name}"
        ELEMENTWISE[name] = rule


def structured(
    names: str, *ranks: int, axis: int | None = None, broadcasts: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a structured rule for arguments of these ranks (number of axes; 0 is a scalar).

    Args:
        names: canonical names that share the rule, separated by spaces.
        ranks: number of axes of each array argument.
        axis: the value of the `axis` argument that the rule is for.
        broadcasts: the rule returns an adjoint that broadcasts to the shape of the input.
    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names.split():
            STRUCTURED[name, ranks, axis] = Structured(function, broadcasts)
        return function

    return enter


def constant(names: str) -> None:
    """Enter primitives whose result carries no derivative (piecewise constant, or integer)."""
    CONSTANT.update(names.split())
