"""Programs as optimisers call them: parameters in one vector, data in the module."""

from __future__ import annotations

import numpy as np
from numba import njit

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient

_TIMES = np.linspace(0.0, 10.0, 2000)
_COUNTS = 5.0 * np.exp(-0.3 * _TIMES) + 2.0 * np.exp(-1.7 * _TIMES) + 0.5 + 0.01 * np.cos(7.0 * _TIMES)


@njit
def _network(p, row, units):
    d = len(row)
    weights = p[0 : units * d].reshape(units, d)
    bias = p[units * d : units * d + units]
    last = p[units * d + units : units * d + 2 * units]
    out = p[units * d + 2 * units]
    for i in range(units):
        z = bias[i]
        for j in range(d):
            z += weights[i, j] * row[j]
        out += last[i] * np.tanh(z)
    return out


def network_in_one_vector(p, x, y, units):
    loss = 0.0
    for i in range(len(x)):
        loss += (_network(p, x[i], units) - y[i]) ** 2
    return loss


@by_hand
def network_in_one_vector_by_hand(p, x, y, units):
    d, d_p = x.shape[1], np.empty_like(p)
    weights, start = p[: units * d].reshape((units, d)), units * d
    last = p[start + units : start + 2 * units]
    h = x @ weights.T
    for n in range(len(x)):
        for i in range(units):
            h[n, i] = fast.tanh(h[n, i] + p[start + i])
    r = h @ last
    loss, total = 0.0, 0.0
    for n in range(len(x)):
        r[n] += p[start + 2 * units] - y[n]
        loss += r[n] * r[n]
        r[n] *= 2.0
        total += r[n]
    d_p[start + units : start + 2 * units] = r @ h
    d_p[start + 2 * units] = total
    d_bias = np.zeros(units)
    for n in range(len(x)):
        for i in range(units):
            h[n, i] = r[n] * last[i] * (1.0 - h[n, i] * h[n, i])
            d_bias[i] += h[n, i]
    d_p[start : start + units] = d_bias
    d_p[:start] = (h.T @ x).ravel()
    return loss, (d_p,)


def network_in_one_vector_in_jax():
    import jax.numpy as jnp

    units, d = _UNITS, _INPUTS

    def primal(p, x, y):
        weights, start = p[: units * d].reshape(units, d), units * d
        h = jnp.tanh(x @ weights.T + p[start : start + units])
        return jnp.sum((h @ p[start + units : start + 2 * units] + p[start + 2 * units] - y) ** 2)

    gradient = jax_gradient(primal, (0,))
    return lambda p, x, y, units: gradient(p, x, y)


def decay_of_captured_data(p):
    amplitudes, rates = p[0:2], p[2:4]
    expected = p[4] + amplitudes[0] * np.exp(-rates[0] * _TIMES) + amplitudes[1] * np.exp(-rates[1] * _TIMES)
    return 0.5 * np.sum((_COUNTS - expected) ** 2 / _COUNTS)


@by_hand
def decay_of_captured_data_by_hand(p):
    a, b, k, m, background = p[0], p[1], p[2], p[3], p[4]
    misfit = d_a = d_b = d_k = d_m = d_background = 0.0
    for i in range(len(_TIMES)):
        t, count = _TIMES[i], _COUNTS[i]
        one, two = fast.exp(-k * t), fast.exp(-m * t)
        r = (background + a * one + b * two - count) / count
        misfit += r * r * count
        d_background += r
        d_a += r * one
        d_b += r * two
        d_k -= r * one * t
        d_m -= r * two * t
    return 0.5 * misfit, (np.array([d_a, d_b, a * d_k, b * d_m, d_background]),)


def decay_of_captured_data_in_jax():
    import jax.numpy as jnp

    def primal(p):
        expected = p[4] + p[0] * jnp.exp(-p[2] * _TIMES) + p[1] * jnp.exp(-p[3] * _TIMES)
        return 0.5 * jnp.sum((_COUNTS - expected) ** 2 / _COUNTS)

    return jax_gradient(primal, (0,))


_UNITS, _INPUTS = 12, 6


def _network_inputs(rng: np.random.Generator) -> tuple[object, ...]:
    size = _UNITS * (_INPUTS + 2) + 1
    return rng.normal(size=size), rng.normal(size=(1000, _INPUTS)), rng.normal(size=1000), _UNITS


WORKLOADS = [
    Workload(
        network_in_one_vector,
        _network_inputs,
        (0,),
        network_in_one_vector_by_hand,
        network_in_one_vector_in_jax,
    ),
    Workload(
        decay_of_captured_data,
        lambda rng: (np.array([4.0, 1.5, 0.4, 1.2, 0.6]) + 0.1 * rng.normal(size=5),),
        (0,),
        decay_of_captured_data_by_hand,
        decay_of_captured_data_in_jax,
        loops=False,
    ),
]
