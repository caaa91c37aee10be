"""Random programs of the language: nested control flow over scalars and small arrays.

All values stay bounded (products go through `tanh` or `sin`), so that differences are accurate.
"""

from __future__ import annotations

import random

from program_constructs import HELPERS, Constructs, Scope

HEADER = """import math

import numpy as np


def helper(p, q, k=0.5):
    if p > q:
        return math.sin(p) * k
    s = q
    for i in range(2):
        s += math.tanh(p * s) * k
    return s


def touch(v, c):
    for i in range(1, len(v)):
        v[i] = math.tanh(v[i] + c * v[i - 1])
    return v[1] * c


def stretch(v, c):
    return np.sin(v * c) + v


"""

SIZE = 4


class ProgramGenerator(Constructs):
    """Writes one program; everything random comes from `rng`."""

    def __init__(self, rng: random.Random, budget: int = 22) -> None:
        self.rng = rng
        self.budget = budget
        self.names = 0
        self.loops = 0

    def program(self) -> str:
        scope = Scope(["x", "y"], ["a", "b"])
        body = self.block(scope, 1, self.rng.randint(3, 7), False)
        result = self.result(scope)
        lines = [*body, f"    return {result}"]
        return HEADER + HELPERS + "\n\ndef program(x, y, a, b):\n" + "\n".join(lines) + "\n"

    def result(self, scope: Scope) -> str:
        terms = self.rng.sample(scope.scalars, min(3, len(scope.scalars)))
        terms += [f"np.sum({v} * {v})" for v in self.rng.sample(scope.arrays, min(2, len(scope.arrays)))]
        return " + ".join(terms)

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    # expressions

    def index(self, scope: Scope) -> str:
        if scope.indices and self.rng.random() < 0.7:
            name = self.rng.choice(scope.indices)
            return self.rng.choice([name, name, f"{name} - 1", f"(2 * {name}) % {SIZE}"])
        return str(self.rng.randint(-1, SIZE - 1))

    def scalar(self, scope: Scope, depth: int = 2) -> str:
        rng = self.rng
        if depth == 0 or rng.random() < 0.25:
            kind = rng.random()
            if kind < 0.5:
                return rng.choice(scope.scalars)
            if scope.lists and kind < 0.58:
                return f"{rng.choice(scope.lists)}[{rng.choice([0, -1])}]"
            if scope.pairs and kind < 0.64:
                return f"{rng.choice(scope.pairs)}{rng.choice(['.first', '.second', '[1]'])}"
            if scope.matrices and kind < 0.6:
                return f"{rng.choice(scope.matrices)}[{self.index(scope)}, {self.index(scope)}]"
            if kind < 0.8:
                return f"{rng.choice(scope.arrays)}[{self.index(scope)}]"
            return rng.choice(["0.5", "1.3", "-0.7", "2"])
        one, two = self.scalar(scope, depth - 1), self.scalar(scope, depth - 1)
        plain = [
            f"({one} + {two})",
            f"({one} - {two})",
            f"math.tanh({one} * {two})",
            f"math.sin({one})",
            f"{one} * math.cos({two})",
            f"{one} / (1.5 + {two} * {two})",
            f"math.exp(-({one}) * ({one}))",
            f"math.sqrt(1.0 + ({one}) ** 2)",
            f"math.tanh({one}) ** 3",
            f"-({one})",
            f"helper({one}, {two})",
            f"helper({one}, q={two}, k=0.3)",
            f"max({one}, {two})",
            f"abs({one} + 0.1)",
            f"math.tanh(np.dot({rng.choice(scope.arrays)}, {rng.choice(scope.arrays)}))",
        ]
        kind = rng.random()
        if kind < 0.08:
            return f"({one} if {self.test(scope, depth - 1)} else {two})"
        if kind < 0.16:
            return f"math.tanh(np.sum({self.array(scope, depth - 1)}))"
        if kind < 0.22:
            return f"np.mean({self.array(scope, depth - 1)})"
        return rng.choice(plain)

    def array(self, scope: Scope, depth: int = 2) -> str:
        rng = self.rng
        if depth == 0 or rng.random() < 0.3:
            return rng.choice(scope.arrays)
        one, two = self.array(scope, depth - 1), self.array(scope, depth - 1)
        if scope.matrices and rng.random() < 0.3:
            m = rng.choice(scope.matrices)
            options = [f"{m}[{self.index(scope)}]", f"{m}[:, {self.index(scope)}]", f"np.sum({m}, axis=0)"]
            options += [f"np.tanh({m} @ {one})", f"np.dot({one}, {m}.T)", f"np.sum({m} * {two}, 1)"]
            return rng.choice(options)
        return rng.choice(
            [
                f"({one} + {two})",
                f"np.tanh({one} * {two})",
                f"np.sin({one})",
                f"{one} * {self.scalar(scope, 0)}",
                f"({one} - {self.scalar(scope, depth - 1)})",
                f"np.where({one} > {two}, {one}, {two})",
                f"np.maximum({one}, 0.1)",
                f"stretch({one}, {self.scalar(scope, 0)})",
                f"np.outer({one}, {two})[{rng.randint(0, SIZE - 1)}]",
                f"np.tanh(np.outer({one}, {two}) @ {rng.choice(scope.arrays)})",
            ]
        )

    def test(self, scope: Scope, depth: int = 1) -> str:
        one = f"{self.scalar(scope, depth)} > {self.rng.choice(['0.1', '-0.3', '0.45'])}"
        kind = self.rng.random()
        if kind < 0.15:
            return f"{one} and {self.scalar(scope, depth)} < 0.6"
        if kind < 0.3:
            return f"not ({one})"
        if kind < 0.4:
            return f"-0.6 < {self.scalar(scope, 0)} < 0.7"
        return one

    # statements

    def block(self, scope: Scope, depth: int, count: int, in_loop: bool) -> list[str]:
        lines: list[str] = []
        for _ in range(count):
            if self.budget <= 0:
                break
            self.budget -= 1
            lines += self.statement(scope, depth, in_loop)
        return lines or ["    " * depth + "pass"]

    def statement(self, scope: Scope, depth: int, in_loop: bool) -> list[str]:
        rng, pad = self.rng, "    " * depth
        kinds = ["scalar"] * 4 + ["augment"] * 2 + ["store"] * 3 + ["array"] * 2 + ["in_place"] * 2
        kinds += ["slice", "swap", "call", "view", "return", "tuple", "matrix", "matrix_store", "alias"]
        kinds += ["list", "list", "mask", "mask", "pair", "unpack", "local", "nested_call", "nested_call"]
        kinds += ["rows", "rows", "out", "walrus", "broadcast", "order", "order"]
        if depth < 4:
            kinds += ["iterate"] * 4
            kinds += ["if"] * 3 + ["for"] * 4 + ["while"] * 2
        if in_loop:
            kinds += ["break", "continue"]
        return getattr(self, f"_{rng.choice(kinds)}")(scope, depth, pad)

    def target(self, scope: Scope) -> str:
        """A new scalar, or one to overwrite."""
        if self.rng.random() < 0.6:
            return self.rng.choice(scope.scalars)
        return self.fresh("s")

    def _scalar(self, scope: Scope, depth: int, pad: str) -> list[str]:
        value = self.scalar(scope)
        name = self.target(scope)
        if name not in scope.scalars:
            scope.scalars.append(name)
        return [f"{pad}{name} = {value}"]

    def _tuple(self, scope: Scope, depth: int, pad: str) -> list[str]:
        one, two = self.scalar(scope, 1), self.scalar(scope, 1)
        names = [self.fresh("s"), self.fresh("s")]
        scope.scalars += names
        return [f"{pad}{names[0]}, {names[1]} = {one}, {two}"]

    def _swap(self, scope: Scope, depth: int, pad: str) -> list[str]:
        one, two = self.rng.sample(scope.scalars, 2)
        return [f"{pad}{one}, {two} = {two}, {one} * 0.9"]

    def _augment(self, scope: Scope, depth: int, pad: str) -> list[str]:
        op = self.rng.choice(["+=", "-=", "+="])
        return [f"{pad}{self.rng.choice(scope.scalars)} {op} 0.5 * math.tanh({self.scalar(scope, 1)})"]

    def _store(self, scope: Scope, depth: int, pad: str) -> list[str]:
        op = self.rng.choice(["=", "=", "+=", "-=", "*="])
        value = f"math.tanh({self.scalar(scope, 1)})"
        return [f"{pad}{self.rng.choice(scope.arrays)}[{self.index(scope)}] {op} {value}"]

    def _array(self, scope: Scope, depth: int, pad: str) -> list[str]:
        value = self.rng.choice([f"np.tanh({self.array(scope)})", f"np.zeros({SIZE})", "np.zeros_like(a)"])
        name = self.fresh("v")
        scope.arrays.append(name)
        return [f"{pad}{name} = {value} * 1.0" if "zeros" not in value else f"{pad}{name} = {value}"]

    def _matrix(self, scope: Scope, depth: int, pad: str) -> list[str]:
        one, two = self.rng.choice(scope.arrays), self.rng.choice(scope.arrays)
        options = [f"np.outer({one}, np.sin({two}))", f"np.zeros(({SIZE}, {SIZE}))"]
        if scope.matrices:
            m = self.rng.choice(scope.matrices)
            options += [f"np.tanh({m} @ {m}.T)", f"{m} * 0.5 + {one}", f"np.cos({m})", f"{m}.copy()"]
        name = self.fresh("m")
        line = f"{pad}{name} = {self.rng.choice(options)}"
        scope.matrices.append(name)
        return [line]

    def _matrix_store(self, scope: Scope, depth: int, pad: str) -> list[str]:
        if not scope.matrices:
            return self._matrix(scope, depth, pad)
        m, value = self.rng.choice(scope.matrices), f"math.tanh({self.scalar(scope, 1)})"
        i, j = self.index(scope), self.index(scope)
        row = f"np.tanh({self.array(scope, 1)})"
        return [
            pad
            + self.rng.choice(
                [
                    f"{m}[{i}, {j}] = {value}",
                    f"{m}[{i}, {j}] += {value}",
                    f"{m}[{i}] = {row}",
                    f"{m}[:, {j}] *= {row}",
                    f"{m}[1:, {j}] += {value}",
                    f"{m} *= {value}",
                    f"{m} += {row}",
                ]
            )
        ]

    def _alias(self, scope: Scope, depth: int, pad: str) -> list[str]:
        """Rebind names of arrays: to another array, to a copy, or exchange two."""
        if len(scope.arrays) < 2:
            return [f"{pad}pass"]
        one, two = self.rng.sample(scope.arrays, 2)
        options = [f"{one}, {two} = {two}, {one}", f"{one} = {two}.copy()", f"{one} = {two}"]
        options.append(f"{one} = {two} if {self.test(scope)} else {one}")
        return [pad + self.rng.choice(options)]

    def _in_place(self, scope: Scope, depth: int, pad: str) -> list[str]:
        name = self.rng.choice(scope.arrays)
        op = self.rng.choice(["+=", "-=", "*="])
        value = self.rng.choice([f"np.tanh({self.array(scope, 1)})", f"math.tanh({self.scalar(scope, 1)})"])
        return [f"{pad}{name} {op} {value}"]

    def _slice(self, scope: Scope, depth: int, pad: str) -> list[str]:
        one, two = self.rng.choice(scope.arrays), self.rng.choice(scope.arrays)
        op = self.rng.choice(["=", "+=", "*="])
        value = self.rng.choice(
            [f"np.sin({two}[:-1])", f"0.5 * {two}[1:]", f"math.sin({self.scalar(scope, 1)})"]
        )
        return [f"{pad}{one}[1:] {op} {value}"]

    def _view(self, scope: Scope, depth: int, pad: str) -> list[str]:
        name, source = self.fresh("w"), self.rng.choice(scope.arrays)
        op = self.rng.choice(["=", "+="])
        line = f"{pad}{name}[1] {op} math.sin({name}[0] * {self.scalar(scope, 1)})"
        return [f"{pad}{name} = {source}[1:3]", line]

    def _call(self, scope: Scope, depth: int, pad: str) -> list[str]:
        name = self.fresh("s")
        line = f"{pad}{name} = touch({self.rng.choice(scope.arrays)}, {self.scalar(scope, 1)})"
        scope.scalars.append(name)
        return [line]

    def _return(self, scope: Scope, depth: int, pad: str) -> list[str]:
        return [
            f"{pad}if {self.test(scope)} and {self.scalar(scope, 0)} > 0.8:",
            f"{pad}    return {self.result(scope)}",
        ]

    def _break(self, scope: Scope, depth: int, pad: str) -> list[str]:
        return [f"{pad}if {self.test(scope)}:", f"{pad}    break"]

    def _continue(self, scope: Scope, depth: int, pad: str) -> list[str]:
        lines = [f"{pad}if {self.test(scope)}:"]
        return [*lines, *self.block(scope.copy(), depth + 1, 1, False), f"{pad}    continue"]

    def _if(self, scope: Scope, depth: int, pad: str) -> list[str]:
        then, orelse = scope.copy(), scope.copy()
        in_loop = self.loops > 0
        lines = [
            f"{pad}if {self.test(scope)}:",
            *self.block(then, depth + 1, self.rng.randint(1, 3), in_loop),
        ]
        if self.rng.random() < 0.6:
            lines += [f"{pad}else:", *self.block(orelse, depth + 1, self.rng.randint(1, 3), in_loop)]
        scope.keep_common(then, orelse)
        return lines

    def _for(self, scope: Scope, depth: int, pad: str) -> list[str]:
        name = self.fresh("i")
        bounds = self.rng.choice(["4", "1, 4", "len(a)", "3, -1, -1", "0, 4, 2", "3, 0, -2", "2", "0"])
        inner = scope.copy()
        inner.indices.append(name)
        self.loops += 1
        body = self.block(inner, depth + 1, self.rng.randint(1, 4), True)
        self.loops -= 1
        lines = [f"{pad}for {name} in range({bounds}):", *body]
        if self.rng.random() < 0.1:
            lines += [f"{pad}else:", *self.block(scope.copy(), depth + 1, 1, False)]
        return lines

    def _while(self, scope: Scope, depth: int, pad: str) -> list[str]:
        name = self.fresh("k")
        inner = scope.copy()
        inner.indices.append(name)
        self.loops += 1
        body = self.block(inner, depth + 1, self.rng.randint(1, 3), True)
        self.loops -= 1
        test = f"{name} < {self.rng.randint(0, 3)}"
        if self.rng.random() < 0.4:
            test += f" and {self.scalar(scope, 1)} < 0.9"
        inside = "    " * (depth + 1)
        return [f"{pad}{name} = -1", f"{pad}while {test}:", f"{inside}{name} += 1", *body]
