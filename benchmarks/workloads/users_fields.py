"""Networks, grids and systems of equations as users write them."""

from __future__ import annotations

import numpy as np
from numba import njit

from adcompiler.runtime import vector_math as fast
from benchmarks.hand import by_hand
from benchmarks.workload import Workload, jax_gradient

WEIGHTS = np.array([4 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 9, 1 / 36, 1 / 36, 1 / 36, 1 / 36])
CX = np.array([0, 1, 0, -1, 0, 1, -1, -1, 1])
CY = np.array([0, 0, 1, 0, -1, 1, 1, -1, -1])


def conv_network(w1, b1, w2, x, y):
    filters = w1.shape[0]
    samples, length = x.shape
    hidden = np.empty((filters, length - 4))
    loss = 0.0
    for s in range(samples):
        for f in range(filters):
            for t in range(length - 4):
                a = b1[f]
                for k in range(5):
                    a += w1[f, k] * x[s, t + k]
                hidden[f, t] = max(a, 0.0)
        for t in range(length - 8):
            out = 0.0
            for f in range(filters):
                for k in range(5):
                    out += w2[f, k] * hidden[f, t + k]
            loss += (out - y[s, t]) ** 2
    return loss / samples


@by_hand
def conv_network_by_hand(w1, b1, w2, x, y):
    filters, (samples, length) = w1.shape[0], x.shape
    wide, short = length - 4, length - 8
    hidden, d, d_hidden = np.empty((filters, wide)), np.zeros(length), np.empty(wide)
    d_w1, d_b1, d_w2 = np.zeros((filters, 5)), np.zeros(filters), np.zeros((filters, 5))
    error, loss = d[4 : 4 + short], 0.0
    for s in range(samples):
        row = x[s]
        for t in range(short):
            error[t] = -y[s, t]
        for f in range(filters):
            shown, bias = hidden[f], b1[f]
            a, b, c, e, g = w1[f, 0], w1[f, 1], w1[f, 2], w1[f, 3], w1[f, 4]
            for t in range(wide):
                v = bias + a * row[t] + b * row[t + 1] + c * row[t + 2] + e * row[t + 3] + g * row[t + 4]
                shown[t] = max(v, 0.0)
            a, b, c, e, g = w2[f, 0], w2[f, 1], w2[f, 2], w2[f, 3], w2[f, 4]
            for t in range(short):
                error[t] += (
                    a * shown[t] + b * shown[t + 1] + c * shown[t + 2] + e * shown[t + 3] + g * shown[t + 4]
                )
        for t in range(short):
            loss += error[t] * error[t]
            error[t] *= 2.0
        for f in range(filters):
            shown = hidden[f]
            s0 = s1 = s2 = s3 = s4 = 0.0
            for t in range(short):
                v = error[t]
                s0 += v * shown[t]
                s1 += v * shown[t + 1]
                s2 += v * shown[t + 2]
                s3 += v * shown[t + 3]
                s4 += v * shown[t + 4]
            d_w2[f, 0] += s0
            d_w2[f, 1] += s1
            d_w2[f, 2] += s2
            d_w2[f, 3] += s3
            d_w2[f, 4] += s4
            a, b, c, e, g = w2[f, 4], w2[f, 3], w2[f, 2], w2[f, 1], w2[f, 0]
            for t in range(wide):
                v = a * d[t] + b * d[t + 1] + c * d[t + 2] + e * d[t + 3] + g * d[t + 4]
                d_hidden[t] = v if shown[t] > 0.0 else 0.0
            s0 = s1 = s2 = s3 = s4 = bias = 0.0
            for t in range(wide):
                v = d_hidden[t]
                bias += v
                s0 += v * row[t]
                s1 += v * row[t + 1]
                s2 += v * row[t + 2]
                s3 += v * row[t + 3]
                s4 += v * row[t + 4]
            d_b1[f] += bias
            d_w1[f, 0] += s0
            d_w1[f, 1] += s1
            d_w1[f, 2] += s2
            d_w1[f, 3] += s3
            d_w1[f, 4] += s4
    return loss / samples, (d_w1 / samples, d_b1 / samples, d_w2 / samples)


