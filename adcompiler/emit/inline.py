"""Choose the values that are written where they are used instead of getting a line of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.analysis.alias import content_reads
from adcompiler.analysis.types import is_array, is_array_atom, is_list, is_scalar
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    entry,
    type_of,
)
from adcompiler.graph.walk import operands, regions, results, values, walk, walk_regions
from adcompiler.primitives import card, hint

_LONGEST = 9


@dataclass
class _Use:
    region: Region
    position: int


@dataclass
class _Inliner:
    chosen: set[Value] = field(default_factory=set)
    uses: dict[Value, list[_Use]] = field(default_factory=dict)
    size: dict[tuple[int, int], int] = field(default_factory=dict)
    whole_targets: set[Value] = field(default_factory=set)
    sums: set[Value] = field(default_factory=set)
    makers: dict[Value, Node] = field(default_factory=dict)
    running: set[Value] = field(default_factory=set)
    sized: set[Value] = field(default_factory=set)


def inlined_values(region: Region) -> set[Value]:
    """Return the values of a graph's body to be written in place.

    A value is written in place if the user gave it no name, it is read once, in the region that
    defines it, and no store between definition and use can change what it reads.
    """
    measures = (node for node in walk(region) if isinstance(node, Apply) and card(node.fn).measures)
    sized = {value for node in measures for value in values(node.args)}
    state = _Inliner(running=_running_sums(region), sized=sized)
    _visit(state, region)
    return state.chosen


def _running_sums(region: Region) -> set[Value]:
    """Return the adjoints to which the reversal of the same statement adds: it is one sum."""
    makers = {node.out: node for node in walk(region) if isinstance(node, Apply)}
    found: set[Value] = set()
    for node in makers.values():
        first = entry(makers, node.args[0]) if node.fn in ("add", "sub") else None
        if first is None or first.out.name != node.out.name or _adds_on(first, found):
            continue
        if first.role is Role.ADJOINT and first.loc.statement == node.loc.statement:
            found.add(first.out)
    return found


def _adds_on(node: Apply, running: set[Value]) -> bool:
    """Tell whether a sum goes on with what its variable held before."""
    first = node.args[0] if node.args else None
    is_own = isinstance(first, Value) and first.name == node.out.name
    return node.fn in ("add", "sub") and is_own and first not in running


def _read(state: _Inliner, atoms: Iterable[Atom], region: Region, position: int) -> None:
    for value in values(atoms):
        state.uses.setdefault(value, []).append(_Use(region, position))


def _visit(state: _Inliner, region: Region, breaks: bool = False) -> None:
    """Walk backwards, so that all uses of a value are known when its definition is met."""
    end = len(region.nodes)
    last = region.nodes[-1] if region.nodes else None
    written_as_break = breaks and isinstance(last, If) and last.test is region.yields[0]
    _read(state, region.yields[written_as_break:], region, end)
    for position in range(end - 1, -1, -1):
        node = region.nodes[position]
        match node:
            case Apply():
                _decide(state, node, region, position)
            case If():
                for arm in regions(node):
                    _visit(state, arm)
                if not _decide_choice(state, node, region, position):
                    _read(state, (node.test,), region, position)
            case For() | While():
                for inner in reversed(regions(node)):
                    _visit(state, inner, node.breaks and inner is node.body)
                _read(state, operands(node), region, position)
            case Store(index=()):
                state.whole_targets.add(node.array)
                state.sums.update([node.array] if node.accumulate else [])
                _read(state, operands(node), region, position)
            case Store() | Effect():
                _read(state, operands(node), region, position)


def _decide(state: _Inliner, node: Apply, region: Region, position: int) -> None:
    uses = state.uses.get(node.out, [])
    state.makers[node.out] = node
    # `a.T += v` is no statement, and `a[k] += v` compiles slowly (`polish/sums_to_parts.py`)
    needs_name = node.out in (state.whole_targets if node.fn != "getitem" else state.sums)
    everywhere = card(node.fn).is_written_where_used or _is_neighbour(state, node) or _is_shape(state, node)
    if not needs_name and (everywhere or _fits(state, node.out, node, region, position)):
        state.chosen.add(node.out)
        for use in uses:
            _read(state, operands(node), use.region, use.position)
    else:
        _read(state, operands(node), region, position)


def _is_neighbour(state: _Inliner, node: Apply) -> bool:
    """Tell whether a node is index arithmetic such as `i - 1`, which one repeats rather than names."""
    known = [a for a in node.args if isinstance(a, Literal)]
    is_integer = isinstance(node.out.type, nt.Integer)
    return node.out.temporary and is_integer and node.fn in ("add", "sub") and len(known) == 1


def _is_shape(state: _Inliner, node: Apply) -> bool:
    """Tell whether a node puts numbers together to the shape of arrays."""
    is_tuple = node.fn == "tuple" and node.out.temporary
    is_shape = node.out.name == hint("shape") or all(isinstance(size, Literal) for size in node.args)
    return is_tuple and is_shape and all(isinstance(type_of(size), nt.Integer) for size in values(node.args))


def _fits(state: _Inliner, out: Value, node: Node, region: Region, position: int) -> bool:
    uses = state.uses.get(out, [])
    if not (out.temporary or out in state.running) or len(uses) != 1 or uses[0].region is not region:
        return False
    if isinstance(node, Apply) and (not card(node.fn).is_pure or (node.fn == "list" and not node.args)):
        return False  # an empty list is there to be appended to
    if isinstance(node, Apply) and node.fn == "getitem" and out in state.sized:
        return False  # `x[:k].shape[0]` reads badly
    between = region.nodes[position + 1 : uses[0].position]
    reads = any(
        not is_scalar(type_of(value))
        for part in (node, *_arms(node))
        for value in (*_memory_reads(state, part), *_measured(state, part))
    )
    return not (reads and any(_may_write(other) for other in between)) and _small(state, uses[0])


def _small(state: _Inliner, use: _Use) -> bool:
    """Limit the length of an expression by the number of values already gathered at its end."""
    key = (id(use.region), use.position)
    count = state.size.get(key, 0)
    state.size[key] = count + 1
    return bool(count < _LONGEST)


def _arms(node: Node) -> list[Node]:
    return [inner for region in regions(node) for inner in walk(region)]


def _memory_reads(state: _Inliner, node: Node) -> Iterable[Value]:
    if isinstance(node, Apply) and node.fn == "getitem":
        return () if _is_view(state, node) else values(node.args)
    return content_reads(node)


def _is_view(state: _Inliner, node: Apply) -> bool:
    """Tell whether a node takes a slice of an array, whatever the array holds."""
    kinds = [type_of(value) for value in values((node.out, *node.args[:1]))]
    return all(map(is_array, kinds)) and not any(is_array_atom(atom) for atom in node.args[1:])


def _measured(state: _Inliner, node: Node) -> Iterable[Value]:
    """Yield the lists whose length a node reads: unlike that of an array it may change."""
    if isinstance(node, Apply) and node.fn == "len":
        return (value for value in values(node.args) if is_list(type_of(value)))
    return ()


def _may_write(node: Node) -> bool:
    parts = (
        part for part in (node, *_arms(node)) if not (isinstance(part, Effect) and card(part.fn).is_guard)
    )
    return any(isinstance(part, Store | Effect) or _pops(part) for part in parts)


def _pops(node: Node) -> bool:
    return isinstance(node, Apply) and not card(node.fn).is_pure


def _decide_choice(state: _Inliner, node: If, region: Region, position: int) -> bool:
    """A branch with one output and nothing but expressions in it is written `a if test else b`."""
    if any(UNDEFINED in arm.yields for arm in (node.then, node.orelse)):
        return False
    if len(node.outs) != 1 or not _fits(state, node.outs[0], node, region, position):
        return False
    inner = _arms(node)
    written = all(isinstance(n, Apply | If) and state.chosen.issuperset(results(n)) for n in inner)
    is_chosen = written and len(inner) <= _LONGEST
    if is_chosen:
        use = state.uses[node.outs[0]][0]
        state.chosen.add(node.outs[0])
        reads = [node.test]
        for part in inner:
            reads += operands(part)
        for arm in regions(node):
            reads += [atom for region in walk_regions(arm) for atom in region.yields]
        _read(state, reads, use.region, use.position)
    return is_chosen
