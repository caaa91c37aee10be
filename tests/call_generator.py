"""Random programs of functions of numbers that call each other: in loops, branches, with several results."""

from __future__ import annotations

import random

from program_writer import ProgramWriter

_UNARY = ("math.sin({})", "math.exp(-{0} * {0})", "(-{})", "math.sqrt({0} * {0} + 0.5)", "abs({})", "{} ** 2")
_BINARY = ("({} + {})", "({} - {})", "({} * {})", "({0} / (1.5 + {1} * {1}))", "max({}, {})")


class CallGenerator(ProgramWriter):
    """Writes one program: helpers, each of which may call those above it, and a function that calls them."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.names: list[str] = []
        self.helpers: list[tuple[str, int, int, bool]] = []
        self.count = 0

    def program(self) -> str:
        text = ["import math", "import numpy as np", "", ""]
        for k in range(self.rng.randint(2, 5)):
            text += [*self.helper(k), "", ""]
        self.lines, self.names = [], ["p", "q", "x[0]", "x[2]", "y[1]", "y[3]"]
        self.lines.append("    total = 0.0")
        self.names.append("total")
        for _ in range(self.rng.randint(2, 5)):
            self.statement(1, 2)
        self.call(1)
        whole = " + ".join([name for name in self.names if name[0] in "tv"][:6])
        return "\n".join([*text, "def program(p, q, x, y):", *self.lines, f"    return {whole}"]) + "\n"

    def helper(self, k: int) -> list[str]:
        """Return the text of a function of some numbers, the last of which may be a count."""
        count, results, counts = self.rng.randint(1, 4), self.rng.randint(1, 3), self.rng.random() < 0.3
        params = [f"a{j}" for j in range(count)]
        self.lines, self.names = [], list(params)
        if counts and self.rng.random() < 0.7:
            self.loop(1, 1, "n")
        for _ in range(self.rng.randint(1, 4)):
            self.statement(1, 1)
            if self.rng.random() < 0.15:
                values = ", ".join(self.expression(1) for _ in range(results))
                self.lines += [f"    if {self.test()}:", f"        return {values}"]
        values = [self.rng.choice([*self.names, self.expression(2)]) for _ in range(results)]
        head = f"def f{k}({', '.join([*params, *(['n=2'] if counts else [])])}):"
        self.helpers.append((f"f{k}", count, results, counts))
        return [head, *self.lines, f"    return {', '.join(values)}"]

    def atom(self) -> str:
        return self.rng.choice([*self.names, *self.names, f"{self.rng.uniform(-1, 1):.2f}"])

    def expression(self, depth: int) -> str:
        if depth == 0:
            return self.atom()
        if self.rng.random() < 0.4:
            return self.rng.choice(_UNARY).format(self.expression(depth - 1))
        return self.rng.choice(_BINARY).format(self.expression(depth - 1), self.expression(depth - 1))

    def test(self) -> str:
        return f"{self.atom()} > {self.rng.uniform(-1, 1):.2f}"

    def new(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def statement(self, depth: int, nesting: int) -> None:
        kind = self.rng.random()
        if kind < 0.4 and self.helpers:
            self.call(depth)
        elif kind < 0.55 and nesting:
            self.branch(depth, nesting)
        elif kind < 0.75 and nesting:
            self.loop(depth, nesting, str(self.rng.randint(0, 4)))
        else:
            self.assign(depth, self.expression(2))

    def assign(self, depth: int, text: str) -> None:
        """Assign to a new name at the top, to a known one inside."""
        own = [name for name in self.names if name[0] in "vt"]
        if depth > 1 and own:
            self.write(depth, f"{self.rng.choice(own)} = {text}")
        elif depth == 1:
            name = self.new()
            self.write(depth, f"{name} = {text}")
            self.names.append(name)

    def call(self, depth: int) -> None:
        if not self.helpers:
            return
        name, count, results, counts = self.rng.choice(self.helpers)
        args = [self.expression(self.rng.randint(0, 1)) for _ in range(count)]
        args += [f"n={self.rng.randint(0, 3)}"] if counts and self.rng.random() < 0.7 else []
        if count == 2 and self.rng.random() < 0.2:
            args[:2] = [f"a1={args[1]}", f"a0={args[0]}"]
        call = f"{name}({', '.join(args)})"
        if results == 1:
            self.assign(depth, f"{call} * {self.atom()}" if self.rng.random() < 0.5 else call)
            return
        own = [self.new() for _ in range(results)]
        self.write(depth, f"{', '.join(own)} = {call}")
        if depth == 1:
            self.names += own
        else:
            self.assign(depth, " + ".join(own))

    def branch(self, depth: int, nesting: int) -> None:
        self.write(depth, f"if {self.test()}:")
        self.block(depth + 1, nesting - 1)
        if self.rng.random() < 0.5:
            self.write(depth, "else:")
            self.block(depth + 1, nesting - 1)

    def loop(self, depth: int, nesting: int, bound: str) -> None:
        self.count += 1
        self.write(depth, f"for i{self.count} in range({bound}):")
        self.names.append(f"i{self.count}")
        index = self.names[-1]
        self.block(depth + 1, nesting - 1)
        self.names.remove(index)

    def block(self, depth: int, nesting: int) -> None:
        known, start = list(self.names), len(self.lines)
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth, nesting)
        self.names = known
        if len(self.lines) == start:
            self.write(depth, "pass")
