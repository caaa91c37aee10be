"""Products, statistics and systems that NPBench has, in the manner of that suite (Ziogas et al. 2021)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient


def gemm(alpha, beta, C, A, B):
    C = alpha * A @ B + beta * C
    return np.sum(C**2)


@by_hand
def gemm_by_hand(alpha, beta, C, A, B):
    (n, m), product = C.shape, A @ B
    d_C, value, d_alpha, d_beta = np.empty((n, m)), 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(m):
            v = alpha * product[i, j] + beta * C[i, j]
            value += v * v
            d_alpha += 2.0 * v * product[i, j]
            d_beta += 2.0 * v * C[i, j]
            product[i, j] = 2.0 * alpha * v
            d_C[i, j] = 2.0 * beta * v
    return value, (d_alpha, d_beta, d_C, product @ B.T, A.T @ product)


def gemm_in_jax():
    import jax.numpy as jnp

    return jax_gradient(
        lambda alpha, beta, C, A, B: jnp.sum((alpha * (A @ B) + beta * C) ** 2), (0, 1, 2, 3, 4)
    )


def syrk(alpha, beta, C, A):
    C = C.copy()
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, : i + 1] += alpha * A[i, k] * A[: i + 1, k]
    return np.sum(C**2)


@by_hand
def syrk_by_hand(alpha, beta, C, A):
    n, product = A.shape[0], A @ A.T
    d_C, value, d_alpha, d_beta = np.empty((n, n)), 0.0, 0.0, 0.0
    for i in range(n):
        for j in range(i + 1):
            v = alpha * product[i, j] + beta * C[i, j]
            value += v * v
            d_alpha += 2.0 * v * product[i, j]
            d_beta += 2.0 * v * C[i, j]
            product[i, j] = 2.0 * alpha * v
            d_C[i, j] = 2.0 * beta * v
        for j in range(i + 1, n):
            value += C[i, j] ** 2
            d_C[i, j] = 2.0 * C[i, j]
    for i in range(n):
        product[i, i] *= 2.0
        for j in range(i):
            product[j, i] = product[i, j]
    return value, (d_alpha, d_beta, d_C, product @ A)


def syrk_in_jax():
    import jax.numpy as jnp

    def primal(alpha, beta, C, A):
        lower = jnp.tri(len(C), dtype=bool)
        return jnp.sum(jnp.where(lower, alpha * (A @ A.T) + beta * C, C) ** 2)

    return jax_gradient(primal, (0, 1, 2, 3))


def trmm(alpha, A, B):
    B = B.copy()
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            B[i, j] += np.dot(A[i + 1 :, i], B[i + 1 :, j])
    B *= alpha
    return np.sum(B**2)


@by_hand
def trmm_by_hand(alpha, A, B):
    n, m = B.shape
    low = np.eye(n)
    for i in range(n):
        for j in range(i):
            low[i, j] = A[i, j]
    out, square = low.T @ B, 0.0
    for i in range(n):
        for j in range(m):
            square += out[i, j] ** 2
            out[i, j] *= 2.0 * alpha * alpha
    d_A = B @ out.T
    for i in range(n):
        d_A[i, i:] = 0.0
    return alpha * alpha * square, (2.0 * alpha * square, d_A, low @ out)


def trmm_in_jax():
    import jax.numpy as jnp

    return jax_gradient(lambda alpha, A, B: jnp.sum((alpha * (B + jnp.tril(A, -1).T @ B)) ** 2), (0, 1, 2))


def atax(A, x):
    y = (A @ x) @ A
    return np.sum(y**2)


@by_hand
def atax_by_hand(A, x):
    n, m = A.shape
    v = A @ x
    d, value = v @ A, 0.0
    for j in range(m):
        value += d[j] * d[j]
        d[j] *= 2.0
    d_v, d_A = A @ d, np.empty((n, m))
    for i in range(n):
        for j in range(m):
            d_A[i, j] = v[i] * d[j] + d_v[i] * x[j]
    return value, (d_A, d_v @ A)


def atax_in_jax():
    import jax.numpy as jnp

    return jax_gradient(lambda A, x: jnp.sum(((A @ x) @ A) ** 2), (0, 1))


def gesummv(alpha, beta, A, B, x):
    y = alpha * A @ x + beta * B @ x
    return np.sum(y**2)


@by_hand
def gesummv_by_hand(alpha, beta, A, B, x):
    n, m = A.shape
    one, two, value, d_alpha, d_beta = A @ x, B @ x, 0.0, 0.0, 0.0
    d_A, d_B, d_x = np.empty((n, m)), np.empty((n, m)), np.zeros(m)
    for i in range(n):
        v = alpha * one[i] + beta * two[i]
        value += v * v
        d_alpha += 2.0 * v * one[i]
        d_beta += 2.0 * v * two[i]
        first, second = 2.0 * alpha * v, 2.0 * beta * v
        for j in range(m):
            d_A[i, j] = first * x[j]
        for j in range(m):
            d_B[i, j] = second * x[j]
        for j in range(m):
            d_x[j] += first * A[i, j] + second * B[i, j]
    return value, (d_alpha, d_beta, d_A, d_B, d_x)


def gesummv_in_jax():
    import jax.numpy as jnp

    def primal(alpha, beta, A, B, x):
        return jnp.sum((alpha * (A @ x) + beta * (B @ x)) ** 2)

    return jax_gradient(primal, (0, 1, 2, 3, 4))


def doitgen(A, C4):
    A = A.copy()
    for r in range(A.shape[0]):
        for q in range(A.shape[1]):
            A[r, q, :] = A[r, q, :] @ C4
    return np.sum(A**2)


@by_hand
def doitgen_by_hand(A, C4):
    width = A.shape[2]
    flat = A.reshape(A.shape[0] * A.shape[1], width)
    out, value = flat @ C4, 0.0
    for i in range(len(out)):
        for j in range(width):
            value += out[i, j] ** 2
            out[i, j] *= 2.0
    return value, ((out @ C4.T).reshape(A.shape), flat.T @ out)


def doitgen_in_jax():
    import jax.numpy as jnp

    return jax_gradient(lambda A, C4: jnp.sum((A @ C4) ** 2), (0, 1))


def covariance(data):
    n, m = data.shape
    mean = np.sum(data, axis=0) / n
    data = data - mean
    cov = np.zeros((m, m))
    for i in range(m):
        cov[i:m, i] = data[:, i] @ data[:, i:m] / (n - 1.0)
        cov[i, i:m] = cov[i:m, i]
    return np.sum(cov**2)


@by_hand
def covariance_by_hand(data):
    n, m = data.shape
    mean, centred = np.sum(data, axis=0) / n, np.empty((n, m))
    for i in range(n):
        for j in range(m):
            centred[i, j] = data[i, j] - mean[j]
    cov, value = centred.T @ centred, 0.0
    for i in range(m):
        for j in range(m):
            cov[i, j] /= n - 1.0
            value += cov[i, j] ** 2
            cov[i, j] *= 4.0 / (n - 1.0)
    return value, (centred @ cov,)  # columns of which have the mean zero


def covariance_in_jax():
    import jax.numpy as jnp

    def primal(data):
        centred = data - jnp.mean(data, axis=0)
        return jnp.sum((centred.T @ centred / (len(data) - 1.0)) ** 2)

    return jax_gradient(primal, (0,))


def durbin(r):
    y = np.empty_like(r)
    alpha, beta = -r[0], 1.0
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y**2)


@by_hand
def durbin_by_hand(r):
    n = len(r)
    ys, betas, turned = np.zeros((n, n)), np.empty(n), r[::-1].copy()
    ys[0, 0], betas[0] = -r[0], 1.0
    for k in range(1, n):
        before, after, alpha = ys[k - 1], ys[k], ys[k - 1, k - 1]
        betas[k] = betas[k - 1] * (1.0 - alpha * alpha)
        s = r[k]
        for j in range(k):
            s += turned[n - k + j] * before[j]
        alpha = -s / betas[k]
        for j in range(k):
            after[j] = before[j] + alpha * before[k - 1 - j]
        after[k] = alpha
    d_y, d, d_turned, d_beta, value = np.empty(n), np.empty(n), np.zeros(n), 0.0, 0.0
    for j in range(n):
        value += ys[n - 1, j] ** 2
        d_y[j] = 2.0 * ys[n - 1, j]
    for k in range(n - 1, 0, -1):
        before, alpha, d_alpha = ys[k - 1], ys[k, k], d_y[k]
        for j in range(k):
            d_alpha += d_y[j] * before[k - 1 - j]
        d_s = -d_alpha / betas[k]
        d_beta += d_s * alpha
        for j in range(k):
            d[j] = d_y[j] + alpha * d_y[k - 1 - j] + d_s * turned[n - k + j]
        for j in range(k):
            d_turned[n - k + j] += d_s * before[j]
        d_turned[n - 1 - k] += d_s
        last = before[k - 1]
        d[k - 1] -= 2.0 * d_beta * betas[k - 1] * last
        d_beta *= 1.0 - last * last
        d_y, d = d, d_y
    d_turned[n - 1] -= d_y[0]
    return value, (d_turned[::-1].copy(),)


def mlp(x, w1, b1, w2, b2, w3, b3):
    hidden = np.maximum(x @ w1 + b1, 0.0)
    hidden = np.maximum(hidden @ w2 + b2, 0.0)
    scores = hidden @ w3 + b3
    weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.sum((weights / np.sum(weights, axis=-1, keepdims=True)) ** 2)


@by_hand
def mlp_by_hand(x, w1, b1, w2, b2, w3, b3):
    one = x @ w1
    _rectify(one, b1)
    two = one @ w2
    _rectify(two, b2)
    out, value = two @ w3, 0.0
    for i in range(len(out)):
        row = out[i]
        top, s, square = -np.inf, 0.0, 0.0
        for j in range(len(row)):
            row[j] += b3[j]
            top = max(top, row[j])
        for j in range(len(row)):
            row[j] = fast.exp(row[j] - top)
            s += row[j]
        s = 1.0 / s
        for j in range(len(row)):
            row[j] *= s
            square += row[j] * row[j]
        value += square
        for j in range(len(row)):
            row[j] *= 2.0 * (row[j] - square)
    d_two = out @ w3.T
    _mask(d_two, two)
    d_one = d_two @ w2.T
    _mask(d_one, one)
    return value, (
        *(x.T @ d_one, np.sum(d_one, axis=0)),
        *(one.T @ d_two, np.sum(d_two, axis=0), two.T @ out, np.sum(out, axis=0)),
    )


@by_hand
def _rectify(values, bias):
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] = max(values[i, j] + bias[j], 0.0)


@by_hand
def _mask(d, values):
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            d[i, j] = d[i, j] if values[i, j] > 0.0 else 0.0


def mlp_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(x, w1, b1, w2, b2, w3, b3):
        hidden = jnp.maximum(jnp.maximum(x @ w1 + b1, 0.0) @ w2 + b2, 0.0)
        return jnp.sum(jax.nn.softmax(hidden @ w3 + b3) ** 2)

    return jax_gradient(primal, (1, 2, 3, 4, 5, 6))


def go_fast(a):
    trace = 0.0
    for i in range(a.shape[0]):
        trace += np.tanh(a[i, i])
    return np.sum((a + trace) ** 2)


@by_hand
def go_fast_by_hand(a):
    n, trace, value, total, d_a = a.shape[0], 0.0, 0.0, 0.0, np.empty_like(a)
    slopes = np.empty(n)
    for i in range(n):
        slopes[i] = fast.tanh(a[i, i])
        trace += slopes[i]
        slopes[i] = 1.0 - slopes[i] * slopes[i]
    for i in range(n):
        for j in range(n):
            v = a[i, j] + trace
            value += v * v
            total += 2.0 * v
            d_a[i, j] = 2.0 * v
    for i in range(n):
        d_a[i, i] += total * slopes[i]
    return value, (d_a,)


def go_fast_in_jax():
    import jax.numpy as jnp

    return jax_gradient(lambda a: jnp.sum((a + jnp.sum(jnp.tanh(jnp.diag(a)))) ** 2), (0,))


def _mlp_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    sizes = 30, 60, 40, 10
    layers = [(0.3 * rng.normal(size=s), rng.normal(size=s[1])) for s in pairwise(sizes)]
    return rng.normal(size=(64, 30)), *(part for layer in layers for part in layer)


def _of(function, *shapes, numbers=(), jax=None, hand, **more):
    """Return a workload on random arrays, with numbers before them; by all arguments."""
    return Workload(
        function,
        lambda rng: (*numbers, *(rng.normal(size=shape) for shape in shapes)),
        tuple(range(len(numbers) + len(shapes))),
        hand,
        jax,
        **more,
    )


_NUMBERS = 1.5, 1.2
WORKLOADS = [
    _of(
        gemm, (80, 70), (80, 60), (60, 70), numbers=_NUMBERS, hand=gemm_by_hand, jax=gemm_in_jax, loops=False
    ),
    _of(syrk, (80, 80), (80, 60), numbers=_NUMBERS, hand=syrk_by_hand, jax=syrk_in_jax),
    _of(trmm, (60, 60), (60, 70), numbers=_NUMBERS[:1], hand=trmm_by_hand, jax=trmm_in_jax),
    _of(atax, (200, 220), 220, hand=atax_by_hand, jax=atax_in_jax, loops=False),
    _of(
        gesummv,
        *((200, 200), (200, 200), 200),
        numbers=_NUMBERS,
        hand=gesummv_by_hand,
        jax=gesummv_in_jax,
        loops=False,
    ),
    _of(doitgen, (30, 20, 24), (24, 24), hand=doitgen_by_hand, jax=doitgen_in_jax),
    _of(covariance, (200, 60), hand=covariance_by_hand, jax=covariance_in_jax),
    Workload(durbin, lambda rng: (0.1 * rng.normal(size=200),), (0,), durbin_by_hand),
    Workload(mlp, _mlp_inputs, (1, 2, 3, 4, 5, 6), mlp_by_hand, mlp_in_jax, loops=False, by_numba=False),
    _of(go_fast, (100, 100), hand=go_fast_by_hand, jax=go_fast_in_jax),
]
