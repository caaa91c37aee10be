"""Checks of a random program's derivatives against dual numbers, exact where differences are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from duals import directional

from adcompiler import DifferentiationError, jvp, value_and_grad

Arguments = tuple[Any, ...]
TOLERANCE = 1e-7
MAY_BE_REFUSED = {"AD303"}


def copied(args: Sequence[Any]) -> list[Any]:
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args]


def numba_compiles(function: Any, args: Arguments) -> bool:
    """Tell whether plain Numba compiles a program, whose helpers are plain functions of its module."""
    names = dict(function.__globals__)
    for name, helper in names.items():
        if getattr(helper, "__code__", None) and helper.__globals__ is function.__globals__:
            own = type(helper)(helper.__code__, names, name, helper.__defaults__, helper.__closure__)
            names[name] = numba.njit(own)
    try:
        names["program"](*copied(args))
    except numba.core.errors.NumbaError:
        return False
    return True


def unsteady(source: str, args: Arguments, directions: Sequence[Arguments]) -> bool:
    """Tell whether inputs that differ by rounding errors have other derivatives: a kink, a jump or chaos."""
    for change in (4e-16, -4e-16, 3e-12, -3e-12):
        moved = tuple(a * (1 + change) for a in args)
        for direction in directions:
            one, two = directional(source, args, direction), directional(source, moved, direction)
            if not np.allclose(one, two, rtol=1e-8, atol=1e-8):
                return True
    return False


def contracted(gradient: Arguments, direction: Arguments) -> tuple[float, float]:
    """Return a gradient along a direction, and the size of what was added."""
    parts = [np.asarray(g) * d for g, d in zip(gradient, direction, strict=True)]
    return sum(float(np.sum(p)) for p in parts), sum(float(np.sum(np.abs(p))) for p in parts)


def refusal_text(refusal: DifferentiationError, function: Any, args: Arguments) -> str | None:
    """Return what is wrong with a refusal, or None: Numba may refuse the program, too."""
    if refusal.code in MAY_BE_REFUSED or not numba_compiles(function, args):
        return None
    return f"refused: {refusal}"


def prepare(
    source: str, rng: random.Random, make_inputs: Callable[[random.Random], Arguments]
) -> tuple[Arguments, list[Arguments], list[tuple[float, float]]] | None:
    """Return arguments, directions, and value and slope along each; None if the program fails there."""
    args, directions = make_inputs(rng), [make_inputs(rng) for _ in range(3)]
    try:
        expected = [directional(source, copied(args), direction) for direction in directions]
    except (ArithmeticError, ValueError, IndexError):
        return None
    return (args, directions, expected) if np.all(np.isfinite(expected)) else None


def gradient_difference(
    function: Any,
    source: str,
    rng: random.Random,
    jit: bool,
    make_inputs: Callable[[random.Random], Arguments],
) -> str | None:
    """Return what is wrong with value and gradient of a program, or None. Refusals are raised."""
    prepared = prepare(source, rng, make_inputs)
    if prepared is None:
        return None
    args, directions, expected = prepared
    before = copied(args)
    value, gradient = value_and_grad(function, argnums=range(len(args)), jit=jit)(*args)
    if not all(np.array_equal(a, b) for a, b in zip(args, before, strict=True)):
        return f"arguments were changed: {before} to {args}"
    found = [contracted(gradient, direction) for direction in directions]
    right = [
        abs(slope - s) <= TOLERANCE * (1.0 + size) and np.isclose(value, v, rtol=1e-9, atol=1e-11)
        for (slope, size), (v, s) in zip(found, expected, strict=True)
    ]
    if all(right) or unsteady(source, args, directions):
        return None
    slopes = [slope for slope, _ in found]
    return (
        f"at {args}: value {value}, slopes {slopes}\n expected "
        f"(value, slope) {expected}\n gradient {gradient}"
    )


def forward_difference(
    function: Any,
    source: str,
    rng: random.Random,
    jit: bool,
    make_inputs: Callable[[random.Random], Arguments],
) -> str | None:
    """Return what is wrong with forward mode of a program, or None. Refusals are raised."""
    prepared = prepare(source, rng, make_inputs)
    if prepared is None:
        return None
    args, directions, expected = prepared
    found = [jvp(function, args, direction, jit=jit) for direction in directions]
    scale = 1.0 + max(abs(slope) for _, slope in expected)
    right = [
        abs(slope - s) <= TOLERANCE * scale and np.isclose(value, v, rtol=1e-9, atol=1e-11)
        for (value, slope), (v, s) in zip(found, expected, strict=True)
    ]
    if all(right) or unsteady(source, args, directions):
        return None
    return f"at {args}: jvp {found}\n expected {expected}"