def conv_network_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(w1, b1, w2, x, y):
        hidden = jax.lax.conv_general_dilated(x[:, None], w1[:, None], (1,), "VALID")
        hidden = jnp.maximum(hidden + b1[:, None], 0.0)
        out = jax.lax.conv_general_dilated(hidden, w2[None], (1,), "VALID")[:, 0]
        return jnp.sum((out - y) ** 2) / len(x)

    return jax_gradient(primal, (0, 1, 2))


def wave(u0, speed, steps):
    n, m = u0.shape
    before, now = u0.copy(), u0.copy()
    for _ in range(steps):
        after = np.zeros((n, m))
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                lap = now[i - 1, j] + now[i + 1, j] + now[i, j - 1] + now[i, j + 1] - 4.0 * now[i, j]
                after[i, j] = 2.0 * now[i, j] - before[i, j] + speed[i, j] ** 2 * lap
        before, now = now, after
    return np.sum(now**2)


@by_hand
def wave_by_hand(u0, speed, steps):
    n, m = u0.shape
    states, square = np.zeros((steps + 2, n, m)), speed * speed
    states[0], states[1] = u0, u0
    for t in range(steps):
        for i in range(1, n - 1):
            old, out, c = states[t, i], states[t + 2, i], square[i]
            up, row, down = states[t + 1, i - 1], states[t + 1, i], states[t + 1, i + 1]
            for j in range(1, m - 1):
                out[j] = (
                    2.0 * row[j] - old[j] + c[j] * (up[j] + down[j] + row[j - 1] + row[j + 1] - 4.0 * row[j])
                )
    d_square = np.zeros((n, m))
    d_after, d_now, scaled = 2.0 * states[steps + 1], np.zeros((n, m)), np.zeros((n, m))
    for t in range(steps - 1, -1, -1):
        d_after[0] = 0.0
        d_after[n - 1] = 0.0
        d_after[:, 0] = 0.0
        d_after[:, m - 1] = 0.0
        for i in range(1, n - 1):
            up, row, down = states[t + 1, i - 1], states[t + 1, i], states[t + 1, i + 1]
            d, out, c, total = d_after[i], scaled[i], square[i], d_square[i]
            for j in range(1, m - 1):
                total[j] += d[j] * (up[j] + down[j] + row[j - 1] + row[j + 1] - 4.0 * row[j])
            for j in range(1, m - 1):
                out[j] = c[j] * d[j]
        for i in range(n):
            d, out = d_after[i], d_now[i]
            up, row, down = scaled[max(i - 1, 0)], scaled[i], scaled[min(i + 1, n - 1)]
            for j in range(1, m - 1):
                out[j] += 2.0 * d[j] + up[j] + down[j] + row[j - 1] + row[j + 1] - 4.0 * row[j]
            out[0] += row[1]
            out[m - 1] += row[m - 2]
            for j in range(1, m - 1):
                d[j] = -d[j]
        d_after, d_now = d_now, d_after
    return np.sum(states[steps + 1] ** 2), (d_after + d_now, 2.0 * speed * d_square)


def wave_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(u0, speed, steps):
        square = speed[1:-1, 1:-1] ** 2

        def step(state, _):
            before, u = state
            inner = u[1:-1, 1:-1]
            lap = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * inner
            return (u, jnp.pad(2.0 * inner - before[1:-1, 1:-1] + square * lap, 1)), None

        return jnp.sum(jax.lax.scan(step, (u0, u0), None, length=50)[0][1] ** 2)

    return jax_gradient(primal, (0, 1))


