"""`lstm`: the cross entropy of characters that a stack of diagonal LSTM cells predicts (ADBench)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad
from benchmarks.gradbench.evaluation import Eval, Task, array


@njit(error_model="numpy")
def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


@njit(error_model="numpy")
def step(weights, biases, hidden, cell, entering):
    """Advance a layer by one character, in place: weights and biases hold four gates, one after another."""
    b = len(hidden)
    for i in range(b):
        forget = sigmoid(entering[i] * weights[i] + biases[i])
        ingate = sigmoid(hidden[i] * weights[b + i] + biases[b + i])
        outgate = sigmoid(entering[i] * weights[2 * b + i] + biases[2 * b + i])
        change = math.tanh(hidden[i] * weights[3 * b + i] + biases[3 * b + i])
        cell[i] = cell[i] * forget + ingate * change
        hidden[i] = outgate * math.tanh(cell[i])


@grad(argnums=("main", "extra"))
def cross_entropy(main, extra, state, sequence):
    """Return the mean over characters; rows of main and state belong to layers in pairs."""
    state = state.copy()
    count, b = sequence.shape
    entering, predicted = np.empty(b), np.empty(b)
    total = 0.0
    for t in range(count - 1):
        for i in range(b):
            entering[i] = sequence[t, i] * extra[0, i]
        step(main[0], main[1], state[0], state[1], entering)
        for k in range(2, len(main), 2):
            step(main[k], main[k + 1], state[k], state[k + 1], state[k - 2])
        normaliser = 2.0
        for i in range(b):
            predicted[i] = state[len(main) - 2, i] * extra[1, i] + extra[2, i]
            normaliser += math.exp(predicted[i])
        log_normaliser = math.log(normaliser)
        for i in range(b):
            total += sequence[t + 1, i] * (predicted[i] - log_normaliser)
    return -total / ((count - 1) * b)


def arguments(given: Any) -> tuple[Any, ...]:
    names = ("main_params", "extra_params", "state", "sequence")
    return tuple(array(given[name], axes=2) for name in names)


def joined(gradient: tuple[Any, ...]) -> Any:
    return np.concatenate([part.ravel() for part in gradient])


EVAL = Eval(
    {
        "objective": Task(arguments, cross_entropy.primal),
        "jacobian": Task(arguments, cross_entropy, joined),
    },
    (
        {
            "main_params": [[0.1, 0.2, 0.3, 0.4]] * 4,
            "extra_params": [[0.5], [1.5], [-0.5]],
            "state": [[0.1], [0.2], [0.3], [0.4]],
            "sequence": [[1.0], [0.0], [1.0]],
        },
    ),
)
