"""A check that indices exist: what it says, which others it implies, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.integers import Integers
from adcompiler.analysis.sizes import Axis
from adcompiler.graph.nodes import Apply, Atom, Effect, Node, Region, Value
from adcompiler.graph.walk import defined, results
from adcompiler.prepare.guard import write_form


@dataclass(frozen=True)
class Check:
    """The indices from `low` to `high` exist in an axis of this size, if all of `runs` are above zero.

    Attributes:
        size: the size.
        low: the lowest index, which may count from the end.
        high: the highest index.
        sides: whether the lowest, and whether the highest index may be out of bounds.
        runs: how often the loops run in which the element is accessed.
        is_moved: whether the check stands outside the loop of the access.
    """

    size: Linear
    low: Linear
    high: Linear
    sides: tuple[bool, bool]
    runs: tuple[Linear, ...] = ()
    is_moved: bool = False

    @property
    def forms(self) -> tuple[Linear, ...]:
        return (self.size, self.low, self.high, *self.runs)

    def symbols(self) -> Iterator[object]:
        """Yield the values that the check reads."""
        for form in self.forms:
            for symbol in form.terms:
                yield symbol.array if isinstance(symbol, Axis) else symbol

    def failures(self) -> list[Linear]:
        """Return forms of which one is zero or more where the check would fail."""
        below, above = -1 * self.low - self.size - 1, self.high - self.size
        return [form for form, side in zip((below, above), self.sides, strict=True) if side]

    def successes(self) -> list[Linear]:
        """Return forms that are zero or more once a check has stood that does not depend on `runs`."""
        return [-1 * form - 1 for form in self.failures()]

    def implies(self, other: Check) -> bool:
        """Tell whether another check is superfluous where this one stands."""
        low, high = other.low - self.low, self.high - other.high
        is_wide = all(
            not needed or (here and not gap.terms and gap.constant >= 0)
            for needed, here, gap in zip(other.sides, self.sides, (low, high), strict=True)
        )
        own, others = self.high - self.low + 1, (*other.runs, other.high - other.low + 1)
        is_nonempty = (not own.terms and own.constant > 0) or own in others
        is_run = all(form in others for form in self.runs)
        return self.size == other.size and is_wide and is_nonempty and is_run


Placed = list[tuple[int, Check]]
"""Checks of a region, each with the position of the node before which it stands."""


def strongest(placed: Placed, nodes: Sequence[Node]) -> Placed:
    """Leave out checks that others imply; a stronger one moves up to the first that it implies."""
    homes: dict[object, int] = {value: k for k, node in enumerate(nodes) for value in results(node)}
    kept: Placed = []
    for position, check in placed:
        if any(other.implies(check) for _, other in kept):
            continue
        first = next((k for k, (_, other) in enumerate(kept) if check.implies(other)), None)
        earliest = max((homes.get(symbol, -1) + 1 for symbol in check.symbols()), default=0)
        if first is not None and earliest <= kept[first][0]:
            position = kept[first][0]
        kept = [(k, other) for k, other in kept if k < position or not check.implies(other)]
        kept.append((position, check))
        kept.sort(key=lambda item: item[0])
    return kept


def written(region: Region, placed: Placed, integers: Integers) -> Region:
    """Write the checks of a region, with the names that the program has for sizes."""
    nodes: list[Node] = []
    names = _Names({*defined(region)}.difference(region.params))
    for k, node in enumerate(region.nodes):
        for position, check in placed:
            if position == k and all(map(names.is_known, check.forms)):
                _write(check, names, nodes)
        nodes.append(node)
        names.later.difference_update(results(node))
        if isinstance(node, Apply) and isinstance(node.out.type, nt.Integer):
            names.enter(node.out, integers)
    return replace(region, nodes=tuple(nodes))


@dataclass
class _Names:
    """What the program has computed at one point of a region.

    Attributes:
        later: what the rest of the region defines; a size may be said by one of these arrays that comes
            later, where the program combines it with an array that is there already.
        sizes: values that are sizes of arrays.
        others: values that are other forms.
    """

    later: set[Value]
    sizes: dict[object, Linear] = field(default_factory=dict)
    others: list[tuple[Linear, Value]] = field(default_factory=list)

    def enter(self, value: Value, integers: Integers) -> None:
        size, form = integers.sizes.get(value), integers.form(value)
        if isinstance(size, Axis):
            self.sizes.setdefault(size, Linear({value: 1}))
        elif form is not None:
            self.others.append((form, value))

    def named(self, form: Linear) -> Linear:
        """Return a form over what there is, as far as that can be said."""
        found = Linear({}, form.constant)
        for symbol, factor in form.terms.items():
            found = found + factor * self.sizes.get(symbol, Linear({symbol: 1}))
        same = next((value for other, value in self.others if other == form), None)
        return found if same is None or self.is_there(found) else Linear({same: 1})

    def is_there(self, form: Linear) -> bool:
        symbols = (symbol.array if isinstance(symbol, Axis) else symbol for symbol in form.terms)
        return self.later.isdisjoint(symbols)

    def is_known(self, form: Linear) -> bool:
        """Tell whether a form can be written here."""
        return self.is_there(self.named(form))


def _write(check: Check, names: _Names, nodes: list[Node]) -> None:
    def write(form: Linear) -> Atom:
        return write_form(names.named(form), nodes)

    is_single = check.low == check.high
    ends = (check.low,) if is_single else (check.low, check.high + 1)
    args = [write(form) for form in (check.size, *ends)]
    count: Atom | None = None
    for form in check.runs:
        if form == check.high - check.low + 1 and not is_single:
            continue  # the range is empty then
        more = write(form)
        if count is None:
            count = more
            continue
        least = Value("least", temporary=True, type=int64)
        nodes.append(Apply(least, "min", (count, more)))
        count = least
    keywords = () if count is None else (("runs", count),)
    nodes.append(Effect("in_bounds" if is_single else "all_in_bounds", tuple(args), keywords=keywords))
