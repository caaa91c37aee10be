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


@grad(argnums=("main", "extra"))
def cross_entropy(main, extra, state, sequence):
    """Return the mean over characters.

    Args:
        main: weights and biases, of shape (layers, 2, 4, b), of the gates to forget, to let in and to let
            out, and of what is let in.
        extra: factors of what enters, factors and offsets of what is predicted, of shape (3, b).
        state: what the cells show and hold at first, of shape (layers, 2, b).
        sequence: characters, of shape (count, b).
    """
    state = state.copy()
    count, b = sequence.shape
    predicted = np.empty(b)
    total = 0.0
    for t in range(count - 1):
        entering = np.empty(b)
        for i in range(b):
            entering[i] = sequence[t, i] * extra[0, i]
        for k in range(len(main)):
            for i in range(b):
                forget = sigmoid(entering[i] * main[k, 0, 0, i] + main[k, 1, 0, i])
                ingate = sigmoid(state[k, 0, i] * main[k, 0, 1, i] + main[k, 1, 1, i])
                outgate = sigmoid(entering[i] * main[k, 0, 2, i] + main[k, 1, 2, i])
                change = math.tanh(state[k, 0, i] * main[k, 0, 3, i] + main[k, 1, 3, i])
                state[k, 1, i] = state[k, 1, i] * forget + ingate * change
                state[k, 0, i] = outgate * math.tanh(state[k, 1, i])
                entering[i] = state[k, 0, i]
        normaliser = 2.0
        for i in range(b):
            predicted[i] = entering[i] * extra[1, i] + extra[2, i]
            normaliser += math.exp(predicted[i])
        log_normaliser = math.log(normaliser)
        for i in range(b):
            total += sequence[t + 1, i] * (predicted[i] - log_normaliser)
    return -total / ((count - 1) * b)


def arguments(given: Any) -> tuple[Any, ...]:
    sequence = array(given["sequence"], axes=2)
    b = sequence.shape[1]
    main, state = array(given["main_params"]).reshape(-1, 2, 4, b), array(given["state"]).reshape(-1, 2, b)
    return main, array(given["extra_params"]), state, sequence


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
