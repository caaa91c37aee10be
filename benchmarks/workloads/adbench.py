"""ADBench's mixture and LSTM by their own definitions (Srajer, Kukelova and Fitzgibbon 2018)."""

from __future__ import annotations

import math

import numpy as np

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def adbench_gmm(alphas, means, icf, x, gamma, m):
    n, d = x.shape
    n_components = means.shape[0]
    q_diags = np.exp(icf[:, :d])
    sum_qs = np.empty(n_components)
    for k in range(n_components):
        sum_qs[k] = np.sum(icf[k, :d])
    xcentered, qx = np.empty(d), np.empty(d)
    main_term = np.empty(n_components)
    slse = 0.0
    for i in range(n):
        for k in range(n_components):
            for j in range(d):
                xcentered[j] = x[i, j] - means[k, j]
            for j in range(d):
                qx[j] = q_diags[k, j] * xcentered[j]
            position = d
            for j in range(d):
                for l in range(j + 1, d):  # noqa: E741
                    qx[l] += icf[k, position] * xcentered[j]
                    position += 1
            sqsum = 0.0
            for j in range(d):
                sqsum += qx[j] * qx[j]
            main_term[k] = alphas[k] + sum_qs[k] - 0.5 * sqsum
        mx = np.max(main_term)
        semx = 0.0
        for k in range(n_components):
            semx += math.exp(main_term[k] - mx)
        slse += math.log(semx) + mx
    amax = np.max(alphas)
    lse_alphas = math.log(np.sum(np.exp(alphas - amax))) + amax
    wishart = 0.0
    for k in range(n_components):
        frobenius = 0.0
        for j in range(d):
            frobenius += q_diags[k, j] ** 2
        for p in range(d, icf.shape[1]):
            frobenius += icf[k, p] ** 2
        wishart += 0.5 * gamma * gamma * frobenius - m * sum_qs[k]
    return slse - n * lse_alphas + wishart


@by_hand
def gmm_by_hand(alphas, means, icf, x, gamma, m):
    (n, d), count, width = x.shape, means.shape[0], icf.shape[1]
    factors, terms, projected = np.zeros((count, d, d)), np.empty((count, n)), np.empty((count, n, d))
    d_alphas, d_means, d_icf = np.zeros(count), np.zeros((count, d)), np.empty((count, width))
    top_alpha = np.max(alphas)
    weight_sum, wishart, centred = 0.0, 0.0, np.empty((n, d))
    for k in range(count):
        weight_sum += math.exp(alphas[k] - top_alpha)
        logs, square, position = 0.0, 0.0, d
        for j in range(d):
            scale = math.exp(icf[k, j])
            factors[k, j, j] = scale
            square += scale * scale
            logs += icf[k, j]
            for row in range(j + 1, d):
                v = icf[k, position]
                factors[k, j, row] = v
                square += v * v
                position += 1
        wishart += 0.5 * gamma * gamma * square - m * logs
        for i in range(n):
            for j in range(d):
                centred[i, j] = x[i, j] - means[k, j]
        projected[k] = centred @ factors[k]
        for i in range(n):
            square = 0.0
            for j in range(d):
                square += projected[k, i, j] ** 2
            terms[k, i] = alphas[k] + logs - 0.5 * square
    tops, sums, value = terms[0].copy(), np.zeros(n), 0.0
    for k in range(1, count):
        for i in range(n):
            tops[i] = max(tops[i], terms[k, i])
    for k in range(count):
        for i in range(n):
            terms[k, i] = fast.exp(terms[k, i] - tops[i])
            sums[i] += terms[k, i]
    for i in range(n):
        value += tops[i] + fast.log(sums[i])
        sums[i] = 1.0 / sums[i]
    for k in range(count):
        mass, along = 0.0, np.zeros(d)
        for i in range(n):
            weight = terms[k, i] * sums[i]
            mass += weight
            for j in range(d):
                projected[k, i, j] *= -weight
                along[j] -= projected[k, i, j]
                centred[i, j] = x[i, j] - means[k, j]
        d_alphas[k] = mass - n * math.exp(alphas[k] - top_alpha) / weight_sum
        d_means[k] = factors[k] @ along
        d_factor = centred.T @ projected[k]
        position = d
        for j in range(d):
            scale = factors[k, j, j]
            d_icf[k, j] = mass - m + scale * (d_factor[j, j] + gamma * gamma * scale)
            for row in range(j + 1, d):
                d_icf[k, position] = d_factor[j, row] + gamma * gamma * icf[k, position]
                position += 1
    value += wishart - n * (math.log(weight_sum) + top_alpha)
    return value, (d_alphas, d_means, d_icf)


