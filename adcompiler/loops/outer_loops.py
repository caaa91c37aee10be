"""Let nests over the same range share their outer loops: what one writes, the next reads from the cache.

Array code that adds to neighbours becomes one nest for each, as LLVM vectorises no innermost loop that adds
to two elements of one row. Rows further out do not disturb it: the nests share all loops but the innermost,
where no iteration needs what a later one of an earlier nest does (loop fusion, Kennedy and McKinley 1993).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from adcompiler.analysis.dependence import Access, Loops
from adcompiler.analysis.iterations import Iterations, Touched
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import is_memory
from adcompiler.graph.nodes import Apply, Effect, For, Graph, Literal, Node, Region, Role, type_of
from adcompiler.graph.walk import (
    all_reads,
    operands,
    regions,
    results,
    substitute,
    values,
    walk,
    with_regions,
)
from adcompiler.loops.vectorise import is_simple
from adcompiler.primitives import card


def share_outer_loops(graph: Graph) -> Graph:
    """Return the graph with such nests in one.

    Args:
        graph: the final graph of a derivative.
    """
    return replace(graph, body=_region(graph.body, (), Iterations(graph)))


def _region(region: Region, loops: Loops, known: Iterations) -> Region:
    nodes: list[Node] = []
    for node in region.nodes:
        if not (isinstance(node, For) and _joined(nodes, node, loops, known)):
            nodes.append(node)
    for place, node in enumerate(nodes):
        inner = (*loops, node) if isinstance(node, For) else loops
        changed = with_regions(node, tuple(_region(part, inner, known) for part in regions(node)))
        known.enter(Region((), (changed,), ()), loops)
        nodes[place] = changed
    return replace(region, nodes=tuple(nodes))


def _joined(nodes: list[Node], late: For, loops: Loops, known: Iterations) -> bool:
    """Let a loop join the last one before it, if it can; return whether it did."""
    place = next((k for k in range(len(nodes) - 1, -1, -1) if isinstance(nodes[k], For)), None)
    early = nodes[place] if place is not None else None
    if place is None or not isinstance(early, For) or not _are_alike(early, late):
        return False
    between = nodes[place + 1 :]
    if not all(_may_go_before(node, early, known) for node in between):
        return False
    defined = {value for node in (early, *between) for value in results(node)}
    if {*early.outs} & all_reads(late) or any(atom in defined for atom in (late.start, late.stop)):
        return False
    both = _together(early, late)
    known.enter(Region((), (both,), ()), loops)
    if not _keep_order(early, both, loops, known):
        known.enter(Region((), (early, late), ()), loops)
        return False
    nodes[place:] = [*between, both]
    return True


def _are_alike(early: For, late: For) -> bool:
    """Tell whether two nests go over the same range."""
    ranges = [(loop.start, loop.stop, loop.step) for loop in (early, late)]
    if ranges[0] != ranges[1] or not isinstance(early.step, Literal):
        return False
    loops = (early, late)
    return not any(loop.breaks or loop.checkpoints or loop.parallel or loop.independent for loop in loops)


def _may_go_before(node: Node, loop: For, known: Iterations) -> bool:
    """Tell whether a node that follows a loop may stand before it."""
    if isinstance(node, Effect) and node.fn == "reverse_sweep":
        return not node.args  # else what the forward sweep returns is read here
    if not isinstance(node, Apply) or not card(node.fn).is_pure or {*operands(node)} & {*loop.outs}:
        return False
    read = [value for value in values(operands(node)) if is_memory(type_of(value))]
    if not read or not card(node.fn).reads_elements:
        return True
    touched = known.touched(loop, ())
    return touched is not None and not any(
        memory.writes or memory.adds
        for value in read
        if (memory := touched.get(known.classes.get(value, value))) is not None
    )


def _together(early: For, late: For) -> For:
    """Return the loop that makes an iteration of the one, then of the other."""
    second = substitute(late.body, {late.body.params[0]: early.body.params[0]})
    body = Region(
        (*early.body.params, *late.body.params[1:]),
        (*early.body.nodes, *second.nodes),
        (*early.body.yields, *second.yields),
    )
    role = early.role if early.role is late.role else Role.PRIMAL
    inits, outs = (*early.inits, *late.inits), (*early.outs, *late.outs)
    return replace(early, inits=inits, outs=outs, body=body, role=role)


def _keep_order(early: For, both: For, loops: Loops, known: Iterations) -> bool:
    """Tell whether the parts share memory, and the later one needs no later iterations of the earlier one."""
    count = len(early.body.nodes)
    parts = [replace(both.body, nodes=nodes) for nodes in (both.body.nodes[:count], both.body.nodes[count:])]
    found = [known.accesses(part, (*loops, both), both) for part in parts]
    if found[0] is None or found[1] is None:
        return False
    shared = [memory for memory in found[0] if memory in found[1] and not known.is_made_inside(memory, both)]
    touched = [(found[0][memory], found[1][memory]) for memory in shared]
    if not touched or not (_is_simple(both, loops, known) or _may_stay_scalar(parts, touched)):
        return False
    return not any(
        known.dependences.may_meet_later(second, first, len(loops))
        for pair in touched
        for first, second in _in_order(*pair)
    )


def _may_stay_scalar(parts: Sequence[Region], touched: Sequence[tuple[Touched, Touched]]) -> bool:
    """Tell whether one of two parts is a nest, and the other one loses little by not being vectorised.

    Elementary functions count, unless the nest evaluates some in each iteration anyway. What one part writes,
    the other uses at the same place only: loads of a row wait for a store to it that has just been made.
    """
    nests = [any(isinstance(node, For) for node in part.nodes) for part in parts]
    if all(nests) or not any(nests):
        return all(nests)
    in_nests = any(is_nest and _has_functions(part) for is_nest, part in zip(nests, parts, strict=True))
    return (in_nests or not any(map(_has_functions, parts))) and all(
        first[:2] == second[:2] for pair in touched for first, second in (*_in_order(*pair), *_sums(*pair))
    )


def _has_functions(part: Region) -> bool:
    return any(isinstance(node, Apply) and bool(card(node.fn).fast) for node in walk(part))


def _is_simple(loop: For, loops: Loops, known: Iterations) -> bool:
    """Tell whether LLVM vectorises an innermost loop: it hands on sums only, and writes no neighbours."""
    touched = None if loop.breaks else known.touched(loop, loops)
    if touched is None or None in carried_kinds(loop.body) or not all(map(is_simple, walk(loop.body))):
        return False
    index = loop.body.params[0]
    for memory in touched.values():
        places = {(array, place) for array, place, _ in (*memory.reads, *memory.writes, *memory.adds)}
        if any(index in place[:-1] for _, place in places):
            return False
        if (memory.writes or memory.adds) and (len(places) > 1 or index not in places.pop()[1]):
            return False
    return True


def _sums(first: Touched, second: Touched) -> Iterator[tuple[Access, Access]]:
    return ((one, two) for one in first.adds for two in second.adds)


def _in_order(first: Touched, second: Touched) -> Iterator[tuple[Access, Access]]:
    """Yield the pairs of an access of the earlier and one of the later part that have to keep their order."""

    def pairs(some: Sequence[Access], others: Sequence[Access]) -> Iterator[tuple[Access, Access]]:
        return ((one, two) for one in some for two in others)

    yield from pairs(first.writes, (*second.writes, *second.reads, *second.adds))
    yield from pairs(first.reads, (*second.writes, *second.adds))
    yield from pairs(first.adds, (*second.writes, *second.reads))
