"""Programs over data as users write them: rows, pairs and samples that do not depend on each other."""

from __future__ import annotations

import math

import numpy as np

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def sparse_rows(vals, x, y, cols, starts):
    misfit = 0.0
    for i in range(len(starts) - 1):
        a, b = starts[i], starts[i + 1]
        r = vals[a:b] @ x[cols[a:b]] - y[i]
        misfit += r * r
    return misfit


@by_hand
def sparse_rows_by_hand(vals, x, y, cols, starts):
    d_vals, d_x = np.empty_like(vals), np.zeros_like(x)
    misfit = 0.0
    for i in range(len(starts) - 1):
        a, b = starts[i], starts[i + 1]
        r = -y[i]
        for k in range(a, b):
            r += vals[k] * x[cols[k]]
        misfit += r * r
        d = 2.0 * r
        for k in range(a, b):
            d_vals[k] = d * x[cols[k]]
            d_x[cols[k]] += d * vals[k]
    return misfit, (d_vals, d_x)


def sparse_rows_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(vals, x, y, cols, starts):
        rows = jnp.repeat(jnp.arange(len(y)), jnp.diff(starts), total_repeat_length=len(vals))
        found = jax.ops.segment_sum(vals * x[cols], rows, len(y), indices_are_sorted=True)
        return jnp.sum((found - y) ** 2)

    return jax_gradient(primal, (0, 1))


def scratch_mixture(weights, means, precisions, x):
    n, d = x.shape
    diff, q = np.empty(d), np.empty(d)
    total = 0.0
    for i in range(n):
        likelihood = 0.0
        for k in range(len(weights)):
            for j in range(d):
                diff[j] = x[i, j] - means[k, j]
            for a in range(d):
                q[a] = 0.0
                for b in range(d):
                    q[a] += precisions[k, a, b] * diff[b]
            distance = 0.0
            for a in range(d):
                distance += diff[a] * q[a]
            likelihood += weights[k] * math.exp(-0.5 * distance)
        total += math.log(likelihood)
    return total


@by_hand
def scratch_mixture_by_hand(weights, means, precisions, x):
    (n, d), count = x.shape, len(weights)
    diff, pulled, terms = np.empty((count, n, d)), np.empty((count, n, d)), np.empty((count, n))
    sums = np.zeros(n)
    for k in range(count):
        for i in range(n):
            for j in range(d):
                diff[k, i, j] = x[i, j] - means[k, j]
        pulled[k] = diff[k] @ (0.5 * (precisions[k] + precisions[k].T))
        for i in range(n):
            distance = 0.0
            for j in range(d):
                distance += diff[k, i, j] * pulled[k, i, j]
            terms[k, i] = distance
        for i in range(n):
            terms[k, i] = fast.exp(-0.5 * terms[k, i])
            sums[i] += weights[k] * terms[k, i]
    total = 0.0
    for i in range(n):
        total += fast.log(sums[i])
        sums[i] = 1.0 / sums[i]
    d_weights, d_means, d_precisions = np.zeros(count), np.zeros((count, d)), np.empty_like(precisions)
    scaled = np.empty((n, d))
    for k in range(count):
        for i in range(n):
            part = terms[k, i] * sums[i]
            d_weights[k] += part
            part *= weights[k]
            for j in range(d):
                scaled[i, j] = -0.5 * part * diff[k, i, j]
                d_means[k, j] += part * pulled[k, i, j]
        d_precisions[k] = scaled.T @ diff[k]
    return total, (d_weights, d_means, d_precisions)


def scratch_mixture_in_jax():
    import jax.numpy as jnp

    def primal(weights, means, precisions, x):
        diff = x[None] - means[:, None]
        distances = jnp.sum(diff * jnp.einsum("kib,kab->kia", diff, precisions), axis=2)
        return jnp.sum(jnp.log(weights @ jnp.exp(-0.5 * distances)))

    return jax_gradient(primal, (0, 1, 2))


def kmeans(centres, points):
    cost = 0.0
    for i in range(points.shape[0]):
        closest = np.inf
        for k in range(centres.shape[0]):
            dist = 0.0
            for j in range(points.shape[1]):
                dist += (points[i, j] - centres[k, j]) ** 2
            closest = min(closest, dist)
        cost += closest
    return cost


@by_hand
def kmeans_by_hand(centres, points):
    (count, d), d_centres = centres.shape, np.zeros_like(centres)
    across, distances = centres.T.copy(), np.empty(count)
    cost = 0.0
    for i in range(points.shape[0]):
        distances[:] = 0.0
        for j in range(d):
            for k in range(count):
                distances[k] += (points[i, j] - across[j, k]) ** 2
        best = 0
        for k in range(1, count):
            if distances[k] < distances[best]:
                best = k
        cost += distances[best]
        for j in range(d):
            d_centres[best, j] += 2.0 * (centres[best, j] - points[i, j])
    return cost, (d_centres,)


