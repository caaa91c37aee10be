"""The average of time series that run at different speeds: a barycentre under soft dynamic time warping.

The plain mean of heartbeats that come early or late is a smear. Soft-DTW (Cuturi and Blondel, "Soft-DTW: a
differentiable loss function for time-series", 2017) is a dynamic program whose minimum is a smooth one, so
that it has a gradient by the series; the paper derives this by a backward recursion, which is what the
compiler finds.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad
from adcompiler.optim import lbfgs, lbfgs_init


@njit
def soft_dtw(x, y, softness):
    """Return the soft minimum, over all ways to align two series, of the sum of squared distances."""
    n, m = len(x), len(y)
    cost = np.full((n + 1, m + 1), 1e10)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a, b, c = cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1]
            least = min(a, b, c)
            weight = (
                math.exp((least - a) / softness)
                + math.exp((least - b) / softness)
                + math.exp((least - c) / softness)
            )
            cost[i, j] = (x[i - 1] - y[j - 1]) ** 2 + least - softness * math.log(weight)
    return cost[n, m]


@value_and_grad
def distance(average, series, softness):
    """The mean of the distances of a series from many."""
    total = 0.0
    for k in range(len(series)):
        total += soft_dtw(average, series[k], softness)
    return total / len(series)


@njit
def barycentre(series, softness, steps):
    """Return the series that is nearest to all, beginning from their mean, and its distance."""
    average = np.zeros(series.shape[1])
    for k in range(len(series)):
        average += series[k] / len(series)
    state = lbfgs_init(average, distance, (series, softness))
    for _ in range(steps):
        average, state = lbfgs(average, distance, state, (series, softness))
    return average, state.value


def beat(t):
    """Return one heartbeat: three waves, as an electrocardiogram shows them."""
    waves = ((0.3, 0.15, 0.04), (0.5, 1.0, 0.02), (0.54, -0.3, 0.02), (0.75, 0.35, 0.05))
    return sum(height * np.exp(-(((t - at) / width) ** 2)) for at, height, width in waves)


def warped(count, length, seed):
    """Return beats whose time is bent at random, with a little noise."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 1.0, length)
    bends = [
        t + b * np.sin(np.pi * t) + c * np.sin(2.0 * np.pi * t) for b, c in rng.normal(0.0, 0.05, (count, 2))
    ]
    return np.array([beat(bend) for bend in bends]) + 0.01 * rng.normal(size=(count, length))


def draw(path, series, average):
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(series.T, color="0.8", lw=0.8)
    axes.plot(series.mean(axis=0), color="tab:orange", lw=2, label="mean")
    axes.plot(average, color="tab:blue", lw=2, label="average under soft-DTW")
    axes.set(xlabel="time", title="Heartbeats that come early or late")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=100)


def main(count=20, length=100, steps=60, picture=None):
    """Average; return the heights of the largest wave in the mean and in the barycentre, and the latter."""
    series = warped(count, length, seed=1)
    average, value = barycentre(series, 0.01, steps)
    by_mean, _ = distance(series.mean(axis=0), series, 0.01)
    print(f"distance from all: {by_mean:.3f} for the mean, {value:.3f} for the barycentre")
    print(f"the largest wave is {series.mean(axis=0).max():.2f} high in the mean, {average.max():.2f} here")
    if picture:
        draw(picture, series, average)
    return series.mean(axis=0).max(), average.max(), average


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
