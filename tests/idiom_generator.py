"""Random programs made of the idioms of numeric code that people write for Numba.

An idiom is a method that emits some lines with random choices into a function whose variables it finds in
its scope; what it computes joins the scope, so that any idiom can work on results of any other. Idioms are
put into loops, branches and helper functions at random.
"""

from __future__ import annotations

import random
from typing import ClassVar

from idiom_memory import MemoryIdioms
from idiom_models import ModelIdioms
from idiom_numerics import NumericIdioms

HEADER = "import math\nfrom collections import namedtuple\n\nimport numpy as np\n"


class IdiomGenerator(MemoryIdioms, NumericIdioms, ModelIdioms):
    """Writes one module with a function `program(x, y, a, b)` of two numbers and two vectors of four."""

    without: ClassVar[set[str]] = set()  # idioms that are left out, to look behind what is known to fail

    def __init__(self, rng: random.Random, parent: IdiomGenerator | None = None) -> None:
        super().__init__(rng, parent)
        self.idioms = [
            name
            for name in dir(type(self))
            if name.startswith("idiom_") and name.removeprefix("idiom_") not in self.without
        ]

    def program(self) -> str:
        """Return the text of a module."""
        self.scope.numbers, self.scope.vectors = ["x", "y"], ["a", "b"]
        self.body(self.rng.randrange(1, 5))
        self.line(f"return {self.result()}")
        function = "def program(x, y, a, b):\n" + "\n".join(self.lines)
        return "\n\n".join([HEADER, *self.helpers, function]) + "\n"

    def body(self, count: int) -> None:
        """Emit idioms, with short statements between them."""
        for _ in range(count):
            if self.chance(0.4):
                self.statement()
            kind = self.rng.random()
            if kind < 0.18 and self.depth < 3 and self.loops < 2:
                self.loop()
            elif kind < 0.28 and self.depth < 3:
                self.branch()
            elif kind < 0.4 and self.level < 2:
                self.call()
            else:
                self.idiom()

    def idiom(self) -> None:
        getattr(self, self.rng.choice(self.idioms))()

    def loop(self) -> None:
        """Put idioms into a loop, which may skip or stop."""
        i, e, g = self.names(3)
        v, w = self.vector(), self.vector()
        header, counted, elements = self.rng.choice(
            [
                (f"for {i} in range({self.rng.randrange(2, 5)}):", True, []),
                (f"for {i} in range(3, {self.pick('-1', '0')}, -1):", True, []),
                (f"for {i} in range(1, 4):", True, []),
                (f"for {i} in range(len({v})):", True, []),
                (f"while {i} < 3:", True, []),
                (f"for {i}, {e} in enumerate({v}):", True, [e]),
                (f"for {e}, {g} in zip({v}, {w}):", False, [e, g]),
                (f"for {e} in {v}:", False, [e]),
            ]
        )
        if "while" in header:
            self.line(f"{i} = 0")
        self.loops += 1
        with self.block(header):
            if "while" in header:
                self.line(f"{i} += 1")
            self.scope.counters += [i] if counted else []
            self.scope.numbers += elements
            self.scope.frozen.update((i, e, g))
            if self.chance(0.2):
                self.put(f"if {self.condition()}:\n    {self.pick('continue', 'continue', 'break')}")
            self.body(self.rng.randrange(1, 3))
            if self.chance(0.1):
                self.put(f"if {self.condition()}:\n    break")
        self.loops -= 1

    def branch(self) -> None:
        with self.block(f"if {self.condition()}:"):
            self.body(1)
        if self.chance(0.5):
            with self.block(f"{self.pick('else', f'elif {self.condition()}')}:"):
                self.body(1)

    def call(self) -> None:
        """Put idioms into a helper function and call it."""
        inner = type(self)(self.rng, self)
        name, p, q, s = self.names(4)
        inner.scope.numbers, inner.scope.vectors = [s], [p, q]
        if inner.chance(0.15):
            inner.put(f"if {inner.condition()}:\n    return {inner.squash(inner.number())}")
            kind = "number"
        else:
            kind = self.pick("number", "vector", "both")
        inner.body(self.rng.randrange(1, 3))
        v, r = inner.vector(), inner.squash(inner.number())
        inner.line({"number": f"return {r}", "vector": f"return {v}", "both": f"return {r}, {v}"}[kind])
        self.define(f"def {name}({p}, {q}, {s}):\n" + "\n".join(inner.lines))
        first = self.vector()
        second = first if self.chance(0.25) else self.pick(self.vector(), self.vector_expression())
        call = f"{name}({first}, {second}, {self.number()})"
        if kind == "number":
            self.assign_number(call, squash=False)
        elif kind == "vector":
            self.assign_vector(call, known=0.15)
        else:
            one, two = self.names(2)
            self.line(f"{one}, {two} = {call}")
            self.scope.numbers.append(one)
            self.scope.vectors.append(two)

    def result(self) -> str:
        """Return an expression that depends on all that was computed."""
        parts = [f"{self.fraction()} * {name}" for name in self.scope.numbers[-5:]]
        parts += [f"np.sum({name})" for name in self.scope.vectors[-4:]]
        parts += [f"np.sum({name} * {name})" for name in self.scope.matrices[-2:]]
        return " + ".join(parts)
