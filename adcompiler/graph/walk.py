"""Traversal of graphs: what a node reads and defines, uses, substitution, cloning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import TypeVar, assert_never

from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Node,
    Region,
    Store,
    Value,
    While,
)


def operands(node: Node) -> tuple[Atom, ...]:
    """Return the atoms that the node itself reads (not those inside its regions)."""
    if type(node) is Apply and not node.keywords:  # most are
        return node.args
    match node:
        case Apply() | Effect():
            return node.args + tuple(atom for _, atom in node.keywords)
        case Store():
            return (node.array, *node.index, node.value)
        case If():
            return (node.test,)
        case For():
            return (node.start, node.stop, node.step, *node.inits)
        case While():
            return node.inits
    assert_never(node)


def regions(node: Node) -> tuple[Region, ...]:
    """Return the regions a node holds, in the order in which they run."""
    if type(node) is Apply:  # most are
        return ()
    match node:
        case If():
            return (node.then, node.orelse)
        case For():
            return (node.body,)
        case While():
            return (node.cond, node.body)
        case _:
            return ()


def results(node: Node) -> tuple[Value, ...]:
    """Return the values a node defines in its own region."""
    match node:
        case Apply():
            return (node.out,)
        case If() | For() | While():
            return node.outs
        case _:
            return ()


def merges(node: Node) -> Iterator[tuple[Value, Atom]]:
    """Yield (merged value, value that flows into it) for a branch or loop."""
    match node:
        case If():
            yield from zip(node.outs, node.then.yields, strict=True)
            yield from zip(node.outs, node.orelse.yields, strict=True)
        case For() | While():
            params = node.carried
            yield from zip(params, node.inits, strict=True)
            yield from zip(params, node.next_values, strict=True)
            yield from zip(node.outs, params, strict=True)


def walk(region: Region) -> Iterator[Node]:
    """Return every node in program order, outer nodes before those inside them."""
    found: list[Node] = []
    _walk(region, found)
    return iter(found)


def _walk(region: Region, found: list[Node]) -> None:
    for node in region.nodes:
        found.append(node)
        for inner in regions(node):
            _walk(inner, found)


def walk_regions(region: Region) -> Iterator[Region]:
    """Yield the region and every region inside it."""
    yield region
    for node in region.nodes:
        for inner in regions(node):
            yield from walk_regions(inner)


def values(atoms: Iterable[Atom]) -> Iterator[Value]:
    """Keep the SSA values among atoms."""
    return iter([atom for atom in atoms if type(atom) is Value])


def uses(region: Region) -> Counter[Value]:
    """Count how often each value is read, in operands and yields, everywhere below `region`."""
    counts: Counter[Value] = Counter()
    for inner in walk_regions(region):
        counts.update(values(inner.yields))
        for node in inner.nodes:
            counts.update(values(operands(node)))
    return counts


def defined(region: Region) -> dict[Value, None]:
    """Return every value defined in the region or below, in a fixed order (an ordered set)."""
    found: dict[Value, None] = {}
    for inner in walk_regions(region):
        found.update(dict.fromkeys(inner.params))
        for node in inner.nodes:
            found.update(dict.fromkeys(results(node)))
    return found


def free(region: Region) -> dict[Value, None]:
    """Return the values read in the region but defined outside it, in order of first use."""
    inside = defined(region)
    found: dict[Value, None] = {}
    for inner in walk_regions(region):
        for node in inner.nodes:
            found.update((v, None) for v in values(operands(node)) if v not in inside)
        found.update((v, None) for v in values(inner.yields) if v not in inside)
    return found


def all_reads(node: Node) -> set[Value]:
    """Return the values that a node reads, also inside its regions, of those that are defined outside it.

    >>> x, y = Value("x"), Value("y")
    >>> all_reads(Apply(y, "exp", (x,))) == {x}
    True
    """
    return {*values(operands(node)), *(value for region in regions(node) for value in free(region))}


def makers_of(wanted: Iterable[Atom], nodes: Sequence[Node]) -> list[Node]:
    """Return those of the nodes of a region that some values are computed by, in order."""
    needed = {*values(wanted)}
    found: list[Node] = []
    for node in reversed(nodes):
        if not needed.isdisjoint(results(node)):
            needed |= all_reads(node)
            found.append(node)
    return found[::-1]


def map_operands(node: Node, change: Callable[[Atom], Atom]) -> Node:
    """Return the node with `change` applied to the atoms that it reads itself."""
    match node:
        case Apply(keywords=()) | Effect(keywords=()):
            args = tuple(map(change, node.args))
            return node if all(map(is_, args, node.args)) else replace(node, args=args)
        case Apply() | Effect():
            keywords = tuple((key, change(atom)) for key, atom in node.keywords)
            return replace(node, args=tuple(map(change, node.args)), keywords=keywords)
        case Store():
            array = change(node.array)
            assert isinstance(array, Value)
            index, value = tuple(map(change, node.index)), change(node.value)
            is_same = array is node.array and value is node.value and all(map(is_, index, node.index))
            return node if is_same else replace(node, array=array, index=index, value=value)
        case If():
            return replace(node, test=change(node.test))
        case For():
            return replace(
                node,
                start=change(node.start),
                stop=change(node.stop),
                step=change(node.step),
                inits=tuple(map(change, node.inits)),
            )
        case While():
            return replace(node, inits=tuple(map(change, node.inits)))
    assert_never(node)


def with_regions(node: Node, new: tuple[Region, ...]) -> Node:
    """Return the node with its regions replaced."""
    match node:
        case If():
            return replace(node, then=new[0], orelse=new[1])
        case For():
            return replace(node, body=new[0])
        case While():
            return replace(node, cond=new[0], body=new[1])
        case _:
            return node


def map_region(region: Region, change: Callable[[Region], Region]) -> Region:
    """Rebuild the region bottom-up, with `change` applied to every region in it."""
    nodes = tuple(
        with_regions(node, tuple(map_region(inner, change) for inner in regions(node)))
        for node in region.nodes
    )
    return change(Region(region.params, nodes, region.yields))


def alike(one: Graph, two: Graph) -> bool:
    """Tell whether two graphs consist of the same nodes.

    >>> x, y = Value("x"), Value("y")
    >>> node = Apply(y, "exp", (x,))
    >>> alike(*(Graph("f", Region((x,), (node,), (y,))) for _ in range(2)))
    True
    """
    about = [(each.name, each.returns, each.doc, each.defaults, each.parameters) for each in (one, two)]
    return about[0] == about[1] and _alike(one.body, two.body)


def _alike(one: Region, two: Region) -> bool:
    if one is two:
        return True
    if len(one.nodes) != len(two.nodes) or not _are_same(one.yields, two.yields):
        return False
    return _are_same(one.params, two.params) and all(map(_are_alike, one.nodes, two.nodes))


def _are_alike(one: Node, two: Node) -> bool:
    if one is two:
        return True
    if type(one) is not type(two) or isinstance(one, Apply | Store | Effect):
        return False
    is_same = _are_same(operands(one), operands(two)) and _are_same(results(one), results(two))
    is_same = is_same and one.role is two.role
    is_same = is_same and all(getattr(one, mark, None) == getattr(two, mark, None) for mark in _MARKS)
    return is_same and all(map(_alike, regions(one), regions(two)))


_MARKS = ("breaks", "parallel")


def _are_same(one: tuple[Atom, ...], two: tuple[Atom, ...]) -> bool:
    return len(one) == len(two) and all(map(is_, one, two))


def substitute(region: Region, mapping: dict[Value, Atom]) -> Region:
    """Replace reads of values everywhere in the region; definitions stay as they are."""
    if not mapping:
        return region

    def change(atom: Atom) -> Atom:
        while isinstance(atom, Value) and atom in mapping:
            atom = mapping[atom]
        return atom

    def rewrite(inner: Region) -> Region:
        nodes = tuple(map_operands(node, change) for node in inner.nodes)
        return Region(inner.params, nodes, tuple(map(change, inner.yields)))

    return map_region(region, rewrite)


def rename(region: Region, new: dict[Value, Value]) -> Region:
    """Put other values in the place of some that primitives compute."""
    if not new:
        return region

    def rewrite(inner: Region) -> Region:
        nodes = (
            replace(node, out=new[node.out]) if isinstance(node, Apply) and node.out in new else node
            for node in inner.nodes
        )
        return replace(inner, nodes=tuple(nodes))

    return map_region(substitute(region, dict(new)), rewrite)


T = TypeVar("T")


def renamed_keys(table: Mapping[Value, T], mapping: Mapping[Value, Atom]) -> dict[Value, T]:
    """Return what a table has for old values, for the values that stand in their place."""
    return {new: table[old] for old, new in mapping.items() if old in table and isinstance(new, Value)}


def clone(region: Region, mapping: dict[Value, Atom]) -> Region:
    """Copy a region with fresh values for all it defines; `mapping` is extended with old → new."""

    def fresh(value: Value) -> Value:
        mapping[value] = new = Value(value.name, value.temporary, value.type)
        return new

    def read(atom: Atom) -> Atom:
        return mapping.get(atom, atom) if isinstance(atom, Value) else atom

    def copy(inner: Region) -> Region:
        params = tuple(map(fresh, inner.params))
        nodes = tuple(map(copy_node, inner.nodes))
        return Region(params, nodes, tuple(map(read, inner.yields)))

    def copy_node(node: Node) -> Node:
        node = map_operands(node, read)
        match node:
            case While():  # the condition reads the parameters of the body
                params = tuple(map(fresh, node.body.params))
                cond = copy(node.cond)
                nodes = tuple(map(copy_node, node.body.nodes))
                body = Region(params, nodes, tuple(map(read, node.body.yields)))
                node = replace(node, cond=cond, body=body)
            case _:
                node = with_regions(node, tuple(map(copy, regions(node))))
        match node:
            case Apply():
                return replace(node, out=fresh(node.out))
            case If() | For() | While():
                return replace(node, outs=tuple(map(fresh, node.outs)))
            case _:
                return replace(node)  # a node stands at one place

    return copy(region)


def select(node: If | For | While, keep: list[int]) -> If | For | While:
    """Keep only some of a branch's outputs, or of a loop's carried values, by position."""

    def picked(atoms: tuple[Atom, ...], skip: int = 0) -> tuple[Atom, ...]:
        return atoms[:skip] + tuple(atoms[skip + k] for k in keep)

    outs = tuple(node.outs[k] for k in keep)
    if isinstance(node, If):
        then = replace(node.then, yields=picked(node.then.yields))
        orelse = replace(node.orelse, yields=picked(node.orelse.yields))
        return replace(node, then=then, orelse=orelse, outs=outs)
    fixed = int(isinstance(node, For))
    params = node.body.params[:fixed] + tuple(node.body.params[fixed + k] for k in keep)
    body = Region(params, node.body.nodes, picked(node.body.yields, int(node.breaks)))
    return replace(node, inits=picked(node.inits), body=body, outs=outs)
