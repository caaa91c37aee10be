"""Random programs that write into arrays between reductions, views, stretched arrays, and their uses."""

from __future__ import annotations

import random
from dataclasses import dataclass

Shape = tuple[int, ...]

_HELPERS = """
def scaled(a, s):
    a *= 0.5
    a[0] = a[0] + s


def swept(a, b):
    for k in range(1, len(a)):
        a[k] = 0.4 * a[k] + b[k - 1]
    return np.sum(a)
"""

_REDUCTIONS = ("np.sum", "np.sum", "np.sum", "np.mean", "np.max", "np.prod", "np.var", "np.min")


@dataclass(frozen=True)
class _Array:
    shape: Shape
    is_whole: bool  # C-ordered, without gaps


class WriteGenerator:
    """Writes one program; arrays are known with their shapes, and whether they may be reshaped."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.arrays: dict[str, _Array] = {"x": _Array((4,), True), "y": _Array((4,), True)}
        self.numbers = ["p", "q"]
        self.count = 0

    def program(self) -> str:
        self.put(0, "def program(p, q, x, y):")
        self.put(1, "total = 0.0")
        self.new(1, self.pick("np.outer(x, y)", "x[:, None] + y", "x[:, None] * y - p"), (4, 4))
        if self.rng.random() < 0.4:
            self.new(1, "np.sin(np.outer(x, y)[:3] + q)", (3, 4))
        if self.rng.random() < 0.2:
            self.new(1, "np.sin(x[:, None, None] + y[:, None] * np.ones(3) * p)", (4, 4, 3))
        for _ in range(self.rng.randint(4, 9)):
            self.statement(1, 2)
        for _ in range(self.rng.randint(1, 4)):
            self.use(1)
        self.put(1, f"return total + {self.number()} + {self.number()}")
        return "\n".join(["import numpy as np", "", _HELPERS, *self.lines]) + "\n"

    # pieces

    def put(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def new(self, depth: int, text: str, shape: Shape, is_whole: bool = True) -> str:
        if not shape:
            return self.new_number(depth, text)
        name = self.name("vmt"[len(shape) - 1])
        self.put(depth, f"{name} = {text}")
        self.arrays[name] = _Array(shape, is_whole)
        return name

    def new_number(self, depth: int, text: str) -> str:
        name = self.name("s")
        self.put(depth, f"{name} = {text}")
        self.numbers.append(name)
        return name

    def array(self, *ranks: int) -> str:
        found = [name for name, a in self.arrays.items() if not ranks or len(a.shape) in ranks]
        return self.rng.choice(found[-5:] if self.rng.random() < 0.6 else found)

    def shape(self, name: str) -> Shape:
        return self.arrays[name].shape

    def number(self) -> str:
        if self.rng.random() < 0.5:
            return self.rng.choice(self.numbers)
        return self.element(self.array())

    def element(self, name: str) -> str:
        places = (str(self.rng.choice((0, -1, self.rng.randrange(n)))) for n in self.shape(name))
        return f"{name}[{', '.join(places)}]"

    def part(self, size: int) -> tuple[str, int]:
        """Return an index into an axis, and the length that is left of it; 0 where the axis goes."""
        choices = [(":", size), (":", size), ("::-1", size), (str(self.rng.randrange(size)), 0), ("-1", 0)]
        if size > 1:
            choices += [("1:", size - 1), (":-1", size - 1), (":2", 2), ("-2:", 2), ("::2", (size + 1) // 2)]
            choices += [("-1:0:-1", size - 1), (f"{size - 1}:{size}", 1)]
        return self.rng.choice(choices)

    def view(self, name: str) -> tuple[str, Shape]:
        """Return a part of an array of one axis or more."""
        shape = self.shape(name)
        parts = [self.part(size) for size in shape[: self.rng.randint(1, len(shape))]]
        left = (*(n for _, n in parts if n), *shape[len(parts) :])
        if not left:
            return name, shape
        return f"{name}[{', '.join(text for text, _ in parts)}]", left

    def fitting(self, shape: Shape) -> str:
        """Return an array that has this shape or is stretched to it, or a number."""
        names = list(self.arrays)
        self.rng.shuffle(names)
        for name in names:
            text, own = self.view(name) if self.rng.random() < 0.6 else (name, self.shape(name))
            if own == shape or (len(own) < len(shape) and own == shape[-len(own) :]):
                return text
            if len(own) == 1 and len(shape) == 2 and own[0] == shape[0]:
                return f"{text}[:, None]"
        return self.number()

    def expression(self, shape: Shape) -> str:
        """Return a bounded expression for a shape."""
        one, two = self.fitting(shape), self.fitting(shape)
        return self.pick(
            f"np.tanh({one} * {two})",
            f"0.3 * {one} - 0.2 * {two}",
            f"np.sin({one} + {two})",
            f"0.5 * {one}",
            f"0.2 * {one} * {two} ** 2",
            f"0.5 * np.maximum({one}, {two})",
            one,
        )

    # statements

    def statement(self, depth: int, nesting: int) -> None:
        kinds = [self.view_made, self.reduced, self.reduced, self.stretched, self.written, self.written]
        kinds += [self.written, self.written, self.use, self.element_written, self.by_function, self.rebound]
        if nesting and self.rng.random() < 0.25:
            self.block(depth, nesting - 1)
        else:
            self.rng.choice(kinds)(depth)

    def view_made(self, depth: int) -> None:
        name = self.array()
        own, text = self.arrays[name], ""
        if own.is_whole and self.rng.random() < 0.3:
            size = 1
            for n in own.shape:
                size *= n
            shapes: list[Shape] = [(size,), (1, size), (size // 2, 2)] if size % 2 == 0 else [(size,)]
            shape = self.rng.choice(shapes)
            text = f"{name}.ravel()" if len(shape) == 1 else f"{name}.reshape({shape[0]}, {shape[1]})"
            self.new(depth, text, shape)
        elif len(own.shape) == 2 and self.rng.random() < 0.3:
            self.new(depth, f"{name}.T", own.shape[::-1], False)
        elif len(own.shape) == 2 and own.shape[0] == own.shape[1] and self.rng.random() < 0.2:
            self.new(depth, f"np.diag({name}).copy()", own.shape[:1])
        else:
            text, shape = self.view(name)
            copy = self.pick("", "", "", ".copy()")
            is_whole = bool(copy) or (text == name and own.is_whole)
            self.new(depth, text + copy, shape, is_whole)

    def reduced(self, depth: int) -> None:
        name = self.array()
        text, shape = self.view(name) if self.rng.random() < 0.4 else (name, self.shape(name))
        function = self.rng.choice(_REDUCTIONS)
        if len(shape) == 1 or self.rng.random() < 0.3:
            if len(shape) == 1 and self.rng.random() < 0.2:
                self.new(depth, f"np.cumsum({text})", shape)
            else:
                self.new_number(depth, f"0.5 * {function}({text})")
            return
        axis = self.rng.randrange(len(shape))
        rest = (*shape[:axis], *shape[axis + 1 :])
        if len(shape) == 2 and self.rng.random() < 0.2:
            kept = (*shape[:axis], 1, *shape[axis + 1 :])
            self.new(depth, f"{function}({text}, axis={axis}, keepdims=True)", kept)
        else:
            self.new(depth, f"{function}({text}, axis={axis})", rest)

    def stretched(self, depth: int) -> None:
        one, two = self.array(1), self.array(1)
        shape = (*self.shape(one), *self.shape(two))
        operator = self.pick("*", "+", "-")
        if self.rng.random() < 0.3:
            self.new(depth, f"np.outer({one}, {two})", shape)
        elif self.rng.random() < 0.5:
            self.new(depth, f"{one}[:, None] {operator} {two}", shape)
        else:
            name = self.array()
            self.new(depth, f"{name} {operator} {self.fitting(self.shape(name))}", self.shape(name))

    def written(self, depth: int) -> None:
        name = self.array()
        text, shape = self.view(name)
        text = f"{name}[:]" if text == name else text
        value = self.expression(shape)
        form = self.rng.randrange(9)
        if form < 3:
            self.put(depth, f"{text} = {value}")
        elif form < 6:
            self.put(depth, f"{text} {self.pick('+=', '-=', '*=')} {value}")
        elif form == 6 and len(shape) == 1 and text == f"{name}[:]":
            mask = self.pick(f"{name} > {self.number()}", f"{name} < 0.1")
            self.put(depth, f"{name}[{mask}] {self.pick('*=', '+=', '=')} 0.5 * {self.number()}")
        elif form == 7 and len(self.shape(name)) == 1 and shape[0] > 1:
            self.put(depth, f"{name}[np.array([1, 0])] {self.pick('=', '+=')} {self.expression((2,))}")
        else:
            self.put(depth, f"{name} *= 0.7")

    def element_written(self, depth: int) -> None:
        self.put(depth, f"{self.element(self.array())} {self.pick('=', '=', '+=')} np.tanh({self.number()})")

    def by_function(self, depth: int) -> None:
        name = self.array(1)
        other = self.fitting(self.shape(name))
        form = self.rng.randrange(6)
        if form == 0:
            self.put(depth, f"scaled({name}, np.tanh({self.number()}))")
        elif (
            form == 1 and len(same := [k for k, a in self.arrays.items() if a.shape == self.shape(name)]) > 1
        ):
            self.new_number(depth, f"swept({name}, {self.rng.choice(same)})")
        elif form == 2:
            self.put(depth, f"{name}.fill(np.sin({self.number()}))")
        elif form == 3:
            self.put(depth, f"np.tanh({name}, out={name})")
        else:
            function = self.pick("np.add", "np.multiply", "np.subtract")
            place = self.pick(name, f"out={name}")
            self.put(depth, f"{function}({name}, {other}, {place})")

    def rebound(self, depth: int) -> None:
        name = self.array()
        if self.arrays[name].is_whole and name not in ("x", "y"):
            self.put(depth, f"{name} = np.tanh({name} + {self.expression(self.shape(name))})")

    def use(self, depth: int) -> None:
        text, shape = self.view(self.array())
        self.put(depth, f"total += np.sum({text} * {self.fitting(shape)})")

    def block(self, depth: int, nesting: int) -> None:
        """Write a loop or a branch; what it defines is forgotten, what it changes stays."""
        arrays, numbers = dict(self.arrays), [*self.numbers]
        if self.rng.random() < 0.5:
            index = self.name("k")
            self.put(depth, f"for {index} in range({self.rng.randint(1, 3)}):")
        else:
            self.put(depth, f"if {self.number()} > {self.pick('0.1', '-0.2', self.number())}:")
        for _ in range(self.rng.randint(1, 4)):
            self.statement(depth + 1, nesting)
        self.use(depth + 1)
        self.arrays, self.numbers = arrays, numbers
