"""Random programs of time steps, some of whose arrays are the same in each step, or almost."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_SLOPES = ("np.tanh({})", "np.sin({})", "np.exp(-0.3 * {0} * {0})", "{0} / (1.0 + {0} * {0})", "0.5 * {}")
_HEAD = """\
import numpy as np


def program(x, y, k, z):
    n, steps = len(x), len(z)
    u, total, held = x.copy(), 0.0, [y]
    a, b, c, d = np.empty(n), np.empty(n), np.zeros(n), np.ones(n)
"""


class StepGenerator(ProgramWriter):
    """Writes one program of vectors `x` and `y` of one size, a number `k`, and `z`, one number a step."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.full: list[str] = []

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        self.full = ["c", "d"]
        depth, count = 2, self.pick("steps", "steps", "steps - 1")
        self.write(1, f"for t in range({count}):")
        if self.rng.random() < 0.25:
            self.write(2, f"for r in range({self.pick('2', 't + 1', 't', 'n')}):")
            depth = 3
        for _ in range(self.rng.randint(3, 6)):
            self.statement(depth)
        self.write(depth, f"u = {self.slope('u')} + 0.2 * {self.pick(*self.full)}")
        if self.rng.random() < 0.8:
            self.write(2, "total += u[n // 2] * u[0]")
        if self.rng.random() < 0.2:
            self.write(1, f"u = u * {self.pick('c', 'd')}")
        self.write(1, "for v in held:")
        self.write(2, "total += np.sum(v * y)")
        self.write(1, "return total + np.sum(u)")
        return "\n".join(self.lines) + "\n"

    def slope(self, text: str) -> str:
        return self.rng.choice(_SLOPES).format(text)

    def source(self) -> str:
        """Return a vector, most often one that no step changes."""
        return self.pick("x", "y", "y", "y", *self.full, *(["u"] if self.rng.random() < 0.3 else []))

    def factor(self) -> str:
        return self.pick("k", "k", "k", "1.5", "(1.0 + z[t])" if self.rng.random() < 0.3 else "k")

    def statement(self, depth: int) -> None:
        if self.rng.random() < 0.1:
            self.write(depth, f"if {self.pick('t > 0', 'k > 0.1', 'u[0] > 0.0')}:")
            depth += 1
            self.kind(depth, may_bind=False)
        else:
            self.kind(depth, may_bind=True)

    def kind(self, depth: int, may_bind: bool) -> None:
        choice = self.rng.random()
        if choice < 0.25 and may_bind:
            name = self.pick("v", "w")
            self.write(depth, f"{name} = {self.slope(f'{self.factor()} * {self.source()}')}")
            self.full.append(name)
            if self.rng.random() < 0.15:
                self.write(depth, self.pick(f"held.append({name})", f"{name}[0] = 0.5", f"u = {name}"))
            if self.rng.random() < 0.25:
                other = self.source()
                parts = (
                    f"{name}[1:] += k * {other}[1:]",
                    f"{name}[::2] += 0.3",
                    f"{name} *= k",
                    f"{name} += {other}",
                )
                self.write(depth, self.rng.choice(parts))
        elif choice < 0.4:
            name = self.pick("a", "b", "c")
            self.write(depth, "for i in range(n):")
            sign = self.pick("=", "=", "+=") if name == "c" else "="
            self.write(depth + 1, f"{name}[i] {sign} {self.slope(f'{self.factor()} * {self.source()}[i]')}")
            self.full += [name] if may_bind else []
        elif choice < 0.75:
            self.recurrence(depth, may_bind)
        elif choice < 0.8 and may_bind:
            name = self.pick("p", "q")
            self.write(depth, f"{name} = {self.pick(*self.full)}[{self.pick(':', '::-1')}]")
            self.full.append(name)
        elif choice < 0.88:
            array = self.pick(*self.full)
            self.write(
                depth, f"{array}[{self.pick('0', 'n - 1', 't % n')}] = {self.pick('k', 'u[0]', 't * k')}"
            )
        else:
            self.write(depth, f"total += {self.slope(f'{self.source()}[0]')} + np.sum({self.source()} * k)")

    def recurrence(self, depth: int, may_bind: bool) -> None:
        """Write an elimination or a substitution: each element follows from the one before."""
        one, two = self.pick("ab", "ac", "bd", "cd")
        is_up = self.rng.random() < 0.7
        first, before = ("0", "i - 1") if is_up else ("n - 1", "i + 1")
        if one in "ab" or self.rng.random() < 0.8:
            self.write(depth, f"{one}[{first}] = {self.factor()} * {self.source()}[{first}]")
        has_two = self.rng.random() < 0.6 and (two in self.full or may_bind)
        if has_two and two not in self.full:
            self.write(depth, f"{two}[{first}] = {self.source()}[{first}]")
        self.write(depth, "for i in range(1, n):" if is_up else "for i in range(n - 2, -1, -1):")
        self.write(depth + 1, f"m = 2.0 + {self.slope(f'{one}[{before}]')} * {self.factor()}")
        self.write(depth + 1, f"{one}[i] = {self.source()}[i] / m")
        if has_two:
            self.write(depth + 1, f"{two}[i] = ({self.source()}[i] + {two}[{before}]) / m")
        self.full += [one, *([two] if has_two else [])] if may_bind else []


def step_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program."""
    n, made = rng.randint(1, 5), np.random.default_rng(rng.randrange(1 << 30))
    return (
        0.5 * made.normal(size=n),
        0.5 * made.normal(size=n),
        float(made.normal()),
        made.normal(size=rng.randint(1, 4)),
    )
