"""Layers, a loss and a learner in 100 lines: linear regression by mini-batch gradient descent.

A layer is a function of (parameters, inputs); all parameters stand in one vector.
"""

from dataclasses import dataclass, field

import numpy as np

from adcompiler import value_and_grad


@dataclass
class Builder:
    """Hands out places in the parameter vector while layers are made."""

    values: list = field(default_factory=list)

    def place(self, initial):
        start = sum(len(v) for v in self.values)
        self.values.append(np.ravel(initial))
        return start, start + initial.size

    def parameters(self):
        return np.concatenate(self.values)


def Linear(builder, inputs, outputs, rng):
    w0, w1 = builder.place(rng.normal(0.0, 0.1, (inputs, outputs)))
    b0, b1 = builder.place(np.zeros(outputs))

    def linear(p, x):
        w = p[w0:w1].reshape(inputs, outputs)
        b = p[b0:b1]
        return x @ w + b

    return linear


def ReLU():
    return lambda p, x: np.maximum(x, 0.0)


def Sigmoid():
    return lambda p, x: 1.0 / (1.0 + np.exp(-x))


def Sequential(*layers):
    def sequential(p, x):
        for layer in layers:
            x = layer(p, x)
        return x

    return sequential


def MSE(model):
    def mse(p, x, y):
        error = model(p, x) - y
        return np.mean(error * error)

    return mse


@dataclass
class SGD:
    rate: float

    def step(self, p, d_p):
        p -= self.rate * d_p


@dataclass
class Learner:
    parameters: np.ndarray
    loss: object
    optimizer: SGD

    def fit(self, x, y, epochs, batch, rng):
        gradient = value_and_grad(self.loss)
        history = []
        for _ in range(epochs):
            order = rng.permutation(len(x))
            for start in range(0, len(x), batch):
                rows = order[start : start + batch]
                value, d_p = gradient(self.parameters, x[rows], y[rows])
                self.optimizer.step(self.parameters, d_p)
                history.append(value)
        return history


def main():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 10))
    true_weights = np.arange(1.0, 11.0)
    y = (x @ true_weights + 3.0).reshape(100, 1)
    builder = Builder()
    model = Sequential(Linear(builder, 10, 1, rng))
    learner = Learner(builder.parameters(), MSE(model), SGD(0.1))
    history = learner.fit(x, y, epochs=10, batch=10, rng=rng)
    print(f"loss {history[0]:.3f} → {history[-1]:.2e}")
    print("learned", np.round(learner.parameters, 3))
    return learner.parameters


if __name__ == "__main__":
    main()
