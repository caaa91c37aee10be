"""`ht`: the residuals of a hand model against matched points, by 26 angles and offsets (ADBench)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from adcompiler import grad, jacobian
from benchmarks.gradbench.evaluation import Eval, Task, array

FINGERS, PER_FINGER = 5, 4


@njit(error_model="numpy")
def posed(theta, bones):
    """Return three Euler angles for each bone: a finger's first joint has two, the next ones have one."""
    angles = np.zeros((bones, 3))
    for finger in range(FINGERS):
        joint, k = 2 + 4 * finger, 6 + PER_FINGER * finger
        angles[joint, 0], angles[joint, 1] = theta[k], theta[k + 1]
        angles[joint + 1, 0] = theta[k + 2]
        angles[joint + 2, 0] = theta[k + 3]
    return angles


@njit(error_model="numpy")
def turned(angles):
    """Return the matrix of a rotation by Euler angles about x, z and y."""
    cx, sx = math.cos(angles[0]), math.sin(angles[0])
    cz, sz = math.cos(angles[1]), math.sin(angles[1])
    cy, sy = math.cos(angles[2]), math.sin(angles[2])
    return np.array(
        [
            [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
            [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
            [-sy, cy * sx, cy * cx],
        ]
    )


@njit(error_model="numpy")
def global_rotation(axis):
    """Return the matrix of a rotation about an axis by an angle that is its length."""
    angle = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
    if angle < 1e-4:
        return np.eye(3)
    x, y, z = axis[0] / angle, axis[1] / angle, axis[2] / angle
    s, c = math.sin(angle), math.cos(angle)
    return np.array(
        [
            [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
        ]
    )


@njit(error_model="numpy")
def bone_transforms(theta, parents, relatives, inverses):
    """Return the transform of each bone from the base pose, of shape (bones, 4, 4), down the tree."""
    bones = len(parents)
    angles = posed(theta, bones)
    absolutes, transforms = np.empty((bones, 4, 4)), np.empty((bones, 4, 4))
    for k in range(bones):
        turn = np.eye(4)
        turn[:3, :3] = turned(angles[k])
        relative = relatives[k] @ turn
        if parents[k] == -1:
            absolutes[k] = relative
        else:
            absolutes[k] = absolutes[parents[k]] @ relative
        transforms[k] = absolutes[k] @ inverses[k]
    return transforms


@njit(error_model="numpy")
def skinned(transforms, bones, base, weights):
    """Return what some bones add to the vertices: base and result have shape (3, vertices)."""
    positions = np.zeros_like(base)
    for k in bones:
        for i in range(3):
            for v in range(base.shape[1]):
                moved = transforms[k, i, 0] * base[0, v] + transforms[k, i, 1] * base[1, v]
                moved += transforms[k, i, 2] * base[2, v] + transforms[k, i, 3]
                positions[i, v] += weights[k, v] * moved
    return positions


@njit(error_model="numpy")
def shaped(transforms, bones, base, weights, mirrored):
    """Return the vertices before the global rotation and translation; this is linear in the transforms."""
    positions = skinned(transforms, bones, base, weights)
    if mirrored:
        positions[0] *= -1.0
    return positions


@njit(error_model="numpy")
def placed(axis, positions):
    return global_rotation(axis) @ positions


@njit(error_model="numpy")
def vertices(theta, parents, relatives, inverses, base, weights, mirrored):
    """Return where the vertices are, of shape (vertices, 3)."""
    transforms = bone_transforms(theta, parents, relatives, inverses)
    positions = placed(theta[:3], shaped(transforms, np.arange(len(parents)), base, weights, mirrored))
    return positions.T + theta[3:6]


transform_slopes = jacobian(bone_transforms)
turning = jacobian(placed)


@njit(error_model="numpy")
def bones_moved(k):
    """Return the first bone that theta[k] moves, and the one after the last: a finger from a joint on."""
    finger, number = divmod(k - 6, PER_FINGER)
    return 2 + 4 * finger + max(number - 1, 0), 5 + 4 * finger


@njit(error_model="numpy")
def turned_slopes(turn, slopes, k, bones):
    """Return the slopes by theta[k] of transforms after a rotation, of shape (bones, 3, 4)."""
    found = np.zeros((len(slopes), 3, 4))
    for bone in bones:
        for i in range(3):
            for j in range(4):
                for m in range(3):
                    found[bone, i, j] += turn[i, m] * slopes[bone, m, j, k]
    return found


@njit(error_model="numpy")
def vertex_slopes(theta, parents, relatives, inverses, base, weights, mirrored):
    """Return the vertices and their slopes by theta, of shape (vertices, 3, 26).

    The vertices are linear in the transforms of bones, before and after the global rotation.
    """
    transforms = bone_transforms(theta, parents, relatives, inverses)
    positions = shaped(transforms, np.arange(len(parents)), base, weights, mirrored)
    slopes = np.zeros((base.shape[1], 3, len(theta)))
    slopes[:, :, :3] = turning(theta[:3], positions).transpose(1, 0, 2)
    for i in range(3):
        slopes[:, i, 3 + i] = 1.0
    by_angle = transform_slopes(theta, parents, relatives, inverses)
    turn = global_rotation(theta[:3])
    found = placed(theta[:3], positions).T + theta[3:6]
    if mirrored:
        turn[:, 0] *= -1.0
    for first in range(6, len(theta), PER_FINGER):
        moving = np.empty((PER_FINGER, 3, base.shape[1]))
        for k in range(PER_FINGER):
            bones = np.arange(*bones_moved(first + k))
            moving[k] = skinned(turned_slopes(turn, by_angle, first + k, bones), bones, base, weights)
        slopes[:, :, first : first + PER_FINGER] = moving.transpose(2, 1, 0)
    return found, slopes


@njit(error_model="numpy")
def residuals(hand, matched, points):
    """Return points less the vertices that they are matched with."""
    found = vertices(*hand)
    errors = np.empty((len(points), 3))
    for p in range(len(points)):
        for i in range(3):
            errors[p, i] = points[p, i] - found[matched[p], i]
    return errors


@njit(error_model="numpy")
def residual_slopes(hand, matched, points):
    _, slopes = vertex_slopes(*hand)
    result = np.empty((len(points), 3, slopes.shape[2]))
    for p in range(len(points)):
        vertex = slopes[matched[p]]
        for i in range(3):
            for k in range(slopes.shape[2]):
                result[p, i, k] = -vertex[i, k]
    return result


@njit(error_model="numpy")
def between(u, v, a, b, c):
    """Return a point of a triangle with corners a, b, c, by two of its coordinates."""
    return u * a + v * b + (1.0 - u - v) * c


sliding = grad(between, argnums=("u", "v"))


@njit(error_model="numpy")
def residuals_in_triangles(hand, us, triangles, points):
    """Return points less points of the triangles that they are matched with."""
    found = vertices(*hand)
    errors = np.empty((len(points), 3))
    for p in range(len(points)):
        a, b, c = triangles[p]
        for i in range(3):
            errors[p, i] = points[p, i] - between(us[p, 0], us[p, 1], found[a, i], found[b, i], found[c, i])
    return errors


@njit(error_model="numpy")
def residual_slopes_in_triangles(hand, us, triangles, points):
    """Return the slopes by the two coordinates of each point, and by theta."""
    found, slopes = vertex_slopes(*hand)
    result = np.empty((len(points), 3, 2 + slopes.shape[2]))
    for p in range(len(points)):
        a, b, c = triangles[p]
        u, v = us[p, 0], us[p, 1]
        for i in range(3):
            along = sliding(u, v, found[a, i], found[b, i], found[c, i])
            result[p, i, 0], result[p, i, 1] = -along[0], -along[1]
            for k in range(slopes.shape[2]):
                result[p, i, 2 + k] = -between(u, v, slopes[a, i, k], slopes[b, i, k], slopes[c, i, k])
    return result


def objective(*args: Any) -> Any:
    return residuals(*args) if len(args) == 3 else residuals_in_triangles(*args)


def objective_slopes(*args: Any) -> Any:
    return residual_slopes(*args) if len(args) == 3 else residual_slopes_in_triangles(*args)


def arguments(given: Any) -> tuple[Any, ...]:
    """Return the hand, for the complicated variant coordinates, and matches and points."""
    data = given["data"]
    model = data["model"]
    hand = (
        array(given["theta"]),
        array(model["parents"], dtype=np.int64),
        array(model["base_relatives"], axes=3),
        array(model["inverse_base_absolutes"], axes=3),
        np.ascontiguousarray(array(model["base_positions"], axes=2)[:, :3].T),
        np.ascontiguousarray(array(model["weights"], axes=2).T),
        bool(model["is_mirrored"]),
    )
    matched, points = array(data["correspondences"], dtype=np.int64), array(data["points"], axes=2)
    if not given.get("us"):
        return hand, matched, points
    corners = array(model["triangles"], axes=2, dtype=np.int64)[matched]
    return hand, array(given["us"], axes=2), corners, points


def rows(found: Any) -> Any:
    return found.reshape(-1, found.shape[2])


def example() -> dict[str, Any]:
    """Return an input of a hand with bones that turn where they are, two vertices and one point."""
    identity, bones = np.eye(4).tolist(), 2 + 4 * FINGERS
    model = {
        "parents": [-1] + [0] * (bones - 1),
        "base_relatives": [identity] * bones,
        "inverse_base_absolutes": [identity] * bones,
        "base_positions": [[0.1, 0.2, 0.3, 1.0], [0.3, 0.1, 0.2, 1.0]],
        "weights": [[1.0 / bones] * bones] * 2,
        "triangles": [[0, 1, 1]],
        "is_mirrored": False,
    }
    data = {"model": model, "correspondences": [0], "points": [[0.5, 0.5, 0.5]]}
    return {"theta": [0.1] * (6 + FINGERS * PER_FINGER), "data": data, "us": []}


EVAL = Eval(
    {
        "objective": Task(arguments, objective, np.ravel),
        "jacobian": Task(arguments, objective_slopes, rows),
    },
    (example(), example() | {"us": [[0.3, 0.4]]}),
)
