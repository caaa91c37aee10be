"""What lies underground, from echoes: the speed of sound in a slab, found by full-waveform inversion.

Shots are fired all around the slab, and receivers listen there. The wave equation is solved by second
differences in time and space, element by element. The gradient of the misfit by the speed at each point,
which the literature derives as a wave equation run backwards (Tarantola 1984), comes out of these loops.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad
from adcompiler.optim import lbfgs, lbfgs_init

STEP, DT, PITCH = 1.0, 0.35, 12.0


@njit
def recorded(speed, shot, places, steps):
    """Return what receivers at these places hear of a shot: a row for each step in time."""
    n, m = speed.shape
    factor = (speed * DT / STEP) ** 2
    before, now = np.zeros((n, m)), np.zeros((n, m))
    heard = np.empty((steps, len(places)))
    for k in range(steps):
        after = np.zeros((n, m))
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                bend = now[i - 1, j] + now[i + 1, j] + now[i, j - 1] + now[i, j + 1] - 4.0 * now[i, j]
                after[i, j] = 2.0 * now[i, j] - before[i, j] + factor[i, j] * bend
        beat = (math.pi * (k * DT / PITCH - 1.0)) ** 2
        after[shot[0], shot[1]] += (1.0 - 2.0 * beat) * math.exp(-beat)
        for r in range(len(places)):
            heard[k, r] = after[places[r, 0], places[r, 1]]
        before, now = now, after
    return heard


@value_and_grad
def misfit(speed, shots, places, echoes, smoothing):
    """Half the squared distance of all shots from what was heard, and the roughness of the speed."""
    total = smoothing * (np.sum((speed[1:] - speed[:-1]) ** 2) + np.sum((speed[:, 1:] - speed[:, :-1]) ** 2))
    for k in range(len(shots)):
        total += 0.5 * np.sum((recorded(speed, shots[k], places, echoes.shape[1]) - echoes[k]) ** 2)
    return total


def ground(n):
    """Return the speed of sound that is to be found: a fast lens and a slow one in uniform rock."""
    y, x = np.mgrid[0:n, 0:n] / n
    fast = np.exp(-(((x - 0.35) / 0.13) ** 2 + ((y - 0.4) / 0.1) ** 2))
    slow = np.exp(-(((x - 0.68) / 0.1) ** 2 + ((y - 0.65) / 0.13) ** 2))
    return 1.0 + 0.25 * fast - 0.2 * slow


def edges(n, every):
    """Return places all around, near the edges."""
    along = np.arange(3, n - 3, every)
    low, high = np.full(len(along), 2), np.full(len(along), n - 3)
    rows = np.concatenate((low, high, along, along))
    return np.column_stack((rows, np.concatenate((along, along, low, high))))


def draw(path, true, found, losses):
    figure = Figure(figsize=(9.5, 3), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for axes, speed, title in ((left, true, "true speed"), (middle, found, "found")):
        shown = axes.imshow(speed, cmap="RdBu_r", vmin=0.75, vmax=1.25)
        axes.set(title=title, xticks=[], yticks=[])
    figure.colorbar(shown, ax=middle)
    right.semilogy(losses)
    right.set(xlabel="step", title="misfit")
    figure.savefig(path, dpi=100)


def main(n=48, shots=6, steps=60, picture=None):
    """Invert; return the misfits of all steps, and the relative error of the speed before and after."""
    true, places = ground(n), edges(n, 3)
    fired = edges(n, 3)[:: max(len(places) // shots, 1)]
    duration = int(2.2 * n / DT)
    echoes = np.array([recorded(true, shot, places, duration) for shot in fired])
    speed, args = np.ones((n, n)), (fired, places, echoes, 1e-3)
    state = lbfgs_init(speed, misfit, args)
    losses = [state.value]
    for _ in range(steps):
        speed, state = lbfgs(speed, misfit, state, args)
        losses.append(state.value)
    before, after = np.linalg.norm(true - 1.0), np.linalg.norm(true - speed)
    print(f"{len(fired)} shots, {len(places)} receivers, {duration} steps in time, {n * n} unknowns")
    print(
        f"misfit {losses[0]:.3g} → {losses[-1]:.3g}; {100 * after / before:.0f} % of the anomalies are missed"
    )
    if picture:
        draw(picture, true, speed, losses)
    return losses, after / before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
