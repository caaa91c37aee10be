"""Sum up in a number what a loop adds to one element of an array, and store it once.

`d_w[i] += …` in a loop over j becomes `d_w_i += …`, with `d_w[i] += d_w_i` after it: a compiler can then
keep the sum in a register, which it cannot as long as another array may be the same memory.

The program may not reach the element, if the loop does not run: where that is possible and the element may
not exist, the sum is stored only if the loop has run, or if it is not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from numba import boolean

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.types import element, is_float, is_scalar, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import defined, map_region, operands, regions, values, walk, with_regions
from adcompiler.prepare.bounds import stores_in_doubt
from adcompiler.primitives import card

Place = tuple[Value, tuple[Atom, ...]]
Sums = dict[Place, Value]
Stored = dict[Store, tuple[For, ...] | None]
"""The stores after loops, each with the loops that have to run for the program to store there."""


def accumulate_in_numbers(graph: Graph) -> Graph:
    """Return the graph with sums over loops kept in numbers.

    Args:
        graph: the graph of a gradient.
    """
    classes = shared_memory(graph.body)
    stored: Stored = {}

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(region(inner) for inner in regions(node)))
            nodes += _summed(node, classes, stored) if isinstance(node, For | While) else [node]
        return Region(body.params, tuple(nodes), body.yields)

    graph = replace(graph, body=region(graph.body))
    in_doubt = stores_in_doubt(graph, stored)

    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}

    def test(store: Store) -> tuple[For | None, Apply]:
        loops = stored[store]
        if loops is not None and len(loops) == 1:
            return loops[0], _runs(loops[0], makers)
        return None, Apply(_test(), "ne", (store.value, Literal(0.0)))

    def reached(body: Region) -> Region:
        return _only_if_reached(body, in_doubt, test)

    return replace(graph, body=map_region(graph.body, reached)) if in_doubt else graph


def _only_if_reached(
    region: Region, in_doubt: set[Store], test: Callable[[Store], tuple[For | None, Apply]]
) -> Region:
    """Store sums, where the element may not exist, only if the loop runs or else if they are not zero."""
    nodes: list[Node] = []
    last: For | None = None
    for node in region.nodes:
        if not isinstance(node, Store) or node not in in_doubt:
            nodes.append(node)
            last = None
            continue
        loop, made = test(node)
        earlier = nodes[-1]
        if loop is not None and loop is last and isinstance(earlier, If):
            nodes[-1] = replace(earlier, then=Region((), (*earlier.then.nodes, node), ()))
        else:
            nodes += [
                made,
                If(made.out, Region((), (node,), ()), Region((), (), ()), (), loc=node.loc, role=node.role),
            ]
        last = loop
    return replace(region, nodes=tuple(nodes))


def _runs(loop: For, makers: dict[Value, Apply]) -> Apply:
    """Return the node that tells whether a loop with a constant step runs."""
    start, stop, test = loop.start, loop.stop, _test()
    if isinstance(loop.step, Literal) and loop.step.value > 0:
        return Apply(test, "gt", (stop, start)) if start == Literal(0) else Apply(test, "lt", (start, stop))
    first = makers.get(start) if isinstance(start, Value) else None
    if first is not None and first.fn == "sub" and (first.args[1], stop) == (Literal(1), Literal(-1)):
        return Apply(test, "gt", (first.args[0], Literal(0)))
    return Apply(test, "gt", (start, stop))


def _test() -> Value:
    test = Value("test", temporary=True, type=boolean)
    return test


def _summed(loop: For | While, classes: Mapping[Value, Value], stored: Stored) -> list[Node]:
    inside: set[Value] = set()
    for inner in regions(loop):
        inside.update(defined(inner))
    used = {classes.get(value, value) for value in _other_uses(loop)}
    sums: Sums = {}
    for store in _stores(loop.body):
        place = store.array, store.index
        is_number = len(store.index) == rank(store.array.type) and all(
            isinstance(atom, Literal) or is_scalar(type_of(atom)) for atom in store.index
        )
        is_fixed = not any(value in inside for value in values((store.array, *store.index)))
        kind = element(store.array.type)
        is_free = classes.get(store.array, store.array) not in used
        if is_number and is_fixed and is_float(kind) and is_free:
            sums.setdefault(place, Value(_name(place), type=kind))
    if not sums:
        return [loop]
    entries = {place: _like(total) for place, total in sums.items()}
    nodes, after = _threaded(loop.body, dict(entries))
    body = Region(
        (*loop.body.params, *entries.values()),
        nodes,
        (*loop.body.yields, *(after[place] for place in entries)),
    )
    inits = (*loop.inits, *(Literal(0.0) for _ in sums))
    made = replace(loop, inits=inits, body=body, outs=(*loop.outs, *sums.values()))
    stores = {
        place: Store(*place, total, True, loc=loop.loc, role=loop.role) for place, total in sums.items()
    }
    stored |= {store: _needed(loop, made, place, stored) for place, store in stores.items()}
    return [made, *stores.values()]


def _needed(loop: For | While, made: For | While, place: Place, stored: Stored) -> tuple[For, ...] | None:
    """Return the loops that have to run for a loop to add to a place; None if it may not even then."""
    for store in loop.body.nodes:
        if isinstance(store, Store) and store.accumulate and (store.array, store.index) == place:
            inner = stored.get(store, ())
            if isinstance(made, For) and isinstance(made.step, Literal) and inner is not None:
                return (made, *inner)
    return None


def _like(total: Value) -> Value:
    return Value(total.name, type=total.type)


def _name(place: Place) -> str:
    array, index = place
    parts = [atom.name for atom in index if isinstance(atom, Value) and not atom.temporary]
    parts += [str(atom.value) for atom in index if isinstance(atom, Literal) and str(atom.value).isdigit()]
    return "_".join([array.name, *parts]) if len(parts) == len(index) else f"{array.name}_sum"


def _stores(region: Region) -> Iterator[Store]:
    """Yield what a region adds to arrays, itself or in branches."""
    for node in region.nodes:
        if isinstance(node, Store) and node.accumulate:
            yield node
        elif isinstance(node, If):
            for arm in regions(node):
                yield from _stores(arm)


def _other_uses(loop: For | While) -> Iterator[Value]:
    """Yield the values that a loop reads or writes otherwise than by adding to them."""
    for inner in regions(loop):
        yield from values(inner.yields)
        for node in walk(inner):
            match node:
                case Store(accumulate=True):
                    yield from values((*node.index, node.value))
                case Apply() if not card(node.fn).reads_elements:
                    pass
                case _:
                    yield from values(operands(node))
                    for sub in regions(node):
                        yield from values(sub.yields)


def _threaded(region: Region, current: dict[Place, Value]) -> tuple[tuple[Node, ...], dict[Place, Value]]:
    """Replace the stores of a region by sums; return its nodes and the sums at its end."""
    nodes: list[Node] = []
    for node in region.nodes:
        match node:
            case Store(accumulate=True) if (place := (node.array, node.index)) in current:
                total = _like(current[place])
                nodes.append(Apply(total, "add", (current[place], node.value), loc=node.loc, role=node.role))
                current = current | {place: total}
            case If() if touched := _touched(node, current):
                arms = [_threaded(arm, dict(current)) for arm in regions(node)]
                outs = {place: _like(current[place]) for place in touched}
                new = [
                    Region((), made, (*arm.yields, *(sums[place] for place in touched)))
                    for arm, (made, sums) in zip(regions(node), arms, strict=True)
                ]
                nodes.append(replace(node, then=new[0], orelse=new[1], outs=(*node.outs, *outs.values())))
                current = current | outs
            case _:
                nodes.append(node)
    return tuple(nodes), current


def _touched(node: If, current: dict[Place, Value]) -> list[Place]:
    """Return the places to which the arms of a branch add."""
    found = dict.fromkeys((store.array, store.index) for arm in regions(node) for store in _stores(arm))
    return [place for place in found if place in current]
