"""Programs over float32 as people write them for Numba: their constants are single, too."""

import math

import numpy as np

HALF = np.float32(0.5)
RNG = np.random.default_rng(0)


def normal(*shape):
    """Return random numbers of single precision."""
    return RNG.normal(size=shape).astype(np.float32)


def recurrence(w, x):
    h = np.float32(0)
    for i in range(len(x)):
        h = math.tanh(w * h + x[i])
    return h


def network(w1, b1, w2, x, y):
    h = np.tanh(x @ w1 + b1)
    e = h @ w2 - y
    return np.mean(e * e)


def relu_net(w1, w2, x):
    h = np.maximum(x @ w1, 0)
    return np.sum((h @ w2) ** 2)


def conv(k, img):
    n, m = img.shape
    out = np.zeros((n - 2, m - 2), np.float32)
    for i in range(n - 2):
        for j in range(m - 2):
            s = np.float32(0)
            for a in range(3):
                for b in range(3):
                    s += k[a, b] * img[i + a, j + b]
            out[i, j] = max(s, np.float32(0))
    return np.sum(out * out)


def heat(u, c, steps):
    u = u.copy()
    for t in range(steps):
        v = u.copy()
        for i in range(1, len(u) - 1):
            u[i] = v[i] + c * (v[i - 1] - np.float32(2) * v[i] + v[i + 1])
    return np.sum(u**2)


def burgers(u, nu, steps):
    for t in range(steps):
        un = np.empty_like(u)
        un[0] = u[0]
        un[-1] = u[-1]
        un[1:-1] = (
            u[1:-1] - HALF * (u[2:] ** 2 - u[:-2] ** 2) + nu * (u[2:] - np.float32(2) * u[1:-1] + u[:-2])
        )
        u = un
    return np.sum(u * u)


def softmax(w, x):
    z = x @ w
    m = np.max(z)
    e = np.exp(z - m)
    return np.log(np.sum(e)) + m - z[0]


def attention(q, k, v):
    s = q @ k.T
    n = s.shape[0]
    out = np.empty_like(q)
    for i in range(n):
        e = np.exp(s[i] - np.max(s[i]))
        out[i] = (e / np.sum(e)) @ v
    return np.sum(out * out)


def monte_carlo(s0, sigma, z):
    n, m = z.shape
    total = np.float32(0)
    dt = np.float32(0.01)
    for i in range(n):
        s = s0
        for j in range(m):
            s = s * math.exp(sigma * math.sqrt(dt) * z[i, j] - HALF * sigma * sigma * dt)
        total += max(s - np.float32(1), np.float32(0))
    return total / np.float32(n)


def particles(p, eps):
    n = p.shape[0]
    e = np.float32(0)
    for i in range(n):
        for j in range(i):
            dx = p[i, 0] - p[j, 0]
            dy = p[i, 1] - p[j, 1]
            dz = p[i, 2] - p[j, 2]
            r2 = dx * dx + dy * dy + dz * dz + eps
            e += np.float32(1) / math.sqrt(r2)
    return e


def norm_layer(x, g, b):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        mu = np.mean(x[i])
        c = x[i] - mu
        var = np.mean(c * c)
        out[i] = g * c / np.sqrt(var + np.float32(1e-5)) + b
    return np.sum(out**3)


def sigmoid_loss(w, b, x, y):
    z = x @ w + b
    p = np.float32(1) / (np.float32(1) + np.exp(-z))
    return -np.mean(y * np.log(p) + (np.float32(1) - y) * np.log(np.float32(1) - p))


def sum_axis(x):
    m = np.sum(x, axis=0) / x.shape[0]
    d = x - m
    return np.sum(np.sqrt(np.sum(d * d, axis=1)))


def cumulative(x):
    c = np.cumsum(np.exp(x))
    return np.sum(np.log(c))


def leapfrog(q, p, steps, dt):
    for t in range(steps):
        p = p - HALF * dt * q * q * q
        q = q + dt * p
        p = p - HALF * dt * q * q * q
    return HALF * p * p + q


def pooling(img):
    n, m = img.shape
    s = np.float32(0)
    for i in range(0, n, 2):
        for j in range(0, m, 2):
            best = img[i, j]
            for a in range(2):
                for b in range(2):
                    if img[i + a, j + b] > best:
                        best = img[i + a, j + b]
            s += best * best
    return s


def while_newton(a):
    x = a
    while abs(x * x - a) > np.float32(1e-3):
        x = HALF * (x + a / x)
    return x


def huber(x, y, delta):
    s = np.float32(0)
    for i in range(len(x)):
        r = x[i] - y[i]
        if abs(r) < delta:
            s += HALF * r * r
        else:
            s += delta * (abs(r) - HALF * delta)
    return s


