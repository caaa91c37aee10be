"""Give every value a Python name: the user's where possible, one name for what one variable holds.

Values whose live ranges overlap interfere and get different names. Values joined by a copy (a loop's
initial, carried and final value, a branch's output) share a name unless they interfere, so that the copy
disappears: the construction of Chaitin (1982), on structured control flow, where one backward walk suffices.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adcompiler.analysis.types import is_array, rank
from adcompiler.emit.hints import better_names
from adcompiler.graph.nodes import Apply, Atom, For, Global, If, Node, Region, Value, While, type_of
from adcompiler.graph.python import definitions
from adcompiler.graph.walk import operands, regions, results, values, walk
from adcompiler.runtime.helpers import HELPERS

RESERVED = frozenset({"np", "math", "operator", "njit", "range", *HELPERS}) | set(keyword.kwlist)


@dataclass
class _Liveness:
    """Which values are live at the same time, found by one walk against the program order."""

    makers: dict[Value, Node]
    inlined: set[Value]
    clashes: dict[Value, set[Value]] = field(default_factory=lambda: defaultdict(set))
    outside: dict[Region, set[Value]] = field(default_factory=dict)

    def reads(self, atoms: Iterable[Atom]) -> set[Value]:
        """Return the named values that expressions read, looking through values written in place."""
        found: set[Value] = set()
        for value in values(atoms):
            if value not in self.inlined:
                found.add(value)
                continue
            node = self.makers[value]
            found |= self.reads(operands(node))
            for region in regions(node):
                found |= self.reads(region.yields)
        return found

    def define(self, value: Value, live: set[Value]) -> None:
        for other in live:
            if other is not value:
                self.clashes[value].add(other)
                self.clashes[other].add(value)

    def all_reads(self, region: Region) -> set[Value]:
        """Return every named value read in a region or below, defined inside or not."""
        if region not in self.outside:
            found = self.reads(region.yields)
            for node in region.nodes:
                if not self.is_inlined(node):
                    found |= self.reads(operands(node))
                    for inner in regions(node):
                        found |= self.all_reads(inner)
            self.outside[region] = found
        return self.outside[region]

    def is_inlined(self, node: Node) -> bool:
        return any(value in self.inlined for value in results(node))

    def region(self, region: Region, live: set[Value]) -> set[Value]:
        """Walk a region backwards from what is live at its end (its yields included)."""
        for node in reversed(region.nodes):
            if self.is_inlined(node):
                continue
            match node:
                case If():
                    live = self.branch(node, live)
                case For() | While():
                    live = self.loop(node, live)
                case _:
                    for value in results(node):
                        self.define(value, live)
                        live = live - {value}
                    live = live | self.reads(operands(node))
        return live

    def branch(self, node: If, live: set[Value]) -> set[Value]:
        outs = set(node.outs)
        for out in outs:
            self.define(out, live | outs)
        after = live - outs
        before = self.reads((node.test,))
        for arm in regions(node):
            before |= self.region(arm, after | self.reads(arm.yields))
        return before

    def loop(self, node: For | While, live: set[Value]) -> set[Value]:
        outs, params = set(node.outs), set(node.body.params)
        for out in outs:
            self.define(out, live | outs)
        after = live - outs
        inside = self.all_reads(node.body)
        if isinstance(node, While):
            inside |= self.all_reads(node.cond)
        captured = inside - self.defined_in(node)
        around = after | captured
        index = set(node.body.params[:1]) if isinstance(node, For) else set()
        last = node.body.nodes[-1] if node.body.nodes else None
        is_tested_first = node.breaks and isinstance(last, If) and last.test is node.body.yields[0]
        ends = self.reads(node.body.yields[is_tested_first:])  # of `if flag: …; break` before the arms
        start = self.region(node.body, around | index | ends)
        if isinstance(node, While):
            start = self.region(node.cond, start | self.reads(node.cond.yields))
        for param in params:
            self.define(param, start | around | params)
        # while the loop is left, its carried values become its outputs
        for param, out in zip(node.carried, node.outs, strict=True):
            if out in live:
                self.define(param, after)
        return (start - params) | around | self.reads(operands(node))

    def defined_in(self, node: For | While) -> set[Value]:
        found: set[Value] = set()
        for region in regions(node):
            found.update(region.params)
            for inner in walk(region):
                found.update(results(inner))
                for sub in regions(inner):
                    found.update(sub.params)
        return found


def _copies(body: Region) -> list[tuple[Value, Atom]]:
    """Return (target, source) of every copy, inner ones first."""
    pairs: list[tuple[Value, Atom]] = []
    for node in walk(body):
        match node:
            case For() | While():
                params = node.carried
                pairs += zip(node.outs, params, strict=True)
                pairs += zip(params, node.next_values, strict=True)
                pairs += zip(params, node.inits, strict=True)
            case If():
                pairs += zip(node.outs, node.then.yields, strict=True)
                pairs += zip(node.outs, node.orelse.yields, strict=True)
    return pairs


def assign_names(body: Region, inlined: set[Value], reserved: Iterable[str] = ()) -> dict[Value, str]:
    """Name every value of a graph's body that is not written in place.

    Args:
        body: body of the graph; its parameters keep their names.
        inlined: values without a name.
        reserved: names that are taken already.
    """
    liveness = _Liveness(definitions(body), inlined)
    live = liveness.region(body, liveness.reads(body.yields))
    for param in body.params:
        liveness.define(param, live | set(body.params))
    classes = _Classes(liveness.clashes)
    for target, source in _copies(body):
        is_borrowed = source in body.params and target.temporary  # what an argument is called stays its own
        if isinstance(source, Value) and source not in inlined and target not in inlined and not is_borrowed:
            classes.merge(target, source)
    taken = RESERVED | _globals(body) | set(reserved)
    order = [v for v in _in_order(body) if v not in inlined]
    used = liveness.all_reads(body)
    counters = _counter_names(body, order, liveness.clashes, taken)
    better = better_names(body, liveness.makers, counters)
    names = _color(order, classes, taken, used, better | counters)
    if any(isinstance(node, For) and node.parallel for node in walk(body)):
        return _without_numbers(names, {names[param] for param in body.params}, taken)
    return names


def _without_numbers(
    names: dict[Value, str], kept: set[str], taken: set[str] | frozenset[str]
) -> dict[Value, str]:
    """Rename `x_1` where `x` has several values: in a parallel loop, Numba calls the second of them so."""
    used, new, counts = {*names.values()}, dict[str, str](), Counter(names.values())
    for name in sorted(used - kept):
        found = re.fullmatch(r"(.+)_\d+", name)
        if found and counts[found[1]] > 1:
            letters = (f"{found[1]}_{letter}{k or ''}" for k in range(len(used)) for letter in _LETTERS[1:])
            new[name] = next(other for other in letters if other not in {*used, *taken, *new.values()})
    return {value: new.get(name, name) for value, name in names.items()}


def _counter_names(
    body: Region, order: list[Value], clashes: Mapping[Value, set[Value]], taken: set[str] | frozenset[str]
) -> dict[Value, str]:
    """Return the names of the counters of inner loops that have that of an outer one: its next letters."""
    counters = {node.body.params[0] for node in walk(body) if isinstance(node, For)}
    own = {value.name for value in order} | taken
    settled: dict[Value, str] = {}
    for counter in (value for value in order if value in counters):
        others = {settled[other] for other in clashes.get(counter, ()) if other in settled}
        free = [letter for letter in _COUNTERS if letter not in own | others]
        is_taken = counter.name in others and counter.name in _COUNTERS and free
        settled[counter] = free[0] if is_taken else counter.name
    return {counter: name for counter, name in settled.items() if name != counter.name}


@dataclass
class _Classes:
    """Sets of values that share a name."""

    clashes: dict[Value, set[Value]]
    members: dict[Value, list[Value]] = field(default_factory=dict)

    def of(self, value: Value) -> list[Value]:
        return self.members.setdefault(value, [value])

    def merge(self, left: Value, right: Value) -> None:
        one, two = self.of(left), self.of(right)
        if one is two or any(b in self.clashes.get(a, ()) for a in one for b in two):
            return
        hints = {v.name for v in one + two if not v.temporary}
        if len(hints) > 1:
            return
        one += two
        for value in two:
            self.members[value] = one


def _color(
    order: list[Value],
    classes: _Classes,
    taken: set[str] | frozenset[str],
    used_values: set[Value],
    better: Mapping[Value, str],
) -> dict[Value, str]:
    names: dict[Value, str] = {}
    kinds: dict[str, set[object]] = defaultdict(set)

    def is_unnamed(value: Value) -> bool:
        return all(member.temporary for member in classes.of(value))

    for value in sorted(order, key=is_unnamed):  # the user's names first
        if value in names:
            continue
        members = classes.of(value)
        fallback = next((better[v] for v in members if v in better), value.name)
        base = next((better.get(v, v.name) for v in members if not v.temporary), fallback)
        if base == "_" and value in used_values:  # the user's loop does not read its index, this one does
            base = "k"
        used = {names[c] for m in members for c in classes.clashes.get(m, ()) if c in names}
        kind = _kind(members)
        name, k = base, 0
        while name in used or name in taken or (kinds[name] and kind not in kinds[name]):
            k += 1
            name = f"{base}_{_LETTERS[k] if _is_of_array(kind) and k < len(_LETTERS) else k}"
        kinds[name].add(kind)
        for member in members:
            names[member] = name
    return names


_COUNTERS = "ijklmn"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _is_of_array(kind: object) -> bool:
    """Tell arrays apart: in array expressions, Numba has names of its own such as `x_1` for them."""
    return isinstance(kind, tuple)


def _kind(members: list[Value]) -> object:
    """Numbers, arrays of one rank, and all else."""
    for member in members:
        kind = type_of(member)
        if kind is not None:
            return (rank(kind), getattr(kind, "layout", "")) if is_array(kind) else str(kind)
    return None


def _globals(body: Region) -> set[str]:
    """Return the names that the text reads besides its values: captured objects, builtins."""
    found: set[str] = set()
    for node in walk(body):
        found.update(atom.name.split(".")[0] for atom in operands(node) if isinstance(atom, Global))
        if isinstance(node, Apply) and hasattr(builtins, node.fn):
            found.add(node.fn)
    return found


def _in_order(region: Region) -> list[Value]:
    found = list(region.params)
    for node in region.nodes:
        for inner in reversed(regions(node)) if isinstance(node, While) else regions(node):
            found += _in_order(inner)
        found += results(node)
    return found
