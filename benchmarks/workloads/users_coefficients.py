"""Programs whose inner loops compute coefficients anew, though they are the same in each step or sample."""

from __future__ import annotations

import math

import numpy as np

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def tracer_in_layers(u0, rate, depth, measured):
    n = len(u0)
    u = u0.copy()
    misfit = 0.0
    for t in range(len(measured)):
        for i in range(n):
            u[i] = u[i] * np.exp(-rate * depth[i]) + 0.1 / (1.0 + rate * depth[i])
        misfit += (u[n // 2] - measured[t]) ** 2
    return misfit


@by_hand
def tracer_in_layers_by_hand(u0, rate, depth, measured):
    n, steps = len(u0), len(measured)
    states, kept = np.empty((steps + 1, n)), np.empty(n)
    source, d_kept, d_source = np.empty(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        kept[i], source[i] = fast.exp(-rate * depth[i]), 0.1 / (1.0 + rate * depth[i])
        states[0, i] = u0[i]
    misfit = 0.0
    for t in range(steps):
        for i in range(n):
            states[t + 1, i] = states[t, i] * kept[i] + source[i]
        misfit += (states[t + 1, n // 2] - measured[t]) ** 2
    d_u = np.zeros(n)
    for t in range(steps - 1, -1, -1):
        d_u[n // 2] += 2.0 * (states[t + 1, n // 2] - measured[t])
        for i in range(n):
            d_source[i] += d_u[i]
            d_kept[i] += d_u[i] * states[t, i]
            d_u[i] *= kept[i]
    d_rate, d_depth = 0.0, np.empty(n)
    for i in range(n):
        slope = -d_kept[i] * kept[i] - 10.0 * d_source[i] * source[i] * source[i]
        d_rate += slope * depth[i]
        d_depth[i] = slope * rate
    return misfit, (d_u, d_rate, d_depth)


def tracer_in_layers_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, rate, depth, measured):
        kept, source = jnp.exp(-rate * depth), 0.1 / (1.0 + rate * depth)

        def step(u, m):
            u = u * kept + source
            return u, (u[len(depth) // 2] - m) ** 2

        return jnp.sum(jax.lax.scan(step, u0, measured)[1])

    return jax_gradient(primal, (0, 1, 2))


def mixture_of_normals(weights, means, widths, x):
    total = 0.0
    for n in range(len(x)):
        density = 0.0
        for k in range(len(weights)):
            z = (x[n] - means[k]) / widths[k]
            density += math.exp(math.log(weights[k]) - 0.5 * z * z - math.log(widths[k]))
        total += math.log(density)
    return total


@by_hand
def mixture_of_normals_by_hand(weights, means, widths, x):
    count = len(weights)
    factor, inverse, terms = weights / widths, 1.0 / widths, np.empty(count)
    zeroth, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    total = 0.0
    for n in range(len(x)):
        density = 0.0
        for k in range(count):
            z = (x[n] - means[k]) * inverse[k]
            terms[k] = factor[k] * fast.exp(-0.5 * z * z)
            density += terms[k]
        total += math.log(density)
        share = 1.0 / density
        for k in range(count):
            z = (x[n] - means[k]) * inverse[k]
            r = terms[k] * share
            zeroth[k] += r
            first[k] += r * z
            second[k] += r * z * z
    return total, (zeroth / weights, first * inverse, (second - zeroth) * inverse)


def mixture_of_normals_in_jax():
    import jax.numpy as jnp

    def primal(weights, means, widths, x):
        z = (x[:, None] - means) / widths
        return jnp.sum(jnp.log(jnp.sum(weights / widths * jnp.exp(-0.5 * z * z), axis=1)))

    return jax_gradient(primal, (0, 1, 2))


WORKLOADS = [
    Workload(
        tracer_in_layers,
        lambda rng: (rng.normal(size=200), 0.3, rng.uniform(size=200), rng.normal(size=200)),
        (0, 1, 2),
        tracer_in_layers_by_hand,
        tracer_in_layers_in_jax,
    ),
    Workload(
        mixture_of_normals,
        lambda rng: (
            rng.uniform(0.1, 1.0, 10),
            rng.normal(size=10),
            rng.uniform(0.5, 1.0, 10),
            rng.normal(size=2000),
        ),
        (0, 1, 2),
        mixture_of_normals_by_hand,
        mixture_of_normals_in_jax,
    ),
]