def lstm_step(w, h, x):
    c = np.zeros_like(h)
    for t in range(x.shape[0]):
        z = w @ np.concatenate((h, x[t]))
        n = len(h)
        f = np.float32(1) / (np.float32(1) + np.exp(-z[:n]))
        o = np.tanh(z[n:])
        c = f * c + o
        h = np.tanh(c)
    return np.sum(h)


def list_states(x, n):
    states = []
    h = x
    for i in range(n):
        states.append(h)
        h = h * h - np.float32(0.3)
    s = np.float32(0)
    for i in range(n):
        s += states[i]
    return s


def embedding(table, idx):
    s = np.float32(0)
    for i in range(len(idx)):
        row = table[idx[i]]
        s += np.dot(row, row)
    return s


def wave2d(u, c, steps):
    n, m = u.shape
    up = u.copy()
    for t in range(steps):
        un = np.zeros_like(u)
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                lap = u[i + 1, j] + u[i - 1, j] + u[i, j + 1] + u[i, j - 1] - np.float32(4) * u[i, j]
                un[i, j] = np.float32(2) * u[i, j] - up[i, j] + c * c * lap
        up = u
        u = un
    return np.sum(u * u)


def broadcasting(x, w):
    d = x[:, None] - w[None, :]
    return np.sum(np.exp(-d * d))


def helper(x, a):
    return np.sqrt(x * x + a)


def calls(x, a):
    s = np.float32(0)
    for v in x:
        s += helper(v, a) * helper(v, a * a)
    return s


def gaussian_blur(img, sigma):
    k = np.empty(5, np.float32)
    for i in range(5):
        k[i] = math.exp(-np.float32((i - 2) ** 2) / (sigma * sigma))
    k /= np.sum(k)
    n, m = img.shape
    out = np.zeros_like(img)
    for i in range(n):
        for j in range(2, m - 2):
            for a in range(5):
                out[i, j] += k[a] * img[i, j + a - 2]
    return np.sum(out**2)


PROGRAMS = {
    "recurrence": (recurrence, (np.float32(0.7), normal(6)), (0, 1)),
    "network": (network, (normal(3, 4), normal(4), normal(4), normal(5, 3), normal(5)), (0, 1, 2)),
    "relu_net": (relu_net, (normal(3, 4), normal(4, 2), normal(5, 3)), (0, 1)),
    "conv": (conv, (normal(3, 3), normal(6, 6)), (0, 1)),
    "heat": (heat, (normal(8), np.float32(0.2), 4), (0, 1)),
    "burgers": (burgers, (normal(8) * np.float32(0.2), np.float32(0.1), 4), (0, 1)),
    "softmax": (softmax, (normal(3, 4), normal(3)), (0, 1)),
    "attention": (attention, (normal(4, 3), normal(4, 3), normal(4, 3)), (0, 1, 2)),
    "monte_carlo": (monte_carlo, (np.float32(1.1), np.float32(0.3), normal(5, 6)), (0, 1)),
    "particles": (particles, (normal(5, 3), np.float32(0.1)), (0,)),
    "norm_layer": (norm_layer, (normal(3, 6), normal(6), normal(6)), (0, 1, 2)),
    "sigmoid_loss": (
        sigmoid_loss,
        (normal(3), np.float32(0.1), normal(5, 3), (normal(5) > 0).astype(np.float32)),
        (0, 1),
    ),
    "sum_axis": (sum_axis, (normal(4, 3),), (0,)),
    "cumulative": (cumulative, (normal(5),), (0,)),
    "leapfrog": (leapfrog, (np.float32(0.5), np.float32(0.3), 5, np.float32(0.1)), (0, 1, 3)),
    "pooling": (pooling, (normal(4, 4),), (0,)),
    "while_newton": (while_newton, (np.float32(2.0),), (0,)),
    "huber": (huber, (normal(6), normal(6), np.float32(0.5)), (0, 1, 2)),
    "lstm_step": (lstm_step, (normal(4, 5), normal(2), normal(3, 3)), (0, 1, 2)),
    "list_states": (list_states, (np.float32(0.4), 4), (0,)),
    "embedding": (embedding, (normal(5, 3), np.array([0, 2, 2, 4])), (0,)),
    "wave2d": (wave2d, (normal(5, 5), np.float32(0.3), 3), (0, 1)),
    "broadcasting": (broadcasting, (normal(4), normal(3)), (0, 1)),
    "calls": (calls, (normal(4), np.float32(0.3)), (0, 1)),
    "gaussian_blur": (gaussian_blur, (normal(6, 8), np.float32(1.2)), (0, 1)),
}
