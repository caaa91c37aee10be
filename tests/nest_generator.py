"""Random nests of loops that read and write arrays at indices of all kinds, to test what loops store."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

N = 4
"""Length of the arrays a and b; m is N by N."""


@dataclass(frozen=True)
class Index:
    """A loop index and its range."""

    name: str
    low: int
    high: int


@dataclass
class NestGenerator:
    """Writes `program(x, y, a, b)`; scratch arrays s0, s1 are filled at the start of an iteration."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    loops: int = 0
    scratch: int = 0

    def program(self) -> str:
        self.lines = ["import math", "import numpy as np", "", "", "def program(x, y, a, b):"]
        self.write(1, "n = len(a)")
        self.write(1, "t = 0.3")
        self.write(1, "m = np.outer(a, b)")
        for _ in range(self.rng.randint(1, 3)):
            self.statement(1, (), 0)
        self.loop(1, (), 0)
        self.write(1, "return x + y + t + np.sum(a * a) + np.sum(b * b) + np.sum(m * m) + a[0] * b[1]")
        return "\n".join(self.lines) + "\n"

    def write(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def place(self, indices: tuple[Index, ...]) -> str:
        """Write an index within bounds, sometimes a negative one."""
        for _ in range(20):
            offset = self.rng.randint(-2, 2)
            if not indices or self.rng.random() < 0.1:
                break
            index = self.rng.choice(indices)
            text, low, high = index.name, index.low, index.high
            if self.rng.random() < 0.15:
                text, low, high = f"{N - 1} - {index.name}", N - 1 - index.high, N - 1 - index.low
            if low + offset >= -1 and high + offset < N and (low + offset >= 0 or self.rng.random() < 0.1):
                return f"{text} + {offset}" if offset > 0 else f"{text} - {-offset}" if offset else text
        return str(self.rng.randint(0, N - 1))

    def load(self, indices: tuple[Index, ...]) -> str:
        name = self.rng.choice(["a", "b", "m", *(f"s{k}" for k in range(self.scratch))])
        if name == "m":
            return f"m[{self.place(indices)}, {self.place(indices)}]"
        return f"{name}[{self.place(indices)}]"

    def expression(self, indices: tuple[Index, ...], depth: int = 0) -> str:
        kind = self.rng.random()
        if depth > 1 or kind < 0.45:
            return self.load(indices) if self.rng.random() < 0.8 else self.rng.choice(["x", "y", "t", "0.7"])
        left, right = self.expression(indices, depth + 1), self.expression(indices, depth + 1)
        if kind < 0.6:
            return f"({left} + {right})"
        if kind < 0.72:
            return f"({left} - 0.5 * {right})"
        if kind < 0.86:
            return f"{left} * {right}"
        return f"math.{self.rng.choice(['sin', 'tanh', 'cos'])}({left})"

    def statement(self, depth: int, indices: tuple[Index, ...], nested: int) -> None:
        kind = self.rng.random()
        if kind < 0.4 and nested < 3:
            self.loop(depth, indices, nested)
        elif kind < 0.48 and nested < 3:
            self.write(depth, f"if {self.load(indices)} > {self.rng.choice(['0.1', '-0.2'])}:")
            self.statement(depth + 1, indices, nested + 1)
            if self.rng.random() < 0.5:
                self.write(depth, "else:")
                self.statement(depth + 1, indices, nested + 1)
        else:
            self.write(depth, f"{self.target(indices)} math.tanh({self.expression(indices)})")

    def target(self, indices: tuple[Index, ...]) -> str:
        kind = self.rng.random()
        if kind < 0.3:
            return f"t {self.rng.choice(['+=', '-=', '='])}"
        if kind < 0.75:
            name = self.rng.choice(["a", "a", "b", *(f"s{k}" for k in range(self.scratch))])
            return f"{name}[{self.place(indices)}] {self.rng.choice(['=', '=', '+=', '-=', '*='])}"
        return f"m[{self.place(indices)}, {self.place(indices)}] {self.rng.choice(['=', '+=', '-='])}"

    def bounds(self, indices: tuple[Index, ...]) -> tuple[str, int, int]:
        fixed = [
            ("range(n)", 0, N - 1),
            ("range(1, n)", 1, N - 1),
            ("range(n - 1)", 0, N - 2),
            ("range(n - 1, -1, -1)", 0, N - 1),
            ("range(n - 2, 0, -1)", 1, N - 2),
            ("range(3)", 0, 2),
        ]
        if not indices or self.rng.random() < 0.65:
            return self.rng.choice(fixed)
        outer = self.rng.choice(indices)
        triangular = [
            (f"range({outer.name})", 0, max(outer.high - 1, 0)),
            (f"range({outer.name} + 1, n)", outer.low + 1, N - 1),
            (f"range({outer.name}, -1, -1)", 0, outer.high),
        ]
        return self.rng.choice(triangular)

    def loop(self, depth: int, indices: tuple[Index, ...], nested: int) -> None:
        text, low, high = self.bounds(indices)
        inner = (*indices, Index(f"i{self.loops}", low, high))
        self.loops += 1
        is_filled = nested == 0 and self.scratch < 2 and self.rng.random() < 0.3
        if is_filled:
            made = self.rng.choice(["np.empty(n)", "np.zeros(n)", "np.zeros_like(a)"])
            self.write(depth, f"s{self.scratch} = {made}")
        self.write(depth, f"for {inner[-1].name} in {text}:")
        if is_filled:
            filling = (*inner, Index(f"j{self.loops}", 0, N - 1))
            self.write(depth + 1, f"for {filling[-1].name} in range(n):")
            self.write(depth + 2, f"s{self.scratch}[{filling[-1].name}] = {self.expression(filling)}")
            self.scratch += 1
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth + 1, inner, nested + 1)
