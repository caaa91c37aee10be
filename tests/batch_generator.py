"""Random programs of loops over samples, each of which goes through nests of loops with scratch arrays."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_SLOPES = ("math.tanh({})", "math.sin({})", "0.5 * {}", "1.0 / (1.0 + {0} * {0})", "{}")
_SCRATCH = ("u", "v")
_HEAD = """\
import math

import numpy as np


def program(x, means, factors, b):
    n, d = x.shape
    count = means.shape[0]
    total = 0.0
    out = np.zeros(n)
    u, v, terms, places = np.zeros(d), np.ones(d), np.zeros(count), np.zeros(d, dtype=np.int64)
"""


class BatchGenerator(ProgramWriter):
    """Writes one program of samples `x` (rows), `means` (rows), `factors` (matrices) and numbers `b`."""

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        for _ in range(self.rng.randint(1, 2)):
            self.samples()
        self.write(1, "total += np.sum(out * out)")
        self.write(1, "return total")
        return "\n".join(self.lines) + "\n"

    def samples(self) -> None:
        """Write a loop over samples."""
        if self.rng.random() < 0.5:
            self.write(1, "u, v = np.empty(d), np.empty(d)")
        self.write(1, self.pick("for i in range(n):", "for i in range(n):", "for i in range(1, n):"))
        if self.rng.random() < 0.3:
            self.write(2, "u, v = np.zeros(d), np.zeros(d)")
        if self.rng.random() < 0.3:
            self.write(2, self.pick("row = x[i]", "row = x[i].copy()", "row = x[i] * b[0]"))
        else:
            self.write(2, "row = x[i]")
        self.fill(2, "0")
        for _ in range(self.rng.randint(1, 3)):
            if self.rng.random() < 0.7:
                self.write(2, "for k in range(count):")
                if self.rng.random() < 0.7:
                    self.fill(3, "k")
                for _ in range(self.rng.randint(1, 4)):
                    self.statement(3, "k")
                self.write(3, f"terms[k] = {self.number('k')}")
            else:
                self.statement(2, self.pick("0", "1", "-1"))
        self.end(2)

    def fill(self, depth: int, k: str) -> None:
        """Write every element of both scratch arrays."""
        self.write(depth, "for j in range(d):")
        self.write(depth + 1, f"u[j] = {self.pick('x[i, j]', 'row[j]')} - means[{k}, j]")
        if self.rng.random() < 0.5:
            self.write(depth + 1, f"v[j] = {self.slope('x[i, j] * b[' + k + ']')}")
        else:
            self.write(depth, self.pick("v[:] = 0.0", "v[:] = 0.5", f"v[:] = b[{k}]"))

    def slope(self, text: str) -> str:
        return self.rng.choice(_SLOPES).format(f"({text})")

    def number(self, k: str) -> str:
        """Return a number."""
        first, second = self.rng.choice(_SCRATCH), self.rng.choice(_SCRATCH)
        return self.slope(
            self.pick(
                f"{first}[0] * {second}[-1]",
                f"b[{k}] * {first}[1]",
                f"terms[{k}] + {first}[{k}]",
                "terms[0] * 0.5",
                f"means[{k}, 0] * x[i, 1]",
                f"np.{self.pick('max', 'min', 'sum')}({first})",
            )
        )

    def statement(self, depth: int, k: str) -> None:
        write, one, two = self.write, *self.rng.sample(_SCRATCH, 2)
        match self.rng.randrange(17):
            case 0:
                write(depth, "for a in range(d):")
                write(depth + 1, f"{one}[a] = {self.pick('0.0', f'b[{k}]', f'0.1 * {two}[a]')}")
                write(depth + 1, "for c in range(d):")
                write(depth + 2, f"{one}[a] += factors[{k}, a, c] * {two}[c]")
            case 1:
                write(depth, "for a in range(d):")
                write(depth + 1, "s = 0.1")
                write(depth + 1, "for c in range(d):")
                write(depth + 2, f"s += factors[{k}, {self.pick('a, c', 'c, a')}] * {two}[c]")
                write(depth + 1, f"{one}[a] = {self.slope('s')}")
            case 2:
                write(depth, "place = 0")
                write(depth, "for a in range(d):")
                write(depth + 1, "for c in range(a + 1, d):")
                write(depth + 2, f"{one}[c] += 0.3 * factors[{k}, 1, place] * {two}[a]")
                write(depth + 2, "place += 1")
            case 3:
                write(depth, "s = 0.0")
                write(depth, "for a in range(d):")
                write(depth + 1, f"s += {one}[a] * {self.pick(f'{two}[a]', f'{one}[a]', 'x[i, a]')}")
                write(depth, f"{self.pick('terms[0]', 'total', 'terms[-1]')} += {self.slope('s')}")
            case 4:
                write(depth, "h = b[0]")
                write(depth, "for a in range(d):")
                write(depth + 1, f"h = math.tanh(h * factors[{k}, a, a] + {one}[a])")
                write(depth + 1, f"{two}[a] = {self.pick('h', 'h * x[i, a]')}")
            case 5:
                write(depth, f"if {one}[0] {self.pick('<', '>')} {self.pick('0.2', f'b[{k}]')}:")
                write(depth + 1, f"{two}[1] {self.pick('=', '+=', '*=')} {self.number(k)}")
                if self.rng.random() < 0.5:
                    write(depth, "else:")
                    write(depth + 1, f"total += {self.number(k)}")
            case 6:
                write(depth, f"if b[{k}] > {self.pick('0.0', 'means[0, 0]')}:")
                write(depth + 1, "for a in range(d):")
                write(depth + 2, f"{two}[a] += 0.2 * {one}[a] * b[{k}]")
            case 7:
                write(depth, "size = 0.0")
                write(depth, "for a in range(d):")
                write(depth + 1, "places[a] = d - 1 - a")
                write(depth + 1, f"size += factors[{k}, a, a] * factors[{k}, 0, a]")
                write(depth, "for a in range(d):")
                write(depth + 1, f"{one}[places[a]] += size * {two}[a]")
            case 8:
                write(depth, f"{one}[:] = {self.pick('0.0', f'b[{k}]', two, f'{two} * b[{k}]', 'row')}")
            case 9:
                write(depth, f"total += {self.number(k)}")
            case 10:
                write(depth, f"out[{self.pick('i', 'i', 'i - 1', 'n - 1 - i', '0')}] += {self.number(k)}")
            case 12 | 13:
                first, last = self.rng.choice([(0, 0), (1, 0), (0, 1)])
                write(depth, f"for a in range({first}, d{' - 1' if last else ''}):")
                write(depth + 1, f"s = {self.pick('0.0', f'b[{k}]')}")
                write(depth + 1, f"for c in range({self.pick('d', 'a + 1', 'a, d', '2')}):")
                source = self.pick("x[i, c]", "row[c]", "x[i, a]", "x[i, c - 1]", f"x[i, c] * {two}[a]")
                write(depth + 2, f"s += factors[{k}, a, c] * {source}")
                write(depth + 1, f"{one}[a] = {self.slope('s')}")
            case 14:
                write(depth, "s = 0.0")
                write(depth, "for a in range(d - 1):")
                write(depth + 1, "for c in range(2):")
                write(
                    depth + 2,
                    f"s += factors[{k}, 0, c] * x[i, {self.pick('a + c', 'c + a', 'a')}] * {one}[a]",
                )
                write(depth, f"total += {self.slope('s')}")
            case 15:
                write(depth, "for a in range(d):")
                write(depth + 1, "places[a] = a")
                write(depth, f"where = 1 if {one}[0] > 0.1 else 0")
                write(depth, f"s = {two}[places[where]] * {one}[0]")
                write(depth, f"places[{self.pick('1', '0', 'where')}] = 2")
                write(depth, f"total += s * {one}[places[1]]")
            case 11:
                write(depth, "for a in range(1, d):")
                write(depth + 1, f"{one}[a] = {self.slope(f'{one}[a - 1] + {two}[a]')}")
            case _:
                write(depth, f"{one} {self.pick('*=', '+=')} {self.pick(two, '0.5', f'b[{k}]')}")

    def end(self, depth: int) -> None:
        """Write what a sample gives in the end."""
        match self.rng.randrange(5):
            case 0:
                self.write(depth, "best = np.max(terms)")
                self.write(depth, "s = 0.0")
                self.write(depth, "for k in range(count):")
                self.write(depth + 1, "s += math.exp(terms[k] - best)")
                self.write(depth, "total += math.log(s) + best")
            case 1:
                self.write(depth, f"out[i] = {self.number('0')}")
            case 2:
                self.write(depth, "for j in range(d):")
                self.write(depth + 1, f"total += {self.slope('u[j] * v[j]')}")
            case 3:
                self.write(depth, f"total += {self.pick('np.max', 'np.min', 'np.sum')}(terms)")
            case _:
                self.write(depth, f"total += {self.number('1')}")


def batch_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return one argument list: seven samples of three numbers, two means, two matrices, two numbers."""
    numbers = np.array([rng.uniform(-1.2, 1.2) for _ in range(47)])
    x, means, factors, b = np.split(numbers, [21, 27, 45])
    return x.reshape(7, 3), means.reshape(2, 3), factors.reshape(2, 3, 3), b
