"""Programs such as scientists write, against central differences."""

import math

import numpy as np
import pytest

from adcompiler.testing import check_grad

RNG = np.random.default_rng(3)


def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def black_scholes(s, k, t, r, sigma):
    d1 = (math.log(s / k) + (r + 0.5 * sigma**2) * t) / (sigma * math.sqrt(t))
    d2 = d1 - sigma * math.sqrt(t)
    return s * normal_cdf(d1) - k * math.exp(-r * t) * normal_cdf(d2)


def binomial_tree(s, k, t, r, sigma, n):
    dt = t / n
    up = math.exp(sigma * math.sqrt(dt))
    p = (math.exp(r * dt) - 1.0 / up) / (up - 1.0 / up)
    discount = math.exp(-r * dt)
    values = np.empty(n + 1)
    for i in range(n + 1):
        values[i] = max(k - s * up ** (2 * i - n), 0.0)
    for step in range(n - 1, -1, -1):
        for i in range(step + 1):
            hold = discount * (p * values[i + 1] + (1.0 - p) * values[i])
            values[i] = max(hold, k - s * up ** (2 * i - step))
    return values[0]


def lotka(u, p, d):
    d[0] = p[0] * u[0] - p[1] * u[0] * u[1]
    d[1] = p[2] * u[0] * u[1] - p[3] * u[1]


def lotka_volterra_fit(p, data):
    u = np.ones(2)
    u[1] = 0.5
    h = 0.1
    loss = 0.0
    k1, k2, k3, k4 = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2)
    for i in range(len(data)):
        lotka(u, p, k1)
        lotka(u + 0.5 * h * k1, p, k2)
        lotka(u + 0.5 * h * k2, p, k3)
        lotka(u + h * k3, p, k4)
        u += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        loss += (u[0] - data[i]) ** 2
    return loss


def nbody_energy(x, v, steps):
    n = len(x)
    x = x.copy()
    v = v.copy()
    for _ in range(steps):
        a = np.zeros_like(x)
        for i in range(n):
            for j in range(n):
                if i != j:
                    r = x[j] - x[i]
                    d2 = np.sum(r * r) + 0.1
                    a[i] += r / (d2 * math.sqrt(d2))
        v += 0.05 * a
        x += 0.05 * v
    return np.sum(v * v) + x[0, 0]


def kalman(q, r, y):
    f = np.eye(2)
    f[0, 1] = 0.1
    m = np.zeros(2)
    p = np.eye(2)
    total = 0.0
    for t in range(len(y)):
        m = f @ m
        p = f @ p @ f.T + q * np.eye(2)
        s = p[0, 0] + r
        e = y[t] - m[0]
        gain = p[:, 0] / s
        total += 0.5 * (math.log(s) + e * e / s)
        m = m + gain * e
        p = p - np.outer(gain, p[0])
    return total


def cholesky_logdet(a):
    n = a.shape[0]
    c = np.zeros_like(a)
    logdet = 0.0
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= c[i, k] * c[j, k]
            if i == j:
                c[i, i] = math.sqrt(s)
                logdet += 2.0 * math.log(c[i, i])
            else:
                c[i, j] = s / c[j, j]
    return logdet


def spd_logdet(b):
    return cholesky_logdet(b @ b.T + 3.0 * np.eye(3))


