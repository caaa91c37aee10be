"""A pendulum swung up on a cart: the force at each instant, found through the equations of motion.

The motor is too weak to lift the pendulum at once. The trajectory is a function of 100 forces, by the
classical Runge-Kutta method; the gradient of effort and of the distance from the top goes back through all of
its steps, and L-BFGS finds the forces. Everything runs in one native function.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import value_and_grad
from adcompiler.optim import lbfgs, lbfgs_init

CART, BOB, LENGTH, GRAVITY = 1.0, 0.3, 0.5, 9.81
SPAN, COUNT, SUBSTEPS = 3.0, 100, 4


@njit
def motion(state, force):
    """Return the rate of change of place, angle (zero when hanging), and both speeds."""
    _, angle, speed, spin = state
    s, c = math.sin(angle), math.cos(angle)
    push = force + BOB * s * (LENGTH * spin * spin + GRAVITY * c)
    pull = push / (CART + BOB * s * s)
    turn = (-force * c - BOB * LENGTH * spin * spin * s * c - (CART + BOB) * GRAVITY * s) / (
        LENGTH * (CART + BOB * s * s)
    )
    return np.array([speed, spin, pull, turn])


@njit
def trajectory(forces):
    """Return the states before and after each force, from rest."""
    h = SPAN / (len(forces) * SUBSTEPS)
    states = np.empty((len(forces) + 1, 4))
    state = np.zeros(4)
    states[0] = state
    for k in range(len(forces)):
        for _ in range(SUBSTEPS):
            one = motion(state, forces[k])
            two = motion(state + 0.5 * h * one, forces[k])
            three = motion(state + 0.5 * h * two, forces[k])
            four = motion(state + h * three, forces[k])
            state = state + h / 6.0 * (one + 2.0 * two + 2.0 * three + four)
        states[k + 1] = state
    return states


@value_and_grad
def cost(forces, weight):
    """Effort, and the distance of the last state from rest on the top."""
    states = trajectory(forces)
    place, angle, speed, spin = states[-1]
    miss = place**2 + (angle - math.pi) ** 2 + 0.1 * speed**2 + 0.1 * spin**2
    return np.sum(forces**2) * SPAN / len(forces) + weight * miss


@njit
def plan(forces, weights, steps):
    """Return forces; the weight of the miss grows, so that a way is found before it is made exact."""
    for weight in weights:
        state = lbfgs_init(forces, cost, (weight,))
        for _ in range(steps):
            forces, state = lbfgs(forces, cost, state, (weight,))
    return forces


def draw(path, forces, states):
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    chosen = range(0, len(states), 4)
    for shade, k in zip(np.linspace(0.85, 0.0, len(chosen)), chosen, strict=True):
        x, angle = states[k, 0], states[k, 1]
        tip = x + LENGTH * math.sin(angle), -LENGTH * math.cos(angle)
        left.plot([x, tip[0]], [0.0, tip[1]], color=str(shade), lw=1.5)
        left.plot(*tip, "o", color="tab:red", alpha=1.0 - shade, ms=5)
    left.axhline(0.0, color="0.7", lw=1, zorder=0)
    left.set(aspect="equal", xlabel="place (m)", title="From hanging (light) to the top (dark)")
    right.step(np.linspace(0.0, SPAN, len(forces)), forces, color="tab:blue")
    right.set(xlabel="time (s)", ylabel="force (N)", title="The force that was found")
    figure.savefig(path, dpi=100)


def main(count=COUNT, steps=150, picture=None):
    """Plan; return the last state and the forces."""
    start = np.sin(np.linspace(0.0, 4.0 * np.pi, count))
    forces = plan(start, np.array([10.0, 100.0, 1000.0]), steps)
    states = trajectory(forces)
    print(f"at the end: place {states[-1, 0]:.4f} m, {math.degrees(states[-1, 1]):.2f}° from hanging,")
    print(f"  speed {states[-1, 2]:.4f} m/s, spin {states[-1, 3]:.4f} 1/s")
    print(f"largest force {np.max(np.abs(forces)):.2f} N, where all weighs {(CART + BOB) * GRAVITY:.2f} N")
    if picture:
        draw(picture, forces, states)
    return states[-1], forces


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
