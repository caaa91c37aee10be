"""Train a 64-32-10 network on scikit-learn's handwritten digits; the training loop is one native function."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from sklearn.datasets import load_digits
from tqdm import tqdm

from adcompiler import value_and_grad

EPOCHS, BATCH, RATE, MOMENTUM = 60, 32, 0.05, 0.9


def logits(w1, b1, w2, b2, x):
    return np.tanh(x @ w1 + b1) @ w2 + b2


@value_and_grad(argnums=("w1", "b1", "w2", "b2"))
def cross_entropy(w1, b1, w2, b2, x, labels):
    """Mean negative log-likelihood of the labels under softmax(logits)."""
    z = logits(w1, b1, w2, b2, x)
    total = 0.0
    for i in range(len(labels)):
        top = np.max(z[i])
        norm = 0.0
        for k in range(z.shape[1]):
            norm += np.exp(z[i, k] - top)
        total += np.log(norm) + top - z[i, labels[i]]
    return total / len(labels)


@njit(nogil=True)
def train(w1, b1, w2, b2, x, labels, losses, done, batch, rate, momentum):
    """Run an epoch of mini-batch descent with momentum for each element of `losses`, and fill it in.

    `done[0]` counts the epochs, for whoever watches from another thread.
    """
    np.random.seed(0)
    v1, c1, v2, c2 = np.zeros_like(w1), np.zeros_like(b1), np.zeros_like(w2), np.zeros_like(b2)
    n = len(labels) // batch
    for epoch in range(len(losses)):
        order = np.random.permutation(len(labels))
        for k in range(n):
            rows = order[k * batch : (k + 1) * batch]
            value, (d_w1, d_b1, d_w2, d_b2) = cross_entropy(w1, b1, w2, b2, x[rows], labels[rows])
            v1 = momentum * v1 - rate * d_w1
            c1 = momentum * c1 - rate * d_b1
            v2 = momentum * v2 - rate * d_w2
            c2 = momentum * c2 - rate * d_b2
            w1 += v1
            b1 += c1
            w2 += v2
            b2 += c2
            losses[epoch] += value / n
        done[0] = epoch + 1


def train_with_progress(parameters, x, labels):
    """Train in a thread of its own while a bar follows; return the mean loss of each epoch."""
    losses, done = np.zeros(EPOCHS), np.zeros(1, np.int64)
    with ThreadPoolExecutor(1) as pool, tqdm(total=EPOCHS, unit="epoch", desc="compiling") as bar:
        job = pool.submit(train, *parameters, x, labels, losses, done, BATCH, RATE, MOMENTUM)
        while not job.done() or bar.n < EPOCHS:
            if job.done():
                job.result()  # raises what went wrong in the thread
            epoch = int(done[0])
            if epoch > bar.n:
                bar.set_description("training")
                bar.set_postfix(loss=f"{losses[epoch - 1]:.4f}")
                bar.update(epoch - bar.n)
            time.sleep(0.02)
    return losses


def draw(path, losses, images, labels, guess):
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.add_subplot()
    axes.semilogy(np.arange(1, len(losses) + 1), losses)
    axes.set(xlabel="epoch", ylabel="mean cross-entropy (nats)")
    axes.grid(alpha=0.3)
    order = np.argsort(guess == labels, kind="stable")  # mistakes first
    for k, axes in zip(order, right.subplots(4, 6).ravel(), strict=False):
        axes.imshow(images[k].reshape(8, 8), cmap="gray_r")
        axes.set_title(f"{guess[k]}", fontsize=8, pad=2, color="tab:red" if guess[k] != labels[k] else "k")
        axes.axis("off")
    figure.suptitle(f"{100 * np.mean(guess == labels):.1f} % of unseen digits are read; mistakes in red")
    figure.savefig(path, dpi=100)


def main(picture=None):
    """Train; return the part of the images it has not seen that are read correctly."""
    images, labels = load_digits(return_X_y=True)
    images = images / 16.0
    rng = np.random.default_rng(1)
    order = rng.permutation(len(labels))
    held_out, used = order[: len(order) // 5], order[len(order) // 5 :]
    w1 = rng.normal(0.0, 1.0 / 8.0, (64, 32))
    w2 = rng.normal(0.0, 1.0 / np.sqrt(32.0), (32, 10))
    b1, b2 = np.zeros(32), np.zeros(10)

    losses = train_with_progress((w1, b1, w2, b2), images[used], labels[used])
    text = cross_entropy.source
    print("\n".join(text[text.index("def cross_entropy") :].splitlines()[:20]), "\n    ...")
    guess = np.argmax(logits(w1, b1, w2, b2, images[held_out]), axis=1)
    accuracy = np.mean(guess == labels[held_out])
    print(f"{len(used)} images, {EPOCHS} epochs: loss {losses[0]:.3f} → {losses[-1]:.4f}")
    print(f"accuracy on {len(held_out)} held-out images: {100 * accuracy:.1f} %")

    if picture:
        draw(picture, losses, images[held_out], labels[held_out], guess)
        print(f"picture: {picture}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
