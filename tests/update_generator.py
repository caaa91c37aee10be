"""Random programs of loops in loops that update arrays, rows and views in place, and read them in between."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def program(x, a, c, k):
    x, a, total = x.copy(), a.copy(), 0.0
    n, m = a.shape
    y, b, z = x * c, np.ones((n, m)), np.zeros(n)
"""
_SLOPES = ("np.sin({})", "np.tanh({})", "0.5 * {}", "np.cos({} * c)", "{} * c")


class UpdateGenerator(ProgramWriter):
    """Writes one program of a vector, a matrix with as many rows, and two numbers."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.vectors = ["x", "y", "z"]  # of n elements
        self.rows = ["a[0]", "b[n - 1]", "a[:, :]"]  # of m elements in each row
        self.loops: list[str] = []
        self.names = 0

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        for _ in range(self.rng.randint(3, 6)):
            self.statement(1)
        self.write(1, "return total + np.sum(x * y) + np.sum(z * z) + np.sum(a * b) + a[0, m - 1] * x[0]")
        return "\n".join(self.lines) + "\n"

    def statement(self, depth: int) -> None:
        kind = self.rng.random()
        if kind < 0.35 and depth < 4:
            self.loop(depth)
        elif kind < 0.45 and depth < 5:
            self.write(
                depth, f"if {self.pick('c > 0.1', 'x[0] > 0.0', 'np.sum(y) > 0.2', 'a[0, 0] < z[0]')}:"
            )
            self.block(depth + 1, self.rng.randint(1, 2))
        elif kind < 0.6:
            self.view(depth)
        elif kind < 0.7:
            self.write(depth, f"total += {self.number()}")
        else:
            self.update(depth)

    def block(self, depth: int, count: int) -> None:
        """Write statements whose names mean nothing afterwards."""
        vectors, rows = [*self.vectors], [*self.rows]
        for _ in range(count):
            self.statement(depth)
        self.vectors, self.rows = vectors, rows

    def loop(self, depth: int) -> None:
        if self.chance(0.2) and "row" not in self.rows:
            self.write(depth, f"for row in {self.pick('a', 'b', 'a[::-1]')}:")
            self.rows.append("row")
            self.block(depth + 1, self.rng.randint(1, 3))
            self.rows.remove("row")
            return
        index = f"i{depth}"
        self.loops.append(index)
        self.write(depth, f"for {index} in range({self.pick('n', 'n', '2', 'n - 1, -1, -1', 'k')}):")
        self.block(depth + 1, self.rng.randint(2, 4))
        self.loops.pop()

    def place(self) -> str:
        """Write the number of a row that exists: counts go up to n."""
        return self.pick("0", "n - 1", *(f"{index} % n" for index in self.loops))

    def number(self) -> str:
        vector, place = self.pick(*self.vectors), self.place()
        return self.pick(
            f"{vector}[{place}]", f"a[{place}, 0]", f"b[{place}, m - 1] * c", f"np.sum({vector})", "c"
        )

    def vector(self) -> str:
        """Write n numbers."""
        text = self.pick(
            *self.vectors, f"a[:, {self.pick('0', 'm - 1')}]", f"{self.pick(*self.vectors)}[::-1]"
        )
        if self.chance(0.5):
            text = f"({text} {self.pick('*', '+', '-')} {self.pick(self.number(), self.pick(*self.vectors))})"
        return self.rng.choice(_SLOPES).format(text) if self.chance(0.6) else text

    def view(self, depth: int) -> None:
        """Give a name to a part of an array, and mostly write to it."""
        self.names += 1
        name = f"v{self.names}"
        if self.chance(0.6):
            text = self.pick("x[::-1]", "y[:]", "z[::-1]", "x", "a[:, 0]", "b.T[m - 1]")
            self.write(depth, f"{name} = {text}")
            self.vectors.append(name)
        else:
            self.write(depth, f"{name} = {self.pick('a', 'b')}[{self.place()}]{self.pick('', '[::-1]')}")
            self.rows.append(name)
        if self.chance(0.7):
            self.update(depth)

    def update(self, depth: int) -> None:
        """Write an update in place, or two."""
        sign = self.pick("+=", "*=", "-=")
        kind = self.rng.random()
        if kind < 0.45:
            target = self.pick(*self.vectors)
            part = self.pick("", "", "[:]", f"[{self.place()}]")
            if "]" in part and part != "[:]":
                self.write(depth, f"{target}{part} {self.pick(sign, '=')} 0.5 * {self.number()}")
            else:
                self.write(depth, f"{target}{part} {sign} 0.4 * {self.vector()}")
        elif kind < 0.75:
            target = self.pick(*self.rows, f"a[{self.place()}]", f"b[{self.place()}]")
            other = self.pick(*(row for row in self.rows if row != "a[:, :]"), "a[n - 1]", "0.3")
            self.write(depth, f"{target} {sign} {self.rng.choice(_SLOPES).format(self.number())} * {other}")
        elif kind < 0.9:
            self.write(
                depth, f"{self.pick('a', 'b')}[:, :] = {self.pick('a', 'b')} * {self.number()} + 0.1 * b"
            )
        else:
            self.write(depth, f"{self.pick('x', 'y', 'z')}[{self.place()}] = {self.number()}")
        if self.chance(0.25):
            self.update(depth)


def update_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program."""
    n, m, made = rng.randint(1, 3), rng.randint(1, 3), np.random.default_rng(rng.randrange(1 << 30))
    return 0.5 * made.normal(size=n), 0.5 * made.normal(size=(n, m)), float(made.normal()), rng.randint(0, 3)