def lattice_boltzmann(f0, omega, steps):
    _, nx, ny = f0.shape
    f, g = f0.copy(), np.empty_like(f0)
    for _ in range(steps):
        for x in range(nx):
            for y in range(ny):
                rho, ux, uy = 0.0, 0.0, 0.0
                for q in range(9):
                    rho += f[q, x, y]
                    ux += CX[q] * f[q, x, y]
                    uy += CY[q] * f[q, x, y]
                ux /= rho
                uy /= rho
                for q in range(9):
                    cu = 3.0 * (CX[q] * ux + CY[q] * uy)
                    feq = WEIGHTS[q] * rho * (1.0 + cu + 0.5 * cu * cu - 1.5 * (ux * ux + uy * uy))
                    g[q, (x + CX[q]) % nx, (y + CY[q]) % ny] = f[q, x, y] + omega * (feq - f[q, x, y])
        f, g = g, f
    energy = 0.0
    for x in range(nx):
        for y in range(ny):
            ux, uy = 0.0, 0.0
            for q in range(9):
                ux += CX[q] * f[q, x, y]
                uy += CY[q] * f[q, x, y]
            energy += ux * ux + uy * uy
    return energy


@njit(error_model="numpy", fastmath={"reassoc", "nsz"}, inline="always")
def _moments(f, x, rho, ux, uy):
    for y in range(len(rho)):
        rho[y] = f[0, x, y]
        ux[y] = uy[y] = 0.0
    for q in range(1, 9):
        row, cx, cy = f[q, x], float(CX[q]), float(CY[q])
        for y in range(len(rho)):
            rho[y] += row[y]
        for y in range(len(rho)):
            ux[y] += cx * row[y]
        for y in range(len(rho)):
            uy[y] += cy * row[y]


@by_hand
def lattice_boltzmann_by_hand(f0, omega, steps):
    _, nx, ny = f0.shape
    states, moments, rest = np.empty((steps + 1, 9, nx, ny)), np.empty((steps, nx, 3, ny)), np.empty(ny)
    states[0] = f0
    for t in range(steps):
        f, g = states[t], states[t + 1]
        for x in range(nx):
            rho, ux, uy = moments[t, x, 0], moments[t, x, 1], moments[t, x, 2]
            _moments(f, x, rho, ux, uy)
            for y in range(ny):
                inverse = 1.0 / rho[y]
                ux[y] *= inverse
                uy[y] *= inverse
            for y in range(ny):
                rest[y] = 1.0 - 1.5 * (ux[y] * ux[y] + uy[y] * uy[y])
            for q in range(9):
                cx, cy, w = 3.0 * CX[q], 3.0 * CY[q], omega * WEIGHTS[q]
                row, out, shift = f[q, x], g[q, (x + CX[q]) % nx], CY[q]
                low, high = max(0, -shift), ny - max(0, shift)
                for y in range(low, high):
                    cu = cx * ux[y] + cy * uy[y]
                    out[y + shift] = (1.0 - omega) * row[y] + w * rho[y] * (rest[y] + cu + 0.5 * cu * cu)
                if shift != 0:
                    y = 0 if shift < 0 else ny - 1
                    cu = cx * ux[y] + cy * uy[y]
                    out[(y + shift) % ny] = (1.0 - omega) * row[y] + w * rho[y] * (
                        rest[y] + cu + 0.5 * cu * cu
                    )
    d_f, d_g, energy = np.zeros((9, nx, ny)), np.empty((9, nx, ny)), 0.0
    rho, ux, uy = np.empty(ny), np.empty(ny), np.empty(ny)
    for x in range(nx):
        _moments(states[steps], x, rho, ux, uy)
        for y in range(ny):
            energy += ux[y] * ux[y] + uy[y] * uy[y]
        for q in range(9):
            cx, cy, out = 2.0 * CX[q], 2.0 * CY[q], d_f[q, x]
            for y in range(ny):
                out[y] = cx * ux[y] + cy * uy[y]
    d_omega, d_rho, d_ux, d_uy, come = 0.0, np.empty(ny), np.empty(ny), np.empty(ny), np.empty((9, ny))
    for t in range(steps - 1, -1, -1):
        f = states[t]
        for x in range(nx):
            rho, ux, uy = moments[t, x, 0], moments[t, x, 1], moments[t, x, 2]
            d_rho[:] = 0.0
            d_ux[:] = 0.0
            d_uy[:] = 0.0
            for y in range(ny):
                rest[y] = 1.0 - 1.5 * (ux[y] * ux[y] + uy[y] * uy[y])
            for q in range(9):
                cx, cy, w, back, row = 3.0 * CX[q], 3.0 * CY[q], WEIGHTS[q], come[q], f[q, x]
                arrived, shift = d_f[q, (x + CX[q]) % nx], CY[q]
                back[max(0, -shift) : ny - max(0, shift)] = arrived[max(0, shift) : ny - max(0, -shift)]
                if shift > 0:
                    back[ny - 1] = arrived[0]
                if shift < 0:
                    back[0] = arrived[ny - 1]
                for y in range(ny):
                    cu, d = cx * ux[y] + cy * uy[y], w * back[y]
                    part = d * (rest[y] + cu + 0.5 * cu * cu)
                    d_rho[y] += part
                    d_omega += part * rho[y] - back[y] * row[y]
                for y in range(ny):
                    d = w * back[y] * rho[y]
                    d_cu = d * (1.0 + cx * ux[y] + cy * uy[y])
                    d_ux[y] += d_cu * cx - 3.0 * d * ux[y]
                    d_uy[y] += d_cu * cy - 3.0 * d * uy[y]
            for y in range(ny):
                inverse = omega / rho[y]
                d_ux[y] *= inverse
                d_uy[y] *= inverse
            for y in range(ny):
                d_rho[y] = omega * d_rho[y] - d_ux[y] * ux[y] - d_uy[y] * uy[y]
            for q in range(9):
                cx, cy, back, out = float(CX[q]), float(CY[q]), come[q], d_g[q, x]
                for y in range(ny):
                    out[y] = (1.0 - omega) * back[y] + d_rho[y] + cx * d_ux[y] + cy * d_uy[y]
        d_f, d_g = d_g, d_f
    return energy, (d_f, d_omega)