def gmm_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(alphas, means, icf, x, gamma, m):
        n, d = x.shape
        rows, columns = np.triu_indices(d, 1)
        logs, low = icf[:, :d], icf[:, d:]
        factors = jax.vmap(lambda s, v: jnp.diag(jnp.exp(s)).at[rows, columns].set(v))(logs, low)
        projected = jnp.einsum("knj,kjl->knl", x[None] - means[:, None], factors)
        sums = jnp.sum(logs, axis=1)
        terms = (alphas + sums)[:, None] - 0.5 * jnp.sum(projected**2, axis=2)
        frobenius = jnp.sum(jnp.exp(2.0 * logs)) + jnp.sum(low**2)
        wishart = 0.5 * gamma * gamma * frobenius - m * jnp.sum(sums)
        lse = jax.scipy.special.logsumexp
        return jnp.sum(lse(terms, axis=0)) - n * lse(alphas) + wishart

    return jax_gradient(primal, (0, 1, 2))


def logsumexp(x):
    mx = np.max(x)
    return np.log(np.sum(np.exp(x - mx))) + mx


def adbench_gmm_arrays(alphas, means, icf, x, gamma, m):
    n, d = x.shape
    k = len(alphas)
    q_diags = np.exp(icf[:, :d])
    sum_qs = np.sum(icf[:, :d], axis=1)
    main_term = np.empty((n, k))
    frobenius = np.sum(q_diags**2) + np.sum(icf[:, d:] ** 2)
    for c in range(k):
        q = np.diag(q_diags[c])
        start = d
        for j in range(d - 1):
            q[j + 1 :, j] = icf[c, start : start + d - 1 - j]
            start += d - 1 - j
        qx = (x - means[c]) @ q.T
        main_term[:, c] = alphas[c] + sum_qs[c] - 0.5 * np.sum(qx**2, axis=1)
    slse = 0.0
    for i in range(n):
        slse += logsumexp(main_term[i])
    return slse - n * logsumexp(alphas) + 0.5 * gamma**2 * frobenius - m * np.sum(sum_qs)


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def adbench_lstm(main_params, extra_params, state, sequence):
    layers, b = state.shape[0] // 2, state.shape[1]
    h, c = state[0::2].copy(), state[1::2].copy()
    x, ypred = np.empty(b), np.empty(b)
    total = 0.0
    for t in range(sequence.shape[0] - 1):
        for i in range(b):
            x[i] = sequence[t, i] * extra_params[0, i]
        for l in range(layers):  # noqa: E741
            weight, bias = main_params[2 * l], main_params[2 * l + 1]
            for i in range(b):
                forget = sigmoid(x[i] * weight[i] + bias[i])
                ingate = sigmoid(h[l, i] * weight[b + i] + bias[b + i])
                outgate = sigmoid(x[i] * weight[2 * b + i] + bias[2 * b + i])
                change = math.tanh(h[l, i] * weight[3 * b + i] + bias[3 * b + i])
                c[l, i] = c[l, i] * forget + ingate * change
                h[l, i] = outgate * math.tanh(c[l, i])
                x[i] = h[l, i]
        expsum = 2.0
        for i in range(b):
            ypred[i] = x[i] * extra_params[1, i] + extra_params[2, i]
            expsum += math.exp(ypred[i])
        lse = math.log(expsum)
        for i in range(b):
            total += sequence[t + 1, i] * (ypred[i] - lse)
    return -total / ((sequence.shape[0] - 1) * b)


