"""Random programs in which a name may stand for one of several arrays, which are copied and written."""

from __future__ import annotations

import random

from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def either(p, q, first):
    if first:
        return p
    return q


def program(x, y, a, b):
    n, total = len(a), 0.0
"""
_NEW = ("np.zeros(n)", "np.full(n, 0.4)", "np.empty_like(a)", "a * x", "a.copy()", "np.ones(n)", "np.sin(b)")
_CHOICES = ("n > 3", "n > 9", "x > 0.1", "total > 0.2", "y < a[0]")


class NameGenerator(ProgramWriter):
    """Writes `program(x, y, a, b)` of two numbers and two vectors."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.loops = 0

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        for name in ("u", "v"):
            made = self.pick(*_NEW)
            self.write(1, f"{name} = {made}")
            if "empty" in made:
                self.write(1, f"{name}[:] = {self.pick('b', '0.3', 'a * a')}")
        self.write(1, f"w = {self.pick('u', 'v', 'a', 'u[::-1]', 'v * y')}")
        self.write(1, f"z = {self.pick('u', 'v', 'b * 2.0', 'v.copy()')}")
        if self.rng.random() < 0.5:
            self.write(1, self.pick(f"if {self.pick(*_CHOICES)}:", "for k in range(n):"))
            self.write(2, f"{self.pick('w', 'w', 'z')} = {self.pick('u', 'v', 'u', 'v[::-1]')}")
            self.update(2)
        for _ in range(self.rng.randint(4, 9)):
            self.statement(1)
        self.write(1, "return total + np.sum(u * a) + np.sum(v * v) + w[0] * b[1] + np.sum(z * w) + a[1] * x")
        return "\n".join(self.lines) + "\n"

    def name(self) -> str:
        return self.pick("u", "v", "w", "z")

    def whole(self) -> str:
        """Write an array."""
        one, two = self.name(), self.name()
        return self.pick(
            one,
            f"{one} * {two}",
            f"{one} + a",
            f"np.sin({one})",
            f"{one}[::-1] * b",
            f"{one} - a[1]",
            f"{one} * y",
        )

    def statement(self, depth: int) -> None:
        kind = self.rng.random()
        if kind < 0.15 and depth < 4:
            self.write(depth, f"if {self.pick(*_CHOICES)}:")
            self.statement(depth + 1)
            if self.rng.random() < 0.3:
                self.write(depth, "else:")
                self.statement(depth + 1)
        elif kind < 0.3 and depth < 3:
            self.loops += 1
            self.write(depth, f"for k{self.loops} in range({self.pick('2', 'n', '3')}):")
            self.statement(depth + 1)
            self.statement(depth + 1)
        elif kind < 0.55:
            self.naming(depth)
        else:
            self.update(depth)

    def naming(self, depth: int) -> None:
        """Write what gives a name to an array that is there, or to a copy."""
        one, two = self.name(), self.name()
        other = self.pick(
            one,
            one,
            f"{one}[::-1]",
            f"either({one}, {two}, {self.pick(*_CHOICES)})",
            f"{one} if {self.pick(*_CHOICES)} else {two}",
            f"{one}.copy()",
            f"{one}.copy()",
            f"{one} * 0.7",
            f"np.copy({one}[:])",
        )
        kind = self.rng.random()
        if kind < 0.1:
            self.write(depth, f"{one}, {two} = {two}, {one}")
        elif kind < 0.4:
            self.write(depth, f"{one} = {one}{self.pick('.copy()', ' * 1.0', '.copy()')}")
        else:
            self.write(depth, f"{self.name()} = {other}")

    def update(self, depth: int) -> None:
        """Write what writes to an array, or reads an element."""
        target, index = self.pick("u", "v", "w"), self.pick("0", "1", "-1", "2")
        if target == "w":
            self.write(depth, "w = w + 0.0" if self.rng.random() < 0.5 else "w = w.copy()")
        self.write(
            depth,
            self.pick(
                f"{target} {self.pick('+=', '-=', '*=')} 0.5 * ({self.whole()})",
                f"{target} {self.pick('+=', '-=', '*=')} 0.5 * ({self.whole()})",
                f"{target}[:] = 0.9 * ({self.whole()})",
                f"{target}[1:] -= 0.3 * ({self.whole()})[:-1]",
                f"{target}[{index}] = {self.pick('a[1]', 'x', 'w[0] * y', 'z[1] * x')}",
                f"total = 0.5 * total + math.tanh({self.name()}[{index}] * b[1])",
            ),
        )
