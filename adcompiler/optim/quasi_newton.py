"""L-BFGS: steps along directions in which the curvature that earlier steps met is made level."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from adcompiler.optim.line_search import wolfe_step
from adcompiler.optim.vectors import as_vector


class LbfgsState(NamedTuple):
    """What `lbfgs` remembers.

    Attributes:
        value: the loss for the parameters now.
        grads: its gradients, in the structure of the parameters.
        norm: their Euclidean norm as a whole: zero at a minimum.
        held: how many pairs of the following rows are in use; the newest stands first.
        moves: by what the parameters, as a vector, changed in the last steps.
        turns: by what their gradients changed.
    """

    value: Any
    grads: Any
    norm: Any
    held: Any
    moves: Any
    turns: Any


@register_jitable
def lbfgs_init(params: Any, loss: Any, args: Any = (), memory: int = 10) -> LbfgsState:
    """Return the state that `lbfgs` starts from; it evaluates the loss once.

    Args:
        params: a structure of float arrays and numbers.
        loss: called as `loss(params, *args)`; returns value and gradients, as `value_and_grad` makes it.
        args: the further arguments of the loss.
        memory: how many steps are remembered.

    >>> lbfgs_init((3.0,), lambda params: (params[0] ** 2, (2.0 * params[0],))).norm
    6.0
    """
    value, grads = loss(params, *args)
    vector = as_vector(grads, grads)
    rows = np.zeros((memory, len(vector)))
    return LbfgsState(float(value), grads, math.sqrt(np.dot(vector, vector)), 0, rows, rows.copy())


@register_jitable
def lbfgs(params: Any, loss: Any, state: Any, args: Any = ()) -> Any:
    """Make one step of L-BFGS, as long as the strong Wolfe conditions ask for.

    The loss is to be the same function in all steps: what the last one found is not evaluated again.

    Args:
        params: a structure of float arrays, which are updated in place, and numbers.
        loss: called as `loss(params, *args)`; returns value and gradients, as `value_and_grad` makes it.
        state: what `lbfgs_init` or the step before returned; its arrays are updated in place.
        args: the further arguments of the loss.

    Returns:
        `(params, state)`: the same arrays, and new numbers. Where no step lowers the loss, the parameters
        stay, and the next step goes along the gradient.

    Raises:
        DifferentiationError, ValueError: as for `sgd`.

    Source: D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    >>> from adcompiler import value_and_grad
    >>> loss = value_and_grad(lambda params: (params[0] - 2.0) ** 2 + (params[1] + params[0]) ** 4)
    >>> params = (0.0, 0.5)
    >>> state = lbfgs_init(params, loss)
    >>> for _ in range(40):
    ...     params, state = lbfgs(params, loss, state)
    >>> [round(p, 3) for p in params], state.norm < 1e-6
    ([2.0, -2.0], True)
    """
    if state.norm == 0.0:
        return params, state
    gradient = as_vector(state.grads, state.grads)
    direction = -_by_inverse_hessian(gradient, state)
    first = 1.0 if state.held else min(1.0, 1.0 / np.sum(np.abs(gradient)))
    params, step, value, grads = wolfe_step(loss, args, params, (state.value, state.grads), direction, first)
    after = as_vector(grads, grads)
    held = _remembered(state, step * direction, after - gradient) if step > 0.0 else 0
    return params, LbfgsState(value, grads, math.sqrt(np.dot(after, after)), held, state.moves, state.turns)


@register_jitable
def _by_inverse_hessian(gradient: Any, state: Any) -> Any:
    """Return the product of the inverse Hessian, as the last steps show it, with the gradient."""
    found, parts = gradient.copy(), np.empty(state.held)
    for k in range(state.held):
        move, turn = state.moves[k], state.turns[k]
        parts[k] = np.dot(move, found) / np.dot(move, turn)
        found -= parts[k] * turn
    if state.held:
        found *= np.dot(state.moves[0], state.turns[0]) / np.dot(state.turns[0], state.turns[0])
    for k in range(state.held - 1, -1, -1):
        move, turn = state.moves[k], state.turns[k]
        found += (parts[k] - np.dot(turn, found) / np.dot(move, turn)) * move
    return found


@register_jitable
def _remembered(state: Any, move: Any, turn: Any) -> int:
    """Enter a step before the others, if the loss is convex along it; return how many are in use."""
    if np.dot(move, turn) <= 1e-16 * np.dot(turn, turn):
        return int(state.held)
    for k in range(len(state.moves) - 1, 0, -1):
        state.moves[k] = state.moves[k - 1]
        state.turns[k] = state.turns[k - 1]
    state.moves[0] = move
    state.turns[0] = turn
    return min(int(state.held) + 1, len(state.moves))
