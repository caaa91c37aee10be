"""Sums of multiples of the same product: `x * y + 2 * (x * y)` is `3 * x * y`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, rank
from adcompiler.graph.nodes import Apply, Atom, Literal, type_of

Maker = Callable[[Atom], Apply | None]


@dataclass(frozen=True)
class Term:
    """A number times a product.

    Attributes:
        number: the number.
        guarded: factors of the left operand of `times`; where their product is zero, so is the term.
        factors: all other factors.
    """

    number: float
    guarded: tuple[Atom, ...]
    factors: tuple[Atom, ...]

    def is_like(self, other: Term) -> bool:
        """Tell whether two terms differ in their numbers only."""
        one, two = Counter(self.guarded), Counter(other.guarded)
        return one == two and Counter(self.factors) == Counter(other.factors)


def term_of(atom: Atom, maker: Maker) -> Term:
    """Return an atom as a term.

    Args:
        atom: what to look at.
        maker: returns what computes an atom, where it may be looked through.

    >>> from adcompiler.graph.nodes import Value
    >>> x, y = Value("x"), Value("y")
    >>> made = Apply(y, "mul", (Literal(2.0), x))
    >>> term_of(y, {y: made}.get)
    Term(number=2.0, guarded=(), factors=(%x,))
    """
    if isinstance(atom, Literal) and type(atom.value) in (int, float):
        return Term(atom.value, (), ())
    made = maker(atom)
    if made is not None and made.fn == "neg":
        inner = term_of(made.args[0], maker)
        return Term(-inner.number, inner.guarded, inner.factors)
    if made is not None and made.fn in ("mul", "times"):
        left, right = (term_of(factor, maker) for factor in made.args)
        if made.fn == "mul" and not left.guarded and not right.guarded:
            return Term(left.number * right.number, (), left.factors + right.factors)
        if made.fn == "times" and left.factors and not left.guarded and not right.guarded:
            return Term(left.number * right.number, left.factors, right.factors)
    return Term(1, (), (atom,))


def joined(left: Term, right: Term, sign: int) -> Term | None:
    """Return the sum or difference of multiples of the same product as one, None for others."""
    if not left.factors or not left.is_like(right):
        return None
    return replace(left, number=left.number + sign * right.number)


def type_of_multiple(factor: Atom, kind: nt.Type | None) -> nt.Type | None:
    """Return the type of a multiple of a factor, which may be stretched in a product of some type."""
    axes = type_of(factor)
    if kind is None or axes is None or not is_array(kind):
        return kind
    return nt.Array(element(kind), rank(axes), "C") if is_array(axes) else element(kind)


def same_product(first: Apply, second: Apply) -> bool:
    """Tell whether both are the product of the same two values."""
    return first.fn == second.fn == "mul" and {*first.args} == {*second.args}