def lattice_boltzmann_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(f0, omega, steps):
        cx, cy, w = (jnp.asarray(v, float)[:, None, None] for v in (CX, CY, WEIGHTS))

        def step(f, _):
            rho = jnp.sum(f, axis=0)
            ux, uy = jnp.sum(cx * f, axis=0) / rho, jnp.sum(cy * f, axis=0) / rho
            cu = 3.0 * (cx * ux + cy * uy)
            feq = w * rho * (1.0 + cu + 0.5 * cu * cu - 1.5 * (ux * ux + uy * uy))
            f = f + omega * (feq - f)
            moved = [jnp.roll(f[q], (int(CX[q]), int(CY[q])), (0, 1)) for q in range(9)]
            return jnp.stack(moved), None

        f = jax.lax.scan(step, f0, None, length=10)[0]
        return jnp.sum(jnp.sum(cx * f, axis=0) ** 2 + jnp.sum(cy * f, axis=0) ** 2)

    return jax_gradient(primal, (0, 1))


def gru(w, u, b, x, target):
    hidden = u.shape[1]
    h = np.zeros(hidden)
    loss = 0.0
    for t in range(x.shape[0]):
        z = 1.0 / (1.0 + np.exp(-(w[0] @ x[t] + u[0] @ h + b[0])))
        r = 1.0 / (1.0 + np.exp(-(w[1] @ x[t] + u[1] @ h + b[1])))
        candidate = np.tanh(w[2] @ x[t] + u[2] @ (r * h) + b[2])
        h = (1.0 - z) * h + z * candidate
        loss += np.sum((h - target[t]) ** 2)
    return loss


