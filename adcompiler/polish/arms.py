"""Move what only carries on the adjoint of one arm of a choice into that arm: the other has nothing to do.

A pair of particles beyond a cut-off, an option that is not exercised: the choice hands on an adjoint of zero,
and what follows adds multiples of it. Loops that LLVM can vectorise stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from adcompiler.analysis.alias import shared_memory, written_by
from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import is_memory
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
from adcompiler.graph.walk import (
    free,
    operands,
    regions,
    results,
    substitute,
    uses,
    values,
    walk,
    with_regions,
)
from adcompiler.polish.skip import follow
from adcompiler.primitives import card

_ZERO = Literal(0.0)


def move_into_arms(graph: Graph) -> Graph:
    """Return the graph with such work behind the test of the choice.

    Args:
        graph: the graph of a gradient.
    """
    iterations, classes = Iterations(graph), shared_memory(graph.body)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            node = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            if isinstance(node, For):
                moved = _moved(node.body, classes)
                if moved is not node.body and not _is_vectorised(node, loops, iterations):
                    node = replace(node, body=moved)
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _is_vectorised(loop: For, loops: Loops, iterations: Iterations) -> bool:
    if loop.breaks:
        return False
    is_sum = all(kind is not None for kind in carried_kinds(loop.body))
    return is_sum and iterations.are_apart(loop, loops, sums_are_apart=True)


def _moved(body: Region, classes: Mapping[Value, Value]) -> Region:
    """Return the body of a loop with what follows its choices in their arms."""
    for choice in body.nodes:
        for arm in (0, 1):
            place = body.nodes.index(choice) if choice in body.nodes else None
            if isinstance(choice, If) and place is not None:
                body = _with_followers(body, place, arm, classes) or body
    return body


def _with_followers(body: Region, place: int, arm: int, classes: Mapping[Value, Value]) -> Region | None:
    """Return a body with what adds multiples of what one arm yields in that arm, None if nothing does."""
    choice, after = body.nodes[place], body.nodes[place + 1 :]
    assert isinstance(choice, If)
    ends = [part.yields for part in regions(choice)]
    own, others = ends[arm], ends[1 - arm]
    ends_of = zip(choice.outs, own, others, strict=True)
    zero = {out for out, one, two in ends_of if two == _ZERO != one}
    follow(Region((), after, ()), zero)
    bases = _sums(after, zero)
    counts = uses(body)
    moved = _movable(after, zero, bases, counts)
    if not any(isinstance(node, Store) for node in moved) or not _may_go_first(moved, after, classes):
        return None
    inside = Counter(value for node in moved for value in values(operands(node)))
    handed = [out for node in moved if isinstance(node, Apply) and counts[out := node.out] > inside[out]]
    kept = [k for k, out in enumerate(choice.outs) if counts[out] > inside[out]]
    there = dict(zip(choice.outs, own, strict=True)) | {out: replace(out) for out in handed}
    elsewhere = dict(zip(choice.outs, others, strict=True))
    nodes = tuple(_renamed(node, there) for node in moved)
    yields = [
        (*(own[k] for k in kept), *(there[out] for out in handed)),
        (*(others[k] for k in kept), *(_read(bases[out], elsewhere) for out in handed)),
    ]
    arms = [
        Region((), (*part.nodes, *more), end)
        for part, more, end in zip(_in_order(regions(choice), arm), (nodes, ()), yields, strict=True)
    ]
    then, orelse = _in_order(arms, arm)
    outs = (*(choice.outs[k] for k in kept), *handed)
    made = replace(choice, then=then, orelse=orelse, outs=outs)
    rest = [node for node in after if node not in moved]
    return replace(body, nodes=(*body.nodes[:place], made, *rest))


def _read(atom: Atom, names: Mapping[Value, Atom]) -> Atom:
    return names.get(atom, atom) if isinstance(atom, Value) else atom


def _in_order(arms: Sequence[Region], first: int) -> tuple[Region, Region]:
    """Return two arms, or bring them back into the order of the text."""
    return arms[first], arms[1 - first]


def _renamed(node: Node, names: dict[Value, Atom]) -> Node:
    (node,) = substitute(Region((), (node,), ()), names).nodes
    own = names.get(node.out) if isinstance(node, Apply) else None
    return replace(node, out=own) if isinstance(node, Apply) and isinstance(own, Value) else node


def _sums(after: Sequence[Node], zero: Collection[Value]) -> dict[Value, Atom]:
    """Return the sums to which nothing but zeros is added, and what these are added to."""
    late = {out for node in after for out in results(node)}
    bases: dict[Value, Atom] = {}
    for node in after:
        if not isinstance(node, Apply) or node.fn not in ("add", "sub") or node.out in zero:
            continue
        one, two = node.args
        if node.fn == "add" and one in zero:
            one, two = two, one
        if two in zero and (one in bases or one not in late):
            bases[node.out] = bases.get(one, one) if isinstance(one, Value) else one
    return bases


def _movable(
    after: Sequence[Node], zero: Collection[Value], bases: Collection[Value], counts: Mapping[Value, int]
) -> list[Node]:
    """Return, in order, what adds zeros, and what is computed for it alone."""

    def adds_zero(node: Node) -> bool:
        is_store = isinstance(node, Store) and node.accumulate and bool(node.index) and node.value in zero
        return is_store or (isinstance(node, Apply) and node.out in bases)

    chosen = {node for node in after if adds_zero(node)}
    inside = Counter(value for node in chosen for value in values(operands(node)))
    for node in reversed(after):
        if (
            isinstance(node, Apply)
            and card(node.fn).is_pure
            and node not in chosen
            and counts[node.out] == inside[node.out]
        ):
            chosen.add(node)
            inside.update(values(operands(node)))
    return _without_what_needs_others([node for node in after if node in chosen], after, bases, counts)


def _without_what_needs_others(
    chosen: list[Node], after: Sequence[Node], bases: Collection[Value], counts: Mapping[Value, int]
) -> list[Node]:
    """Leave out what uses something that stays behind, and then what is computed for that."""
    while True:
        stays = {out for node in after if node not in chosen for out in results(node)}
        inside = Counter(value for node in chosen for value in values(operands(node)))
        left = [
            node
            for node in chosen
            if not stays.intersection(values(operands(node)))
            and (not isinstance(node, Apply) or node.out in bases or counts[node.out] == inside[node.out])
        ]
        if len(left) == len(chosen):
            return chosen
        chosen = left


def _may_go_first(moved: Sequence[Node], after: Sequence[Node], classes: Mapping[Value, Value]) -> bool:
    """Tell whether nothing that stays behind touches what is moved past it."""

    def memory(found: Iterable[Value]) -> set[Value]:
        return {classes.get(value, value) for value in found if is_memory(type_of(value))}

    last = after.index(moved[-1])
    passed = [node for node in after[:last] if node not in moved]
    written = memory(value for node in moved for value in written_by(node))
    touched = memory(value for node in moved for value in values(operands(node)))
    return not any(
        written & memory(free(Region((), (node,), ())))
        or touched & memory(value for part in walk(Region((), (node,), ())) for value in written_by(part))
        for node in passed
    )
