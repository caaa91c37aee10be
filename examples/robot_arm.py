"""Inverse kinematics: the joint angles at which a robot's hand is where it should be, and points downwards.

The hand's place is a product of seven matrices (Denavit and Hartenberg 1955). Its Jacobian by the angles is
made by forward mode, inside the compiled loop that solves for each point of a path by damped least squares
(Wampler 1986), beginning from the point before.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure
from numba import njit

from adcompiler import jacobian

OFFSET = np.array([0.34, 0.0, 0.4, 0.0, 0.4, 0.0, 0.126])
TWIST = np.array([-0.5, 0.5, 0.5, -0.5, -0.5, 0.5, 0.0]) * np.pi


@njit
def joint(angle, offset, twist):
    """Return the frame of the next joint, as seen from this one."""
    c, s, ct, st = math.cos(angle), math.sin(angle), math.cos(twist), math.sin(twist)
    return np.array(
        [[c, -s * ct, s * st, 0.0], [s, c * ct, -c * st, 0.0], [0.0, st, ct, offset], [0.0, 0.0, 0.0, 1.0]]
    )


@njit
def frames(angles):
    """Return the frame of each joint, and that of the hand, as seen from the base."""
    found = np.empty((len(angles) + 1, 4, 4))
    frame = np.eye(4)
    found[0] = frame
    for k in range(len(angles)):
        frame = frame @ joint(angles[k], OFFSET[k], TWIST[k])
        found[k + 1] = frame
    return found


@njit
def hand(angles):
    """Return where the hand is, and the direction in which it points."""
    frame = frames(angles)[-1]
    return np.concatenate((frame[:3, 3], frame[:3, 2]))


slopes = jacobian(hand)


@njit
def follow(angles, targets, damping, tolerance):
    """Return the angles for each target, and the number of steps in all."""
    found, steps = np.empty((len(targets), len(angles))), 0
    for k in range(len(targets)):
        for _ in range(100):
            error = targets[k] - hand(angles)
            if np.max(np.abs(error)) < tolerance:
                break
            j = slopes(angles)
            angles = angles + j.T @ np.linalg.solve(j @ j.T + damping * np.eye(6), error)
            steps += 1
        found[k] = angles
    return found, steps


def rose(count):
    """Return targets on a closed curve over the table, with the hand pointing downwards."""
    t = np.linspace(0.0, 2.0 * np.pi, count)
    r = 0.16 * (1.0 + 0.35 * np.cos(5.0 * t))
    place = np.column_stack((0.5 + r * np.cos(t), r * np.sin(t), np.full(count, 0.1)))
    return np.column_stack((place, np.tile((0.0, 0.0, -1.0), (count, 1))))


def draw(path, targets, angles):
    figure = Figure(figsize=(8.5, 3.9))
    figure.subplots_adjust(left=0.02, right=0.98, bottom=0.13, top=0.92, wspace=0.3)
    axes = figure.add_subplot(1, 2, 1, projection="3d")
    chosen = range(0, len(angles), max(len(angles) // 6, 1))
    for shade, k in zip(np.linspace(0.75, 0.1, len(chosen)), chosen, strict=True):
        places = frames(angles[k])[:, :3, 3]
        axes.plot(*places.T, "o-", color=str(shade), ms=3, lw=2)
    axes.plot(*targets[:, :3].T, color="tab:red")
    axes.set(xlabel="x (m)", ylabel="y (m)", zlabel="z (m)", xlim=(-0.2, 0.8), ylim=(-0.5, 0.5), zlim=(0, 1))
    right = figure.add_subplot(1, 2, 2)
    right.plot(np.linspace(0.0, 1.0, len(angles)), np.degrees(angles))
    right.set(xlabel="part of the path", ylabel="angle (°)", title="Seven joints follow a curve")
    figure.savefig(path, dpi=100)


def main(count=200, picture=None):
    """Follow the curve; return the largest distance of the hand from it, in metres, and the angles."""
    targets = rose(count)
    start = np.array([0.0, 0.6, 0.0, -1.6, 0.0, 0.9, 0.0])
    angles, steps = follow(start, targets, 1e-4, 1e-7)
    reached = np.array([hand(a) for a in angles])
    off = np.max(np.linalg.norm(reached[:, :3] - targets[:, :3], axis=1))
    tilt = np.degrees(np.arccos(np.clip(np.min(-reached[:, 5]), -1.0, 1.0)))
    print(f"{count} points in {steps} steps: at most {1e6 * off:.2f} µm off, tilted by {tilt:.4f}°")
    if picture:
        draw(picture, targets, angles)
    return off, angles


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", help="where to save a picture")
    main(picture=parser.parse_args().picture)
