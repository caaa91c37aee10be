"""A structure of parameters as one vector, and back: for methods that combine all parameters.

What has no gradient, integers say, has no place in the vector.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import overload, register_jitable

from adcompiler.errors import DifferentiationError
from adcompiler.optim.leaves import REFUSED, UNLIKE
from adcompiler.optim.trees import tree_map, tree_sum


@register_jitable
def as_vector(tree: Any, grads: Any) -> Any:
    """Return the numbers of a structure of float arrays and numbers in one vector, in order.

    Args:
        tree: the structure.
        grads: a structure like it; what has None here is left out.

    Raises:
        DifferentiationError: where something that has a gradient is not of floats.
        ValueError: where shapes differ.

    >>> as_vector((np.array([[1.0, 2.0]]), (3.0, 4)), (np.ones((1, 2)), (1.0, None)))
    array([1., 2., 3.])
    """
    vector = np.empty(int(tree_sum(_size, grads)))
    tree_map(_read, grads, (tree,), (vector, np.zeros(1, np.int64)))
    return vector


@register_jitable
def from_vector(params: Any, grads: Any, vector: Any) -> Any:
    """Return parameters that are set to the numbers of a vector: the same arrays, and new numbers.

    Args:
        params: a structure of float arrays, which are overwritten, and numbers.
        grads: the same structure; a parameter that has None here stays as it is.
        vector: the numbers, in order.

    Raises:
        ValueError: where shapes differ.

    >>> from_vector((np.zeros(2), 0.0), (np.ones(2), 1.0), np.array([1.0, 2.0, 3.0]))
    (array([1., 2.]), 3.0)
    """
    return tree_map(_written, params, (grads,), (vector, np.zeros(1, np.int64)))


def _size(leaf: Any, settings: Any) -> float:
    """Return how many numbers a leaf has."""
    return float(np.size(leaf))


def _read(gradient: Any, others: Any, settings: Any) -> Any:
    """Copy what has a gradient into a vector, behind what stands there."""
    leaf, (vector, at) = others[0], settings
    _check_number(leaf, gradient)
    vector[at[0] : at[0] + np.size(leaf)] = np.ravel(leaf)
    at[0] += np.size(leaf)
    return gradient


def _written(leaf: Any, others: Any, settings: Any) -> Any:
    """Return a parameter with the next numbers of a vector."""
    if others[0] is None:
        return leaf
    _check_number(leaf, others[0])
    vector, at = settings
    numbers = vector[at[0] : at[0] + np.size(leaf)]
    at[0] += np.size(leaf)
    if not isinstance(leaf, np.ndarray):
        return type(leaf)(numbers[0])
    leaf[...] = numbers.reshape(leaf.shape)
    return leaf


def _check_number(leaf: Any, gradient: Any) -> None:
    if np.asarray(leaf).dtype not in (np.float64, np.float32):
        raise DifferentiationError("AD306", f"{REFUSED}; this one is of type {type(leaf).__name__}")
    if np.shape(gradient) != np.shape(leaf):
        raise ValueError(UNLIKE)


@overload(_size)
def _size_compiled(leaf, settings):
    if isinstance(leaf, types.Array):
        return lambda leaf, settings: float(leaf.size)
    return lambda leaf, settings: 1.0


@overload(_read)
def _read_compiled(gradient, others, settings):
    _check_floats(others[0])
    return _read_array if isinstance(others[0], types.Array) else _read_number


def _read_array(gradient, others, settings):
    leaf, (vector, at) = others[0], settings
    if gradient.shape != leaf.shape:
        raise ValueError(UNLIKE)
    for i in np.ndindex(leaf.shape):
        vector[at[0]] = leaf[i]
        at[0] += 1
    return gradient


def _read_number(gradient, others, settings):
    vector, at = settings
    vector[at[0]] = others[0]
    at[0] += 1
    return gradient


@overload(_written)
def _written_compiled(leaf, others, settings):
    if isinstance(others[0], types.NoneType):
        return lambda leaf, others, settings: leaf
    _check_floats(leaf)
    if isinstance(leaf, types.Array):
        return _write_array
    kind = np.float32 if leaf == types.float32 else np.float64

    def write_number(leaf, others, settings):
        vector, at = settings
        at[0] += 1
        return kind(vector[at[0] - 1])

    return write_number


def _write_array(leaf, others, settings):
    vector, at = settings
    if others[0].shape != leaf.shape:
        raise ValueError(UNLIKE)
    for i in np.ndindex(leaf.shape):
        leaf[i] = vector[at[0]]
        at[0] += 1
    return leaf


def _check_floats(leaf):
    if not isinstance(getattr(leaf, "dtype", leaf), types.Float):
        raise TypingError(f"{REFUSED}; this one is of type {leaf}")
