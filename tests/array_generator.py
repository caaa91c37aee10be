"""Random programs of array code: slices, broadcasting, sums along axes, products, in loops over time."""

from __future__ import annotations

import random

from program_writer import ProgramWriter

Shape = tuple[int, ...]

_UNARY = (
    "np.sin({})",
    "np.tanh({})",
    "np.exp(-{0} * {0})",
    "(-{})",
    "({0} * {0})",
    "(1.0 / (2.0 + {0} * {0}))",
)
_BINARY = ("({} + {})", "({} - {})", "({} * {})", "np.maximum({}, {})", "({0} / (2.0 + {1} * {1}))")


class ArrayGenerator(ProgramWriter):
    """Writes one program; array variables are known with their shapes."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.arrays: dict[str, Shape] = {"x": (4,), "y": (4,)}
        self.protected: set[str] = {"x", "y"} if rng.random() < 0.5 else set()
        self.count = 0

    def program(self) -> str:
        self.lines = ["import numpy as np", "", "", "def program(p, q, x, y):", "    total = 0.0"]
        self.new("np.outer(x, y)", (4, 4), 1)
        for _ in range(self.rng.randint(3, 7)):
            self.statement(1, 2)
        self.total(1)
        self.lines.append("    return total")
        return "\n".join(self.lines) + "\n"

    def new(self, text: str, shape: Shape, depth: int) -> str:
        self.count += 1
        name = f"{'vmt'[len(shape) - 1]}{self.count}"
        self.write(depth, f"{name} = {text}")
        self.arrays[name] = shape
        return name

    def pick(self, ranks: tuple[int, ...] = (1, 2)) -> str:
        found = [name for name, shape in self.arrays.items() if len(shape) in ranks]
        return self.rng.choice(found)

    def part(self, size: int, length: int | None = None) -> tuple[str, int]:
        """Return a slice of an axis, and its length."""
        choices = [(":", size)]
        if size > 1:
            choices += [("1:", size - 1), (":-1", size - 1)]
        if size > 2:
            choices += [
                ("1:-1", size - 2),
                ("2:", size - 2),
                (f"{size - 2}:", 2),
                (f"0:{size - 1}", size - 1),
            ]
        choices = [choice for choice in choices if length in (None, choice[1])]
        return self.rng.choice(choices) if choices else ("", 0)

    def view(self, shape: Shape | None = None) -> tuple[str, Shape]:
        """Return a part of an array, of a given shape if there is one."""
        names = list(self.arrays)
        self.rng.shuffle(names)
        for name in names:
            own = self.arrays[name]
            if shape is None or len(own) == len(shape):
                parts = [self.part(size, shape and shape[k]) for k, size in enumerate(own)]
                if all(length for _, length in parts):
                    found = tuple(length for _, length in parts)
                    whole = all(text == ":" for text, _ in parts)
                    return (name if whole else f"{name}[{', '.join(text for text, _ in parts)}]"), found
            if shape is not None and len(own) == 2 and len(shape) == 1 and own[1] == shape[0]:
                return f"{name}[{self.rng.randrange(own[0])}]", shape
        assert shape is not None
        return f"np.full({shape if len(shape) > 1 else shape[0]}, p)", shape

    def expression(self, shape: Shape, depth: int = 2) -> str:
        """Return an expression of this shape, or one that is stretched to it."""
        r = self.rng.random()
        if depth == 0 or r < 0.2:
            if self.rng.random() < 0.25:
                return self.rng.choice(["p", "q", "0.7", "1.3"])
            if len(shape) == 2 and self.rng.random() < 0.3:
                column = self.rng.random() < 0.4
                text, _ = self.view(shape[:1] if column else shape[1:])
                return f"{text}[:, None]" if column else text
            return self.view(shape)[0]
        if r < 0.5:
            return self.rng.choice(_UNARY).format(self.expression(shape, depth - 1))
        if r < 0.57:
            test, one, two = (self.expression(shape, depth - 1) for _ in range(3))
            return f"np.where({self.view(shape)[0]} + {test} > 0.1, {one}, {two})"
        return self.rng.choice(_BINARY).format(
            self.expression(shape, depth - 1), self.expression(shape, depth - 1)
        )

    def full(self, shape: Shape) -> str:
        """Return an expression that has this shape itself."""
        return f"{self.view(shape)[0]} * {self.expression(shape)}"

    def total(self, depth: int) -> None:
        _, shape = self.view()
        reduction = self.rng.choice(["np.sum", "np.sum", "np.mean"])
        self.write(depth, f"total += {reduction}({self.full(shape)})")

    def statement(self, depth: int, nesting: int) -> None:
        kind = self.rng.randrange(12)
        shape = self.view()[1]
        if kind in (0, 1):
            self.new(self.full(shape), shape, depth)
        elif kind == 2:
            text, shape = self.view()
            self.new(text + self.rng.choice(["", ".copy()", " * 1.0"]), shape, depth)
        elif kind in (3, 4, 5):
            name = self.pick()
            if name in self.protected:
                return
            parts = [self.part(size) for size in self.arrays[name]]
            target = f"{name}[{', '.join(text for text, _ in parts)}]"
            operator = self.rng.choice(["=", "=", "+=", "*="])
            value = self.expression(tuple(length for _, length in parts))
            scale = "0.3 * " if operator == "+=" else ""
            self.write(depth, f"{target} {operator} {scale}np.tanh({value})")
        elif kind == 6:
            self.total(depth)
        elif kind == 7:
            name = self.pick((2,))
            axis = self.rng.randrange(2)
            text = f"np.sum(np.tanh({self.full(self.arrays[name])}), axis={axis})"
            self.new(text, (self.arrays[name][1 - axis],), depth)
        elif kind == 8:
            name = self.pick((2,))
            rows, columns = self.arrays[name]
            self.new(f"np.tanh({name} @ ({self.full((columns,))}))", (rows,), depth)
        elif kind == 9:
            one, two = self.pick((1,)), self.pick((1,))
            self.new(f"np.outer({one}, {two})", (*self.arrays[one], *self.arrays[two]), depth)
        elif nesting:
            self.block(depth, nesting - 1, is_loop=kind == 10)

    def block(self, depth: int, nesting: int, is_loop: bool) -> None:
        """Write a loop over time or a branch; what it defines is forgotten, what it changes stays."""
        known = dict(self.arrays)
        if is_loop:
            self.count += 1
            self.write(depth, f"for k{self.count} in range({self.rng.randint(1, 3)}):")
        else:
            self.write(depth, f"if p + 0.3 * np.sum({self.pick()}) > 0.1:")
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth + 1, nesting)
        name = self.rng.choice(list(known))
        if name not in ("x", "y") and self.rng.random() < 0.6:
            self.write(depth + 1, f"{name} = np.tanh({self.full(known[name])})")
        else:
            self.total(depth + 1)
        self.arrays = known
