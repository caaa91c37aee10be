"""Random programs of loops and nests side by side over one range, which read each other's neighbours."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_SLOPES = ("math.tanh({})", "math.sin({})", "0.5 * {}", "1.0 / (1.0 + {0} * {0})", "{}", "{0} * {0}")
_HEAD = """\
import math

import numpy as np


def program(x, y, m):
    n, k = m.shape
    total = 0.0
    a, b, s = np.zeros(n), x.copy(), np.zeros((n, k))
    c, r, z = np.empty(n), np.empty((n, k)), m.copy()
"""


class SiblingGenerator(ProgramWriter):
    """Writes one program of vectors `x` and `y` and a matrix `m` with as many rows."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.full = ["a", "b"]  # vectors of which every element is set
        self.matrices = ["s", "z"]

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        if self.rng.random() < 0.5:
            self.write(1, "for step in range(2):")
            self.statements(2)
        else:
            self.statements(1)
        self.write(
            1, f"total += np.sum({self.rng.choice(self.full)} * x) + np.sum({self.pick('s', 'z')} ** 2)"
        )
        self.write(1, "return total")
        return "\n".join(self.lines) + "\n"

    def statements(self, depth: int) -> None:
        bounds = self.pick("1, n - 1", "n", "1, n")
        for _ in range(self.rng.randint(3, 7)):
            bounds = bounds if self.rng.random() < 0.7 else self.pick("1, n - 1", "n", "1, n")
            kind = self.rng.random()
            if kind < 0.35:
                self.loop(depth, bounds)
            elif kind < 0.8:
                self.nest(depth, bounds)
            else:
                self.whole(depth)

    def offsets(self, bounds: str) -> list[int]:
        """Return how far from an index of such a range elements exist."""
        return {"1, n - 1": [-1, 0, 0, 1], "1, n": [-1, 0, 0], "n": [0]}[bounds]

    def index(self, name: str, bounds: str) -> str:
        offset = self.rng.choice(self.offsets(bounds))
        return name if offset == 0 else f"{name} {'+' if offset > 0 else '-'} 1"

    def slope(self, text: str) -> str:
        return self.rng.choice(_SLOPES).format(text)

    def head(self, depth: int, bounds: str) -> None:
        is_up = self.rng.random() < 0.85
        down = {"1, n - 1": "n - 2, 0, -1", "1, n": "n - 1, 0, -1", "n": "n - 1, -1, -1"}[bounds]
        self.write(depth, f"for i in range({bounds if is_up else down}):")

    def element(self, bounds: str) -> str:
        return f"{self.pick(*self.full, 'x', 'y')}[{self.index('i', bounds)}]"

    def loop(self, depth: int, bounds: str) -> None:
        """Write a loop over elements."""
        self.head(depth, bounds)
        if bounds == "n" and "c" not in self.full:
            self.write(depth + 1, f"c[i] = {self.slope(self.element(bounds))} + y[i]")
            self.full.append("c")
            return
        for _ in range(self.rng.randint(1, 2)):
            target = f"{self.pick(*self.full)}[{self.index('i', bounds)}]"
            one, two = self.slope(self.element(bounds)), self.element(bounds)
            self.write(depth + 1, self.pick(f"{target} = {one} - 0.3 * {two}", f"{target} += 0.5 * {one}"))
        if self.rng.random() < 0.3:
            self.write(depth + 1, f"total += {self.slope(self.element(bounds))}")

    def nest(self, depth: int, bounds: str) -> None:
        """Write a nest over the rows of matrices."""
        self.head(depth, bounds)
        if self.rng.random() < 0.4:
            self.write(depth + 1, f"p = {self.slope(self.element(bounds))}")
            factor = "p"
        else:
            factor = self.element(bounds)
        self.write(depth + 1, "for j in range(k):")
        source = f"{self.pick(*self.matrices, 'm')}[{self.index('i', bounds)}, j]"
        if bounds == "n" and "r" not in self.matrices and self.rng.random() < 0.5:
            self.write(depth + 2, f"r[i, j] = {self.slope(source)} * {factor}")
            self.matrices.append("r")
            return
        kind = self.rng.random()
        if kind < 0.4:
            target = f"{self.pick(*self.matrices)}[{self.index('i', bounds)}, j]"
            self.write(depth + 2, f"{target} {self.pick('=', '+=')} 0.5 * {self.slope(source)} * {factor}")
        elif kind < 0.7:
            self.write(depth + 2, f"{self.pick(*self.full)}[{self.index('i', bounds)}] += 0.3 * {source}")
        else:
            self.write(depth + 2, f"total += {self.slope(source)} * {factor}")

    def whole(self, depth: int) -> None:
        """Write array code."""
        one, two = self.pick(*self.full, "x"), self.pick(*self.matrices, "m")
        target = self.pick(*self.matrices)
        text = {
            0: f"b = {self.slope(one).replace('math', 'np')} + y",
            1: f"{target}[1:] = {target}[1:] + 0.5 * {two}[:-1]",
            2: f"{target}[:-1] += {self.slope(two + '[1:]').replace('math', 'np')}",
            3: f"e = np.exp({two} - np.max({two}, axis=1)[:, None])",
            4: f"a += 0.5 * np.sum({two} * {two}, axis=1)",
        }[choice := self.rng.randrange(5)]
        self.write(depth, text)
        if choice == 3:
            self.write(depth, f"{target}[:] = e / np.sum(e, axis={self.pick('1)[:, None]', '0)')}")


def sibling_inputs(rng: random.Random) -> tuple[np.ndarray, ...]:
    """Return arguments of such a program."""
    n, k = rng.randint(2, 6), rng.randint(1, 5)
    made = np.random.default_rng(rng.randrange(1 << 30))
    return 0.5 * made.normal(size=n), 0.5 * made.normal(size=n), 0.5 * made.normal(size=(n, k))
