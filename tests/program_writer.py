"""What generators of random programs have in common: they choose, and write lines."""

from __future__ import annotations

import random


class ProgramWriter:
    """Writes the lines of a program, as a source of random numbers has it.

    Attributes:
        rng: the source.
        lines: the lines so far.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []

    def write(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def chance(self, p: float) -> bool:
        return self.rng.random() < p
