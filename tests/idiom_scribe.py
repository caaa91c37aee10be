"""What all idioms of the random programs share: names, lines, scopes and small bounded expressions.

Vectors of a scope have four elements and matrices four by four, so that any result can be fed into any idiom.
Numbers and elements stay of the order of one: whatever is assigned is squashed first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WORDS = (
    "state trial error gain drift pivot level slope mass phase flux cost score belief price load depth speed "
    "angle force rate weight total memo probe guess decay "
    "shift scale spread bias inner outer left right upper "
    "lower front back first last prior post mean noise signal "
    "trace carry carrier lead lag knot node edge cell face "
    "grid tile row_sum col_sum key lock seed root stem leaf bud core rim hub spoke arc chord ray beam"
).split()


@dataclass
class Scope:
    """The variables that are certainly assigned at one point of a function."""

    numbers: list[str] = field(default_factory=list)
    vectors: list[str] = field(default_factory=list)
    matrices: list[str] = field(default_factory=list)
    counters: list[str] = field(default_factory=list)
    frozen: set[str] = field(default_factory=set)

    def copy(self) -> Scope:
        """Return a scope that can grow on its own."""
        lists = (self.numbers, self.vectors, self.matrices, self.counters)
        return Scope(*(list(names) for names in lists), set(self.frozen))


class Scribe:
    """Emits the lines of one function; helper functions land in a list shared by all functions."""

    def __init__(self, rng: random.Random, parent: Scribe | None = None) -> None:
        self.rng = rng
        self.helpers: list[str] = parent.helpers if parent else []
        self.used: set[str] = parent.used if parent else {"x", "y", "a", "b", "program"}
        self.level: int = parent.level + 1 if parent else 0
        self.scope = Scope()
        self.lines: list[str] = []
        self.depth = 1
        self.loops = 0

    def fresh(self) -> str:
        """Return a name that no function of the program has used."""
        word = self.rng.choice(WORDS)
        while word in self.used:
            word = f"{self.rng.choice(WORDS)}{self.rng.randrange(1, 100)}"
        self.used.add(word)
        return word

    def names(self, count: int) -> list[str]:
        return [self.fresh() for _ in range(count)]

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def put(self, text: str) -> None:
        """Emit several lines, which may be indented by fours."""
        for text_line in text.strip("\n").split("\n"):
            self.line(text_line)

    def define(self, text: str) -> None:
        """Add a helper function to the module."""
        self.helpers.append(text.strip("\n"))

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Emit an indented block; what it assigns first is unknown after it."""
        self.line(header)
        outer, self.scope = self.scope, self.scope.copy()
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1
        self.scope = outer

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def constant(self) -> str:
        return str(round(self.rng.uniform(0.1, 0.9), 2) * self.rng.choice((1, 1, -1)))

    def fraction(self) -> str:
        return str(round(self.rng.uniform(0.15, 0.85), 2))

    def index(self) -> str:
        """Return an index that is valid along every axis of four."""
        if self.scope.counters and self.chance(0.6):
            i = self.rng.choice(self.scope.counters)
            return self.pick(i, i, f"{i} - 1", f"({i} + {self.rng.randrange(1, 4)}) % 4", f"-{i}", f"3 - {i}")
        return str(self.rng.choice((0, 1, 2, 3, -1, -2)))

    def atom(self) -> str:
        """Return a number of the scope, or an element of one of its arrays."""
        kind = self.rng.random()
        if kind < 0.5 or not self.scope.vectors:
            return self.rng.choice(self.scope.numbers) if self.scope.numbers else self.constant()
        if kind < 0.85 or not self.scope.matrices:
            return f"{self.vector()}[{self.index()}]"
        return f"{self.rng.choice(self.scope.matrices)}[{self.index()}, {self.index()}]"

    def number(self) -> str:
        """Return a bounded expression of type float, which binds as tightly as a call."""
        one, two = self.atom(), self.atom()
        forms = [
            one,
            one,
            f"({one} * {two})",
            f"({one} - {two})",
            f"({self.constant()} * {one} + {two})",
            f"math.sin({one})",
            f"math.exp(-{one} * {one})",
            f"abs({one})",
            f"max({one}, {two})",
            f"({one} if {two} > {self.constant()} else {self.constant()})",
            f"math.sqrt(1.0 + {one} ** 2)",
        ]
        if self.scope.vectors:
            v, w = self.vector(), self.vector()
            forms += [f"np.mean({v})", f"(0.25 * np.sum({v} * {w}))", f"(0.25 * np.dot({v}, {w}))"]
            forms += [f"(0.25 * {v}.sum())", f"np.max({v})", f"(0.5 * np.sum({v}[1:] - {w}[:-1]))"]
        return self.rng.choice(forms)

    def squash(self, text: str) -> str:
        """Return an expression of the size of one, whatever the size of the number."""
        return self.pick(
            f"math.tanh({text})", f"math.sin({text})", f"np.tanh({text})", f"({text}) / (1.0 + abs({text}))"
        )

    def squash_vector(self, text: str) -> str:
        return self.pick(
            f"np.tanh({text})", f"np.sin({text})", f"np.arctan({text})", f"np.tanh(0.5 * ({text}))"
        )

    def positive(self) -> str:
        """Return a number between a quarter and two and a half, or so."""
        one = self.atom()
        return self.pick(
            f"(1.0 + 0.5 * math.sin({one}))", f"(0.5 + math.exp(-{one} * {one}))", f"(1.5 + np.tanh({one}))"
        )

    def vector(self) -> str:
        """Return the name of a vector."""
        return self.rng.choice(self.scope.vectors)

    def writable(self) -> str:
        """Return the name of a vector that may be written."""
        return self.rng.choice(
            [name for name in self.scope.vectors if name not in self.scope.frozen] or ["a"]
        )

    def vector_expression(self) -> str:
        """Return a bounded vector, which is mostly a new array and sometimes a view."""
        v, w, s = self.vector(), self.vector(), self.number()
        forms = [
            f"np.tanh({v} + {s})",
            f"np.sin({v} * {w})",
            f"({self.fraction()} * {v} + {self.fraction()} * {w})",
            f"np.exp(-{v} * {v})",
            f"np.where({v} > {w}, {v}, {s} * {w})",
            f"np.maximum({v}, {self.constant()})",
            f"np.array([{self.squash(s)}, {self.atom()}, {self.constant()}, {self.atom()}])",
            f"np.sin({v}[::-1] + {w})",
            f"{v}.copy()",
            f"{v}[::-1]",
            f"np.sort({v})",
            f"np.tanh(np.cumsum({v}))",
            f"np.sqrt(1.0 + {v} ** 2)",
            f"np.full(4, {self.squash(s)})",
            f"np.clip({v}, {self.fraction()} - 1.0, 0.9)",
            f"np.roll({v}, 1)",
        ]
        if self.scope.matrices:
            m = self.matrix()
            row = f"{m}[{self.index()}]"
            forms += [f"np.tanh({m} @ {v})", f"np.sin(np.dot({v}, {m}))", row, f"{m}[:, {self.index()}]"]
            forms += [f"np.tanh(np.sum({m}, axis={self.rng.randrange(2)}))", f"np.diag({m}).copy()"]
        return self.rng.choice(forms)

    def matrix(self) -> str:
        return self.rng.choice(self.scope.matrices)

    def matrix_expression(self) -> str:
        """Return a bounded matrix of four by four."""
        v, w = self.vector(), self.vector()
        forms = [
            f"np.tanh(np.outer({v}, {w}))",
            f"np.sin({v}[:, None] + {w}[None, :])",
            f"np.eye(4) * {self.squash(self.number())}",
            f"np.exp(-np.abs(np.outer({v}, {w})))",
        ]
        if self.scope.matrices:
            m, k = self.matrix(), self.matrix()
            forms += [
                f"np.tanh({m} @ {k})",
                f"np.tanh({m}.T + {k})",
                f"np.sin({m} * {v})",
                f"{m}.T",
                f"{m}.copy()",
            ]
        return self.rng.choice(forms)

    def condition(self) -> str:
        """Return a test, on values or on counters."""
        if self.scope.counters and self.chance(0.5):
            i = self.rng.choice(self.scope.counters)
            return self.pick(
                f"{i} % 2 == 0", f"{i} > 0", f"{i} == 1", f"{i} < 2 and {self.atom()} > {self.constant()}"
            )
        one, two = self.number(), self.number()
        return self.pick(
            f"{one} > {self.constant()}",
            f"{one} < {two}",
            f"abs({one}) < {self.fraction()}",
            f"not ({one} > {two}) or {two} > 0.5",
            f"-0.5 < {one} <= 0.6",
        )

    def assign_number(self, text: str, squash: bool = True) -> str:
        """Assign a number, to a new name or to one that is known; return the name."""
        text = self.squash(text) if squash else text
        if self.scope.numbers and self.chance(0.3):
            name = self.rng.choice(self.scope.numbers)
            if name not in self.scope.frozen:
                self.line(f"{name} = {text}")
                return name
        name = self.fresh()
        self.line(f"{name} = {text}")
        self.scope.numbers.append(name)
        return name

    def assign_vector(self, text: str, known: float = 0.25) -> str:
        """Assign a vector, to a new name or to one that is known; return the name."""
        name = self.writable()
        if not (self.scope.vectors and self.chance(known)):
            name = self.fresh()
        self.line(f"{name} = {text}")
        if name not in self.scope.vectors:
            self.scope.vectors.append(name)
        return name

    def assign_matrix(self, text: str) -> str:
        name = (
            self.rng.choice(self.scope.matrices)
            if self.scope.matrices and self.chance(0.25)
            else self.fresh()
        )
        self.line(f"{name} = {text}")
        if name not in self.scope.matrices:
            self.scope.matrices.append(name)
        return name

    def some_matrix(self) -> str:
        """Return the name of a matrix, which is made if there is none."""
        if not self.scope.matrices or self.chance(0.2):
            return self.assign_matrix(self.matrix_expression())
        return self.matrix()

    def statement(self) -> None:
        """Emit one short statement between the idioms."""
        v = self.writable()
        kind = self.rng.randrange(8)
        if kind == 0:
            self.assign_number(self.number())
        elif kind == 1:
            self.assign_vector(self.vector_expression())
        elif kind == 2:
            self.line(f"{v}[{self.index()}] = {self.squash(self.number())}")
        elif kind == 3:
            self.line(f"{v}[{self.index()}] {self.pick('+=', '-=')} 0.5 * {self.squash(self.number())}")
        elif kind == 4:
            self.line(f"{v}[:] = {self.squash_vector(f'{v} + {self.vector()}')}")
        elif kind == 5:
            self.line(f"{v} *= {self.fraction()}")
        elif kind == 6:
            self.assign_matrix(self.matrix_expression())
        else:
            m = self.some_matrix()
            self.line(f"{m}[{self.index()}] = {self.squash_vector(self.vector())}")
