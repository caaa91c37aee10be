"""The dependence test of loops: may a store overwrite, after a read has run, an element that it read?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.analysis.affine import Linear, feasible, linear
from adcompiler.analysis.types import is_array, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Store, Value, While, entry, type_of
from adcompiler.graph.walk import regions, results
from adcompiler.primitives import Shows, card

Loops = tuple[Node, ...]
Span = tuple[Linear | None, Linear | None]
"""First and last index that an access touches on one axis, where known."""
_Accessed = tuple[Atom, tuple[Atom, ...]]
Access = tuple[Atom, tuple[Atom, ...], Loops]
"""An array, the index, and the loops around the access, outermost first."""


@dataclass
class Dependences:
    """Answers questions about pairs of accesses to one array.

    Attributes:
        makers: what computes each value.
        homes: the loops around the definition of each value, outermost first.
        known: answers given before.
        carried: arrays that a loop carries, where they are known to be different ones.
        merged: what loops and branches yield: it may be any array that was there, or was made inside.
        quotients: for each remainder by a number, how often it goes into what is divided.
    """

    makers: dict[Value, Apply] = field(default_factory=dict)
    homes: dict[Value, Loops] = field(default_factory=dict)
    known: dict[tuple[Node, Node], bool] = field(default_factory=dict)
    carried: dict[Value, Node] = field(default_factory=dict)
    merged: set[Value] = field(default_factory=set)
    quotients: dict[Value, Value] = field(default_factory=dict)

    def enter(self, node: Node, loops: Loops) -> None:
        """Take up a node that stands in these loops."""
        if isinstance(node, Apply):
            self.makers[node.out] = node
        self.homes.update((value, loops) for value in results(node))
        if regions(node):
            self.merged.update(results(node))
        inner = (*loops, node) if isinstance(node, For | While) else loops
        for region in regions(node):
            self.homes.update((param, inner) for param in region.params)

    def part_may_follow(
        self, array: Value, around_read: Loops, store: Store, around: Loops, later: bool
    ) -> bool:
        """Tell whether a store may write an element of an array, or of the part that it is, once it is read.

        Arguments are those of `may_follow`.
        """
        return self._in_order((array, ()), around_read, _accessed(store), around, later, 0)

    def may_follow(self, read: Apply, around_read: Loops, store: Store, around: Loops, later: bool) -> bool:
        """Tell whether a store may write an element after the read of that element.

        Args:
            read: a `getitem`.
            around_read: the loops around it, outermost first.
            store: a store to the same array.
            around: the loops around the store.
            later: whether the store stands after the read in the text.
        """
        if (read, store) not in self.known:
            self.known[read, store] = self._in_order(
                _accessed(read), around_read, _accessed(store), around, later, 0
            )
        return self.known[read, store]

    def is_known(self, array: Atom, index: tuple[Atom, ...], loops: Loops) -> bool:
        """Tell whether it is known which elements an access touches."""
        place = self._place(array, index, loops)
        return place is not None and all(low is not None for low, _ in place[1])

    def may_clash(self, one: Access, two: Access, loop: Node, least: int = 1) -> bool:
        """Tell whether two accesses may touch one element in different iterations of a loop around both.

        Args:
            one: the one access.
            two: the other.
            loop: the loop.
            least: how many iterations lie between those that are asked about, at least.
        """
        places = [self._place(*access) for access in (one, two)]
        if places[0] is None or places[1] is None:
            return True
        if places[0][0] is not places[1][0]:
            return not self.are_different(places[0][0], places[1][0])
        around = [access[2] for access in (one, two)]
        common = [a for a, b in zip(*around, strict=False) if a is b]
        level = common.index(loop)
        if len(self.homes.get(places[0][0], ())) > level:
            return True
        spans = [place[1] for place in places if place is not None]
        return self._meet(spans[0], around[0], spans[1], around[1], common, level, least) or self._meet(
            spans[1], around[1], spans[0], around[0], common, level, least
        )

    def may_touch(self, one: Access, two: Access, loop: Node) -> bool:
        """Tell whether two accesses may touch one element while a loop around both runs once."""
        first, second = self._place(*one), self._place(*two)
        if first is None or second is None or self.may_clash(one, two, loop):
            return True
        common = [a for a, b in zip(one[2], two[2], strict=False) if a is b]
        return first[0] is second[0] and self._meet(first[1], one[2], second[1], two[2], common, len(common))

    def are_different(self, one: Value, two: Value) -> bool:
        """Tell whether two arrays are known to be different ones."""
        if self.is_new(one, two) or self.is_new(two, one):
            return True
        carrier = self.carried.get(one)
        return carrier is not None and carrier is self.carried.get(two)

    def never_meet(self, one: Access, two: Access) -> bool:
        """Tell whether two accesses are to different arrays."""
        places = [self._place(*access) for access in (one, two)]
        owners = [place[0] for place in places if place is not None]
        return len(owners) == 2 and owners[0] is not owners[1] and self.are_different(*owners)

    def is_new(self, array: Value, other: Value) -> bool:
        """Tell whether an array is allocated after another one was there, or apart from it."""
        made, also = self.makers.get(array), self.makers.get(other)
        if made is None or not is_memory_of_its_own(made):
            return False
        home, around = self.homes.get(other, ()), self.homes.get(array, ())
        is_earlier = also is None and other not in self.merged and home == around[: len(home)]
        return is_earlier or (also is not None and is_memory_of_its_own(also))

    def may_return(
        self, array: Value, first: tuple[Atom, ...], second: tuple[Atom, ...], loops: Loops
    ) -> bool:
        """Tell whether an access may touch, in the same iteration or a later one, what another one touched.

        Args:
            array: the array.
            first: index of the one access.
            second: index of the other.
            loops: the loops around both; the iterations are those of the innermost.
        """
        return self._in_order((array, first), loops, (array, second), loops, True, len(loops) - 1)

    def may_precede(
        self, read: Apply, around_read: Loops, store: Store, around: Loops, earlier: bool, depth: int
    ) -> bool:
        """Tell whether a store may write an element before the read of it, in one iteration around both.

        Args:
            read: a `getitem`.
            around_read: the loops around it, outermost first.
            store: a store to the same array.
            around: the loops around the store.
            earlier: whether the store stands before the read in the text.
            depth: how many of the loops around are in the same iteration.
        """
        return self._in_order(_accessed(store), around, _accessed(read), around_read, earlier, depth)

    def may_meet_later(self, first: Access, second: Access, depth: int) -> bool:
        """Tell whether an access may touch what another one touched in an earlier iteration.

        Args:
            first: the access in the earlier iteration.
            second: the one in the later.
            depth: how many of the loops around both are in the same iteration; the next one is meant.
        """
        if self.never_meet(first, second):
            return False
        return self._in_order(first[:2], first[2], second[:2], second[2], False, depth)

    def is_below(self, index: Atom, count: int, loops: Loops) -> bool:
        """Tell whether an index is zero or more, and less than a number, in all iterations of loops."""
        form = self._counted(index, loops)
        if form is None:
            return False
        conditions = [*self.bounds(loops), *self._remainders([(form, form)]), form - count]
        return not feasible([*conditions, *self._sizes(conditions)])

    def always_runs(self, loop: For, loops: Loops) -> bool:
        """Tell whether a loop by one has an iteration in every iteration of the loops around it."""
        start, stop = linear(loop.start, self.makers), linear(loop.stop, self.makers)
        if start is None or stop is None:
            return False
        conditions = [*self.bounds(loops), start - stop]
        return not feasible([*conditions, *self._sizes(conditions)])

    def _in_order(
        self, first: _Accessed, one: Loops, second: _Accessed, two: Loops, later: bool, depth: int
    ) -> bool:
        """Tell whether the second access may touch, after the first, an element that this touched."""
        places = [self._place(*first, one), self._place(*second, two)]
        if places[0] is None or places[1] is None:
            return True
        if places[0][0] is not places[1][0]:
            return not self.is_new(places[1][0], places[0][0])
        common = [a for a, b in zip(one, two, strict=False) if a is b]
        levels = [*range(depth, len(common)), *([len(common)] if later else [])]
        owner, spans = places[0]
        home = len(self.homes.get(owner, ()))
        if any(level < home for level in levels) and not self._is_allocated(owner):
            return True
        return any(
            level >= home and self._meet(spans, one, places[1][1], two, common, level) for level in levels
        )

    def _is_allocated(self, array: Value) -> bool:
        """Tell whether an array is another one in each iteration of the loops around its definition."""
        made = self.makers.get(array)
        return made is not None and card(made.fn).allocates is not None

    def _meet(
        self,
        one: list[Span],
        around_one: Loops,
        two: list[Span],
        around_two: Loops,
        common: Loops | list[Node],
        level: int,
        least: int = 1,
    ) -> bool:
        """Tell whether two accesses can touch one element in iterations that first differ at a level."""
        first = self._name(level, "read")
        second = self._name(level, "store")
        known = (
            [*self.bounds(around_one), *self._remainders(one)],
            [*self.bounds(around_two), *self._remainders(two)],
        )
        conditions = [form.renamed(first) for form in known[0]] + [form.renamed(second) for form in known[1]]
        if level < len(common):
            loop = common[level]
            step = _step(loop)
            if step:
                assert isinstance(loop, For)
                index = Linear({loop.body.params[0]: 1})
                distance = index.renamed(second) - index.renamed(first)
                conditions.append((distance if step > 0 else -1 * distance) - least)
        for (low, high), (bottom, top) in zip(one, two, strict=True):
            if low is not None and top is not None:
                conditions.append(top.renamed(second) - low.renamed(first))
            if bottom is not None and high is not None:
                conditions.append(high.renamed(first) - bottom.renamed(second))
        if level < len(common) and _step(common[level]):
            conditions += self._blocks(conditions, common[level], level, least)
        return feasible([*conditions, *self._sizes(conditions)])

    def _blocks(self, forms: list[Linear], loop: Node, level: int, least: int) -> list[Linear]:
        """Blocks of one size, `first = block * size`, do not overlap: their beginnings lie a size apart."""
        tags = ("read", "store") if _step(loop) > 0 else ("store", "read")
        found: list[Linear] = []
        for symbol in dict.fromkeys(_original(symbol) for form in forms for symbol in form.terms):
            size = self._size_of_block(symbol, loop, level)
            if size is not None:
                early, late = ((symbol, tag) for tag in tags)
                found.append(Linear({late: 1, early: -1}) - least * size)
        return found

    def _size_of_block(self, symbol: Hashable, loop: Node, level: int) -> Linear | None:
        """Return the size of blocks, if a number is where one begins: it is the same for all of them."""
        made = entry(self.makers, symbol)
        if made is None or made.fn != "mul" or not isinstance(loop, For):
            return None
        sizes = [arg for arg in made.args if arg is not loop.body.params[0]]
        is_same = len(sizes) == 1 and len(entry(self.homes, sizes[0]) or ()) <= level
        return linear(sizes[0], self.makers) if is_same and self._is_natural(sizes[0]) else None

    def _name(self, level: int, tag: str) -> Callable[[Hashable], Hashable]:
        """Let symbols that are defined below a level stand for two values, one for each access."""
        return lambda symbol: (symbol, tag) if len(entry(self.homes, symbol) or ()) > level else symbol

    def bounds(self, loops: Loops) -> list[Linear]:
        """Return forms of the counters of loops that are zero or more."""
        found: list[Linear] = []
        for loop in loops:
            step = _step(loop)
            if not isinstance(loop, For) or not step:
                continue
            index = Linear({loop.body.params[0]: 1})
            start = linear(loop.start, self.makers)
            if start is not None:
                found.append(index - start if step > 0 else start - index)
            for end in self._ends(loop.stop, "min" if step > 0 else "max"):
                stop = linear(end, self.makers)
                if stop is not None:
                    found.append(stop - index - 1 if step > 0 else index - stop - 1)
        return found

    def _ends(self, end: Atom, nearest: str) -> tuple[Atom, ...]:
        """Return the ends that all hold for a loop up to the nearest of several."""
        made = entry(self.makers, end)
        return made.args if made is not None and made.fn == nearest else (end,)

    def _sizes(self, forms: Iterable[Linear]) -> list[Linear]:
        """Sizes are zero or more, and so is what is made of them."""
        symbols = {symbol for form in forms for symbol in form.terms}
        return [Linear({symbol: 1}) for symbol in symbols if self._is_natural(_original(symbol))]

    def _is_natural(self, symbol: Hashable) -> bool:
        """Tell whether a whole number is known to be zero or more."""
        if isinstance(symbol, Literal):
            return isinstance(symbol.value, int) and symbol.value >= 0
        made = entry(self.makers, symbol)
        if made is None:
            return self._counts_up(symbol)
        match made.fn:
            case "mul" | "min":
                return all(map(self._is_natural, made.args))
            case "max":
                return any(map(self._is_natural, made.args))
        return self._is_size(made)

    def _counts_up(self, symbol: Hashable) -> bool:
        """Tell whether a value is the index of a loop that begins at zero or later."""
        loop = (entry(self.homes, symbol) or (None,))[-1]
        if not isinstance(loop, For) or loop.body.params[0] is not symbol:
            return False
        return _step(loop) > 0 and self._is_natural(loop.start)

    def _is_size(self, made: Apply) -> bool:
        base = entry(self.makers, made.args[0]) if made.fn == "getitem" else None
        return made.fn in ("len", "size") or (base is not None and base.fn == "shape")

    def _place(self, array: Atom, index: tuple[Atom, ...], loops: Loops) -> tuple[Value, list[Span]] | None:
        """Return the array that owns what is accessed, and the span on each of its axes."""
        chain: list[tuple[Atom, ...] | None] = [index]  # None for a transpose
        while isinstance(array, Value) and array in self.makers and self.makers[array].fn in ("getitem", "T"):
            made = self.makers[array]
            chain.append(made.args[1:] if made.fn == "getitem" else None)
            array = made.args[0]
        if not isinstance(array, Value):
            return None
        axes = rank(array.type)
        spans: list[Span] = [(Linear(), None)] * axes
        free = list(range(axes))
        for atoms in reversed(chain):
            if atoms is None:
                free.reverse()
                continue
            kept = self._index(atoms, spans, free, loops)
            if kept is None:
                return None
            free = kept
        return array, spans

    def _index(
        self, atoms: tuple[Atom, ...], spans: list[Span], free: list[int], loops: Loops
    ) -> list[int] | None:
        """Narrow the spans by one index; return the axes that are left, None if it is not understood."""
        if len(atoms) > len(free):
            return None
        kept = free[len(atoms) :]
        for k in range(len(atoms) - 1, -1, -1):
            atom, axis = atoms[k], free[k]
            offset = spans[axis][0]
            kind = type_of(atom)
            if str(kind).startswith("slice"):
                spans[axis] = self._slice(atom, spans[axis], loops)
                kept = [axis, *kept]
            elif isinstance(atom, Literal) or is_scalar(kind):
                if atom in (Literal(None), Literal(...)):
                    return None
                point = self._counted(atom, loops)
                place = None if point is None or offset is None else offset + point
                spans[axis] = (place, place)
            else:
                return None
        return kept

    def _divided(self, form: Linear | None) -> Linear | None:
        """Return a form in which remainders such as `t % 2` are `t - 2 * quotient`."""
        for symbol in [] if form is None else [*form.terms]:
            remainder = self._remainder(symbol)
            if form is not None and remainder is not None:
                form = form + form.terms[symbol] * (remainder[0] - Linear({symbol: 1}))
        return form

    def _remainder(self, symbol: Hashable) -> tuple[Linear, int] | None:
        """Return a remainder by a positive number as a form, and the number; None for other symbols."""
        match entry(self.makers, symbol):
            case Apply(fn="mod", out=out, args=(whole, Literal(value=int() as divisor))) if divisor > 0:
                form = linear(whole, self.makers) if isinstance(type_of(whole), nt.Integer) else None
            case _:
                return None
        if form is None:
            return None
        if out not in self.quotients:
            self.quotients[out] = quotient = Value("quotient", temporary=True)
            self.homes[quotient] = self.homes.get(out, ())
        return form - divisor * Linear({self.quotients[out]: 1}), divisor

    def _remainders(self, spans: list[Span]) -> list[Linear]:
        """Return what is known of the remainders that forms are written with."""
        symbols = {symbol for span in spans for form in span if form is not None for symbol in form.terms}
        found: list[Linear] = []
        for out, quotient in self.quotients.items():
            remainder = self._remainder(out) if quotient in symbols else None
            if remainder is not None:
                form, divisor = remainder
                found += [form, -1 * form + (divisor - 1)]
        return found

    def _slice(self, atom: Atom, span: Span, loops: Loops) -> Span:
        made, offset = entry(self.makers, atom), span[0]
        if made is None or made.fn != "slice" or len(made.args) != 2 or offset is None:
            return (None, None)
        low = Linear() if made.args[0] == Literal(None) else self._counted(made.args[0], loops)
        if low is None:
            return (None, None)
        high = None if made.args[1] == Literal(None) else self._counted(made.args[1], loops)
        return offset + low, span[1] if high is None else offset + high - 1

    def _counted(self, atom: Atom, loops: Loops) -> Linear | None:
        """Return an index as a form if it cannot be negative: such an index counts from the end."""
        form = self._divided(linear(atom, self.makers))
        if form is None:
            return None
        conditions = [*self.bounds(loops), *self._remainders([(form, form)]), -1 * form - 1]
        return None if feasible([*conditions, *self._sizes(conditions)]) else form


def _accessed(node: Apply | Store) -> _Accessed:
    return (node.array, node.index) if isinstance(node, Store) else (node.args[0], node.args[1:])


def _original(symbol: Hashable) -> Hashable:
    return symbol[0] if isinstance(symbol, tuple) else symbol


def _step(loop: Node) -> int:
    """Return the step of a loop over a range, 0 where it is not known."""
    step = loop.step.value if isinstance(loop, For) and isinstance(loop.step, Literal) else 0
    return step if isinstance(step, int) else 0


def is_memory_of_its_own(made: Apply) -> bool:
    """Tell whether a node makes an array that nothing else shares."""
    known = card(made.fn)
    is_result = is_array(made.out.type) and known.shows is Shows.NOTHING
    return known.allocates is not None or (is_result and known.is_pure and not known.may_keep)
