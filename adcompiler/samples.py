"""Small functions that the examples in the docstrings differentiate."""

# mypy: disable-error-code="no-untyped-def"

import math


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def recurrence(w, x):
    h = 0.0
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h
