"""What optimizers do to one number or one array: arrays are updated in place, numbers are returned anew.

A rule is the recurrence for one number, `rule(p, g, slots, i, settings)`: it returns the new parameter, and
writes what is remembered of it to element i of the arrays in `slots`. A number has arrays without axes there.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import overload, register_jitable

from adcompiler.errors import DifferentiationError
from adcompiler.optim.trees import tree_map, tree_sum

REFUSED = "an optimizer moves float64 and float32 numbers and arrays, by gradients of the same number of axes"
UNLIKE = "a parameter, its gradient and its state differ in shape"


def zeros(leaf: Any, others: Any, settings: Any) -> Any:
    """Return an array of zeros that remembers something of each number of a parameter."""
    return np.zeros_like(leaf)


def copied(leaf: Any, others: Any, settings: Any) -> Any:
    """Return a copy of an array, or the number."""
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def updated(leaf: Any, others: Any, rule: Any, numbers: Any) -> Any:
    """Return a parameter after one step by a rule; an array is updated in place.

    Args:
        leaf: the parameter, a number or an array.
        others: its gradient, or None if it has none, and its slots.
        rule: the recurrence, compiled.
        numbers: the settings that it takes.
    """
    gradient, *slots = others
    if gradient is None:
        return leaf
    if np.asarray(leaf).dtype not in (np.float64, np.float32) or np.iscomplexobj(gradient):
        raise DifferentiationError("AD306", f"{REFUSED}; this one is of type {type(leaf).__name__}")
    if any(np.shape(other) != np.shape(leaf) for other in others):
        raise ValueError(UNLIKE)
    if not isinstance(leaf, np.ndarray):
        return type(leaf)(rule(leaf, gradient, tuple(slots), (), numbers))
    if not leaf.flags.writeable:
        raise ValueError("a parameter cannot be written: pass a copy of it")
    return _update_array(leaf, np.asarray(gradient), tuple(slots), rule, numbers)


@njit
def _update_array(leaf: Any, gradient: Any, slots: Any, rule: Any, numbers: Any) -> Any:
    return elements_updated(leaf, (gradient, *slots), rule, numbers)


def elements_updated(leaf, others, rule, numbers):
    """Return an array, after each element has been updated in place."""
    if tree_sum(differs, others, leaf.shape) != 0.0:
        raise ValueError(UNLIKE)
    for i in np.ndindex(leaf.shape):
        leaf[i] = rule(leaf[i], others[0][i], others[1:], i, numbers)
    return leaf


@register_jitable
def flat(leaf: Any, others: Any, settings: Any) -> Any:
    """Return the elements of an array in C order as a vector, which shows them."""
    return leaf.reshape(leaf.size)


@register_jitable
def differs(leaf: Any, shape: Any) -> float:
    """Return 0.0 if an array has this shape, else 1.0."""
    return 0.0 if leaf.shape == shape else 1.0


@overload(zeros)
def _zeros(leaf, others, settings):
    if isinstance(leaf, types.Array):
        return lambda leaf, others, settings: np.zeros_like(leaf)
    kind = np.float32 if leaf == types.float32 else np.float64
    return lambda leaf, others, settings: np.zeros((), kind)


@overload(copied)
def _copied(leaf, others, settings):
    if isinstance(leaf, types.Array):
        return lambda leaf, others, settings: leaf.copy()
    return lambda leaf, others, settings: leaf


@overload(updated)
def _updated(leaf, others, rule, numbers):
    if isinstance(others[0], types.NoneType):
        return lambda leaf, others, rule, numbers: leaf
    if isinstance(leaf, types.Array):
        return lambda leaf, others, rule, numbers: elements_updated(leaf, others, rule, numbers)
    if not isinstance(leaf, types.Float) or not isinstance(others[0], types.Float | types.Integer):
        raise TypingError(f"{REFUSED}; this one is of type {leaf}, the gradient of type {others[0]}")
    kind = np.float32 if leaf == types.float32 else np.float64
    return lambda leaf, others, rule, numbers: kind(rule(leaf, others[0], others[1:], (), numbers))


@overload(elements_updated)
def _elements_updated(leaf, others, rule, numbers):
    """Return the function for arrays: a loop over a vector where all stand in memory without gaps."""
    are_alike = all(isinstance(other, types.Array) and other.ndim == leaf.ndim for other in others)
    if (
        not are_alike
        or not isinstance(leaf.dtype, types.Float)
        or not isinstance(others[0].dtype, types.Float)
    ):
        raise TypingError(f"{REFUSED}; this one is of type {leaf}, the gradient of type {others[0]}")
    return _in_order if all(array.layout == "C" for array in (leaf, *others)) else elements_updated


def _in_order(leaf, others, rule, numbers):
    if tree_sum(differs, others, leaf.shape) != 0.0:
        raise ValueError(UNLIKE)
    _update_vector(leaf.reshape(leaf.size), tree_map(flat, others), rule, numbers)
    return leaf


@njit(error_model="numpy")
def _update_vector(leaf: Any, others: Any, rule: Any, numbers: Any) -> None:
    for i in range(len(leaf)):
        leaf[i] = rule(leaf[i], others[0][i], others[1:], i, numbers)
