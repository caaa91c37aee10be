"""Random programs that call functions on arrays with all their arguments, in loops and branches."""

from __future__ import annotations

import random

# kind of the result, and the call; {v}, {m}, {s}: a vector of 4, a 3 by 4 matrix, a number; {i}: 0 or 1
TEMPLATES = [
    ("v", "np.sum({m}, axis=0)"),
    ("v", "np.mean({m}, axis=0)"),
    ("v", "np.max({m}, axis=0)"),
    ("v", "np.min({m}, axis=-2)"),
    ("v", "np.prod({m} * 0.5, axis=0)"),
    ("v", "np.var({m}, axis=0, ddof={i})"),
    ("v", "np.std({m} + np.arange(12).reshape(3, 4), axis=0)"),
    ("v", "np.cumsum({v})"),
    ("v", "np.cumprod({v} * 0.7)"),
    ("v", "np.sort({v})"),
    ("v", "np.flip({v})"),
    ("v", "np.roll({v}, {n})"),
    ("v", "np.take({m}, {i}, axis=0)"),
    ("v", "np.take({v}, np.array([3, 0, 0, 2]))"),
    ("v", "np.linalg.norm({m}, axis=0)"),
    ("v", "np.convolve({v}, {v}, mode='same')"),
    ("v", "np.correlate({v}, {v}[:3], mode='same')"),
    ("v", "np.interp({v}, np.array([-2.0, 0.1, 2.0]), {v}[1:])"),
    ("v", "np.concatenate(({v}[2:], {v}[:2]))"),
    ("v", "np.diff(np.append({v}, {s}))"),
    ("v", "np.pad({v}[1:3], (1, 1), mode='edge')"),
    ("v", "np.pad({v}[:2], (0, 2), constant_values={s})"),
    ("v", "np.repeat({v}[:2], 2)"),
    ("v", "np.tile({v}[1:3], 2)"),
    ("v", "np.linspace({s}, 1.0, 4)"),
    ("v", "np.quantile({m}, 0.3, axis=0)"),
    ("v", "np.dot({v}, {m}.T @ {m})"),
    ("v", "np.einsum('ij,ij->j', {m}, {m})"),
    ("v", "np.einsum('ij,j->j', {m}, {v})"),
    ("v", "np.ravel(np.diag({v}))[::5]"),
    ("v", "np.select([{v} > 0.5, {v} > -0.5], [{v} * 2.0, {v} * {v}], {s})"),
    ("v", "np.where({v} > {s}, {v}, {s})"),
    ("v", "np.clip({v}, {s} - 1.0, {s} + 1.0)"),
    ("v", "np.full(4, {s})"),
    ("v", "np.outer({v}, {v})[{i}]"),
    ("v", "np.linalg.solve({m}.T @ {m} + 5.0 * np.eye(4), {v})"),
    ("v", "np.linalg.eigvalsh({m}.T @ {m} + np.diag(np.arange(4.0)))"),
    ("v", "np.sin({v}) * np.exp(-{v} * {v})"),
    ("v", "{v} + {s} * {v}"),
    ("v", "np.hypot({v}, {v}[::-1] + 2.0)"),
    ("m", "np.cumsum({m}, axis={i})"),
    ("m", "{m} - np.mean({m}, axis={i}, keepdims=True)"),
    ("m", "{m} / (1.0 + np.sum({m} * {m}, axis=1, keepdims=True))"),
    ("m", "{m} - np.max({m}, axis={i}, keepdims=True)"),
    ("m", "np.vstack(({v}, {v}, {v}))"),
    ("m", "np.stack(({v}, {v} * {s}, {v}))"),
    ("m", "np.flip({m}, axis={i})"),
    ("m", "np.roll({m}, {n}, axis={i})"),
    ("m", "np.swapaxes(np.swapaxes({m}, 0, 1), 1, 0)"),
    ("m", "np.broadcast_to({v}, (3, 4))"),
    ("m", "np.outer({v}[:3], {v})"),
    ("m", "np.tril({m}, {i})"),
    ("m", "np.triu({m}, k=-{i})"),
    ("m", "np.repeat({v}[:3], 4).reshape(3, 4)"),
    ("m", "np.kron({v}[:3][:, None], {v}[None, :])"),
    ("m", "np.tensordot({m}, np.outer({v}, {v}), axes=([1], [0]))"),
    ("m", "np.linalg.pinv({m}.T + 3.0 * np.eye(4, 3))"),
    ("m", "np.where({m} > 0.0, {m}, {s} * {m})"),
    ("m", "np.maximum({m}, {v})"),
    ("m", "np.tanh({m} + {v})"),
    ("m", "{m}[::-1] * {m}"),
    ("m", "np.sort({m}, axis={i})"),
    ("m", "np.pad({m}[1:], ((1, 0), (0, 0)), mode='wrap')"),
    ("s", "np.sum({v})"),
    ("s", "np.max({m})"),
    ("s", "np.median({v})"),
    ("s", "np.percentile({m}, 40.0)"),
    ("s", "np.linalg.norm({m})"),
    ("s", "np.linalg.norm({v} + 3.0, {n})"),
    ("s", "np.trapezoid({v}, dx=0.5)"),
    ("s", "np.average({v}, weights={v} * {v} + 1.0)"),
    ("s", "np.ptp({v})"),
    ("s", "np.cov({m})[0, 1]"),
    ("s", "np.trace({m}, {i})"),
    ("s", "np.linalg.slogdet({m} @ {m}.T + 2.0 * np.eye(3))[1]"),
    ("s", "np.linalg.cholesky({m} @ {m}.T + 2.0 * np.eye(3))[2, {i}]"),
    ("s", "np.linalg.svd({m})[1][{i}]"),
    ("s", "np.vdot({m}, {m}) * 0.1"),
    ("s", "{v}[{i}] * {v}[{n}]"),
    ("s", "np.mean({m}) + {s}"),
]


