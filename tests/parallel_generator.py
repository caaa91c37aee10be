"""Random loops over `prange` whose iterations do not need each other, which only the program knows.

Each writes at places of its own: its index, a permuted one, or a row; it reads from anywhere that no other
iteration writes, and adds up numbers. What it writes is read by later loops.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

N = 6


@dataclass
class ParallelGenerator:
    """Writes `program(x, y, a, b)`; `p` is a permutation and `q` any indices."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=lambda: ["a", "b"])
    matrices: list[str] = field(default_factory=list)
    count: int = 0

    def program(self) -> str:
        """Return the text of a program."""
        rng = self.rng
        permuted = rng.sample(range(N), N)
        anywhere = [rng.randrange(N) for _ in range(N)]
        self.lines = ["import numpy as np", "from numba import prange", "", ""]
        self.lines += [f"P, Q = np.array({permuted}), np.array({anywhere})", "", ""]
        self.lines += ["def program(x, y, a, b):", "    p, q, n = P, Q, len(P)", "    total = x * y"]
        self.lines += ["    a, b = np.concatenate((a, b[:2])), np.concatenate((b, a[:2] * a[1:3]))"]
        for _ in range(rng.randint(1, 4)):
            rng.choice([self.loop, self.loop, self.steps, self.rows])(1)
        read = " + ".join(f"np.sum({name} * {name})" for name in self.arrays)
        read += "".join(f" + np.sum({name} * {name})" for name in self.matrices)
        return "\n".join([*self.lines, f"    return total + {read}", ""])

    def write(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def new(self, name: str) -> str:
        self.count += 1
        return f"{name}{self.count}"

    def place(self, i: str) -> str:
        """Return an index to read at."""
        return self.rng.choice([i, i, f"p[{i}]", f"q[{i}]", f"{i} - 1", f"n - 1 - {i}", "0", f"q[p[{i}]]"])

    def term(self, i: str, depth: int = 0) -> str:
        rng = self.rng
        kind = rng.randrange(8)
        if kind < 3 or depth > 2:
            return f"{rng.choice(self.arrays)}[{self.place(i)}]"
        if kind == 3:
            return rng.choice(["x", "y", f"{rng.uniform(-1, 1):.2f}"])
        if kind == 4:
            return f"np.{rng.choice(['sin', 'tanh', 'cos'])}({self.term(i, depth + 1)})"
        if kind == 5 and self.matrices:
            return f"{rng.choice(self.matrices)}[{self.place(i)}, {self.place(i)}]"
        return f"({self.term(i, depth + 1)} {rng.choice('+-*')} {self.term(i, depth + 1)})"

    def number(self, depth: int, i: str) -> str:
        """Write what computes a number in an iteration, and return its name."""
        rng, name = self.rng, self.new("s")
        match rng.randrange(5):
            case 0:
                self.write(depth, f"{name} = {self.term(i)}")
            case 1:
                self.write(depth, f"{name} = 0.1 * {self.term(i)}")
                j = self.new("j")
                self.write(depth, f"for {j} in range({rng.choice(['n', '3', i])}):")
                self.write(depth + 1, f"{name} += 0.3 * {self.term(i)} * {rng.choice(self.arrays)}[{j}]")
            case 2:
                self.write(depth, f"if {rng.choice(self.arrays)}[{i}] > 0.1:")
                self.write(depth + 1, f"{name} = {self.term(i)}")
                self.write(depth, "else:")
                self.write(depth + 1, f"{name} = {self.term(i)}")
            case 3:
                self.write(depth, f"{name} = 0.4 + 0.1 * {self.term(i)}")
                self.write(depth, "k = 0")
                self.write(depth, f"while k < 2 + {i} % 3:")
                self.write(depth + 1, f"{name} = np.cos({name} * {self.term(i)})")
                self.write(depth + 1, "k += 1")
            case 4:
                scratch, j = self.new("c"), self.new("j")
                self.write(depth, f"{scratch} = np.zeros(3)")
                self.write(depth, f"for {j} in range(3):")
                self.write(depth + 1, f"{scratch}[{j}] = {self.term(i)} * ({j} + 1.0)")
                self.write(depth, f"{name} = {scratch}[0] * {scratch}[1] - {scratch}[2]")
        return name

    def loop(self, depth: int) -> None:
        """Write a loop that fills an array, or adds up."""
        rng, i = self.rng, self.new("i")
        target = self.new("v") if rng.random() < 0.8 else None
        if target:
            self.write(depth, f"{target} = np.{rng.choice(['zeros', 'ones', 'empty'])}(n)")
        self.write(depth, f"for {i} in prange(n):")
        names = [self.number(depth + 1, i) for _ in range(rng.randint(1, 2))]
        value = " * ".join([*names, self.term(i)])
        if rng.random() < 0.4:
            self.recurrence(depth + 1, names[0], value)
        if target:
            place = rng.choice([i, f"p[{i}]", f"n - 1 - {i}", f"p[p[{i}]]"])
            self.write(depth + 1, f"{target}[{place}] = {value}")
            if rng.random() < 0.4:
                self.write(depth + 1, f"{target}[{place}] {rng.choice(['+=', '*='])} {self.term(i)}")
            if rng.random() < 0.3:
                self.write(depth + 1, f"{target}[{place}] = np.sin({target}[{place}]) + {names[0]}")
        if not target or rng.random() < 0.3:
            self.write(depth + 1, f"total += 0.1 * {value}")
        if target and depth == 1:
            self.arrays.append(target)

    def recurrence(self, depth: int, number: str, value: str) -> None:
        """Write what an iteration needs of the one before: a maximum, a product, the last of something."""
        rng, r = self.rng, self.new("r")
        top = f"{r} = {rng.choice(['max', 'min'])}({r}, {value})"
        winner = f"if {value} > {r}:\n{'    ' * (depth + 1)}{r} = {value}"
        filtered = f"{r} = 0.3 * {r} + np.tanh({number})"
        self.lines.insert(len(self.lines) - self.since_loop(depth), "    " * (depth - 1) + f"{r} = 0.1 * x")
        self.write(
            depth, rng.choice([top, winner, f"{r} *= 1.0 + 0.1 * {value}", filtered, f"{r} = {number} - {r}"])
        )
        use = rng.choice([f"total += 0.1 * {r}", f"total += {r} * {number}", f"total += 0.1 * {number}"])
        self.write(depth, use)

    def since_loop(self, depth: int) -> int:
        """Return how many lines ago the loop around began."""
        start = "    " * (depth - 1) + "for "
        return next(k for k, line in enumerate(reversed(self.lines), 1) if line.startswith(start))

    def steps(self, depth: int) -> None:
        """Write steps in time, whose loop over places is parallel."""
        t, u, i = self.new("t"), self.new("u"), self.new("i")
        in_place = self.rng.random() < 0.4
        self.write(depth, f"{u} = {self.rng.choice(self.arrays)}.copy()")
        self.write(depth, f"for {t} in range(3):")
        if in_place:
            self.write(depth + 1, f"for {i} in prange(n):")
            place = self.rng.choice([i, f"p[{i}]"])
            self.write(
                depth + 2, f"{u}[{place}] = 0.5 * {u}[{place}] + np.sin({u}[{place}]) * {self.term(i)}"
            )
        else:
            v = self.new("v")
            self.write(depth + 1, f"{v} = np.empty(n)")
            self.write(depth + 1, f"for {i} in prange(1, n - 1):")
            near = f"{u}[{i} - 1] * {u}[{i}] - 0.3 * {u}[{i} + 1]"
            self.write(depth + 2, f"{v}[{i}] = {u}[{i}] + 0.2 * ({near}) * {self.term(i)}")
            self.write(depth + 1, f"{v}[0] = {v}[n - 1] = 0.2")
            self.write(depth + 1, f"{u} = {v}")
        self.arrays.append(u)

    def rows(self, depth: int) -> None:
        """Write a loop over the rows of a matrix."""
        m, i, j = self.new("m"), self.new("i"), self.new("j")
        self.write(depth, f"{m} = np.zeros((n, 3))")
        self.write(depth, f"for {i} in prange(n):")
        row = self.rng.choice([i, f"p[{i}]"])
        if self.rng.random() < 0.4:
            self.write(depth + 1, f"{m}[{row}, :] = {self.term(i)} * a[:3] + {self.term(i)}")
        self.write(depth + 1, f"for {j} in range(3):")
        self.write(depth + 2, f"{m}[{row}, {j}] += {self.term(i)} * {self.rng.choice(self.arrays)}[{j}]")
        if self.rng.random() < 0.4:
            self.write(depth + 1, f"{m}[{row}, 1] = {m}[{row}, 0] * {m}[{row}, 2]")
        name = self.new("w")
        self.write(depth, f"{name} = {m}[:, 1] * {self.rng.uniform(-1, 1):.2f}")
        self.arrays.append(name)