@by_hand
def _lstm_of_vectors(main, extra, state, sequence, outputs):
    layers, b, steps = state.shape[0] // 2, state.shape[1], sequence.shape[0] - 1
    c, ends, shares = np.empty((steps + 1, layers, b)), np.empty((steps, b)), np.empty((steps, b))
    inputs, gates = np.empty((steps + 1, layers, 4 * b)), np.empty((steps, layers, 4 * b))
    bounded = np.empty((steps, layers, b))
    for n in range(layers):
        c[0, n] = state[2 * n + 1]
        for i in range(b):
            inputs[0, n, b + i] = inputs[0, n, 3 * b + i] = state[2 * n, i]
    total = 0.0
    for t in range(steps):
        x = ends[t]
        for i in range(b):
            x[i] = sequence[t, i] * extra[0, i]
        for n in range(layers):
            put, gate, weight, bias, nexts = (
                inputs[t, n],
                gates[t, n],
                main[2 * n],
                main[2 * n + 1],
                inputs[t + 1, n],
            )
            for i in range(b):
                put[i] = put[2 * b + i] = x[i]
            for j in range(4 * b):
                gate[j] = put[j] * weight[j] + bias[j]
            for j in range(3 * b):
                gate[j] = 1.0 / (1.0 + fast.exp(-gate[j]))
            for j in range(3 * b, 4 * b):
                gate[j] = fast.tanh(gate[j])
            before, after, bound = c[t, n], c[t + 1, n], bounded[t, n]
            for i in range(b):
                after[i] = before[i] * gate[i] + gate[b + i] * gate[3 * b + i]
            for i in range(b):
                bound[i] = fast.tanh(after[i])
            for i in range(b):
                x[i] = gate[2 * b + i] * bound[i]
            for i in range(b):
                nexts[b + i] = nexts[3 * b + i] = x[i]
        expsum, count, fits = 2.0 - (b - outputs), 0.0, 0.0
        share, wanted = shares[t], sequence[t + 1]
        for i in range(b):
            share[i] = x[i] * extra[1, i] + extra[2, i]
        for i in range(b):
            fits += wanted[i] * share[i]
            count += wanted[i]
            share[i] = fast.exp(share[i])
            expsum += share[i]
        total += fits - count * math.log(expsum)
        scale = count / expsum
        for i in range(b):
            share[i] = wanted[i] - scale * share[i]
    factor = -1.0 / (steps * outputs)
    d_main, d_extra, d = np.zeros_like(main), np.zeros_like(extra), np.empty(4 * b)
    d_h, d_c, d_x = np.zeros((layers, b)), np.zeros((layers, b)), np.empty(b)
    for t in range(steps - 1, -1, -1):
        for i in range(b):
            d_extra[2, i] += shares[t, i]
        for i in range(b):
            d_extra[1, i] += shares[t, i] * ends[t, i]
        for i in range(b):
            d_x[i] = factor * shares[t, i] * extra[1, i]
        for n in range(layers - 1, -1, -1):
            weight, gate, put, bound, before = main[2 * n], gates[t, n], inputs[t, n], bounded[t, n], c[t, n]
            d_weight, d_bias, d_out, d_cell = d_main[2 * n], d_main[2 * n + 1], d_h[n], d_c[n]
            for i in range(b):
                d_out[i] += d_x[i]
            for i in range(b):
                d_cell[i] += d_out[i] * gate[2 * b + i] * (1.0 - bound[i] * bound[i])
            for i in range(b):
                d[i] = d_cell[i] * before[i] * gate[i] * (1.0 - gate[i])
            for i in range(b):
                d[2 * b + i] = d_out[i] * bound[i] * gate[2 * b + i] * (1.0 - gate[2 * b + i])
            for i in range(b):
                ingate, change = gate[b + i], gate[3 * b + i]
                d[b + i] = d_cell[i] * change * ingate * (1.0 - ingate)
                d[3 * b + i] = d_cell[i] * ingate * (1.0 - change * change)
            for i in range(b):
                d_cell[i] *= gate[i]
            for j in range(4 * b):
                d_weight[j] += d[j] * put[j]
            for j in range(4 * b):
                d_bias[j] += d[j]
            for i in range(b):
                d_x[i] = d[i] * weight[i] + d[2 * b + i] * weight[2 * b + i]
            for i in range(b):
                d_out[i] = d[b + i] * weight[b + i] + d[3 * b + i] * weight[3 * b + i]
        for i in range(b):
            d_extra[0, i] += d_x[i] * sequence[t, i]
    d_extra[1:] *= factor
    return factor * total, d_main, d_extra


