"""Random programs whose inner loops compute numbers alike in all iterations of an outer one, or almost."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_COSTLY = (
    "np.exp(-k * {})",
    "np.tanh({})",
    "np.sqrt(1.0 + {0} * {0})",
    "k / (2.0 + {0} ** 2)",
    "np.sin({}) * 0.7",
    "math.log(2.0 + {0} * {0}) / (1.5 + {0} ** 4)",
)
_HEAD = """\
import math

import numpy as np


def program(x, m, k, z):
    n, steps = len(x), len(z)
    u, total, count = 0.5 * x, 0.0, 0
    w, g = np.ones(n), 0.3 * m
"""


class TableGenerator(ProgramWriter):
    """Writes one program of a vector `x`, a matrix `m`, a number `k`, and `z`, one number a step."""

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        if self.chance(0.25):
            self.write(1, "while count < steps:")
            self.write(2, "t = count")
            self.write(2, "count += 1")
        else:
            self.write(1, f"for t in range({self.pick('steps', 'steps', 'steps - 1', '1, steps', '3')}):")
        depth = 2
        if self.chance(0.2):
            self.write(2, f"for r in range({self.pick('2', 't', 'n')}):")
            depth = 3
        for _ in range(self.rng.randint(1, 3)):
            self.nest(depth)
            if self.chance(0.4):
                self.change(depth)
        self.write(2, f"total += u[0] * {self.pick('u[n - 1]', 'w[0]', 'z[t % steps]')}")
        self.write(1, "return total + np.sum(u) + 0.1 * np.sum(g) + np.sum(w)")
        return "\n".join(self.lines) + "\n"

    def costly(self, *sources: str) -> str:
        return self.rng.choice(_COSTLY).format(self.rng.choice(sources))

    def loop(self, depth: int, index: str) -> tuple[int, bool]:
        """Write the head of a loop; return the depth of its body, and whether a neighbour is there."""
        start = self.pick("0", "0", "1", "2")
        if index == "j" and self.chance(0.25):
            self.write(depth, f"for j in range({self.pick('i', 'i + 1, n', 'i, -1, -1', 'i % 2, n')}):")
            return depth + 1, False
        if self.chance(0.25):
            self.write(depth, f"for {index} in range(n - 1, {self.pick('-1', '-1', '0')}, -1):")
            return depth + 1, False
        self.write(depth, f"for {index} in range({start}, n{self.pick('', '', ' - 1')}):")
        return depth + 1, start != "0"

    def nest(self, depth: int) -> None:
        """Write a loop over elements, or two, one inside the other."""
        depth, has_left = self.loop(depth, "i")
        sources = ["x[i]", "x[i]", "w[i]", "m[i, 0]", "i", "k"]
        sources += ["x[i - 1]", "w[i - 1]"] if has_left else []
        sources += ["u[i]", "z[t % steps]", "x[i] * t"] if self.chance(0.3) else []
        self.write(depth, f"c = {self.costly(*sources)}")
        names = ["c"]
        if self.chance(0.4):
            self.write(depth, f"e = {self.costly('c', *sources)} {self.pick('+', '-', '*')} 0.4 * c")
            names.append("e")
        if self.chance(0.15):
            self.write(depth, f"if {self.pick('x[i] > 0.0', 'c > 0.3', 't > 0')}:")
            self.write(depth + 1, self.pick("c = 2.0 * c", "c = 0.1", "w[i] += 0.1", "continue", "break"))
        if self.chance(0.45):
            self.inner(depth, sources, names)
        a, b = self.pick(*names), self.pick(*names)
        self.write(depth, self.pick(f"u[i] = {a} * u[i] + {b}", f"u[i] += 0.3 * {a}", f"total += {a} * u[i]"))

    def inner(self, depth: int, sources: list[str], names: list[str]) -> None:
        if self.chance(0.5):
            self.write(depth, "s = 0.0")
        else:
            self.write(depth, "s = u[i]")
        depth, _ = self.loop(depth, "j")
        both = ["m[i, j]", "g[i, j]", "x[i] - x[j]", "x[j]", "w[j]", "c * x[j]", *sources]
        self.write(depth, f"d = {self.costly(*both)}")
        if self.chance(0.3):
            self.write(depth, f"d = d + {self.costly('d', *both)}")
        self.write(depth, self.pick("s += d * u[j]", "s += d", "s = s * d + u[j]", "g[i, j] += 0.1 * d"))
        names.append("s")

    def change(self, depth: int) -> None:
        """Write something that numbers above may depend on."""
        text = (
            "w[t % n] = 0.5",
            "w[0] += 0.1 * u[0]",
            "g[0, 0] = k",
            "g *= 0.9",
            "w = w + 0.1",
            "k = 0.9 * k",
            "u = u * 0.5",
            "w[:] = u",
        )
        self.write(depth, self.rng.choice(text))


def table_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program."""
    n, made = rng.randint(1, 5), np.random.default_rng(rng.randrange(1 << 30))
    size = rng.randint(1, 4)
    return (
        0.5 * made.normal(size=n),
        0.5 * made.normal(size=(n, n)),
        float(made.normal()),
        made.normal(size=size),
    )
