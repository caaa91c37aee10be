"""The table of rules: one line for an elementwise function, one small function for a structured one.

An elementwise rule gives the partial derivative for each argument as Python source over the inputs
(`x`, or `a` and `b`) and the output `y`; reverse and forward mode both read it. A structured rule is a
function in the language that users write, from (inputs, output, adjoint of the output) to the adjoints of the
inputs. In forward mode, linear functions are applied to the tangents of their inputs; the others have a
second function, from (inputs, output, tangents of the inputs) to the part of the output's tangent that comes
from each.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
    """Vector-Jacobian product of a primitive for arguments of given ranks."""

    vjp: Callable[..., Any]
    broadcasts: bool = False


ELEMENTWISE: dict[str, Elementwise] = {}
COMPLEX: dict[str, Elementwise] = {}
"""The rules of functions that are not analytic, for complex arguments."""
ANALYTIC: set[str] = set()
"""Functions whose rules hold for complex numbers as they are."""
STRUCTURED: dict[tuple[str, tuple[int, ...], int | None], Structured] = {}
LINEAR: set[str] = set()
"""Functions that are linear in each argument that carries a derivative, the others held fixed."""
TANGENTS: dict[tuple[str, tuple[int, ...]], Callable[..., Any]] = {}
"""The Jacobian-vector products of all other structured functions."""
CONSTANT: set[str] = set()

_INPUTS = {1: "x", 2: "a b", 3: "c a b"}
UNKNOWN = "unknown"
"""Stands for the derivative with respect to an argument for which there is none in closed form."""


def elementwise(
    names: str, *partials: str | None, at: tuple[tuple[float, ...], ...], inputs: str | None = None
) -> None:
    """Enter an elementwise rule.

    Args:
        names: canonical names that share the rule, separated by spaces.
        partials: source of ∂y/∂input for each input; None where it is zero, UNKNOWN where there is none.
        at: points (one tuple of inputs each) at which tests compare with differences.
        inputs: names of the inputs, separated by spaces; by default `x`, or `a b`, or `c a b`.
    """
    trees = tuple(
        None if text is None or text == UNKNOWN else ast.parse(text, mode="eval").body for text in partials
    )
    unknown = frozenset(k for k, text in enumerate(partials) if text == UNKNOWN)
    rule = Elementwise(tuple((inputs or _INPUTS[len(partials)]).split()), trees, at, unknown)
    for name in names.split():
        assert name not in ELEMENTWISE, f"two rules for {name}"
        ELEMENTWISE[name] = rule


def for_complex(names: str, adjoint: str, tangent: str) -> None:
    """Enter the rule of a function of one complex argument.

    Adjoints follow JAX's convention: the change of the result is the real part of adjoint times change.

    Args:
        names: canonical names that share the rule, separated by spaces.
        adjoint: source of the adjoint of the input `x`, over `x`, the result `y` and its adjoint `d`.
        tangent: source of the tangent of the result, over `x`, `y` and the tangent `t` of the input.
    """
    trees = [ast.parse(text, mode="eval").body for text in (adjoint, tangent)]
    for name in names.split():
        COMPLEX[name] = Elementwise(("x",), (trees[0],), (), tangent=trees[1])


def analytic(names: str) -> None:
    """Enter functions whose rules hold for complex numbers, too."""
    ANALYTIC.update(names.split())


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


def linear(names: str) -> None:
    """Enter functions whose tangent is the function of the tangents, one argument after the other."""
    LINEAR.update(names.split())


def tangent(names: str, *ranks: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the Jacobian-vector product of functions that are not linear, for arguments of these ranks.

    Args:
        names: canonical names that share the rule, separated by spaces.
        ranks: number of axes of each array argument.
    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names.split():
            TANGENTS[name, ranks] = function
        return function

    return enter


def constant(names: str) -> None:
    """Enter primitives whose result carries no derivative (piecewise constant, or integer)."""
    CONSTANT.update(names.split())
