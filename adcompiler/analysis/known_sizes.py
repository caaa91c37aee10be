"""What is known of sizes while shapes are followed through a program, and the checks that it takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.sizes import (
    Axis,
    Facts,
    Guard,
    Guards,
    Shape,
    Shapes,
    Size,
    form_of,
    is_symbol,
    known_or,
    sides,
    size_of,
)
from adcompiler.analysis.types import is_array, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Node,
    Region,
    Store,
    Value,
    type_of,
)


class Span(NamedTuple):
    """The size of a slice if it ends within its array: its stop is at most the whole."""

    size: Linear
    whole: Linear
    stop: Linear


class Cut(NamedTuple):
    """A slice: its bounds, which are forms or None, the size of what it is taken from, and its own."""

    bounds: tuple[Linear | None, ...]
    whole: Linear
    size: Axis


class KnownSizes:
    """What is known of sizes at one point of a program; `sizes` has the numbers and tuples that are sizes."""

    def __init__(self, guards: Guards | None) -> None:
        self.guards = guards
        self.assumes = guards is not None and not guards.stretches
        self.shapes: Shapes = {}
        self.sizes: dict[Value, Size] = {}
        self.facts = Facts()
        self.slices: dict[Value, tuple[Atom, ...]] = {}
        self.spans: dict[Axis, Span] = {}
        self.depths: dict[Value, tuple[int, int]] = {}
        self.homes: dict[Value, Node | Region] = {}
        self.regions: list[Region] = []
        self.arms: list[int] = []
        self.entered = 0
        self.node: Node | Region | None = None
        self.bounds: list[Linear] = []
        self.ranges: dict[object, tuple[Linear, Linear]] = {}
        self.extents: dict[Value, Size] = {}
        self.undefined: set[Value] = set()
        self.cuts: list[Cut] = []

    def learn(self, values: Iterable[Value], known: Iterable[Shape | None] = ()) -> None:
        """Enter shapes of values, unknown sizes where nothing is known."""
        for value, shape in zip_longest(values, known):
            self.enter(value)
            if is_array(type_of(value)):
                unknown = tuple(Axis(value, axis) for axis in range(rank(value.type)))
                is_known = shape and len(shape) == len(unknown)
                self.shapes[value] = tuple(map(known_or, shape, unknown)) if is_known else unknown  # type: ignore[arg-type]

    def of(self, atoms: Iterable[Atom]) -> list[Shape | None]:
        return [self.shapes.get(atom) if isinstance(atom, Value) else None for atom in atoms]

    def form(self, size: Size) -> Linear:
        return self.facts.reduced(form_of(size))

    def number(self, atom: Atom) -> Linear | None:
        """Return an integer as a form."""
        size = size_of(atom, self.sizes)
        is_whole = isinstance(size, int) and not isinstance(size, bool)
        is_known = isinstance(size, Value) or (isinstance(size, tuple) and is_symbol(size))
        return self.form(size) if is_whole or is_known else None

    # facts

    def is_positive(self, form: Linear) -> bool:
        return self.facts.is_positive(form, self.bounds)

    def enter(self, value: Value) -> None:
        self.entered += 1
        self.depths[value] = len(self.regions) - 1, self.entered
        self.homes[value] = self.node or self.regions[-1]

    def depth(self, symbol: object) -> tuple[int, int]:
        """Return how deep a symbol is defined, and when."""
        value = symbol.array if isinstance(symbol, Axis) else symbol
        return self.depths.get(value, (0, 0)) if isinstance(value, Value) else (0, 0)

    def level(self, *forms: Linear) -> int:
        """Return the depth of the region in which all symbols of forms are known."""
        return max((self.depth(symbol)[0] for form in forms for symbol in form.terms), default=0)

    def same(self, one: Size, two: Size) -> bool:
        """Tell whether two sizes are equal; with guards, see to it that they are."""
        if self.form(one) == self.form(two):
            return True
        if not self.assumes:
            return False
        for symbol in (*self.form(one).terms, *self.form(two).terms):
            if symbol in self.spans:
                self.unclamped(symbol)
        left, right = self.form(one), self.form(two)
        if _may_be_equal(left, right) and self.may_demand(left, right):
            self.demand("same_size", left, right)
            self.facts.equate(left, right, self.depth)
        return self.form(one) == self.form(two)

    def fits(self, one: Size, two: Size) -> None:
        """Learn from a product that two sizes are equal, if it is not computed in part of the cases only."""
        if self.same(one, two):
            return
        left, right = self.form(one), self.form(two)
        self.demand_here("fits", left, right)
        if self.level(left, right) == len(self.regions) - 1:
            self.facts.equate(left, right, self.depth)

    def unclamped(self, axis: Axis) -> None:
        """Take the size of a slice to be the difference of its bounds."""
        span = self.spans[axis]
        may_hold = self.may_hold(span.stop) and self.may_hold(span.whole - span.stop)
        if not may_hold or not self.may_demand(span.stop, span.whole):
            return  # the last of several blocks may be shorter
        if not self.is_positive(span.stop):
            self.demand("at_least", span.stop, Linear())
        if not self.is_positive(span.whole - span.stop):
            self.demand("at_least", span.whole, span.stop)
        self.facts.equate(Linear({axis: 1}), span.size, self.depth)

    def may_demand(self, *forms: Linear) -> bool:
        """Tell whether a check may stand where its sizes are known, and note if that is outside a branch."""
        assert self.guards is not None
        if any(getattr(symbol, "array", None) in self.undefined for form in forms for symbol in form.terms):
            return False  # it may have no size yet where the check would stand
        is_outside = bool(self.arms) and self.level(*forms) < self.arms[-1]
        self.guards.is_conditional |= is_outside
        return not (is_outside and self.guards.cautious)

    def may_hold(self, form: Linear) -> bool:
        """Tell whether a form may be zero or more in all iterations of the loops around."""
        least = self.in_all_iterations(self.facts.reduced(form))
        return bool(least.terms) or least.constant >= 0

    def demand(self, fn: str, one: Linear, two: Linear) -> None:
        """Note a check."""
        assert self.guards is not None
        form = self.facts.reduced(one - two)
        if fn == "at_least":
            form = self.in_all_iterations(form)
            self.facts.positive.append(form)
        one, two = sides(form)
        if fn == "same_size" and not one.terms:
            one, two = two, one
        symbols = [symbol for form in (one, two) for symbol in form.terms]
        if fn == "at_least" and not symbols and form.constant >= 0:
            return
        last = max(symbols, key=self.depth)
        value = last.array if isinstance(last, Axis) else last
        assert isinstance(value, Value)
        found = self.guards.at.setdefault(self.homes[value], [])
        if fn == "at_least":  # the strongest of several is enough
            for guards in self.guards.at.values():
                for k, known in enumerate(guards):
                    stronger = (two - one) - (known.two - known.one)
                    if known.fn == fn and not stronger.terms:
                        guards[k] = Guard(fn, one, two) if stronger.constant > 0 else known
                        return
        found.append(Guard(fn, one, two))

    def demand_here(self, fn: str, one: Linear, two: Linear) -> None:
        """Note a check of what NumPy demands, which is to stand where the program demands it."""
        if self.guards is not None and isinstance(self.node, Apply | Store):
            self.guards.at.setdefault(self.node, []).append(Guard(fn, one, two))

    def in_all_iterations(self, form: Linear) -> Linear:
        """Return a form that is no larger, without the indices of loops whose ranges are known."""
        while found := next((s for s in form.terms if s in self.ranges), None):
            low, high = self.ranges[found]
            factor = form.terms[found]
            form = form - Linear({found: factor}) + factor * (low if factor > 0 else high)
        return self.facts.reduced(form)

    # what loops carry

    def is_outer(self, shape: Shape) -> bool:
        return all(self.level(self.form(size)) < len(self.regions) for size in shape)

    def common(self, one: Shape | None, two: Shape | None) -> Shape | None:
        if one is None or two is None or len(one) != len(two):
            return None
        return one if all(self.form(a) == self.form(b) for a, b in zip(one, two, strict=True)) else None

    def keep(self, before: Shape, after: Shape) -> None:
        """See to it that a loop does not change the shape of an array, if that is what it looks like."""
        for one, two in zip(before, after, strict=False):
            if self.is_outer((two,)) and (self.form(one) - self.form(two)).terms:
                self.same(one, two)


def _may_be_equal(one: Linear, two: Linear) -> bool:
    """Tell whether two sizes may be equal: those of x and x[:-1] are not, nor n and 2 * n - 1 for most n."""
    left = [*(one - two).terms]
    return bool(left) and not (len(left) == 1 and {*left} <= one.terms.keys() & two.terms.keys())
