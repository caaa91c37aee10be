"""A 3-4-2 network of 26 parameters, trained until it gives the target; the whole loop is compiled."""

import numpy as np
from numba import njit

from adcompiler import value_and_grad

W1 = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]])
W2 = np.array([[1.3, 1.4], [1.5, 1.6], [1.7, 1.8], [1.9, 2.0]])
B1 = np.array([-2.0, -6.0, -1.0, -7.0])
B2 = np.array([-2.5, -5.0])
X = np.array([1.0, 2.0, 3.0])
TARGET = np.array([-0.85, 0.72])


@njit
def output(w1, b1, w2, b2, x):
    hidden = 1.0 / (1.0 + np.exp(-(x @ w1 + b1)))
    return np.tanh(hidden @ w2 + b2)


@value_and_grad(argnums=("w1", "b1", "w2", "b2"))
def loss(w1, b1, w2, b2, x, target):
    error = output(w1, b1, w2, b2, x) - target
    return np.mean(error * error)


@njit
def train(w1, b1, w2, b2, x, target, rate, tolerance):
    """Descend until every output is within `tolerance` of the target; return the number of steps."""
    steps = 0
    while np.max(np.abs(output(w1, b1, w2, b2, x) - target)) > tolerance and steps < 1_000_000:
        _, (d_w1, d_b1, d_w2, d_b2) = loss(w1, b1, w2, b2, x, target)
        w1 -= rate * d_w1
        b1 -= rate * d_b1
        w2 -= rate * d_w2
        b2 -= rate * d_b2
        steps += 1
    return steps


def main():
    parameters = [a.copy() for a in (W1, B1, W2, B2)]
    steps = train(*parameters, X, TARGET, 0.1, 1e-3)
    result = output(*parameters, X)
    print(f"{steps} steps, output {result}, target {TARGET}")
    return result


if __name__ == "__main__":
    main()
