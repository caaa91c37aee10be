"""What is known of integers: what tests, `min`, `%` and sizes say about them, as inequalities."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.analysis.affine import Linear, feasible, linear
from adcompiler.analysis.sizes import Axis, Size, form_of, is_symbol
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Region, Value, While, entry, type_of
from adcompiler.graph.walk import walk
from adcompiler.primitives import card


@dataclass
class Integers:
    """Integers as linear forms, and inequalities between them.

    Attributes:
        sizes: what is known of the numbers that are sizes.
        makers: what computes each value.
        own: what is known of a value wherever it is defined; forms that are zero or more.
    """

    sizes: Mapping[Value, Size]
    makers: dict[Value, Apply] = field(default_factory=dict)
    own: dict[Value, list[Linear]] = field(default_factory=dict)

    def form(self, atom: Atom) -> Linear | None:
        """Return an integer as a form over sizes and values."""
        found = linear(atom, self.makers)
        if found is None or (isinstance(atom, Value) and not isinstance(type_of(atom), nt.Integer)):
            return found if isinstance(atom, Literal) else None
        total = Linear({}, found.constant)
        for symbol, factor in found.terms.items():
            size = self.sizes.get(symbol, symbol) if isinstance(symbol, Value) else symbol
            is_plain = not isinstance(size, tuple) or is_symbol(size)
            total = total + factor * (form_of(size) if is_plain else Linear({symbol: 1}))
        return total

    def said_by(self, test: Atom, holds: bool = True) -> list[Linear]:
        """Return the forms that are zero or more where a test holds, or where it does not."""
        made = self.makers.get(test) if isinstance(test, Value) else None
        if made is None:
            return []
        if made.fn == "not":
            return self.said_by(made.args[0], not holds)
        if made.fn == ("and" if holds else "or"):
            return [form for arg in made.args for form in self.said_by(arg, holds)]
        if not card(made.fn).opposite:
            return []
        one, two = map(self.form, made.args)
        if one is None or two is None:
            return []
        match made.fn if holds else card(made.fn).opposite:
            case "lt":
                return [two - one - 1]
            case "le":
                return [two - one]
            case "gt":
                return [one - two - 1]
            case "ge":
                return [one - two]
            case "eq":
                return [one - two, two - one]
        return []

    def enter(self, node: Apply, facts: Iterable[Linear]) -> None:
        """Take up what a primitive computes, given what is known where it stands."""
        self.makers[node.out] = node
        if isinstance(node.out.type, nt.Integer):
            self.own[node.out] = [*self._bounds(node, facts)]

    def _bounds(self, node: Apply, facts: Iterable[Linear]) -> Iterator[Linear]:
        out = Linear({node.out: 1})
        if node.fn == "abs":
            yield out
        if not (node.fn in ("min", "max") or card(node.fn).divides) or len(node.args) != 2:
            return
        one, two = map(self.form, node.args)
        if node.fn in ("min", "max"):
            sign = 1 if node.fn == "max" else -1
            yield from (sign * (out - other) for other in (one, two) if other is not None)
        elif one is not None and two is not None and not two.terms and two.constant > 0:
            if node.fn == "floordiv":
                rest = one - two.constant * out
                yield from (rest, -1 * rest + (two.constant - 1))
            else:
                yield from (out, two - out - 1)
        elif node.fn == "mod" and two is not None and self.is_known(two - 1, facts):
            yield from (out, two - out - 1)

    def carried(self, loop: For | While) -> list[Linear]:
        """Return what is known of the counters that a loop carries: they only grow, or only shrink."""
        params = loop.carried
        makers = {node.out: node for node in loop.body.nodes if isinstance(node, Apply)}
        found: list[Linear] = []
        for param, init, after in zip(params, loop.inits, loop.next_values, strict=True):
            made = makers.get(after) if isinstance(after, Value) else None
            start = self.form(init)
            if made is None or start is None or made.fn not in ("add", "sub") or made.args[0] is not param:
                continue
            step = getattr(made.args[1], "value", None)
            if isinstance(step, int) and isinstance(type_of(param), nt.Integer):
                grows = (step > 0) == (made.fn == "add")
                found.append((1 if grows else -1) * (Linear({param: 1}) - start))
        return found

    def ends(self, loop: For) -> tuple[Linear | None, Linear | None, int]:
        """Return where a loop starts and stops, and its step; zero if that is no constant."""
        step = loop.step.value if isinstance(loop.step, Literal) else 0
        step = step if isinstance(step, int) else 0
        return self.form(loop.start), self.form(loop.stop), step

    def of_index(self, loop: For) -> list[Linear]:
        """Return what is known of a loop's index."""
        start, stop, step = self.ends(loop)
        index, sign = Linear({loop.body.params[0]: 1}), 1 if step > 0 else -1
        found = [] if start is None or not step else [sign * (index - start)]
        return found if stop is None or not step else [*found, sign * (stop - index) - 1]

    def runs(self, loop: For, facts: Iterable[Linear]) -> bool:
        """Tell whether a loop is known to run at least once."""
        start, stop, step = self.ends(loop)
        if start is None or stop is None or not step:
            return False
        return self.is_known((stop - start if step > 0 else start - stop) - 1, facts)

    def is_known(self, form: Linear, facts: Iterable[Linear]) -> bool:
        """Tell whether a form is zero or more wherever all facts hold."""
        below = -1 * form - 1
        if not below.terms:
            return below.constant < 0
        conditions = [below]
        waiting = [*facts]
        symbols: set[Hashable] = set()
        while todo := {s for part in conditions for s in part.terms} - symbols:
            symbols |= todo
            for symbol in todo:
                waiting += entry(self.own, symbol) or ()
                if isinstance(symbol, Axis):
                    conditions.append(Linear({symbol: 1}))
            conditions += [fact for fact in waiting if not symbols.isdisjoint(fact.terms)]
            waiting = [fact for fact in waiting if symbols.isdisjoint(fact.terms)]
        return not feasible(conditions)


def integers_of(body: Region, sizes: Mapping[Value, Size]) -> Integers:
    """Return what is known of the integers of a region without any tests around them."""
    found = Integers(sizes)
    for node in walk(body):
        if isinstance(node, Apply):
            found.enter(node, ())
    return found


def whole_slices(body: Region) -> set[Value]:
    """Return the slices that are `:`."""
    slices = (node for node in walk(body) if isinstance(node, Apply) and node.fn == "slice")
    return {node.out for node in slices if all(atom == Literal(None) for atom in node.args)}
