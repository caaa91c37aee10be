"""Random programs whose inner loops go down the columns of matrices, or over parameters for each sample."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def program(x, w, v, p):
    n, m, k = x.shape[0], x.shape[1], len(p)
    total, u, c = 0.0, np.zeros(m), w.copy()
    z, s = x.copy(), np.zeros((n, m))
"""
_SLOPES = ("math.tanh({})", "math.sin({})", "math.exp(-0.3 * {0} * {0})", "0.5 * {}", "{}", "{0} * {0}")


class ColumnGenerator(ProgramWriter):
    """Writes one program of a matrix, vectors of as many elements as it has rows and columns, and another."""

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        depth = 1
        if self.chance(0.3):
            self.write(1, f"for r in range({self.pick('2', 'k')}):")
            depth = 2
        for _ in range(self.rng.randint(1, 3)):
            self.over_columns(depth) if self.chance(0.65) else self.over_samples(depth)
        self.write(1, "total += np.sum(u * v) + np.sum(c * c) + np.sum(z * s) + np.sum(np.sin(s))")
        self.write(1, "return total")
        return "\n".join(self.lines) + "\n"

    def slope(self, text: str) -> str:
        return self.rng.choice(_SLOPES).format(text)

    def over_columns(self, depth: int) -> None:
        """Write a loop over columns, in which loops go down them."""
        self.write(depth, f"for j in range({self.pick('m', 'm', 'm', '1, m', 'm - 1')}):")
        inner = depth + 1
        self.write(inner, f"a, b = 0.1, {self.pick('v[j]', '0.3', 'v[j] * v[j]')}")
        if self.chance(0.25):
            self.write(inner, "t = np.zeros(n)")
            self.write(inner, "for i in range(n):")
            self.write(inner + 1, f"t[i] = {self.slope('x[i, j]')} * b")
            self.write(inner, "a += t[0] * t[n - 1]")
        for _ in range(self.rng.randint(1, 3)):
            self.down(inner)
        self.write(
            inner, self.pick("u[j] += a", "total += math.log(1.5 + a * a)", "u[j] = a * b", "total += a")
        )

    def down(self, depth: int) -> None:
        """Write a loop down a column."""
        rows = self.pick("n", "n", "n", "n - 1, -1, -1", "1, n", "min(j, n)")
        self.write(depth, f"for i in range({rows}):")
        above = self.chance(0.2) and rows == "1, n"
        item = f"{self.pick('x', 'x', 'z', 's')}[{'i - 1' if above else self.pick('i', 'i', 'n - 1 - i')}, j]"
        if self.chance(0.2):
            self.write(depth + 1, f"if {item} > {self.pick('0.1', 'w[i]', 'v[j]')}:")
            depth += 1
        factor = self.pick("w[i]", "b", "v[j]", "c[i]", "0.7", "x[i, j]")
        for _ in range(self.rng.randint(1, 2)):
            self.write(
                depth + 1,
                self.pick(
                    f"a += {self.slope(item)} * {factor}",
                    f"a += {self.slope(f'({item} - b)')}",
                    f"s[i, j] = {self.slope(item)} * {factor}",
                    f"s[i, j] += 0.5 * {self.slope(item)} + a",
                    f"c[i] += 0.2 * {self.slope(item)} * {factor}",
                    f"u[j] += 0.3 * {self.slope(item)}",
                    f"z[i, j] = 0.5 * z[i, j] + {self.slope('x[i, j]')}",
                    f"b = 0.9 * b + 0.1 * {item}",
                ),
            )

    def over_samples(self, depth: int) -> None:
        """Write a loop over samples, each of which meets all parameters."""
        one, many, count = self.rng.choice([("v", "p", "m, k"), ("w", "p", "n, k"), ("v", "w", "m, n")])
        length, others = count.split(", ")
        self.write(depth, f"for i in range({length}):")
        self.write(depth + 1, f"a = {self.pick('0.0', f'0.2 * {one}[i]', '1.0')}")
        self.write(depth + 1, f"for q in range({others}):")
        if self.chance(0.3):
            self.write(depth + 2, f"if {one}[i] < {many}[q]:")
            self.write(depth + 3, "continue" if self.chance(0.5) else "a += 0.1")
        distance = self.pick(f"({one}[i] - {many}[q])", f"{one}[i] * {many}[q]")
        self.write(depth + 2, f"a += {self.pick('math.exp', 'math.sin', 'math.tanh')}(0.5 * {distance})")
        if self.chance(0.3):
            self.write(depth + 2, f"total += {many}[q] * {one}[i]")
        self.write(depth + 1, self.pick("total += math.log(1.0 + a * a)", "total += a * a"))


def column_inputs(rng: random.Random) -> tuple[np.ndarray, ...]:
    """Return arguments of such a program; of few columns, many, or more than a block of them has."""
    n, k, m = rng.randint(1, 5), rng.randint(1, 4), rng.choice([1, 2, 5, 8, 9, 13, 64, 67])
    made = np.random.default_rng(rng.randrange(1 << 30))
    return tuple(0.5 * made.normal(size=size) for size in ((n, m), n, m, k))
