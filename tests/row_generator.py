"""Random programs that multiply matrices by rows: layers, recurrences, triangles."""

from __future__ import annotations

import random

import numpy as np
from program_writer import ProgramWriter

_SLOPES = ("np.tanh({})", "np.sin({})", "{} * 0.5", "1.0 / (1.0 + {0} * {0})")


class RowGenerator(ProgramWriter):
    """Writes one program of loops over rows and columns of square matrices `w`, `u`, `x` and a vector `b`.

    All matrices have as many rows as columns, so that each product fits, whatever it takes.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.count = 0

    def program(self) -> str:
        self.lines = ["import numpy as np", "", "", "def program(w, u, x, b):", "    total = 0.0"]
        self.write(1, "n = x.shape[0]")
        self.write(1, "h = b.copy()")
        self.write(1, self.rng.choice(["kept = np.zeros((n, n))", "kept = 0.5 * x", "kept = x.copy()"]))
        for _ in range(self.rng.randint(1, 3)):
            self.loop(1, self.rng.random() < 0.2)
        self.write(1, "total += np.sum(kept * kept) + np.sum(np.sin(h))")
        self.write(1, "return total")
        return "\n".join(self.lines) + "\n"

    def loop(self, depth: int, is_nested: bool) -> None:
        """Write a loop over rows, perhaps within another."""
        self.count += 1
        index = f"i{self.count}"
        first, last = self.rng.choice([(0, 0), (0, 0), (1, 0), (0, 1), (1, 1)])
        bounds = f"{first}, n - {last}" if last else (f"{first}, n" if first else "n")
        if is_nested:
            self.write(depth, f"for e{self.count} in range({self.rng.choice(['2', 'n'])}):")
            depth += 1
        self.write(depth, f"for {index} in range({bounds}):")
        vectors: list[str] = []
        for k in range(self.rng.randint(1, 3)):
            name = f"v{self.count}_{k}"
            self.write(depth + 1, f"{name} = {self.vector(index, first, last, vectors)}")
            vectors.append(name)
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth + 1, index, vectors)

    def row(self, index: str, first: int, last: int) -> str:
        """Return a row or column that exists in every iteration."""
        shifts = ["", *([" - 1"] if first else []), *([" + 1"] if last else [])]
        matrix, place = self.rng.choice(["x", "x", "x", "kept", "w", "x.T"]), index + self.rng.choice(shifts)
        return f"{matrix}[:, {place}]" if self.rng.random() < 0.3 else f"{matrix}[{place}]"

    def vector(self, index: str, first: int, last: int, vectors: list[str]) -> str:
        """Return a vector of n numbers."""
        row = self.row(index, first, last)
        source = self.rng.choice([row, row, "h", *vectors])
        matrix = self.rng.choice(["w", "u", "w.T", "kept", "x"])
        products = [f"{matrix} @ {source}", f"{source} @ {matrix}", f"np.dot({matrix}, {source})"]
        text = self.rng.choice([*products, *products, source])
        if self.rng.random() < 0.6:
            text = f"{text} + {self.rng.choice(['b', 'h', row, f'{matrix} @ {row}'])}"
        return self.rng.choice([*_SLOPES, "{}"]).format(f"({text})")

    def statement(self, depth: int, index: str, vectors: list[str]) -> None:
        vector = self.rng.choice(vectors)
        match self.rng.randrange(11):
            case 0 | 1:
                self.write(depth, f"h = np.tanh({vector} + 0.3 * h)")
            case 2:
                self.write(depth, f"kept[{index}] = 0.3 * {vector}")
            case 3:
                self.write(
                    depth, f"kept += 0.1 * np.outer({vector}, {self.rng.choice([*vectors, 'b', 'h'])})"
                )
            case 4:
                self.write(depth, f"total += np.sum({vector} * {vector})")
            case 5:
                self.triangle(depth, index)
            case 6:
                self.write(depth, f"if {vector}[0] > 0.1:")
                self.write(depth + 1, f"h = {self.rng.choice(['w', 'u'])} @ (0.2 * {vector})")
            case 7:
                self.write(depth, f"total += {vector}[{self.rng.choice(['0', '-1', index])}]")
            case 8 | 9:
                self.own_row(depth, index)
            case _:
                self.write(depth, f"h += 0.1 * {vector}")

    def own_row(self, depth: int, index: str) -> None:
        """Overwrite a row by a product with it, and mostly write no other."""
        row = self.rng.choice([f"kept[{index}]", f"kept[{index}, :]"])
        other = f"kept[{index}{self.rng.choice(['', '', '', ' - 1'])}]"
        matrix = self.rng.choice(["w", "u.T", "x"])
        self.write(depth, f"{row} = {self.rng.choice([f'{matrix} @ {other}', f'{other} @ {matrix}'])}")
        if self.rng.random() < 0.3:
            self.write(
                depth, f"kept[{index}, 1:] += 0.2 * {self.rng.choice(['h[:-1]', other + '[1:]', 'b[1:]'])}"
            )

    def triangle(self, depth: int, index: str) -> None:
        """Multiply a row by what stands before it, or behind it."""
        part, matrix = self.rng.choice([f"{index}:", f"{index} + 1:", f":{index}", f":{index} + 1"]), "x"
        match self.rng.randrange(3):
            case 0:
                self.write(
                    depth, f"kept[{index}, {part}] += 0.1 * ({matrix}[:, {index}] @ {matrix}[:, {part}])"
                )
            case 1:
                self.write(depth, f"total += np.sum(np.sin({matrix}[{part}] @ w[{index}]))")
            case _:
                self.write(depth, f"h[{part}] += 0.1 * (u[{index}] @ {matrix}[:, {part}])")


def row_inputs(rng: random.Random) -> tuple[object, ...]:
    """Return one argument list: three square matrices and a vector."""
    numbers = np.array([rng.uniform(-1.2, 1.2) for _ in range(52)])
    return (*numbers[:48].reshape(3, 4, 4), numbers[48:])
