"""Random programs whose arrays have sizes that only running them tells: segments, and what is kept."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_HEAD = """\
import math

import numpy as np


def program(x, w, cuts, k):
    n, total = len(x), 0.0
    out = np.zeros(n)
"""


class RaggedGenerator(ProgramWriter):
    """Writes one program of two vectors, the places at which they are cut, and a number."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.has_size = True  # whether d is as long as the segments are

    def program(self) -> str:
        self.lines = _HEAD.splitlines()
        is_empty = self.chance(0.5)
        self.write(1, "kept = []" if is_empty else "kept = [0.3 * x]")
        order = self.pick("range(len(cuts) - 1)", "range(len(cuts) - 1)", "range(len(cuts) - 2, -1, -1)")
        self.write(1, f"for m in {order}:")
        self.write(2, "lo, hi = cuts[m], cuts[m + 1]")
        bounds = self.pick("lo:hi", "lo:hi", "lo:hi", "cuts[m]:cuts[m + 1]", "lo:", ":hi")
        self.write(2, f"a = x[{bounds}]")
        self.write(2, f"b = w[{bounds}]{self.pick('', '', '.copy()', '[::-1]')}")
        self.has_size = True
        self.write(2, f"d = {self.pick('np.tanh(b)', 'a * b', '0.5 * a', 'np.zeros_like(a)', 'a.copy()')}")
        for _ in range(self.rng.randint(2, 5)):
            self.step(2)
        if self.has_size and bounds in ("lo:hi", "cuts[m]:cuts[m + 1]") and self.chance(0.6):
            self.write(2, self.pick("out[lo:hi] = d", "out[lo:hi] += d", "out[lo:hi] = d * out[lo:hi] + b"))
        if is_empty or self.chance(0.4):
            self.write(2, "kept.append(d)")
        self.write(2, f"total += {self.pick('np.sum(d * d)', 'np.sum(np.sin(d))', 'd @ d')}")
        self.ends()
        self.write(1, "return total + np.sum(out * out) + np.sum(np.cos(x + w)) + k * k")
        return "\n".join(self.lines) + "\n"

    def ends(self) -> None:
        """Write what becomes of the states that were kept."""
        if self.chance(0.5):
            self.write(1, "for one in kept:")
            self.write(2, f"total += {self.pick('np.sum(one * one)', 'k * np.sum(one)')}")
        elif self.chance(0.5):
            self.write(1, "while len(kept) > 0:")
            self.write(2, "one = kept.pop()")
            self.write(2, f"total += {self.pick('np.sum(np.sin(one))', 'one @ one', 'np.sum(one) * total')}")

    def step(self, depth: int) -> None:
        """Write what changes d, or adds to the total."""
        writers = [
            self.again,
            self.elements,
            self.resized,
            self.stacked,
            self.chosen,
            self.either,
            self.grown,
        ]
        if depth == 2:
            writers += [self.repeated] * 3
        self.rng.choice(writers)(depth)

    def again(self, depth: int) -> None:
        if not self.has_size:
            self.write(depth, self.pick("d = np.sin(d)", "d = d / (1.0 + d @ d)", "d *= k", "d = d[::-1]"))
            return
        self.write(depth, f"v = {self.pick('np.exp(0.3 * d - a * a)', 'np.tanh(d + a)', 'd * b')}")
        changes = (
            "d = d + b - v / (1.0 + np.sum(v * v))",
            "d = 0.5 * d + v",
            "d += v * k",
            "d = d + b * k",
            "d[:] = v",
            "d = np.where(v > 0.1, v, 0.2 * d)",
            "total += np.sum(d * v)",
        )
        for text in self.rng.sample(changes, 2):
            self.write(depth, text)

    def elements(self, depth: int) -> None:
        other = self.pick("a[i]", "b[i]", "x[lo + i]") if self.has_size else "d[len(d) - 1 - i]"
        self.write(depth, f"for i in range({self.pick('len(d)', 'd.shape[0]', 'd.size')}):")
        self.write(
            depth + 1,
            self.pick("total += d[i] * {}", "d[i] = 0.5 * d[i] + {} * k", "d[i] *= {}").format(other),
        )

    def resized(self, depth: int) -> None:
        """Make d longer or shorter, from where on it is combined with itself only."""
        changes = (
            "d = d[1:]",
            "d = d[::2] * k",
            "d = np.append(d, k)",
            "d = np.concatenate((d, 0.5 * d))",
            "d = np.repeat(d, 2)",
            "d = d[1:] - d[:-1]",
            "d = d[: (len(d) + 1) // 2] + d[len(d) // 2 :]",
        )
        self.write(depth, self.rng.choice(changes))
        self.has_size = False

    def stacked(self, depth: int) -> None:
        """Keep d, and take it, or what was kept before, back."""
        self.write(depth, f"kept.append({self.pick('d', 'd * k', 'd.copy()', 'np.sin(d)')})")
        if self.chance(0.4):
            self.write(depth, f"d = {self.pick('kept[-1]', 'kept[len(kept) - 1] + 0.1', 'kept.pop()')}")

    def either(self, depth: int) -> None:
        """Let a name stand for d or for a new array, one of which is then written in place."""
        other = self.pick("d + 0.5", "d - k", "np.sin(d)", "+d", "d")
        self.write(depth, f"e = d if {self.pick('m % 2 == 0', 'kept', 'len(d) > 2')} else {other}")
        self.write(depth, self.pick("e *= k", "e += 0.3", "e[:] = 0.5 * e * e", "d *= 0.5", "e = e + 0.1"))
        self.write(depth, "total += np.sum(e * d)")

    def grown(self, depth: int) -> None:
        """Put d twice into an array, in a loop over the two."""
        self.write(depth, "g = np.zeros(2 * len(d))")
        self.write(depth, "for i in range(2):")
        self.write(depth + 1, f"g[i * len(d) : (i + 1) * len(d)] {self.pick('=', '+=')} w[i] * d")
        self.write(depth, self.pick("d = g", "d, g = g, d", "d = g[: len(d) + 1]"))
        self.has_size = False

    def chosen(self, depth: int) -> None:
        self.write(
            depth, f"if {self.pick('len(d) > 2', 'm % 2 == 0', 'np.sum(d) > 0.2', 'kept', 'not kept')}:"
        )
        had = self.has_size
        self.again(depth + 1)
        if self.chance(0.5):
            self.write(depth, "else:")
            self.has_size = had
            self.pick_arm(depth + 1)

    def pick_arm(self, depth: int) -> None:
        self.rng.choice([self.again, self.elements, self.resized])(depth)

    def repeated(self, depth: int) -> None:
        """Write a loop in which d keeps its size, or loses it for good."""
        if self.chance(0.5):
            self.write(depth, f"for t in range({self.pick('3', 'm + 1', 'hi - lo')}):")
        else:
            self.write(depth, "t = 0")
            self.write(depth, f"while t < 3 and {self.pick('d @ d < 40.0', 'len(d) < 30', 'total < 90.0')}:")
            self.write(depth + 1, "t += 1")
        before, had = len(self.lines), self.has_size
        for _ in range(self.rng.randint(1, 2)):
            self.step(depth + 1)
        if had and not self.has_size:  # it had its size in the first iteration only
            del self.lines[before:]
            self.again(depth + 1)


def ragged_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return arguments of such a program; segments may be empty."""
    n, made = rng.randint(2, 8), np.random.default_rng(rng.randrange(1 << 30))
    inner = sorted(rng.randint(0, n) for _ in range(rng.randint(0, 3)))
    x, w = 0.5 * made.normal(size=n), 0.5 * made.normal(size=n)
    return x, w, np.array([0, *inner, n]), float(made.uniform(0.2, 1.2))
