"""Random programs on arrays of a few numbers: states, vectors in space, rotations, in loops and branches."""

from __future__ import annotations

import random

from program_writer import ProgramWriter

Shape = tuple[int, ...]

_UNARY = ("np.sin({})", "np.exp(-{0} * {0})", "(-{})", "({} ** 2)", "(1.0 / (2.0 + {0} * {0}))", "{}.copy()")
_BINARY = ("({} + {})", "({} - {})", "({} * {})", "np.maximum({}, {})", "np.where({0} > {1}, {0}, 0.5 * {1})")


class SmallGenerator(ProgramWriter):
    """Writes one program; arrays are known with their shapes, all of which are constants in the text."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.arrays: dict[str, Shape] = {"x": (4,), "y": (4,)}
        self.numbers = ["p", "q"]
        self.count = 0

    def program(self) -> str:
        self.lines = ["import numpy as np", "", "", "def program(p, q, x, y):", "    total = 0.0"]
        for _ in range(3):
            self.made(1)
        for _ in range(self.rng.randint(4, 9)):
            self.statement(1, 2)
        for name in self.rng.sample([*self.arrays], min(3, len(self.arrays))):
            self.lines.append(f"    total += np.sum({name} * {self.rng.uniform(-1, 1):.2f})")
        self.lines.append("    return total")
        return "\n".join(self.lines) + "\n"

    def new(self, text: str, shape: Shape, depth: int) -> str:
        self.count += 1
        name = f"{'vm'[len(shape) - 1]}{self.count}"
        self.write(depth, f"{name} = {text}")
        self.arrays[name] = shape
        return name

    def number(self) -> str:
        """Return a number, perhaps an element."""
        if self.rng.random() < 0.5:
            return self.rng.choice([*self.numbers, f"{self.rng.uniform(-1, 1):.2f}"])
        return self.element(self.rng.choice([*self.arrays]))

    def element(self, name: str) -> str:
        index = (str(self.rng.choice([self.rng.randrange(size), -1])) for size in self.arrays[name])
        return f"{name}[{', '.join(index)}]"

    def alike(self, shape: Shape) -> str:
        """Return an operand of a shape, or a number."""
        found = [name for name, other in self.arrays.items() if other == shape]
        if len(shape) == 2 and shape[1] in (2, 3) and self.rng.random() < 0.2:
            found += [name for name, other in self.arrays.items() if other == shape[1:]]
        return self.rng.choice(found) if found and self.rng.random() < 0.8 else self.number()

    def expression(self, shape: Shape) -> str:
        one = [name for name, other in self.arrays.items() if other == shape]
        text = self.rng.choice(one)
        for _ in range(self.rng.randint(1, 3)):
            if self.rng.random() < 0.4:
                text = self.rng.choice(_UNARY).format(text)
            else:
                text = self.rng.choice(_BINARY).format(text, self.alike(shape))
        return text

    def made(self, depth: int) -> None:
        """Write an array that is listed, or allocated and filled."""
        size = self.rng.randint(2, 3)
        match self.rng.randrange(5):
            case 0:
                items = ", ".join(self.number() for _ in range(size))
                self.new(f"np.array([{items}])", (size,), depth)
            case 1:
                rows = ("[" + ", ".join(self.number() for _ in range(size)) + "]" for _ in range(2))
                self.new(f"np.array([{', '.join(rows)}])", (2, size), depth)
            case 2:
                name = self.new(self.rng.choice([f"np.zeros({size})", f"np.ones({size})"]), (size,), depth)
                self.write(depth, f"{self.element(name)} = {self.number()}")
            case 3:
                number = self.number()
                name = self.new(f"np.empty(({size}, {size}))", (size, size), depth)
                self.write(depth, f"for i in range({size}):")
                self.write(depth + 1, f"for j in range({size}):")
                self.write(depth + 2, f"{name}[i, j] = {number} * (i + 1) - j")
            case _:
                self.new(f"np.full({size}, {self.number()})", (size,), depth)

    def statement(self, depth: int, budget: int) -> None:
        kinds = [self.made, self.whole, self.whole, self.store, self.store, self.view]
        kinds += [self.product, self.update, self.reduce, self.elements, self.handed, self.guarded]
        if budget and self.rng.random() < 0.35:
            self.rng.choice([self.loop, self.loop, self.branch, self.carried])(depth, budget)
        else:
            self.rng.choice(kinds)(depth)

    def whole(self, depth: int) -> None:
        shape = self.arrays[self.rng.choice([*self.arrays])]
        if self.rng.random() < 0.4:  # a name is bound anew
            name = self.rng.choice([n for n, other in self.arrays.items() if other == shape])
            self.write(depth, f"{name} = {self.expression(shape)}")
        else:
            self.new(self.expression(shape), shape, depth)

    def store(self, depth: int) -> None:
        name = self.rng.choice([*self.arrays])
        sign = self.rng.choice(["=", "=", "+=", "-="])
        match self.rng.randrange(4):
            case 0 | 1:
                self.write(depth, f"{self.element(name)} {sign} {self.number()}")
            case 2:
                self.write(depth, f"{name}[:] {sign} {self.expression(self.arrays[name])}")
            case _:
                size = self.arrays[name][0]
                rest = self.arrays[name][1:]
                value = self.alike((1, *rest)) if rest else self.number()
                self.write(depth, f"{name}[{self.rng.randrange(size)}:] {sign} {value}")

    def view(self, depth: int) -> None:
        name = self.rng.choice([*self.arrays])
        shape = self.arrays[name]
        if len(shape) == 2:
            text, found = self.rng.choice(
                [(f"{name}.T", shape[::-1]), (f"{name}[1]", shape[1:]), (f"{name}[:, 0]", shape[:1])]
            )
        else:
            text, found = self.rng.choice(
                [
                    (f"{name}[1:]", (shape[0] - 1,)),
                    (f"{name}[::-1]", shape),
                    (f"{name}[:-1]", (shape[0] - 1,)),
                ]
            )
        if min(found) > 0:
            self.new(text, found, depth)

    def product(self, depth: int) -> None:
        matrices = [name for name, shape in self.arrays.items() if len(shape) == 2]
        if not matrices:
            return
        one = self.rng.choice(matrices)
        others = [n for n, shape in self.arrays.items() if shape[0] == self.arrays[one][1] and n[0] in "vm"]
        if others:
            two = self.rng.choice(others)
            self.new(f"{one} @ {two}", (self.arrays[one][0], *self.arrays[two][1:]), depth)

    def update(self, depth: int) -> None:
        name = self.rng.choice([*self.arrays])
        sign = self.rng.choice(["+=", "-=", "*="])
        self.write(depth, f"{name} {sign} {self.alike(self.arrays[name])}")

    def reduce(self, depth: int) -> None:
        name = self.rng.choice([*self.arrays])
        text = f"np.sum({name})" if len(self.arrays[name]) == 2 else f"np.dot({name}, {name})"
        self.write(depth, f"total += np.sin({text})")

    def elements(self, depth: int) -> None:
        """Write a loop over the elements of an array."""
        name = self.rng.choice([*self.arrays])
        shape = self.arrays[name]
        size = self.rng.choice([str(shape[0]), f"len({name})", f"{name}.shape[0]"])
        self.write(depth, f"for k in range({size}):")
        place = f"{name}[k]" if len(shape) == 1 else f"{name}[k, {self.rng.randrange(shape[1])}]"
        if self.rng.random() < 0.5:
            self.write(depth + 1, f"{place} = {self.number()} * {place} + 0.1 * k")
        else:
            self.write(depth + 1, f"total += {place} * {self.number()}")

    def handed(self, depth: int) -> None:
        """Write an array into a row of a larger one, and read it back."""
        name = self.rng.choice([n for n, shape in self.arrays.items() if len(shape) == 1])
        self.count += 1
        self.write(depth, f"rows{self.count} = np.zeros((3, {self.arrays[name][0]}))")
        self.write(depth, f"rows{self.count}[{self.rng.randrange(3)}] = {name}")
        self.write(depth, f"total += np.sum(np.sin(rows{self.count}))")

    def guarded(self, depth: int) -> None:
        """Write and read an array where a test holds, and leave it empty where it does not."""
        self.count += 1
        flag, name = f"flag{self.count}", f"part{self.count}"
        self.write(depth, f"{flag} = {self.number()} > {self.number()}")
        self.write(depth, f"{name} = np.empty(2)")
        self.write(depth, f"if {flag}:")
        self.write(depth + 1, f"{name}[0] = {self.number()}")
        self.write(depth + 1, f"{name}[1] = {self.number()}")
        self.update(depth)
        self.write(depth, f"if {flag}:")
        self.write(depth + 1, f"total += {name}[0] * np.sin({name}[1])")

    def block(self, depth: int, budget: int) -> None:
        """Write statements whose new names are forgotten after them."""
        known = dict(self.arrays)
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth, budget - 1)
        self.arrays = known

    def loop(self, depth: int, budget: int) -> None:
        counter = f"t{depth}"
        self.write(depth, f"for {counter} in range({self.rng.randint(1, 3)}):")
        self.block(depth + 1, budget)
        self.write(depth + 1, f"total += 0.1 * {counter}")

    def branch(self, depth: int, budget: int) -> None:
        self.write(depth, f"if {self.number()} > {self.number()}:")
        self.block(depth + 1, budget)
        self.write(depth + 1, "total *= 0.9")
        self.write(depth, "else:")
        self.block(depth + 1, budget)
        self.write(depth + 1, "total += 0.5")

    def carried(self, depth: int, budget: int) -> None:
        """Write a loop that binds a state anew in each step, or swaps two."""
        shape = self.arrays[self.rng.choice([*self.arrays])]
        one = self.new(self.expression(shape), shape, depth)
        two = self.new(self.expression(shape), shape, depth)
        self.write(depth, f"for s{depth} in range({self.rng.randint(1, 3)}):")
        self.block(depth + 1, budget)
        if self.rng.random() < 0.5:
            self.write(depth + 1, f"{one} = {one} + 0.1 * {self.expression(shape)}")
        else:
            self.write(depth + 1, f"{self.element(one)} += {self.number()}")
            self.write(depth + 1, f"{one}, {two} = {two}, {one}")