def soft_dtw(x, y, gamma):
    n, m = len(x), len(y)
    r = np.full((n + 1, m + 1), 1e10)
    r[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a, b, c = -r[i - 1, j] / gamma, -r[i, j - 1] / gamma, -r[i - 1, j - 1] / gamma
            top = max(a, b, c)
            soft = top + math.log(math.exp(a - top) + math.exp(b - top) + math.exp(c - top))
            r[i, j] = (x[i - 1] - y[j - 1]) ** 2 - gamma * soft
    return r[n, m]


def attention(q, k, v):
    scores = q @ k.T / math.sqrt(q.shape[1])
    out = np.zeros_like(v)
    for i in range(scores.shape[0]):
        w = np.exp(scores[i] - np.max(scores[i]))
        w = w / np.sum(w)
        out[i] = w @ v
    return np.sum(out * out)


def convolution(image, kernel):
    h, w = image.shape
    out = np.zeros((h - 2, w - 2))
    for i in range(h - 2):
        for j in range(w - 2):
            s = 0.0
            for a in range(3):
                for b in range(3):
                    s += image[i + a, j + b] * kernel[a, b]
            out[i, j] = max(s, 0.0)
    return np.sum(out**2)


def lstm(w, u, b, x):
    n = len(b) // 4
    h, c = np.zeros(n), np.zeros(n)
    for t in range(len(x)):
        z = w * x[t] + u @ h + b
        forget = 1.0 / (1.0 + np.exp(-z[:n]))
        enter = 1.0 / (1.0 + np.exp(-z[n : 2 * n]))
        leave = 1.0 / (1.0 + np.exp(-z[2 * n : 3 * n]))
        c = forget * c + enter * np.tanh(z[3 * n :])
        h = leave * np.tanh(c)
    return np.sum(h * h)


def kepler(mean, e):
    x = mean
    for _ in range(50):
        step = (x - e * math.sin(x) - mean) / (1.0 - e * math.cos(x))
        x -= step
        if abs(step) < 1e-13:
            break
    return math.sin(x)


def jacobi(a, steps):
    n = a.shape[0]
    b = a.copy()
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                a[i, j] = 0.2 * (b[i, j] + b[i, j - 1] + b[i, j + 1] + b[i + 1, j] + b[i - 1, j])
    return np.sum(a * b)


def swapped_buffers(u, steps):
    v = np.zeros_like(u)
    u = u * 1.0
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            v[i] = math.sin(u[i - 1]) + u[i] * u[i + 1]
        u, v = v, u
    return np.sum(u * u) + v[1]


def logistic(w, x, y):
    total = 0.0
    for i in range(len(y)):
        z = np.dot(x[i], w)
        total += math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y[i] * z
    return total / len(y)


def implicit_step(y0, k, h, steps):
    y = y0
    for _ in range(steps):
        z = y
        residual = 1.0
        while abs(residual) > 1e-13:
            residual = z - y + h * k * z**3
            z -= residual / (1.0 + 3.0 * h * k * z**2)
        y = z
    return y


PROGRAMS = [
    (black_scholes, (100.0, 95.0, 0.5, 0.02, 0.3)),
    (binomial_tree, (98.3, 101.0, 0.5, 0.02, 0.3, 6)),
    (lotka_volterra_fit, (np.array([1.1, 0.4, 0.3, 0.7]), np.linspace(1.0, 2.0, 5))),
    (nbody_energy, (RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)), 3)),
    (kalman, (0.1, 0.5, RNG.normal(size=6))),
    (spd_logdet, (RNG.normal(size=(3, 3)),)),
    (soft_dtw, (RNG.normal(size=4), RNG.normal(size=3), 0.7)),
    (attention, (RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2)))),
    (convolution, (RNG.normal(size=(5, 5)), RNG.normal(size=(3, 3)))),
    (lstm, (RNG.normal(size=8), RNG.normal(size=(8, 2)), RNG.normal(size=8), RNG.normal(size=4))),
    (kepler, (0.8, 0.3)),
    (jacobi, (RNG.normal(size=(5, 5)), 2)),
    (swapped_buffers, (RNG.normal(size=5), 4)),
    (logistic, (RNG.normal(size=3), RNG.normal(size=(6, 3)), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]))),
    (implicit_step, (1.2, 0.7, 0.1, 4)),
]


@pytest.mark.parametrize(("function", "inputs"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS])
@pytest.mark.parametrize("jit", [False, True], ids=["uncompiled", "compiled"])
def test_program(function, inputs, jit):
    check_grad(function, inputs, jit=jit, rtol=2e-6, atol=1e-6)
