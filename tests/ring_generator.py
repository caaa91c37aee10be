"""Random programs whose loops treat their first and last iterations apart: rings, walls, and neighbours."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def program(x, m, k, z):
    n, steps = len(x), len(z) - 1
    u, w, g = 0.5 * x, np.ones(n), 0.3 * m
    new, total = np.zeros(n), 0.0
"""


class RingGenerator(ProgramWriter):
    """Writes one program of a vector `x`, a matrix `m`, a number `k`, and `z`, a number a step."""

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        depth = 1
        if self.chance(0.7):
            self.write(1, "for t in range(steps):")
            depth = 2
            if self.chance(0.3):
                self.write(2, self.pick("new = np.zeros(n)", "new = np.empty(n)\n        new[:] = u"))
        for _ in range(self.rng.randint(1, 3)):
            if self.chance(0.5):
                self.row(depth)
            else:
                self.grid(depth)
            if self.chance(0.4):
                change = (
                    "u, new = new, u",
                    "u = 0.3 * new + u",
                    "w[t % n] += 0.1",
                    "w *= k",
                    "g = 0.5 * g + m",
                )
                self.write(
                    depth, self.rng.choice([text for text in change if depth == 2 or "t %" not in text])
                )
        self.write(1, "return total + np.sum(u) + 0.1 * np.sum(g * g) + np.sum(w * new) + np.sum(z)")
        return "\n".join(self.lines) + "\n"

    def loop(self, depth: int, index: str) -> int:
        """Write the head of a loop over most of the indices."""
        whole = (
            "n",
            "n",
            "n",
            "n - 1",
            "1, n",
            "n - 1, -1, -1",
            "1, n - 1",
            "n - 2, 0, -1",
            "2, n",
            "min(n, 5)",
        )
        self.write(depth, f"for {index} in range({self.pick(*whole)}):")
        return depth + 1

    def place(self, index: str) -> str:
        """Return an index that may go round."""
        shift = self.pick("+ 1", "- 1", "+ 1", "- 1", "+ 2", "- 2", "+ 3", "- 5")
        return self.pick(
            f"({index} {shift}) % n",
            f"({index} {shift}) % n",
            f"({index} {shift} + n) % n",
            f"{index} - 1",
            f"({index} + 1 if {index} < n - 1 else 0)",
            f"({index} - 1 if {index} > 0 else n - 1)",
            f"max({index} - 1, 0)",
            f"min({index} + 1, n - 1)",
            index,
        )

    def value(self, index: str) -> str:
        """Return a number that is read at a place, or another one at an end."""
        array = self.pick("u", "u", "x", "w")
        read = f"{array}[{self.place(index)}]"
        tests = (
            "{} > 0",
            "{} == 0",
            "{} < n - 1",
            "{} == n - 1",
            "{} != 1",
            "{} >= 2",
            "{} + 1 < n",
            "n - 1 > {}",
        )
        if self.chance(0.25):
            test = self.pick(*tests).format(index)
            return f"({read} if {test} else {self.pick('0.0', 'k', f'x[{index}]', 'u[0]')})"
        return read

    def row(self, depth: int) -> None:
        inner = self.loop(depth, "i")
        self.write(inner, f"a = {self.value('i')} - {self.value('i')}")
        self.write(inner, f"b = {self.pick('math.sin(a)', 'a * k', 'a * a', 'a')} + {self.value('i')}")
        if self.chance(0.2):
            self.write(inner, f"if {self.pick('i > 0', 'i == n - 1', 'a > 0.1', 'i % 2 == 0')}:")
            self.write(inner + 1, self.pick("b = 0.5 * b", "total += b", "new[i] += a", "continue", "break"))
        target = self.pick("i", "i", self.place("i"))
        sums = (
            "total += a * b",
            "w[i] += 0.1 * b",
            f"new[{target}] += 0.2 * a",
            f"new[{target}] = b",
            "u[i] = 0.3 * b",
        )
        for text in self.rng.sample(sums, self.rng.randint(1, 3)):
            self.write(inner, text)

    def grid(self, depth: int) -> None:
        inner = self.loop(depth, "i")
        rows = self.place("i"), self.place("i")
        if self.chance(0.5):
            self.write(inner, f"r, s = {rows[0]}, {rows[1]}")
            rows = "r", "s"
        inner = self.loop(inner, "j")
        self.write(inner, f"a = m[{rows[0]}, j] - g[{rows[1]}, j] + m[i, {self.place('j')}] * k")
        self.write(inner, f"b = a * g[i, {self.place('j')}] + {self.pick('a', 'a * a', self.value('j'))}")
        sums = (
            "total += math.cos(a) * b",
            "g[i, j] = 0.4 * b",
            f"w[{self.place('j')}] += 0.1 * b",
            "new[i] += a * b",
        )
        for text in self.rng.sample(sums, self.rng.randint(1, 2)):
            self.write(inner, text)


def ring_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program: short ones, of which nearly all is an end."""
    n, made = rng.choice((1, 2, 3, 4, 5, 7)), np.random.default_rng(rng.randrange(1 << 30))
    x, m = 0.5 * made.normal(size=n), 0.5 * made.normal(size=(n, n))
    return x, m, float(made.normal()), made.normal(size=rng.randint(1, 4))
