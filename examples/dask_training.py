"""Train a network on handwritten digits, whose images are spread over the processes of a Dask cluster."""

import argparse
from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

from adcompiler.distributed.data_parallel import data_parallel
from adcompiler.optim import adam, adam_init

SHARDS, HIDDEN, RATE = 8, 24, 0.02


class Network(NamedTuple):
    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray


def logits(net, x):
    return np.tanh(x @ net.w1 + net.b1) @ net.w2 + net.b2


def loss(net, x, labels, count):
    """Return the share of one shard in the mean negative log-likelihood of all images."""
    z = logits(net, x)
    total = 0.0
    for i in range(len(labels)):
        top = np.max(z[i])
        total += np.log(np.sum(np.exp(z[i] - top))) + top - z[i, labels[i]]
    return total / count


def train(client, steps):
    """Return the loss of each step, and the share of digits that are recognised among those held back."""
    digits = load_digits()
    x, labels = digits.data / 16.0, digits.target
    held_back = len(x) // 5
    parts = zip(np.array_split(x[held_back:], SHARDS), np.array_split(labels[held_back:], SHARDS))
    step = data_parallel(loss, client, [(*part, len(x) - held_back) for part in parts])
    rng = np.random.default_rng(0)
    net = Network(
        rng.normal(size=(64, HIDDEN)) / 8, np.zeros(HIDDEN), rng.normal(size=(HIDDEN, 10)) / 5, np.zeros(10)
    )
    state = adam_init(net)
    losses = []
    for _ in tqdm(range(steps), desc="training", disable=None):
        value, gradient = step(net)
        losses.append(value)
        net, state = adam(net, gradient, state, RATE)
    found = np.argmax(logits(net, x[:held_back]), axis=1)
    return losses, float(np.mean(found == labels[:held_back]))


def main():
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scheduler", help="address of a running scheduler; else processes on this machine")
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    with Client(options.scheduler or LocalCluster(threads_per_worker=1)) as client:
        losses, accuracy = train(client, options.steps)
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, {accuracy:.1%} of the digits held back are recognised")


if __name__ == "__main__":
    main()