def kmeans_in_jax():
    import jax.numpy as jnp

    def primal(centres, points):
        squares = jnp.sum(points**2, axis=1)[:, None] + jnp.sum(centres**2, axis=1)
        return jnp.sum(jnp.min(squares - 2.0 * points @ centres.T, axis=1))

    return jax_gradient(primal, (0,))


def axis_sums(x, scale):
    energy = np.sum(x * x, axis=(1, 2, 3))
    mean = np.mean(x, axis=(0, 1, 2))
    y = (x - mean) * scale
    spread = np.sum(y * y, axis=(1, 2, 3))
    return np.sum(np.log(1.0 + energy)) + np.sum(np.sqrt(spread))


@by_hand
def axis_sums_by_hand(x, scale):
    (samples, _, _, channels), area = x.shape, x.shape[1] * x.shape[2]
    flat = x.reshape(samples, area, channels)
    mean = np.zeros(channels)
    for s in range(samples):
        for p in range(area):
            for c in range(channels):
                mean[c] += flat[s, p, c]
    mean /= samples * area
    d_x, d_scale, shared = np.empty(flat.shape), np.zeros(channels), np.zeros(channels)
    energies, spreads, sums = np.empty(channels), np.empty(channels), np.empty(channels)
    value = 0.0
    for s in range(samples):
        energies[:] = 0.0
        spreads[:] = 0.0
        sums[:] = 0.0
        for p in range(area):
            for c in range(channels):
                v = flat[s, p, c]
                energies[c] += v * v
                spreads[c] += (v - mean[c]) ** 2
                sums[c] += v - mean[c]
        energy = spread = 0.0
        for c in range(channels):
            energy += energies[c]
            spread += spreads[c] * scale[c] ** 2
        value += math.log(1.0 + energy) + math.sqrt(spread)
        first, second = 2.0 / (1.0 + energy), 1.0 / math.sqrt(spread)
        for c in range(channels):
            d_scale[c] += second * scale[c] * spreads[c]
            shared[c] += second * scale[c] ** 2 * sums[c]
        for p in range(area):
            for c in range(channels):
                v = flat[s, p, c]
                d_x[s, p, c] = first * v + second * scale[c] ** 2 * (v - mean[c])
    shared /= samples * area
    for s in range(samples):
        for p in range(area):
            for c in range(channels):
                d_x[s, p, c] -= shared[c]
    return value, (d_x.reshape(x.shape), d_scale)


def axis_sums_in_jax():
    import jax.numpy as jnp

    def primal(x, scale):
        energy = jnp.sum(x * x, axis=(1, 2, 3))
        y = (x - jnp.mean(x, axis=(0, 1, 2))) * scale
        return jnp.sum(jnp.log(1.0 + energy)) + jnp.sum(jnp.sqrt(jnp.sum(y * y, axis=(1, 2, 3))))

    return jax_gradient(primal, (0, 1))


def neighbour_energy(x, epsilon, sigma, box, cutoff, starts, neighbours):
    energy = 0.0
    for i in range(x.shape[0]):
        for n in range(starts[i], starts[i + 1]):
            j = neighbours[n]
            r2 = 0.0
            for k in range(3):
                dx = x[i, k] - x[j, k]
                dx -= box * round(dx / box)
                r2 += dx * dx
            if r2 < cutoff * cutoff:
                s6 = (sigma * sigma / r2) ** 3
                energy += 4.0 * epsilon * (s6 * s6 - s6)
    return energy


@by_hand
def neighbour_energy_by_hand(x, epsilon, sigma, box, cutoff, starts, neighbours):
    d_x, total, virial = np.zeros_like(x), 0.0, 0.0
    inverse_box, square, limit = 1.0 / box, sigma * sigma, cutoff * cutoff
    for i in range(x.shape[0]):
        x0, x1, x2 = x[i, 0], x[i, 1], x[i, 2]
        g0 = g1 = g2 = 0.0
        for n in range(starts[i], starts[i + 1]):
            j = neighbours[n]
            d0, d1, d2 = x0 - x[j, 0], x1 - x[j, 1], x2 - x[j, 2]
            d0 -= box * np.rint(d0 * inverse_box)
            d1 -= box * np.rint(d1 * inverse_box)
            d2 -= box * np.rint(d2 * inverse_box)
            r2 = d0 * d0 + d1 * d1 + d2 * d2
            if r2 < limit:
                inverse = 1.0 / r2
                s2 = square * inverse
                s6 = s2 * s2 * s2
                total += s6 * s6 - s6
                slope = 2.0 * s6 * s6 - s6
                virial += slope
                factor = -24.0 * epsilon * slope * inverse
                d0, d1, d2 = factor * d0, factor * d1, factor * d2
                g0 += d0
                g1 += d1
                g2 += d2
                d_x[j, 0] -= d0
                d_x[j, 1] -= d1
                d_x[j, 2] -= d2
        d_x[i, 0] += g0
        d_x[i, 1] += g1
        d_x[i, 2] += g2
    return 4.0 * epsilon * total, (d_x, 4.0 * total, 24.0 * epsilon / sigma * virial)


