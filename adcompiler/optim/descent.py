"""Gradient descent with momentum, and Lion: state that is one average of gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import register_jitable

from adcompiler.optim.leaves import updated, zeros
from adcompiler.optim.trees import tree_map


class SgdState(NamedTuple):
    """What `sgd` remembers: `trace`, the decaying sum of gradients, in the structure of the parameters."""

    trace: Any


class LionState(NamedTuple):
    """What `lion` remembers: `mu`, the average of gradients, in the structure of the parameters."""

    mu: Any


@register_jitable
def sgd_init(params: Any) -> SgdState:
    """Return the state that `sgd` starts from.

    >>> sgd_init((np.ones(2), 1.0))
    SgdState(trace=(array([0., 0.]), array(0.)))
    """
    return SgdState(tree_map(zeros, params))


@register_jitable
def sgd(
    params: Any,
    grads: Any,
    state: Any,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Any:
    """Make one step of gradient descent, with momentum if you like, as `torch.optim.SGD` does.

    Args:
        params: a structure of float arrays, which are updated in place, and numbers.
        grads: their gradients, in the same structure; what has None here stays as it is.
        state: what `sgd_init` or the step before returned; its arrays are updated in place.
        learning_rate: the size of the step.
        momentum: what is left of older gradients after a step, from 0 to 1.
        nesterov: whether the gradient is looked ahead along the momentum.
        weight_decay: the multiple of the parameters that is added to the gradient.

    Returns:
        `(params, state)`: the same arrays, and new numbers.

    Raises:
        DifferentiationError: where structures differ, or a parameter is not of floats.
        ValueError: where shapes differ.

    >>> params, state = sgd((1.0, 2.0), (0.5, -1.0), sgd_init((1.0, 2.0)), 0.1)
    >>> params
    (0.95, 2.1)
    """
    numbers = (float(learning_rate), float(momentum), bool(nesterov), float(weight_decay))
    params = tree_map(_sgd_leaf, params, (grads, state.trace), numbers)
    return params, state


@register_jitable
def _sgd_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _sgd, numbers)


@njit(error_model="numpy")
def _sgd(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    learning_rate, momentum, nesterov, weight_decay = numbers
    g = g + weight_decay * p
    trace = momentum * slots[0][i] + g
    slots[0][i] = trace
    return p - learning_rate * (g + momentum * trace if nesterov else trace)


@register_jitable
def lion_init(params: Any) -> LionState:
    """Return the state that `lion` starts from.

    >>> lion_init((1.0,))
    LionState(mu=(array(0.),))
    """
    return LionState(tree_map(zeros, params))


@register_jitable
def lion(
    params: Any,
    grads: Any,
    state: Any,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.99,
    weight_decay: float = 1e-3,
) -> Any:
    """Make one step of Lion: all parameters move by the learning rate, up or down.

    Args:
        params: a structure of float arrays, which are updated in place, and numbers.
        grads: their gradients, in the same structure; what has None here stays as it is.
        state: what `lion_init` or the step before returned; its arrays are updated in place.
        learning_rate: the size of the step.
        b1: the weight of the average beside the gradient, where the direction is chosen.
        b2: what is left of the average after a step.
        weight_decay: the multiple of the parameters that is taken off, times the learning rate.

    Returns:
        `(params, state)`: the same arrays, and new numbers.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    Source: X. Chen et al., "Symbolic discovery of optimization algorithms", 2023.

    >>> params, state = lion((1.0, 2.0), (0.5, -1.0), lion_init((1.0, 2.0)), 0.5, weight_decay=0.0)
    >>> params
    (0.5, 2.5)
    """
    numbers = (float(learning_rate), float(b1), float(b2), float(weight_decay))
    return tree_map(_lion_leaf, params, (grads, state.mu), numbers), state


@register_jitable
def _lion_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _lion, numbers)


@njit(error_model="numpy")
def _lion(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    learning_rate, b1, b2, weight_decay = numbers
    mu = slots[0][i]
    slots[0][i] = b2 * mu + (1.0 - b2) * g
    return p - learning_rate * (np.sign(b1 * mu + (1.0 - b1) * g) + weight_decay * p)
