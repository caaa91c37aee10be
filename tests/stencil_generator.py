"""Random programs of time steps over neighbours, with states in two or three buffers that take turns."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def program(x, m, k, z):
    n, steps = len(x), len(z)
    rows, cols = m.shape
    c, counts = np.cos(x), np.zeros(n, np.int64)
    total = 0.0
"""
_BUFFERS = (
    ("cur, new = x.copy(), np.zeros(n)", "", "cur, new = new, cur"),
    ("old, cur, new = 0.5 * x, x.copy(), np.zeros(n)", "", "old, cur, new = cur, new, old"),
    ("b = np.zeros((2, n))\n    b[0] = x", "cur, new = b[t % 2], b[(t + 1) % 2]", ""),
    ("b = np.zeros((2, n))\n    b[0] = x", "p = t % 2\n        cur, new = b[p], b[1 - p]", ""),
    ("b = [x.copy(), np.zeros(n)]", "cur, new = b[t % 2], b[(t + 1) % 2]", ""),
    ("b = [x.copy(), 0.3 * x, np.zeros(n)]", "cur, new = b[t % 3], b[(t + 1) % 3]", ""),
    ("h = np.zeros((steps + 1, n))\n    h[0] = x", "cur, new = h[t], h[t + 1]", ""),
    ("cur = x.copy()", "new = np.zeros(n)", "cur = new"),
    ("cur = x.copy()", "new = cur.copy()", "cur = new"),
)
_GRIDS = (
    ("g, f = m.copy(), np.zeros((rows, cols))", "", "g, f = f, g"),
    ("g, e = m, np.zeros((2, rows, cols))\n    e[0] = m", "g, f = e[t % 2], e[(t + 1) % 2]", ""),
    ("g = m.copy()", "f = np.zeros((rows, cols))", "g = f"),
)


class StencilGenerator(ProgramWriter):
    """Writes one program of a vector `x`, a matrix `m`, a number `k`, and `z`, a number a step."""

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        made, taken, turned = self.rng.choice(_BUFFERS)
        grid = self.rng.choice(_GRIDS) if self.chance(0.5) else None
        self.write(1, made)
        self.write(1, grid[0] if grid else "g = m")
        self.write(1, "for t in range(steps):")
        for text in (taken, grid[1] if grid else ""):
            if text:
                self.write(2, text)
        if self.chance(0.3):
            self.parts()
        for _ in range(self.rng.randint(1, 2)):
            self.line()
            if grid and self.chance(0.8):
                self.plane()
        if self.chance(0.3):
            self.write(
                2, self.pick("new[0] = cur[0]", "new[n - 1] = 0.0", "new[0] = new[n - 1]", "new[0] += z[t]")
            )
        for text in (turned, grid[2] if grid else ""):
            if text:
                self.write(2, text)
        last = "b[steps % 2]" if made.startswith("b = np") else "b[0]" if made.startswith("b") else "cur"
        last = "h[steps] + h[steps // 2]" if made.startswith("h") else last
        self.write(1, f"return total + np.sum({last} * c) + np.sum(g * g) + np.sum(c + c * counts)")
        return "\n".join(self.lines) + "\n"

    def bounds(self, size: str) -> str:
        return self.pick(
            f"1, {size} - 1",
            f"1, {size} - 1",
            f"1, {size} - 1",
            f"2, {size} - 2",
            f"{size} - 1",
            f"1, {size}",
            f"2, {size} - 1",
            f"{size} - 2, 0, -1",
            f"min(t + 1, 3), {size} - 1",
            f"3, {size} - 3",
        )

    def near(self, index: str) -> str:
        return self.pick(index, index, f"{index} - 1", f"{index} + 1", f"{index} - 2", f"{index} + 2")

    def line(self) -> None:
        """Write a loop over a row."""
        self.write(2, f"for i in range({self.bounds('n')}):")
        if self.chance(0.2):
            self.write(3, "if i < 3 or i > n - 4:\n                continue")
        reads = [f"{self.pick('cur', 'cur', 'c')}[{self.near('i')}]" for _ in range(3)]
        self.write(3, f"a = {reads[0]} {self.pick('+', '-')} {reads[1]}")
        self.write(3, f"s = k * a {self.pick('-', '+')} {self.pick('a * ', '2.0 * ', '')}{reads[2]}")
        if self.chance(0.3):
            self.write(
                3, f"s = {self.pick('math.sin(s)', 's * z[t]', 's if s > 0.1 else 0.5 * s', 's * c[i]')}"
            )
        sums = (
            "new[i] = cur[i] + 0.2 * s",
            "new[i] = 0.3 * s",
            f"new[{self.near('i')}] += 0.2 * s",
            "total += s * a",
            f"counts[{self.near('i')}] += s > 0.0",
            f"total += k * cur[{self.near('i')}] - cur[{self.near('i')}] + z[t] * cur[i]",
            f"total += cur[{self.near('i')}] - cur[{self.near('i')}]",
            f"c[{self.near('i')}] -= 0.1 * s",
            f"new[{self.near('i')}] -= 0.1 * a",
        )
        for text in self.rng.sample(sums, self.rng.randint(1, 3)):
            if text.startswith(("new[i]", "total")) or self.chance(0.5):
                self.write(3, text)

    def parts(self) -> None:
        """Write a loop over a part of a row, which has a name of its own."""
        first = self.pick("0", "1", "2")
        self.write(2, f"w = {self.pick('cur', 'new')}[{first}:]")
        self.write(2, f"for i in range({self.pick('4', 'len(w)', 'min(len(w), 3)', 'len(w) - 1')}):")
        reads = [f"{self.pick('cur', 'new', 'c', 'w')}[{self.pick('i', 'i + 1', 'i + 2')}]" for _ in range(3)]
        self.write(3, f"a = {reads[0]} * k - {reads[1]}")
        self.write(3, self.pick("w[i] = 0.5 * a", "w[i] += 0.2 * a", "total += a * a", "c[i] += 0.1 * a"))
        self.write(3, f"total += {reads[2]} * {self.pick('a', 'x[i]', '1.0')}")

    def plane(self) -> None:
        """Write a nest over a grid."""
        self.write(2, f"for i in range({self.bounds('rows')}):")
        self.write(3, f"for j in range({self.bounds('cols')}):")
        reads = [f"g[{self.near('i')}, {self.near('j')}]" for _ in range(self.rng.randint(2, 5))]
        self.write(4, f"lap = {' + '.join(reads)} - 2.0 * g[i, j]")
        if self.chance(0.3):
            self.write(4, f"lap = {self.pick('lap * m[i, j]', 'math.tanh(lap)', 'lap * z[t]')}")
        self.write(4, self.pick("f[i, j] = g[i, j] + 0.1 * lap", "f[i, j] += 0.2 * lap", "f[i, j] = k * lap"))
        if self.chance(0.3):
            self.write(4, f"f[{self.near('i')}, {self.near('j')}] += 0.1 * lap")


def stencil_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program, some too short for its loops to run."""
    made = np.random.default_rng(rng.randrange(1 << 30))
    x = 0.5 * made.normal(size=rng.choice((1, 2, 3, 4, 5, 6, 8, 12)))
    m = 0.5 * made.normal(size=(rng.choice((1, 2, 4, 5, 7)), rng.choice((1, 3, 5, 6, 11))))
    return x, m, float(made.normal()), made.normal(size=rng.randint(0, 4))