def neighbour_energy_in_jax():
    import jax.numpy as jnp

    def primal(x, epsilon, sigma, box, cutoff, starts, neighbours):
        count = len(neighbours)
        i = jnp.repeat(jnp.arange(len(x)), jnp.diff(starts), total_repeat_length=count)
        dx = x[i] - x[neighbours]
        dx = dx - box * jnp.round(dx / box)
        r2 = jnp.sum(dx * dx, axis=1)
        s6 = (sigma * sigma / r2) ** 3
        return jnp.sum(jnp.where(r2 < cutoff * cutoff, 4.0 * epsilon * (s6 * s6 - s6), 0.0))

    return jax_gradient(primal, (0, 1, 2))


def cross_entropy(w, b, x, labels):
    total = 0.0
    for i in range(len(labels)):
        logits = w @ x[i] + b
        top = np.max(logits)
        total += top + np.log(np.sum(np.exp(logits - top))) - logits[labels[i]]
    return total / len(labels)


@by_hand
def cross_entropy_by_hand(w, b, x, labels):
    n, classes = len(labels), len(b)
    scores = x @ w.T
    d_b, total = np.zeros(classes), 0.0
    for i in range(n):
        top = -np.inf
        for k in range(classes):
            scores[i, k] += b[k]
            top = max(top, scores[i, k])
        total += top - scores[i, labels[i]]
        s = 0.0
        for k in range(classes):
            scores[i, k] = fast.exp(scores[i, k] - top)
            s += scores[i, k]
        total += math.log(s)
        scale = 1.0 / (s * n)
        for k in range(classes):
            scores[i, k] *= scale
        scores[i, labels[i]] -= 1.0 / n
        for k in range(classes):
            d_b[k] += scores[i, k]
    return total / n, (scores.T @ x, d_b)


def cross_entropy_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(w, b, x, labels):
        logits = x @ w.T + b
        picked = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
        return jnp.mean(jax.scipy.special.logsumexp(logits, axis=1) - picked)

    return jax_gradient(primal, (0, 1))


def _sparse_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(rng.integers(3, 18, 2000))))
    cols = rng.integers(0, 2000, starts[-1])
    return rng.normal(size=len(cols)), rng.normal(size=2000), rng.normal(size=2000), cols, starts


def _mixture_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    factors = np.eye(8) + 0.2 * rng.normal(size=(6, 8, 8))
    precisions = factors @ factors.transpose(0, 2, 1)
    return rng.uniform(0.1, 0.3, 6), rng.normal(size=(6, 8)), precisions, rng.normal(size=(1000, 8))


def _neighbour_inputs(rng: np.random.Generator) -> tuple[object, ...]:
    side, box, cutoff = 8, 10.0, 2.5
    places = np.stack(np.meshgrid(*[np.arange(side) * box / side] * 3), axis=-1).reshape(-1, 3)
    x = places + 0.1 * rng.normal(size=places.shape)
    apart = x[:, None] - x[None]
    apart -= box * np.round(apart / box)
    near = np.triu(np.sum(apart**2, axis=2) < (cutoff + 0.3) ** 2, 1)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.sum(near, axis=1))))
    return x, 0.9, 1.1, box, cutoff, starts, np.nonzero(near)[1]


WORKLOADS = [
    Workload(sparse_rows, _sparse_inputs, (0, 1), sparse_rows_by_hand, sparse_rows_in_jax),
    Workload(scratch_mixture, _mixture_inputs, (0, 1, 2), scratch_mixture_by_hand, scratch_mixture_in_jax),
    Workload(
        kmeans,
        lambda rng: (rng.normal(size=(16, 8)), rng.normal(size=(2000, 8))),
        (0,),
        kmeans_by_hand,
        kmeans_in_jax,
    ),
    Workload(
        axis_sums,
        lambda rng: (rng.normal(size=(8, 16, 16, 8)), rng.uniform(0.5, 1.5, 8)),
        (0, 1),
        axis_sums_by_hand,
        axis_sums_in_jax,
        loops=False,
        by_numba=False,
    ),
    Workload(
        neighbour_energy,
        _neighbour_inputs,
        (0, 1, 2),
        neighbour_energy_by_hand,
        neighbour_energy_in_jax,
    ),
    Workload(
        cross_entropy,
        lambda rng: (
            *(rng.normal(size=(10, 30)), rng.normal(size=10), rng.normal(size=(500, 30))),
            rng.integers(0, 10, 500),
        ),
        (0, 1),
        cross_entropy_by_hand,
        cross_entropy_in_jax,
    ),
]
