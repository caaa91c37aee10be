"""Gradients made shorter where they are too long as a whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numba.extending import register_jitable

from adcompiler.optim.leaves import updated
from adcompiler.optim.trees import tree_map, tree_sum


@register_jitable
def global_norm(tree: Any) -> float:
    """Return the Euclidean norm of all numbers of a structure together.

    >>> global_norm((np.array([2.0, 4.0]), (5.0, 2.0), None))
    7.0
    """
    return math.sqrt(tree_sum(_squares, tree))


@register_jitable
def clip_by_global_norm(grads: Any, max_norm: float) -> Any:
    """Return gradients whose norm as a whole is `max_norm` at most, in the direction that they had.

    Args:
        grads: a structure of float arrays, which are scaled in place, and numbers; None stays None.
        max_norm: the norm that is allowed.

    Returns:
        the gradients: the same arrays, and new numbers.

    Raises:
        DifferentiationError: where a gradient is not of floats.

    Source: R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    2013.

    >>> clip_by_global_norm((3.0, np.array([4.0])), 2.5)
    (1.5, array([2.]))
    """
    norm = global_norm(grads)
    if norm <= max_norm:
        return grads
    return tree_map(_scaled_leaf, grads, (grads,), (max_norm / norm,))


@register_jitable
def _squares(leaf: Any, settings: Any) -> float:
    vector = np.asarray(leaf).ravel()
    total = 0.0
    for i in range(vector.size):
        total += float(vector[i]) ** 2
    return total


@register_jitable
def _scaled_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _scaled, numbers)


@njit(error_model="numpy")
def _scaled(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    return numbers[0] * g
