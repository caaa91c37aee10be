"""Cameras and points out of photographs: bundle adjustment by Levenberg and Marquardt's method, sparse.

Each coordinate in a picture depends on eight of all the unknowns: those of one camera and one point.
`sparse_jacobian` finds out which from the two arrays of indices that the residuals are gathered with.
"""

import time

import numpy as np
from numba import njit
from scipy.sparse import diags_array
from scipy.sparse.linalg import spsolve

from adcompiler import sparse_jacobian

NOISE = 1e-3


@njit
def residuals(cameras, points, seen_by, seen, pictures):
    """Return where points are seen, less where they should be.

    Args:
        cameras: for each camera, a rotation as a vector along its axis, and a shift.
        points: places in space.
        seen_by, seen: the camera and the point of each observation.
        pictures: where it was seen.
    """
    r = np.empty((len(seen), 2))
    for k in range(len(seen)):
        c, p = seen_by[k], seen[k]
        a0, a1, a2 = cameras[c, 0], cameras[c, 1], cameras[c, 2]
        x, y, z = points[p, 0], points[p, 1], points[p, 2]
        angle = np.sqrt(a0 * a0 + a1 * a1 + a2 * a2 + 1e-20)
        sine, rest = np.sin(angle) / angle, (1.0 - np.cos(angle)) / (angle * angle)
        along = rest * (a0 * x + a1 * y + a2 * z)
        turned_x = np.cos(angle) * x + sine * (a1 * z - a2 * y) + along * a0
        turned_y = np.cos(angle) * y + sine * (a2 * x - a0 * z) + along * a1
        turned_z = np.cos(angle) * z + sine * (a0 * y - a1 * x) + along * a2
        depth = turned_z + cameras[c, 5]
        r[k, 0] = (turned_x + cameras[c, 3]) / depth - pictures[k, 0]
        r[k, 1] = (turned_y + cameras[c, 4]) / depth - pictures[k, 1]
    return r


jacobian_of_residuals = sparse_jacobian(residuals, argnums=("cameras", "points"))


def scene(count, rng):
    """Return some cameras and points, which camera sees which, and the pictures."""
    cameras, points = rng.normal(scale=0.2, size=(count, 6)), rng.normal(size=(20 * count, 3))
    cameras[:, 5] += 6.0
    seen_by = np.repeat(np.arange(count), 60)
    seen = np.concatenate([rng.choice(len(points), 60, replace=False) for _ in range(count)])
    pictures = residuals(cameras, points, seen_by, seen, np.zeros((len(seen), 2)))
    return cameras, points, seen_by, seen, pictures + NOISE * rng.normal(size=pictures.shape)


def adjust(cameras, points, *given, steps=30):
    """Return cameras and points that fit, and the sum of squares after each step."""
    damping, left = 1e-3, residuals(cameras, points, *given)
    costs = [np.sum(left**2)]
    for _ in range(steps):
        jac = jacobian_of_residuals(cameras, points, *given)
        normal = (jac.T @ jac).tocsc()
        damped = normal + diags_array(damping * (normal.diagonal() + 1e-9))
        step = spsolve(damped, -(jac.T @ left.ravel()))
        moved = cameras + step[: cameras.size].reshape(-1, 6), points + step[cameras.size :].reshape(-1, 3)
        tried = residuals(*moved, *given)
        if np.sum(tried**2) < costs[-1]:
            (cameras, points), left, damping = moved, tried, damping / 5.0
            costs.append(np.sum(left**2))
            if costs[-1] > (1.0 - 1e-6) * costs[-2]:
                break
        else:
            damping *= 4.0
    return cameras, points, costs


def main(count=50):
    """Disturb a scene, adjust it, print how well it fits; return the deviations before and after."""
    rng = np.random.default_rng(5)
    cameras, points, *given = scene(count, rng)
    start = (
        cameras + rng.normal(scale=0.02, size=cameras.shape),
        points + rng.normal(scale=0.05, size=points.shape),
    )
    evaluation = jacobian_of_residuals.evaluation(*start, *given)
    print(f"{evaluation.pattern}, {evaluation.colouring}")
    begin = time.perf_counter()
    *_, costs = adjust(*start, *given)
    before, after = (np.sqrt(cost / (2 * len(given[0]))) for cost in (costs[0], costs[-1]))
    print(f"{len(costs) - 1} steps in {time.perf_counter() - begin:.2f} s")
    print(f"deviation in the pictures: {before:.1e} before, {after:.1e} after")
    return before, after


if __name__ == "__main__":
    main()
