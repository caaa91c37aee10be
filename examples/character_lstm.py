"""A network that writes: an LSTM learns Python's own documentation, character by character.

The cell is that of Hochreiter and Schmidhuber (1997) with a forget gate, in a loop over time, written in
NumPy for a batch of passages. Its parameters are a named tuple; the gradient has the same structure, is
clipped, and moves them by Adam, all inside one compiled loop.
"""

import argparse
import math
import time
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad
from adcompiler.optim import adam, adam_init, clip_by_global_norm, cosine_decay


class Lstm(NamedTuple):
    """Weights of input, state and output; the gates stand side by side: input, forget, output, candidate."""

    embed: np.ndarray
    recur: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray


@njit
def step(net, symbols, hidden, cell):
    """Return hidden state and cell after one more character in each passage."""
    n = hidden.shape[1]
    gates = net.embed[symbols] + hidden @ net.recur + net.bias
    opened = 1.0 / (1.0 + np.exp(-gates[:, : 3 * n]))
    cell = opened[:, n : 2 * n] * cell + opened[:, :n] * np.tanh(gates[:, 3 * n :])
    return opened[:, 2 * n :] * np.tanh(cell), cell


@value_and_grad
def surprise(net, text):
    """Mean surprise at each next character, in nats, of passages that are the columns of `text`."""
    size = net.recur.shape[0]
    hidden, cell = np.zeros((text.shape[1], size)), np.zeros((text.shape[1], size))
    total = 0.0
    for t in range(len(text) - 1):
        hidden, cell = step(net, text[t], hidden, cell)
        scores = hidden @ net.out + net.out_bias
        for k in range(text.shape[1]):
            top = np.max(scores[k])
            total += math.log(np.sum(np.exp(scores[k] - top))) + top - scores[k, text[t + 1, k]]
    return total / ((len(text) - 1) * text.shape[1])


@njit
def train(net, corpus, length, batch, steps, rate):
    """Learn from random passages; return the network and the surprise at each step."""
    np.random.seed(0)
    state, history = adam_init(net), np.empty(steps)
    for k in range(steps):
        text = np.empty((length, batch), np.int64)
        for b in range(batch):
            start = np.random.randint(0, len(corpus) - length)
            text[:, b] = corpus[start : start + length]
        history[k], grads = surprise(net, text)
        grads = clip_by_global_norm(grads, 1.0)
        net, state = adam(net, grads, state, cosine_decay(k, rate, steps, 0.05))
    return net, history


@njit
def written(net, first, count):
    """Let the network write, beginning with one character."""
    np.random.seed(1)
    text, size = np.empty(count, np.int64), net.recur.shape[0]
    text[0] = first
    hidden, cell = np.zeros((1, size)), np.zeros((1, size))
    for t in range(1, count):
        hidden, cell = step(net, text[t - 1 : t], hidden, cell)
        chances = np.exp((hidden @ net.out + net.out_bias)[0] / 0.7)
        text[t] = min(
            np.searchsorted(np.cumsum(chances) / np.sum(chances), np.random.random()), len(chances) - 1
        )
    return text


def fresh(symbols, size, rng):
    """Return a network with random weights, which at first forgets little."""
    bias = np.concatenate((np.zeros(size), np.ones(size), np.zeros(2 * size)))
    return Lstm(
        0.1 * rng.normal(size=(symbols, 4 * size)),
        rng.normal(size=(size, 4 * size)) / math.sqrt(size),
        bias,
        rng.normal(size=(size, symbols)) / math.sqrt(size),
        np.zeros(symbols),
    )


def draw(path, history, by_chance):
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(history, color="0.8", lw=0.6)
    window = max(len(history) // 40, 1)
    axes.plot(np.convolve(history, np.ones(window) / window, "valid"), color="tab:blue", label="LSTM")
    axes.axhline(by_chance, color="tab:orange", ls="--", label="frequencies of characters alone")
    axes.set(xlabel="step", ylabel="bits per character", title="An LSTM reads Python's documentation")
    axes.legend()
    figure.savefig(path, dpi=100)


def main(size=96, length=40, batch=32, steps=3000, picture=None):
    """Train and let write; return the surprise in bits per character, at the end and by frequencies alone."""
    characters = [c for c in "\n".join(topics.values()).lower() if c.isascii()]
    alphabet, corpus, counts = np.unique(characters, return_inverse=True, return_counts=True)
    by_chance = -np.sum(counts * np.log2(counts / len(corpus))) / len(corpus)
    start = time.perf_counter()
    net, history = train(
        fresh(len(alphabet), size, np.random.default_rng(0)), corpus, length, batch, steps, 0.01
    )
    bits = history / math.log(2.0)
    last = np.mean(bits[-len(bits) // 10 :])
    print(f"{len(corpus)} characters, {steps} steps in {time.perf_counter() - start:.0f} s with compiling")
    print(f"{bits[0]:.2f} → {last:.2f} bits per character; {by_chance:.2f} by frequencies alone")
    first = int(np.searchsorted(alphabet, "t"))
    print("".join(alphabet[written(net, first, 300)]))
    if picture:
        draw(picture, bits, by_chance)
    return last, by_chance


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