@by_hand
def lstm_by_hand(main, extra, state, sequence):
    b, full = state.shape[1], (state.shape[1] + 7) // 8 * 8  # whole vectors of eight
    wide, ends, start = np.zeros((len(main), 4 * full)), np.zeros((3, full)), np.zeros((len(state), full))
    data = np.zeros((len(sequence), full))
    ends[:, :b], start[:, :b], data[:, :b] = extra, state, sequence
    for k in range(4):
        wide[:, k * full : k * full + b] = main[:, k * b : (k + 1) * b]
    value, d_wide, d_ends = _lstm_of_vectors(wide, ends, start, data, b)
    d_main = np.empty(main.shape)
    for k in range(4):
        d_main[:, k * b : (k + 1) * b] = d_wide[:, k * full : k * full + b]
    return value, (d_main, d_ends[:, :b].copy())


def lstm_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(main, extra, state, sequence):
        layers, b = state.shape[0] // 2, state.shape[1]
        weights, biases = main[0::2].reshape(layers, 4, b), main[1::2].reshape(layers, 4, b)

        def step(carried, v):
            h, c = carried
            x, hs, cs = v * extra[0], [], []
            for n in range(layers):
                w, q = weights[n], biases[n]
                forget, outgate = jax.nn.sigmoid(x * w[0] + q[0]), jax.nn.sigmoid(x * w[2] + q[2])
                ingate, change = jax.nn.sigmoid(h[n] * w[1] + q[1]), jnp.tanh(h[n] * w[3] + q[3])
                cs.append(c[n] * forget + ingate * change)
                x = outgate * jnp.tanh(cs[-1])
                hs.append(x)
            return (jnp.stack(hs), jnp.stack(cs)), x

        found = jax.lax.scan(step, (state[0::2], state[1::2]), sequence[:-1])[1]
        y = found * extra[1] + extra[2]
        logs = jnp.log(2.0 + jnp.sum(jnp.exp(y), axis=1, keepdims=True))
        return -jnp.mean(sequence[1:] * (y - logs))

    return jax_gradient(primal, (0, 1))


def adbench_lstm_arrays(main_params, extra_params, state, sequence):
    n = state.shape[0] // 2
    b = state.shape[1]
    h, c = state[0::2].copy(), state[1::2].copy()
    total = 0.0
    for t in range(len(sequence) - 1):
        x = sequence[t] * extra_params[0]
        for i in range(n):
            weight, bias = main_params[2 * i], main_params[2 * i + 1]
            forget = 1.0 / (1.0 + np.exp(-(x * weight[:b] + bias[:b])))
            ingate = 1.0 / (1.0 + np.exp(-(h[i] * weight[b : 2 * b] + bias[b : 2 * b])))
            outgate = 1.0 / (1.0 + np.exp(-(x * weight[2 * b : 3 * b] + bias[2 * b : 3 * b])))
            change = np.tanh(h[i] * weight[3 * b :] + bias[3 * b :])
            c[i] = c[i] * forget + ingate * change
            h[i] = outgate * np.tanh(c[i])
            x = h[i]
        ypred = x * extra_params[1] + extra_params[2]
        ynorm = ypred - np.log(np.sum(np.exp(ypred)) + 2.0)
        total += np.sum(sequence[t + 1] * ynorm)
    return -total / ((len(sequence) - 1) * b)


def _gmm_inputs(rng: np.random.Generator) -> tuple[object, ...]:
    n, d, k = 1000, 10, 10
    parameters = rng.normal(size=k), rng.normal(size=(k, d)), 0.3 * rng.normal(size=(k, d * (d + 1) // 2))
    return *parameters, rng.normal(size=(n, d)), 1.0, 2.0


def _lstm_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    layers, b, length = 2, 14, 400
    main, extra = rng.uniform(-1, 1, (2 * layers, 4 * b)), rng.uniform(-1, 1, (3, b))
    sequence = np.eye(b)[rng.integers(0, b, length)]
    return main, extra, rng.uniform(-1, 1, (2 * layers, b)), sequence


WORKLOADS = [
    Workload(adbench_gmm, _gmm_inputs, (0, 1, 2), gmm_by_hand, gmm_in_jax),
    Workload(
        adbench_gmm_arrays, _gmm_inputs, (0, 1, 2), gmm_by_hand, gmm_in_jax, loops=False, by_numba=False
    ),
    Workload(adbench_lstm, _lstm_inputs, (0, 1), lstm_by_hand, lstm_in_jax, by_numba=False),
    Workload(adbench_lstm_arrays, _lstm_inputs, (0, 1), lstm_by_hand, lstm_in_jax, loops=False),
]
