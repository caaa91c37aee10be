"""Sizes of arrays in symbols, and what is known about them: which are equal, which are at least as large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from adcompiler.analysis.affine import Linear, feasible
from adcompiler.graph.nodes import Apply, Atom, Literal, Node, Region, Store, Value


class Axis(NamedTuple):
    """The size of an array along an axis."""

    array: Value
    axis: int


class Sum(NamedTuple):
    """A size that is a linear form of others; where the form is negative, the size is zero."""

    terms: frozenset[tuple[object, int]]
    constant: int


Size = object
"""An int, an Axis, a Sum, or an integer value of the program; equal objects are equal sizes."""
Shape = tuple[Size, ...]
Shapes = dict[Value | Store, Shape]
"""The shape of each array, and of the part of an array that each store writes."""


def form_of(size: Size) -> Linear:
    """Return a size as a linear form."""
    if isinstance(size, int):
        return Linear({}, size)
    if isinstance(size, Sum):
        return Linear(dict(size.terms), size.constant)
    return Linear({size: 1})


def size_of_form(form: Linear) -> Size:
    """Return a form as a size: the number or symbol itself if it is no more than that."""
    if not form.terms:
        return form.constant
    if form.constant == 0 and [*form.terms.values()] == [1]:
        return next(iter(form.terms))
    return Sum(frozenset(form.terms.items()), form.constant)


def size_of(atom: Atom, sizes: Mapping[Value, Size]) -> Size:
    """Return the symbol of a number: itself, the axis of an array, a sum, or the value."""
    if isinstance(atom, Literal):
        return atom.value
    return sizes.get(atom, atom) if isinstance(atom, Value) else atom


def arrays_of(size: Size) -> list[Value]:
    """Return the values that a size is expressed in."""
    found = [symbol.array if isinstance(symbol, Axis) else symbol for symbol in form_of(size).terms]
    return [value for value in found if isinstance(value, Value)]


def captured(atom: Atom) -> Shape:
    """Return the shape of an array from outside the function, which has no other."""
    return getattr(getattr(atom, "value", None), "shape", ())


def known_or(size: Size, unknown: Axis) -> Size:
    """Return a size if it is one: not a float, as in `np.arange(3.0)`."""
    is_whole = isinstance(size, int) and not isinstance(size, bool)
    return size if is_whole or isinstance(size, Axis | Sum | Value) else unknown


def is_symbol(size: tuple[object, ...]) -> bool:
    """Tell whether a tuple is an Axis or a Sum, rather than a shape."""
    return hasattr(size, "_fields")


def without_axis(node: Apply, base: Shape) -> Shape | None:
    """Return the shape of a sum, or the like, along a constant axis of an array."""
    axis = dict(node.keywords).get("axis", node.args[1] if len(node.args) > 1 else None)
    if not isinstance(axis, Literal) or not isinstance(axis.value, int) or len(node.keywords) > 1:
        return None
    dropped = axis.value % len(base)
    return base[:dropped] + base[dropped + 1 :]


@dataclass
class Facts:
    """Equations between sizes, solved for one symbol each, and forms that are zero or more.

    >>> facts = Facts()
    >>> facts.equate(Linear({"n": 1}), Linear({"m": 1}, 2), lambda symbol: (0, ord(symbol)))
    >>> facts.reduced(Linear({"n": 1}, -2))
    Linear(terms={'m': 1}, constant=0)
    """

    equal: dict[object, Linear] = field(default_factory=dict)
    positive: list[Linear] = field(default_factory=list)

    def reduced(self, form: Linear) -> Linear:
        """Return a form in the symbols that are left."""
        while found := next((s for s in form.terms if s in self.equal), None):
            factor = form.terms[found]
            form = form - Linear({found: factor}) + factor * self.equal[found]
        return form

    def equate(self, one: Linear, two: Linear, depth: Callable[[object], tuple[int, int]]) -> None:
        """Take two forms to be equal; the symbol defined deepest and last is expressed in the others."""
        form = self.reduced(one - two)
        single = [symbol for symbol, factor in form.terms.items() if abs(factor) == 1]
        if single:
            symbol = max(reversed(single), key=depth)
            factor = form.terms[symbol]
            self.equal[symbol] = -factor * (form - Linear({symbol: factor}))

    def is_positive(self, form: Linear, bounds: Iterable[Linear] = ()) -> bool:
        """Tell whether a form is known to be zero or more, within loops with these bounds."""
        conditions = [self.reduced(known) for known in (*self.positive, *bounds)]
        below = self.reduced(-1 * form - 1)
        symbols = {symbol for part in (*conditions, below) for symbol in part.terms}
        axes = [Linear({symbol: 1}) for symbol in symbols if isinstance(symbol, Axis)]
        return not feasible([*conditions, *axes, below])

    def copy(self) -> Facts:
        return Facts(dict(self.equal), list(self.positive))


@dataclass
class Guards:
    """Checks that a program needs for what is assumed of its sizes, and for what it demands of them.

    Those of assumptions stand where all that they read is known: after a node, or at the start of a region.
    `fits` and `fills` stand after the product or store that demands them, which may be dropped as dead.

    Attributes:
        at: the checks, by the place where they stand.
        cautious: whether nothing is assumed for the sake of code in a branch that may not be taken.
        is_conditional: whether something was.
        stretches: whether nothing is assumed, since arrays may be stretched.
        ones: parameters, by position, and axes of theirs whose size is taken to be 1.
    """

    at: dict[Node | Region, list[Guard]] = field(default_factory=dict)
    cautious: bool = False
    is_conditional: bool = False
    stretches: bool = False
    ones: tuple[tuple[int, int], ...] = ()

    def drop_implied(self, facts: Facts) -> None:
        """Remove checks that others make superfluous."""
        for place, guards in self.at.items():
            sizes = [facts.reduced(guard.one - guard.two) for guard in guards]
            self.at[place] = [
                guard
                for guard, size in zip(guards, sizes, strict=True)
                if guard.fn != "at_least" or size.terms or size.constant < 0
            ]

    def begun(self) -> Guards:
        """Return guards like these, to be filled with more."""
        return replace(self, at=self.copy())

    def copy(self) -> dict[Node | Region, list[Guard]]:
        return {place: list(guards) for place, guards in self.at.items()}


@dataclass(frozen=True)
class Guard:
    """`same_size(one, two)`, `at_least(one, two)`, `fits(one, two)` or `fills(one, two)`."""

    fn: str
    one: Linear
    two: Linear


def sides(form: Linear) -> tuple[Linear, Linear]:
    """Split a form that is compared with zero into two sides without minus signs."""
    left = Linear({s: f for s, f in form.terms.items() if f > 0}, max(form.constant, 0))
    return left, left - form
