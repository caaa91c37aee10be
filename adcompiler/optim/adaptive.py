"""Adam, AdamW and RMSprop: steps that are divided by the size that gradients had."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import register_jitable

from adcompiler.optim.leaves import updated, zeros
from adcompiler.optim.trees import tree_map


class AdamState(NamedTuple):
    """What `adam` and `adamw` remember.

    Attributes:
        count: the number of steps so far.
        mu: the average of the gradients, in the structure of the parameters.
        nu: the average of their squares.
    """

    count: Any
    mu: Any
    nu: Any


class RmspropState(NamedTuple):
    """What `rmsprop` remembers: `nu`, the average of squared gradients."""

    nu: Any


@register_jitable
def adam_init(params: Any) -> AdamState:
    """Return the state that `adam` and `adamw` start from.

    >>> adam_init((np.ones(2), 1.0)).mu
    (array([0., 0.]), array(0.))
    """
    return AdamState(np.int64(0), tree_map(zeros, params), tree_map(zeros, params))


@register_jitable
def adam(
    params: Any,
    grads: Any,
    state: Any,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Make one step of Adam.

    Args:
        params: a structure of float arrays, which are updated in place, and numbers.
        grads: their gradients, in the same structure; what has None here stays as it is.
        state: what `adam_init` or the step before returned; its arrays are updated in place.
        learning_rate: the size of the step.
        b1: what is left of the average of gradients after a step.
        b2: what is left of the average of squared gradients.
        eps: added to the root of that average.

    Returns:
        `(params, state)`: the same arrays, and new numbers.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    Source: D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015.

    >>> params, state = adam((1.0, 2.0), (0.5, -1.0), adam_init((1.0, 2.0)), 0.1)
    >>> [round(p, 6) for p in params], int(state.count)
    ([0.9, 2.1], 1)
    """
    return adamw(params, grads, state, learning_rate, b1, b2, eps, 0.0)


@register_jitable
def adamw(
    params: Any,
    grads: Any,
    state: Any,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Any:
    """Make one step of Adam, and take a multiple of the parameters off beside it.

    Args:
        params, grads, state, learning_rate, b1, b2, eps: as for `adam`.
        weight_decay: the multiple of the parameters that is taken off, times the learning rate.

    Returns:
        `(params, state)`: the same arrays, and new numbers.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    Source: I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", 2019.

    >>> params, state = adamw((1.0,), (0.5,), adam_init((1.0,)), 0.1, weight_decay=1.0)
    >>> round(params[0], 6)
    0.8
    """
    count = state.count + 1
    corrections = (1.0 - b1**count, 1.0 - b2**count)
    numbers = (float(learning_rate), float(b1), float(b2), float(eps), float(weight_decay), *corrections)
    params = tree_map(_adamw_leaf, params, (grads, state.mu, state.nu), numbers)
    return params, AdamState(count, state.mu, state.nu)


@register_jitable
def _adamw_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _adamw, numbers)


@njit(error_model="numpy")
def _adamw(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    learning_rate, b1, b2, eps, weight_decay, of_mu, of_nu = numbers
    mu = b1 * slots[0][i] + (1.0 - b1) * g
    nu = b2 * slots[1][i] + (1.0 - b2) * g * g
    slots[0][i] = mu
    slots[1][i] = nu
    return p - learning_rate * (mu / of_mu / (np.sqrt(nu / of_nu) + eps) + weight_decay * p)


@register_jitable
def rmsprop_init(params: Any) -> RmspropState:
    """Return the state that `rmsprop` starts from.

    >>> rmsprop_init((1.0,))
    RmspropState(nu=(array(0.),))
    """
    return RmspropState(tree_map(zeros, params))


@register_jitable
def rmsprop(
    params: Any, grads: Any, state: Any, learning_rate: float, decay: float = 0.99, eps: float = 1e-8
) -> Any:
    """Make one step of RMSprop, as `torch.optim.RMSprop` does.

    Args:
        params: a structure of float arrays, which are updated in place, and numbers.
        grads: their gradients, in the same structure; what has None here stays as it is.
        state: what `rmsprop_init` or the step before returned; its arrays are updated in place.
        learning_rate: the size of the step.
        decay: what is left of the average of squared gradients after a step.
        eps: added to the root of that average.

    Returns:
        `(params, state)`: the same arrays, and new numbers.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    Source: T. Tieleman, G. Hinton, "Lecture 6.5: rmsprop", Neural networks for machine learning, 2012.

    >>> params, state = rmsprop((1.0,), (0.5,), rmsprop_init((1.0,)), 0.01)
    >>> round(params[0], 6)
    0.9
    """
    numbers = (float(learning_rate), float(decay), float(eps))
    return tree_map(_rmsprop_leaf, params, (grads, state.nu), numbers), state


@register_jitable
def _rmsprop_leaf(leaf: Any, others: Any, numbers: Any) -> Any:
    return updated(leaf, others, _rmsprop, numbers)


@njit(error_model="numpy")
def _rmsprop(p: Any, g: Any, slots: Any, i: Any, numbers: Any) -> Any:
    learning_rate, decay, eps = numbers
    nu = decay * slots[0][i] + (1.0 - decay) * g * g
    slots[0][i] = nu
    return p - learning_rate * g / (np.sqrt(nu) + eps)
