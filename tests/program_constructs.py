"""Statements of the random programs beyond arithmetic: iteration, lists, tuples, masks, nested functions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

HELPERS = """
from collections import namedtuple

from numba import njit

Pair = namedtuple("Pair", "first second")


@njit
def search(v, c):
    total = c
    k = 0
    while True:
        if k >= len(v):
            return total * 0.5
        total = math.tanh(total + v[k])
        if total > 0.6:
            return total * c
        k += 1


def recurse(p, q, n):
    if n == 0:
        return p * q
    if p > 0.3:
        return math.sin(recurse(p * 0.9, q, n - 1)) + q
    return math.tanh(p + recurse(q, p, n - 1))


def sum_from(v, start):
    if start >= len(v):
        return 0.0
    return math.sin(v[start]) + 0.5 * sum_from(v, start + 1)


def mapped(f, v):
    w = np.empty_like(v)
    for k, value in enumerate(v):
        w[k] = f(value)
    return w


def mix(p, q, c):
    for k in range(1, len(p)):
        p[k] = math.sin(q[k - 1] * c + p[k])
    return q[0] * c


def both(p, q=0.3, *rest):
    total = math.sin(p) * q
    for value in rest:
        total += math.tanh(value)
    return Pair(total, p * q)
"""


@dataclass
class Scope:
    """What is surely defined at a point: names by kind; indices are below SIZE, orders are index arrays."""

    scalars: list[str]
    arrays: list[str]
    indices: list[str] = field(default_factory=list)
    matrices: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def copy(self) -> Scope:
        return Scope(*(names[:] for names in vars(self).values()))

    def keep_common(self, one: Scope, two: Scope) -> None:
        """Keep what two branches both define."""
        for kind, names in vars(self).items():
            names[:] = [name for name in vars(one)[kind] if name in vars(two)[kind]]


class Constructs:
    """Statements; the generator that inherits them supplies expressions, blocks and names."""

    rng: random.Random
    loops: int

    def _iterate(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng, inner = self.rng, scope.copy()
        one, two = rng.choice(scope.arrays), rng.choice(scope.arrays)
        v, w, i = self.fresh("e"), self.fresh("e"), self.fresh("i")
        kind = rng.choice(["elements", "enumerate", "zip", "reversed", "tuple", "ndindex", "rows", "list"])
        inner.scalars.append(v)
        match kind:
            case "elements":
                head = f"for {v} in {rng.choice([one, f'{one}[1:]', f'{one}[::-1]'])}:"
            case "enumerate":
                head = f"for {i}, {v} in enumerate({one}):"
                inner.indices.append(i)
            case "zip":
                head = f"for {v}, {w} in zip({one}, {two}):"
                inner.scalars.append(w)
            case "reversed":
                head = f"for {v} in reversed({one}):"
            case "tuple":
                head = f"for {v} in ({self.scalar(scope, 1)}, {self.scalar(scope, 0)}, 0.7):"
            case "ndindex" if scope.matrices:
                m, j = rng.choice(scope.matrices), self.fresh("i")
                inner.scalars.remove(v)
                inner.indices += [i, j]
                head = f"for {i}, {j} in np.ndindex({m}.shape):"
            case "rows" if scope.matrices:
                head = f"for {v} in {rng.choice(scope.matrices)}:"
                inner.scalars.remove(v)
                inner.arrays.append(v)
            case "list" if scope.lists:
                head = f"for {v} in {rng.choice(scope.lists)}:"
                inner.lists.clear()  # a list that grows while it is gone over would never end
            case _:
                head = f"for {v} in {one}:"
        self.loops += 1
        body = self.block(inner, depth + 1, rng.randint(1, 3), True)
        self.loops -= 1
        return [f"{pad}{head}", *body]

    def _list(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng = self.rng
        if scope.lists and rng.random() < 0.7:
            name = rng.choice(scope.lists)
            value = f"math.tanh({self.scalar(scope, 1)})"
            choices = [f"{name}.append({value})", f"{name}[0] = {value}", f"{name}[-1] += {value}"]
            s = self.fresh("s")
            if rng.random() < 0.3:
                lines = [f"if len({name}) > 1:", f"    {rng.choice(scope.scalars)} = {name}.pop()"]
                return [pad + line for line in lines]
            if rng.random() < 0.2:
                scope.scalars.append(s)
                return [f"{pad}{s} = math.tanh(np.sum(np.array({name})))"]
            return [pad + rng.choice(choices)]
        name, v = self.fresh("l"), self.fresh("e")
        one = rng.choice(scope.arrays)
        choices = [
            f"[{self.scalar(scope, 1)}, {self.scalar(scope, 0)}]",
            f"[math.sin({v}) for {v} in {one}]",
            f"[{v} * {rng.choice(scope.scalars)} for {v} in {one} if {v} > -500.0]",
            f"[{rng.choice(scope.scalars)} * 1.0] * 3",
        ]
        line = f"{pad}{name} = {rng.choice(choices)}"
        scope.lists.append(name)
        return [line]

    def _mask(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng = self.rng
        one, two = rng.choice(scope.arrays), rng.choice(scope.arrays)
        test = rng.choice([f"{two} > 0.1", f"{one} < {self.scalar(scope, 0)}"])
        picks = rng.choice(["np.array([2, 0])", "np.array([1, 3, 1])", "np.argsort(b)", *scope.orders * 2])
        s = self.fresh("s")
        value = f"math.tanh({self.scalar(scope, 1)})"
        choices = [
            f"{one}[{test}] = {value}",
            f"{one}[{test}] *= {value}",
            f"{one}[{picks}] = {value}",
            f"{one}[{picks}] += np.sin({two}[{picks}])",
            f"{s} = math.tanh(np.sum({one}[{test}] ** 2))",
            f"{s} = math.tanh(np.sum({one}[{picks}] * {value}))",
        ]
        if scope.matrices:
            m = rng.choice(scope.matrices)
            choices += [f"{s} = math.tanh(np.sum(np.sin({m}[{picks}])))", f"{m}[{picks}] = {one}"]
            choices += [f"{s} = math.tanh(np.sum(np.sin({m}[:, {picks}])))", f"{m}[..., 1] = {one} * 0.5"]
        line = rng.choice(choices)
        if line.startswith(s):
            scope.scalars.append(s)
        return [pad + line]

    def _order(self, scope: Scope, depth: int, pad: str) -> list[str]:
        """An array of indices or a mask, filled element by element."""
        rng = self.rng
        if scope.orders and rng.random() < 0.5:
            name = rng.choice(scope.orders)
            return [f"{pad}{name}[{rng.randint(0, 3)}] = {rng.choice([0, 1])}"]
        name = self.fresh("o")
        kind = rng.choice(["np.int64", "np.bool_"])
        lines = [f"{name} = np.zeros(4, dtype={kind})", f"{name}[{self.index(scope)}] = 1"]
        if kind == "np.int64":
            lines += [f"{name}[{rng.randint(0, 3)}] += 2"]
        scope.orders.append(name)
        return [pad + line for line in lines]

    def _pair(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng, name = self.rng, self.fresh("p")
        one, two = self.scalar(scope, 1), self.scalar(scope, 0)
        choices = [f"Pair({one}, {two})", f"Pair(second={one}, first={two})", f"both({one}, {two})"]
        choices += [f"both({one})", f"both({one}, {two}, {one}, 0.4)", f"both(*({one}, {two}))"]
        line = f"{pad}{name} = {rng.choice(choices)}"
        if scope.pairs and rng.random() < 0.5:
            name = rng.choice(scope.pairs)
            line = f"{pad}{name} = Pair({name}.second * 0.9, math.tanh({name}.first + {one}))"
        if name not in scope.pairs:
            scope.pairs.append(name)
        return [line]

    def _unpack(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng = self.rng
        a, b, c = self.fresh("s"), self.fresh("s"), self.fresh("s")
        one, two, three = (self.scalar(scope, 1) for _ in range(3))
        scope.scalars += [a, c]
        choices = [
            [f"{a}, *{b}, {c} = {one}, {two}, {three}", f"{c} += {b}[0] * 0.5"],
            [f"{b} = ({one}, ({two}, {three}))", f"{a}, ({c}, _) = {b}"],
            [f"{b} = ({one}, {two}) + ({three},)", f"{a}, {c} = {b}[1:]"],
            [f"{b} = ({one}, {two}, {three})", f"{a} = {c} = {b}[{self.index(scope)} % 3]"],
        ]
        return [pad + line for line in rng.choice(choices)]

    def _local(self, scope: Scope, depth: int, pad: str) -> list[str]:
        """A nested function that reads variables around it, called now and after they have changed."""
        f, s, t = self.fresh("f"), self.fresh("s"), self.fresh("s")
        free = self.rng.choice(scope.scalars)
        lines = [f"def {f}(q, r=0.4):", "    if q > r:", f"        return math.sin(q * {free})"]
        lines += ["    return q * r", f"{s} = {f}({self.scalar(scope, 1)})", f"{free} = {free} * 0.7"]
        lines += [f"{t} = {f}({s}, r={self.scalar(scope, 0)})"]
        scope.scalars += [s, t]
        return [pad + line for line in lines]

    def _nested_call(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng, s = self.rng, self.fresh("s")
        one, two = rng.choice(scope.arrays), rng.choice(scope.arrays)
        p, q = self.scalar(scope, 1), self.scalar(scope, 0)
        choices = [
            f"search({one}, {p})",
            f"recurse({p}, {q}, 3)",
            f"sum_from({one}, 1)",
            f"np.sum(mapped(math.sin, {one}))",
            f"math.tanh(np.sum(mapped(lambda t: t * {rng.choice(scope.scalars)}, {one})))",
            f"mix({one}, {two}, {q})",
            f"mix({one}, {one}, {q})",
            f"math.tanh(search({one}, recurse({p}, {q}, 2)))",
        ]
        scope.scalars.append(s)
        return [f"{pad}{s} = {rng.choice(choices)}"]

    def _rows(self, scope: Scope, depth: int, pad: str) -> list[str]:
        """Views of views, written and read under several names."""
        rng = self.rng
        if not scope.matrices:
            return self._matrix(scope, depth, pad)
        m, r = rng.choice(scope.matrices), self.fresh("r")
        value = f"math.tanh({self.scalar(scope, 1)})"
        lines = [
            f"{r} = {m}[{self.index(scope)}]",
            f"{r}[{rng.randint(0, 3)}] {rng.choice(['=', '+='])} {value}",
        ]
        if rng.random() < 0.4:
            lines += [f"{r}[1:][0] = {r}[:2][1] * 0.5"]
        if rng.random() < 0.3:
            lines += [f"{m}.T[1] *= {value}"]
        return [pad + line for line in lines]

    def _out(self, scope: Scope, depth: int, pad: str) -> list[str]:
        rng = self.rng
        one, two, three = (rng.choice(scope.arrays) for _ in range(3))
        choices = [
            f"np.sin({one}, {two})",
            f"np.multiply({one}, {two}, out={three})",
            f"{one}.fill({self.scalar(scope, 0)})",
        ]
        return [pad + rng.choice(choices)]

    def _walrus(self, scope: Scope, depth: int, pad: str) -> list[str]:
        s, n, name = self.fresh("s"), self.fresh("n"), self.rng.choice(scope.scalars)
        scope.scalars.append(s)
        lines = [f"{n} = 0", f"while ({s} := math.tanh({name}) * 0.8) > 0.2 and {n} < 4:"]
        lines += [f"    {n} += 1", f"    {name} = {s} * 0.9"]
        return [pad + line for line in lines]

    def _broadcast(self, scope: Scope, depth: int, pad: str) -> list[str]:
        one, two = self.rng.choice(scope.arrays), self.rng.choice(scope.arrays)
        name = self.fresh("m")
        scope.matrices.append(name)
        return [f"{pad}{name} = np.sin({one}[:, None] * {two}[np.newaxis, :])"]
