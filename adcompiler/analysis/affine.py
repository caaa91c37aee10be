"""Integer arithmetic in symbols: linear forms over loop indices and sizes, and whether inequalities can hold.

Inequalities are decided by Fourier-Motzkin elimination with the rounding of the Omega test (Pugh 1991, 2):
a system found infeasible has no solution in integers; one that is not may still have none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd

from adcompiler.graph.nodes import Apply, Atom, Literal, Value
from adcompiler.primitives import card

_MOST = 300
"""Systems that grow beyond this many inequalities are taken to be feasible."""


@dataclass(frozen=True)
class Linear:
    """A sum of symbols with integer coefficients, and a constant.

    >>> i = Linear({"i": 1})
    >>> 2 * (i + 1) - i
    Linear(terms={'i': 1}, constant=2)
    """

    terms: Mapping[Hashable, int] = field(default_factory=dict)
    constant: int = 0

    def __add__(self, other: Linear | int) -> Linear:
        if isinstance(other, int):
            return Linear(self.terms, self.constant + other)
        terms = dict(self.terms)
        for symbol, factor in other.terms.items():
            terms[symbol] = terms.get(symbol, 0) + factor
        return Linear({s: f for s, f in terms.items() if f}, self.constant + other.constant)

    def __rmul__(self, factor: int) -> Linear:
        return Linear({s: factor * f for s, f in self.terms.items() if factor * f}, factor * self.constant)

    def __sub__(self, other: Linear | int) -> Linear:
        return self + -1 * other

    def renamed(self, name: Callable[[Hashable], Hashable]) -> Linear:
        """Return the form with other symbols."""
        return Linear({name(s): f for s, f in self.terms.items()}, self.constant)


def linear(atom: Atom, makers: Mapping[Value, Apply]) -> Linear | None:
    """Return an integer value as a linear form; `makers` maps integer values to what computes them.

    >>> i, j = Value("i"), Value("j")
    >>> form = linear(j, {j: Apply(j, "add", (i, Literal(2)))})
    >>> form.terms == {i: 1}, form.constant
    (True, 2)
    """
    return _linear(atom, makers, {})


def _linear(atom: Atom, makers: Mapping[Value, Apply], known: dict[Value, Linear]) -> Linear | None:
    """Return a linear form; `known` has those of values that were met, which sums may read many times."""
    if isinstance(atom, Literal):
        is_whole = isinstance(atom.value, int) and not isinstance(atom.value, bool)
        return Linear({}, atom.value) if is_whole else None
    if not isinstance(atom, Value):
        return None
    if atom not in known:
        known[atom] = _combined(makers.get(atom), makers, known) or Linear({atom: 1})
    return known[atom]


def _combined(made: Apply | None, makers: Mapping[Value, Apply], known: dict[Value, Linear]) -> Linear | None:
    """Return the form of a sum, difference or multiple of forms; None for all else."""
    if made is None or not card(made.fn).is_cheap_on_arrays:
        return None
    parts = [_linear(arg, makers, known) for arg in made.args]
    match made.fn, parts:
        case "add", [Linear() as left, Linear() as right]:
            return left + right
        case "sub", [Linear() as left, Linear() as right]:
            return left - right
        case "neg", [Linear() as only]:
            return -1 * only
        case "mul", [Linear(terms={}) as left, Linear() as right] if not left.terms:
            return left.constant * right
        case "mul", [Linear() as left, Linear(terms={}) as right] if not right.terms:
            return right.constant * left
    return None


def feasible(conditions: Iterable[Linear]) -> bool:
    """Tell whether integers may exist for which every form is zero or more.

    >>> i, n = Linear({"i": 1}), Linear({"n": 1})
    >>> feasible([i, n - i - 1])
    True
    >>> feasible([i - n, n - i - 1])
    False
    """
    forms = [*conditions]
    columns = {symbol: k for k, symbol in enumerate(dict.fromkeys(s for form in forms for s in form.terms))}
    rows = []
    for form in forms:
        row = [0] * len(columns)
        for symbol, factor in form.terms.items():
            row[columns[symbol]] = factor
        rows.append((tuple(row), form.constant))
    return _is_feasible(tuple(rows))


Row = tuple[tuple[int, ...], int]
"""The coefficients of an inequality, one for each symbol, and its constant."""


@lru_cache(maxsize=1 << 14)
def _is_feasible(rows: tuple[Row, ...]) -> bool:
    """Tell whether a system may have a solution; passes ask the same of the same loops again and again."""
    system = _tightened(rows)
    left = set(range(len(rows[0][0]))) if rows else set()
    nothing = (0,) * len(left)
    while system.get(nothing, 0) >= 0 and left:
        if len(system) > _MOST:
            return True
        column = min(left, key=lambda k: _growth(system, k))
        left.remove(column)
        system = _tightened(_without(system, column))
    return system.get(nothing, 0) >= 0


def _tightened(rows: Iterable[Row]) -> dict[tuple[int, ...], int]:
    """Return the constants by their coefficients, of which the least holds for all with these.

    The forms being whole, constants are divided by the common factor of the coefficients, and round down.
    """
    system: dict[tuple[int, ...], int] = {}
    for factors, constant in rows:
        common = gcd(*factors)
        if common > 1:
            factors, constant = tuple([f // common for f in factors]), constant // common
        if factors not in system or constant < system[factors]:
            system[factors] = constant
    return system


def _growth(system: Mapping[tuple[int, ...], int], column: int) -> int:
    found = [factors[column] for factors in system]
    above = sum([f > 0 for f in found])
    below = sum([f < 0 for f in found])
    return above * below - above - below


def _without(system: Mapping[tuple[int, ...], int], column: int) -> list[Row]:
    """Eliminate a symbol: each lower bound is at most each upper bound."""
    kept = [(factors, constant) for factors, constant in system.items() if not factors[column]]
    below = [(factors, constant) for factors, constant in system.items() if factors[column] > 0]
    above = [(factors, constant) for factors, constant in system.items() if factors[column] < 0]
    for low, least in below:
        for high, most in above:
            one, two = -high[column], low[column]
            factors = tuple([one * a + two * b for a, b in zip(low, high, strict=True)])
            kept.append((factors, one * least + two * most))
    return kept
