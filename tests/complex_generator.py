"""Random programs of complex and real numbers, vectors and matrices, which loops and branches write."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

# kind of the result, and the expression: a number, a vector of 4, a 3 by 4 matrix; upper case is complex
TEMPLATES = [
    ("s", "abs({S})"),
    ("s", "{S}.real"),
    ("s", "{S}.imag"),
    ("s", "np.angle({S} + 3.0)"),
    ("s", "({S} * {S}.conjugate()).real"),
    ("s", "np.sum({V}.real)"),
    ("s", "np.sum(np.abs({V}) ** 2)"),
    ("s", "np.imag(np.vdot({V}, {V}))"),
    ("s", "{v}[{i}] * {s}"),
    ("s", "np.max({v}) - np.mean({v})"),
    ("S", "{S} * {S}"),
    ("S", "{S} + {s}"),
    ("S", "{S} - 1j * {s}"),
    ("S", "complex({s}, {s})"),
    ("S", "{S} / (3.0 + abs({S}))"),
    ("S", "1.0 / ({S} + 4.0)"),
    ("S", "np.exp(1j * {S} * 0.3)"),
    ("S", "np.exp({s} * 0.5j)"),
    ("S", "np.sqrt({S} + 5.0)"),
    ("S", "np.log({S} + 5.0)"),
    ("S", "np.sin({S} * 0.3)"),
    ("S", "np.tanh({S} * 0.2)"),
    ("S", "{S} ** 2"),
    ("S", "{S} ** 3"),
    ("S", "({S} + 5.0) ** 0.5"),
    ("S", "({S} + 5.0) ** ({S} * 0.1)"),
    ("S", "{S}.conjugate()"),
    ("S", "np.conj({S})"),
    ("S", "-{S}"),
    ("S", "np.sum({V})"),
    ("S", "np.mean({V})"),
    ("S", "np.prod({V} * 0.7)"),
    ("S", "np.dot({V}, {V})"),
    ("S", "np.vdot({V}, {V})"),
    ("S", "np.sum({V} * {v})"),
    ("S", "{V}[{i}] * {V}[{n}]"),
    ("s", "np.var({V})"),
    ("s", "np.std({V} * 0.5)"),
    ("s", "np.linalg.norm({V}, 3)"),
    ("s", "np.linalg.norm({M})"),
    ("s", "np.linalg.eigvalsh({M} @ np.conj({M}).T * 0.2 + np.diag(np.array([0.5, 1.0, 2.0])))[2]"),
    ("S", "np.vdot({M}, {M})"),
    ("S", "np.vdot({v}, {V})"),
    ("S", "np.dot({V}, {v})"),
    ("S", "np.polyval({V}, {S} * 0.3)"),
    ("S", "np.polyval({v}, {S} * 0.3)"),
    ("S", "np.trapezoid({V})"),
    ("S", "np.trapezoid({V}, {v})"),
    ("S", "np.interp({s}, np.array([-1.0, -0.2, 0.3, 1.0]), {V})"),
    ("S", "np.einsum('i,ij,j->', {V}[:3], {M}, {v})"),
    ("S", "({s} if {s} > 0.1 else {S}) * {S}"),
    ("S", "np.trace({M} @ {M}.T)"),
    ("S", "np.linalg.det({M} @ {M}.T * 0.1 + np.eye(3) * 2.0)"),
    ("v", "np.abs({V})"),
    ("v", "np.abs({V}) ** 2"),
    ("v", "{V}.real"),
    ("v", "np.imag({V})"),
    ("v", "np.angle({V} + 3.0)"),
    ("v", "{v} * {v}"),
    ("v", "np.real({M})[{i}]"),
    ("v", "np.where({v} > 0.0, {v}, {s})"),
    ("v", "np.var({M}, axis=0)"),
    ("v", "np.linalg.norm({M}, axis=0)"),
    ("v", "np.std({M} * 0.5, axis=0, ddof=1)"),
    ("v", "np.real(np.diag(np.linalg.cholesky({M}.T @ np.conj({M}) * 0.1 + np.eye(4) * 2.0)))"),
    ("V", "np.convolve({V}, {v}, 'same')"),
    ("V", "np.convolve({V}[:2], {V}, 'valid')[:1] * {V}"),
    ("V", "np.correlate({V}, {V}, 'same')"),
    ("V", "np.correlate({v}, {V}, 'same')"),
    ("V", "np.linspace({s}, {S}, 4)"),
    ("V", "np.linspace({S}, {S}, 4, endpoint=False)"),
    ("V", "np.tile({V}[:2], 2)"),
    ("V", "np.pad({V}[1:3], 1)"),
    ("V", "np.pad({V}[1:3], (2, 0), 'edge')"),
    ("V", "np.gradient({V})"),
    ("V", "np.einsum('ij->j', {M})"),
    ("V", "np.einsum('ij,ij->j', {M}, {M})"),
    ("V", "np.einsum('i,ij->j', {V}[:3], {M})"),
    ("V", "np.nansum({M}, axis=0)"),
    ("V", "np.nan_to_num({V})"),
    ("V", "np.append(np.cross({V}[:3], {v}[1:]), {S})"),
    ("V", "{M}.T @ {v}[:3]"),
    ("V", "np.histogram({v}, np.linspace(-3.0, 3.0, 5), weights={V})[0]"),
    ("V", "np.linalg.pinv({M} * 0.3 + np.eye(3, 4)) @ {V}[:3]"),
    ("V", "np.linalg.qr({M}.T * 0.2 + np.eye(4, 3))[0] @ {V}[:3]"),
    ("V", "np.select([{v} > 0.2, {v} > -0.5], [{V}, {v}], {S})"),
    ("V", "{V} * {V}"),
    ("V", "{V} + {v}"),
    ("V", "{v} - {S}"),
    ("V", "{S} * {v}"),
    ("V", "1j * {v}"),
    ("V", "{v} + 1j * {v}"),
    ("V", "np.conj({V})"),
    ("V", "{V}.conj()"),
    ("V", "np.exp(1j * {V} * 0.3)"),
    ("V", "np.cos({V} * 0.3)"),
    ("V", "np.sqrt({V} + 5.0)"),
    ("V", "{V} / (2.0 + np.abs({V}))"),
    ("V", "{V} / ({S} + 4.0)"),
    ("V", "{V}[::-1] * {V}"),
    ("V", "np.cumsum({V})"),
    ("V", "np.cumprod({V} * 0.6)"),
    ("V", "np.roll({V}, {n})"),
    ("V", "np.concatenate(({V}[2:], {V}[:2]))"),
    ("V", "np.where({v} > 0.0, {V}, {V})"),
    ("V", "np.linalg.solve({M}.T @ {M} * 0.1 + np.eye(4) * 3.0, {V})"),
    ("V", "np.linalg.inv({M}.T @ {M} * 0.1 + np.eye(4) * 3.0) @ {V}"),
    ("V", "{M}.T @ ({M} @ {V})"),
    ("V", "np.dot({V}, {M}.T @ {M})"),
    ("V", "{M}[{i}] * {v}"),
    ("V", "np.sum({M}, axis=0)"),
    ("V", "np.mean({M}, axis=0)"),
    ("V", "np.full(4, {S})"),
    ("V", "np.einsum('ij,j->i', {M}.T @ {M}, {V})"),
    ("V", "np.diag(np.outer({V}, {V}))"),
    ("V", "np.array([{S}, {S} * 0.5, {S}, 1j])"),
    ("V", "np.diff(np.append({V}, {S}))"),
    ("M", "{M} * {M}"),
    ("M", "{M} + {V}"),
    ("M", "{S} * np.outer({V}[:3], {V})"),
    ("M", "np.outer({V}[:3], np.conj({V}))"),
    ("M", "{M} - np.mean({M}, axis={i}, keepdims=True)"),
    ("M", "np.conj({M}) * {v}"),
    ("M", "np.vstack(({V}, {V}, {V}))"),
    ("M", "np.exp({M} * 0.2)"),
    ("M", "np.where(np.abs({M}) > 0.5, {M}, {S})"),
    ("M", "(np.conj({M}).T @ {M})[:3]"),
    ("M", "np.cov({M}.T)[:3]"),
    ("M", "np.einsum('i,j->ij', {V}[:3], {V})"),
    ("M", "np.vander({V}[:3] * 0.7, 4)"),
    ("M", "np.meshgrid({V}, {V}[:3])[1] * {M}"),
    ("M", "np.tile({V}, (3, 1))"),
    ("M", "np.pad({M}[1:2, 1:3], 1)"),
    ("M", "np.power.outer({V}[:3] + 5.0, {v})"),
    ("M", "np.gradient({M}, axis=0)"),
    ("M", "np.outer({v}[:3], {V})"),
]
_KINDS = {"s": "s", "S": "z", "v": "v", "V": "w", "M": "m"}
# statements that write an array in place; {k} is the counter of a loop over four
WRITES = [
    "{V}[k] = {S}",
    "{V}[k] += {S} * 0.5",
    "{V}[k] *= {S}",
    "{V}[k] = {V}[k - 1] * {S} + {v}[k]",
    "{V}[1:] = {v}[1:]",
    "{V} *= {v}",
    "{V} += {S}",
    "{V}[1:] -= {V}[:-1] * 0.5",
    "{M}[{i}] = {V}",
    "{M}[{i}, k] += {S}",
    "{M}[:, {i}] *= {s}",
    "{v}[k] = abs({S})",
    "{v} += np.abs({V})",
    "{V}.real[k] = {s}",
    "{V}.imag[1:] = {v}[1:]",
]


def complex_inputs(rng: random.Random) -> tuple[Any, ...]:
    """Return one argument list: a number, a complex one, a vector of 4 of each, a complex 3 by 4 matrix."""

    def numbers(count: int) -> np.ndarray[Any, Any]:
        return np.array([rng.uniform(-1.2, 1.2) for _ in range(count)])

    def complex_numbers(count: int) -> np.ndarray[Any, Any]:
        return numbers(count) + 1j * numbers(count)

    number, vector = complex_numbers(1)[0], complex_numbers(4)
    return float(numbers(1)[0]), complex(number), numbers(4), vector, complex_numbers(12).reshape(3, 4)


class ComplexGenerator:
    """Writes programs of the arguments of `complex_inputs`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = {"s": ["s", "0.7"], "S": ["z", "0.4j"], "v": ["v"], "V": ["w"], "M": ["m"]}
        self.lines: list[str] = []

    def filled(self, template: str, depth: int) -> str:
        """Return a template with expressions in its slots."""
        while (at := template.find("{")) >= 0:
            slot = template[at + 1]
            number = self.rng.randrange(2) if slot == "i" else self.rng.randrange(1, 4)
            text = str(number) if slot in "in" else self.expression(slot, depth - 1)
            text = f"({text})" if " " in text else text
            template = template[:at] + text + template[at + 3 :]
        return template

    def expression(self, kind: str, depth: int) -> str:
        """Return a random expression of a kind."""
        if depth <= 0 or self.rng.random() < 0.2:
            return self.rng.choice(self.names[kind])
        return self.filled(self.rng.choice([text for result, text in TEMPLATES if result == kind]), depth)

    def assign(self, indent: str, is_new: bool) -> None:
        """Append an assignment, to a new variable or to one that is there."""
        rng = self.rng
        kind = rng.choice("sSSvVVVM")
        old = [name for name in self.names[kind] if name.isidentifier()]
        target = f"{_KINDS[kind]}{len(self.lines)}" if is_new else rng.choice(old)
        value = self.expression(kind, rng.choice((1, 1, 2)))
        if is_new and kind in "vVM":
            value = f"({value}).copy()" if rng.random() < 0.7 else value
        self.lines.append(f"{indent}{target} = {value}")
        if is_new:
            self.names[kind].append(target)

    def write(self, indent: str, counter: str) -> None:
        """Append a statement that writes an array."""
        rng = self.rng
        target, rest = (
            rng.choice(WRITES).replace("k]", f"{counter}]").replace("k -", f"{counter} -").split("}", 1)
        )
        name = rng.choice(self.names[target[1:]])
        self.lines.append(indent + name + self.filled(rest, 1))

    def block(self, indent: str, counter: str) -> None:
        """Append one to three statements."""
        for _ in range(self.rng.randrange(1, 4)):
            if self.rng.random() < 0.5:
                self.write(indent, counter)
            else:
                self.assign(indent, False)

    def statement(self) -> None:
        """Append a statement, perhaps one with a block."""
        rng = self.rng
        choice = rng.random()
        if choice < 0.45:
            self.assign("    ", True)
        elif choice < 0.6:
            self.write("    ", str(rng.randrange(4)))
        elif choice < 0.85:
            counter = f"k{len(self.lines)}"
            self.lines.append(f"    for {counter} in range({rng.randrange(1, 5)}):")
            self.block("        ", counter)
            if rng.random() < 0.3:
                self.lines.append(f"        if abs({self.expression('S', 1)}) > 3.0:")
                self.lines.append("            break")
        else:
            self.lines.append(f"    if {self.expression('s', 1)} > 0.1:")
            self.block("        ", "2")

    def program(self) -> str:
        """Return the text of a program."""
        for _ in range(self.rng.randrange(3, 7)):
            self.statement()
        last = {kind: [name for name in self.names[kind] if name.isidentifier()][-1] for kind in "sSvVM"}
        terms = [
            f"{last['s']} + np.sum(np.sin({last['v']}))",
            f"np.cos({last['S']} * 0.3).imag + abs({last['S']} + 1j)",
            f"np.sum(np.abs({last['V']}) ** 2) + np.sum(({last['V']} * (2.0 - 1j)).real)",
            f"np.sum(np.abs({last['M']} * 0.5 + 0.1j))",
        ]
        body = "\n".join([*self.lines, f"    return {' + '.join(terms)}"])
        return f"import numpy as np\n\n\ndef program(s, z, v, w, m):\n{body}\n"
