"""Programs whose arrays are segments of others, or are kept in a list: only running them tells the sizes."""

from __future__ import annotations

import numpy as np

from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def shares_of_markets(taste, share, cuts, rounds):
    """Mean utilities of goods that explain their shares, by a contraction in each market."""
    found = np.zeros(len(taste))
    for m in range(len(cuts) - 1):
        lo, hi = cuts[m], cuts[m + 1]
        a, b = taste[lo:hi], share[lo:hi]
        d = np.log(b)
        for _ in range(rounds):
            v = np.exp(d + a)
            d = d + b - v / (1.0 + np.sum(v))
        found[lo:hi] = d
    return np.sum(found**2)


@by_hand
def shares_of_markets_by_hand(taste, share, cuts, rounds):
    n, longest = len(taste), 0
    for m in range(len(cuts) - 1):
        longest = max(longest, cuts[m + 1] - cuts[m])
    d_taste, d_share, d, bar = np.zeros(n), np.zeros(n), np.empty(longest), np.empty(longest)
    parts = np.empty((rounds, longest))
    total = 0.0
    for m in range(len(cuts) - 1):
        lo, size = cuts[m], cuts[m + 1] - cuts[m]
        for i in range(size):
            d[i] = np.log(share[lo + i])
        for k in range(rounds):
            summed = 1.0
            for i in range(size):
                parts[k, i] = np.exp(d[i] + taste[lo + i])
                summed += parts[k, i]
            scale = 1 / summed
            for i in range(size):
                parts[k, i] *= scale
                d[i] += share[lo + i] - parts[k, i]
        for i in range(size):
            total += d[i] ** 2
            bar[i] = 2 * d[i]
        for k in range(rounds - 1, -1, -1):
            dot = 0.0
            for i in range(size):
                dot += bar[i] * parts[k, i]
            for i in range(size):
                inner = parts[k, i] * (bar[i] - dot)
                d_share[lo + i] += bar[i]
                d_taste[lo + i] -= inner
                bar[i] -= inner
        for i in range(size):
            d_share[lo + i] += bar[i] / share[lo + i]
    return total, (d_taste, d_share)


def shares_of_markets_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(taste, share, cuts, rounds):
        market = jnp.repeat(jnp.arange(len(cuts) - 1), jnp.diff(cuts), total_repeat_length=len(taste))

        def step(d, _):
            v = jnp.exp(d + taste)
            summed = jax.ops.segment_sum(v, market, len(cuts) - 1, indices_are_sorted=True)
            return d + share - v / (1.0 + summed[market]), None

        return jnp.sum(jax.lax.scan(step, jnp.log(share), None, length=30)[0] ** 2)

    return jax_gradient(primal, (0, 1))


def states_in_a_list(w, v, b, x):
    """A recurrent network whose states are kept in a list, and read from it."""
    states = [np.zeros((x.shape[1], v.shape[0]))]
    for t in range(len(x)):
        states.append(np.tanh(x[t] @ w + states[-1] @ v + b))
    loss = 0.0
    for t in range(1, len(states)):
        loss += np.sum((states[t] - states[t - 1]) ** 2)
    return loss


@by_hand
def states_in_a_list_by_hand(w, v, b, x):
    steps, batch, features = x.shape
    n = len(b)
    states = np.zeros((steps + 1, batch, n))
    pre = (x.reshape(steps * batch, features) @ w).reshape(steps, batch, n)
    loss = 0.0
    for t in range(steps):
        z, h, before = pre[t] + states[t] @ v, states[t + 1], states[t]
        for i in range(batch):
            for j in range(n):
                h[i, j] = np.tanh(z[i, j] + b[j])
                loss += (h[i, j] - before[i, j]) ** 2
    d_pre, d_v, d_b = np.empty((steps, batch, n)), np.zeros((n, n)), np.zeros(n)
    d = np.zeros((batch, n))
    for t in range(steps - 1, -1, -1):
        h, before, bar = states[t + 1], states[t], d_pre[t]
        for i in range(batch):
            for j in range(n):
                change = 2 * (h[i, j] - before[i, j])
                bar[i, j] = (d[i, j] + change) * (1 - h[i, j] ** 2)
                d_b[j] += bar[i, j]
        d = bar @ v.T
        for i in range(batch):
            for j in range(n):
                d[i, j] -= 2 * (h[i, j] - before[i, j])
    d_pre_rows = d_pre.reshape(steps * batch, n)
    d_v = states[:steps].reshape(steps * batch, n).T @ d_pre_rows
    d_w = x.reshape(steps * batch, features).T @ d_pre_rows
    return loss, (d_w, d_v, d_b)


def states_in_a_list_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(w, v, b, x):
        def step(h, given):
            new = jnp.tanh(given + h @ v)
            return new, jnp.sum((new - h) ** 2)

        return jnp.sum(jax.lax.scan(step, jnp.zeros((x.shape[1], v.shape[0])), x @ w + b)[1])

    return jax_gradient(primal, (0, 1, 2))


def _markets(rng):
    sizes = rng.integers(5, 40, 100)
    cuts = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    inside = rng.uniform(0.2, 1.0, cuts[-1])
    share = inside / (1.0 + np.repeat(np.add.reduceat(inside, cuts[:-1]), sizes))
    return 0.3 * rng.normal(size=cuts[-1]), share, cuts, 30


WORKLOADS = [
    Workload(shares_of_markets, _markets, (0, 1), shares_of_markets_by_hand, shares_of_markets_in_jax),
    Workload(
        states_in_a_list,
        lambda rng: (
            0.3 * rng.normal(size=(8, 16)),
            0.2 * rng.normal(size=(16, 16)),
            0.1 * rng.normal(size=16),
            rng.normal(size=(40, 16, 8)),
        ),
        (0, 1, 2),
        states_in_a_list_by_hand,
        states_in_a_list_in_jax,
        loops=False,
    ),
]