@by_hand
def gru_by_hand(w, u, b, x, target):
    steps, hidden, width = x.shape[0], u.shape[1], 2 * u.shape[1]
    flat = w.reshape(3 * hidden, x.shape[1])
    gates, states, resets = x @ flat.T, np.zeros((steps + 1, hidden)), np.empty((steps, hidden))
    bias, two, last = b.reshape(3 * hidden), u[:2].copy().reshape(width, hidden), u[2]
    loss = 0.0
    for t in range(steps):
        h, after, gate, reset = states[t], states[t + 1], gates[t], resets[t]
        pre = two @ h
        for j in range(width):
            gate[j] = 1.0 / (1.0 + fast.exp(-(gate[j] + pre[j] + bias[j])))
        for j in range(hidden):
            reset[j] = gate[hidden + j] * h[j]
        pre = last @ reset
        for j in range(hidden):
            gate[width + j] = fast.tanh(gate[width + j] + pre[j] + bias[width + j])
        for j in range(hidden):
            after[j] = h[j] + gate[j] * (gate[width + j] - h[j])
        for j in range(hidden):
            loss += (after[j] - target[t, j]) ** 2
    d_gates, d_h = np.empty((steps, 3 * hidden)), np.zeros(hidden)
    for t in range(steps - 1, -1, -1):
        h, after, gate, d = states[t], states[t + 1], gates[t], d_gates[t]
        for j in range(hidden):
            d_h[j] += 2.0 * (after[j] - target[t, j])
        for j in range(hidden):
            z, candidate = gate[j], gate[width + j]
            d[j] = d_h[j] * (candidate - h[j]) * z * (1.0 - z)
            d[width + j] = d_h[j] * z * (1.0 - candidate * candidate)
        d_reset = d[width:] @ last
        for j in range(hidden):
            r = gate[hidden + j]
            d[hidden + j] = d_reset[j] * h[j] * r * (1.0 - r)
        through = d[:width] @ two
        for j in range(hidden):
            d_h[j] = d_h[j] * (1.0 - gate[j]) + d_reset[j] * gate[hidden + j] + through[j]
    d_u = np.empty(u.shape)
    d_u[:2] = (d_gates[:, :width].copy().T @ states[:steps]).reshape(2, hidden, hidden)
    d_u[2] = d_gates[:, width:].copy().T @ resets
    return loss, ((d_gates.T @ x).reshape(w.shape), d_u, np.sum(d_gates, axis=0).reshape(b.shape))


def gru_in_jax():
    import jax
    import jax.numpy as jnp

    def primal(w, u, b, x, target):
        hidden = u.shape[1]
        two = u[:2].reshape(2 * hidden, hidden)

        def step(h, given):
            gates, wanted = given
            z, r = jnp.split(jax.nn.sigmoid(gates[: 2 * hidden] + two @ h), 2)
            h = (1.0 - z) * h + z * jnp.tanh(gates[2 * hidden :] + u[2] @ (r * h))
            return h, jnp.sum((h - wanted) ** 2)

        before = x @ w.reshape(3 * hidden, -1).T + b.reshape(-1)
        return jnp.sum(jax.lax.scan(step, jnp.zeros(hidden), (before, target))[1])

    return jax_gradient(primal, (0, 1, 2))


def _network_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    w1, b1, w2 = rng.normal(size=(8, 5)), rng.normal(size=8), rng.normal(size=(8, 5))
    return w1, b1, w2, rng.normal(size=(32, 100)), rng.normal(size=(32, 92))


def _gru_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    parts = rng.normal(size=(3, 24, 12)), rng.normal(size=(3, 24, 24)), rng.normal(size=(3, 24))
    return *(0.3 * part for part in parts), rng.normal(size=(60, 12)), rng.normal(size=(60, 24))


WORKLOADS = [
    Workload(conv_network, _network_inputs, (0, 1, 2), conv_network_by_hand, conv_network_in_jax),
    Workload(
        wave,
        lambda rng: (rng.normal(size=(64, 64)), rng.uniform(0.3, 0.6, (64, 64)), 50),
        (0, 1),
        wave_by_hand,
        wave_in_jax,
    ),
    Workload(
        lattice_boltzmann,
        lambda rng: (WEIGHTS[:, None, None] * rng.uniform(0.8, 1.2, (9, 32, 32)), 1.1, 10),
        (0, 1),
        lattice_boltzmann_by_hand,
        lattice_boltzmann_in_jax,
    ),
    Workload(gru, _gru_inputs, (0, 1, 2), gru_by_hand, gru_in_jax, loops=False),
]
