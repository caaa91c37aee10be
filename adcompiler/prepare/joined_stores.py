"""What all arms of a choice store at one place is stored once, behind the choice; what all read, before it.

The adjoint is then read and cleared before the test as well, and the arms of the reversal only compute: LLVM
makes selections of them, and vectorises the loop around. Fluxes that are chosen by a sign are written so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from numba import float32, float64, int64, typeof
from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, is_float, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Graph, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region, substitute
from adcompiler.primitives import card


def join_arms(graph: Graph) -> Graph:
    """Return the graph with such loads before their choices, and such stores behind them.

    Args:
        graph: the graph of a function.
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if not isinstance(node, If):
                nodes.append(node)
                continue
            before, choice = _read_before(node)
            nodes += [*before, *_joined(choice)]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _read_before(choice: If) -> tuple[list[Node], If]:
    """Return what the arms of a choice both read, and the choice."""
    index = _Index(_makers(choice.then), _makers(choice.orelse))
    same: dict[Value, Atom] = {}
    others = _first_loads(choice.orelse)
    for load in _first_loads(choice.then):
        alike = next((other for other in others if index.is_same_load(load, other)), None)
        if alike is not None:
            before = replace(load, out=replace(load.out), args=tuple(map(index.copied, load.args)))
            index.nodes.append(before)
            same[load.out] = same[alike.out] = before.out
            others.remove(alike)
    if not same:
        return [], choice
    then, orelse = (
        substitute(replace(arm, nodes=tuple(n for n in arm.nodes if not _makes(n, same))), same)
        for arm in (choice.then, choice.orelse)
    )
    return index.nodes, replace(choice, then=then, orelse=orelse)


def _makes(node: Node, same: Mapping[Value, Atom]) -> bool:
    return isinstance(node, Apply) and node.out in same


def _first_loads(arm: Region) -> list[Apply]:
    """Return the elements that an arm reads before anything but numbers happens in it."""
    found: list[Apply] = []
    for node in arm.nodes:
        match node:
            case Apply(fn="getitem", args=(Value() as array, *place)) if is_array(array.type):
                if not _is_number(node.out) or not all(map(_is_number, place)):
                    return found
                found.append(node)
            case Apply() if _is_arithmetic(node):
                pass
            case _:
                return found
    return found


def _joined(choice: If) -> list[Node]:
    """Return a choice, and what its arms ended with."""
    behind: list[Node] = []
    while True:
        one, two = _last_store(choice.then), _last_store(choice.orelse)
        if one is None or two is None or not _are_alike(one, two):
            return [choice, *behind]
        index = _Index(_makers(choice.then), _makers(choice.orelse))
        pairs = zip(one.index, two.index, strict=True)
        kind = _common(one.value, two.value, one.array)
        if kind is None or not all(index.is_same(*pair) for pair in pairs):
            return [choice, *behind]
        value = Value("choice", temporary=True, type=kind)
        then, orelse = _without(choice.then, one), _without(choice.orelse, two)
        choice = replace(choice, then=then, orelse=orelse, outs=(*choice.outs, value))
        place = tuple(map(index.copied, one.index))
        behind = [*index.nodes, replace(one, index=place, value=value, loc=choice.loc), *behind]


def _last_store(region: Region) -> Store | None:
    """Return the store that an arm ends with, but for arithmetic."""
    for node in reversed(region.nodes):
        match node:
            case Store():
                return node
            case Apply() if _is_arithmetic(node):
                pass
            case _:
                return None
    return None


def _is_arithmetic(node: Apply) -> bool:
    return card(node.fn).is_pure and all(map(_is_number, (node.out, *node.args)))


def _is_number(atom: Atom) -> bool:
    return is_scalar(type_of(atom)) or isinstance(atom, Literal)


def _are_alike(one: Store, two: Store) -> bool:
    """Tell whether two stores are to elements of one array, in the same way."""
    is_pair = one.array is two.array and one.accumulate == two.accumulate and len(one.index) == len(two.index)
    return is_pair and all(map(_is_number, (*one.index, one.value, two.value)))


def _common(one: Atom, two: Atom, array: Value) -> nt.Type | None:
    """Return the type of a number that is either of two, None if another one would be stored."""
    kinds = {typeof(a.value) if isinstance(a, Literal) else type_of(a) for a in (one, two)}
    if len(kinds) == 1:
        return kinds.pop()
    return float64 if kinds <= {float32, float64, int64} and is_float(element(array.type)) else None


def _without(region: Region, store: Store) -> Region:
    nodes = tuple(node for node in region.nodes if node is not store)
    return replace(region, nodes=nodes, yields=(*region.yields, store.value))


def _makers(region: Region) -> dict[Value, Apply]:
    return {node.out: node for node in region.nodes if isinstance(node, Apply)}


class _Index:
    """Compares what arms compute for an index, and writes it down once more."""

    def __init__(self, then: Mapping[Value, Apply], orelse: Mapping[Value, Apply]) -> None:
        self.then, self.orelse = then, orelse
        self.nodes: list[Node] = []

    def is_same(self, one: Atom, two: Atom) -> bool:
        """Tell whether atoms of the one and the other arm are the same number."""
        here = self.then.get(one) if isinstance(one, Value) else None
        there = self.orelse.get(two) if isinstance(two, Value) else None
        if here is None or there is None:
            return one == two and here is there
        is_alike = here.fn == there.fn and len(here.args) == len(there.args) and not here.keywords
        both = is_alike and _is_arithmetic(here) and _is_arithmetic(there)
        return both and all(self.is_same(*pair) for pair in zip(here.args, there.args, strict=True))

    def is_same_load(self, one: Apply, two: Apply) -> bool:
        """Tell whether arms read the same element, of an array that was there before."""
        if one.args[0] is not two.args[0] or len(one.args) != len(two.args):
            return False
        return all(self.is_same(*pair) for pair in zip(one.args[1:], two.args[1:], strict=True))

    def copied(self, atom: Atom) -> Atom:
        """Return an atom of the first arm as it is behind the choice."""
        made = self.then.get(atom) if isinstance(atom, Value) else None
        if made is None:
            return atom
        args = tuple(map(self.copied, made.args))
        out = Value(made.out.name, made.out.temporary, made.out.type)
        self.nodes.append(replace(made, out=out, args=args))
        return out