class FunctionGenerator:
    """Writes programs of a number, a vector of 4 and a 3 by 4 matrix."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = {"s": ["s", "0.7"], "v": ["v"], "m": ["m"]}
        self.lines: list[str] = []

    def expression(self, kind: str, depth: int) -> str:
        """Return a random expression of a kind."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.25:
            return rng.choice(self.names[kind])
        template = rng.choice([text for result, text in TEMPLATES if result == kind])
        while (at := template.find("{")) >= 0:
            slot = template[at + 1]
            number = rng.randrange(2) if slot == "i" else rng.randrange(1, 4)
            text = str(number) if slot in "in" else self.expression(slot, depth - 1)
            text = f"({text})" if " " in text else text
            template = template[:at] + text + template[at + 3 :]
        return template

    def assign(self, indent: str, is_new: bool) -> None:
        """Append an assignment, to a new variable or to one that is there."""
        rng = self.rng
        kind = rng.choice("vvmms")
        old = [name for name in self.names[kind] if name.isidentifier()]
        target = f"{kind}{len(self.lines)}" if is_new else rng.choice(old)
        value = self.expression(kind, rng.choice((1, 1, 2)))
        self.lines.append(f"{indent}{target} = {f'np.tanh({value})' if rng.random() < 0.6 else value}")
        if is_new:
            self.names[kind].append(target)

    def program(self) -> str:
        """Return the text of a program."""
        rng, names = self.rng, self.names
        for _ in range(rng.randrange(1, 4)):
            self.assign("    ", True)
        if rng.random() < 0.6:
            self.lines.append(f"    for k in range({rng.randrange(1, 4)}):")
            for _ in range(rng.randrange(1, 3)):
                self.assign("        ", False)
            if rng.random() < 0.4:
                self.lines.append(f"        if {rng.choice(names['s'])} > 0.1:")
                self.assign("            ", False)
        for _ in range(rng.randrange(2)):
            self.assign("    ", True)
        result = " + ".join(f"np.sum(np.sin({n}) * {n})" for kind in "vm" for n in names[kind][-2:])
        body = "\n".join([*self.lines, f"    return {result} + {names['s'][-1]}"])
        return f"import numpy as np\n\n\ndef program(s, v, m):\n{body}\n"
