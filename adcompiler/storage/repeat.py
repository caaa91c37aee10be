"""Iterations of a loop that are run again, for their reversal: which can be, and what is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from adcompiler.analysis.alias import Memory, content_reads
from adcompiler.analysis.types import is_array, is_mutable
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import (
    clone,
    defined,
    free,
    merges,
    operands,
    regions,
    renamed_keys,
    substitute,
    values,
    walk,
    with_regions,
)
from adcompiler.primitives import card
from adcompiler.reverse.bind import SHADOW
from adcompiler.simplify.dead import remove_dead
from adcompiler.simplify.passed_checks import as_passed
from adcompiler.storage.recompute import Frame, is_load

Origins = dict[Value | Node, tuple[Node, tuple[Atom, ...]]]


def may_repeat(loop: For | While, needed: Iterable[Value], info: Memory) -> bool:
    """Tell whether an iteration can be run again, for its reversal, from what stands outside the loop alone.

    Args:
        loop: the loop of the primal.
        needed: values that the ideal reversal of one iteration reads.
        info: where memory is written.
    """
    if not isinstance(loop, For):
        return False
    frame = Frame(loop, loop.body, info)
    return _can_replay(frame, [value for value in needed if value in frame.inside])


def _can_replay(frame: Frame, needed: list[Value]) -> bool:
    """Tell whether an iteration can be run again from what stands outside the loop alone."""
    params = set(frame.body.params) - {frame.index}
    origins = _origins(frame.body)
    local = {node.out for node in walk(frame.body) if isinstance(node, Apply)}
    seen: set[Value] = set()
    nodes: dict[Node, None] = {}
    todo = list(needed)
    while todo:
        value = todo.pop()
        if value in seen or value not in frame.inside:
            continue
        seen.add(value)
        if value in params:
            return False
        node, reads = origins.get(value, (None, ()))
        todo += values(reads)
        nodes |= {} if node is None else {node: None}
        for store, reads in _stores(frame, value, origins):
            nodes[store] = None
            todo += values(reads)
    return all(_repeats(frame, node, local) for node in nodes)


def _stores(frame: Frame, value: Value, origins: Origins) -> Iterator[tuple[Node, tuple[Atom, ...]]]:
    """Yield what writes the memory or list behind a value in an iteration, and what that reads."""
    key = frame.info.classes.get(value, value)
    for node, reads in origins.values():
        is_store = isinstance(node, Store) and frame.info.classes.get(node.array, node.array) is key
        is_append = isinstance(node, Effect) and node.fn == "append" and node.args[0] is value
        if is_store or is_append:
            yield node, reads


def _repeats(frame: Frame, node: Node, local: set[Value]) -> bool:
    if isinstance(node, Apply) and (not card(node.fn).is_pure or node.fn == SHADOW):
        return False
    if isinstance(node, Store) and not _is_plain(frame, node, local):
        return False
    if is_load(node) and _is_unchanged(frame, node):
        return True
    for value in _element_reads(frame, node):
        owner = frame.info.owners.get(value, value)
        if not is_mutable(type_of(value)) or owner in local:
            continue
        if node not in frame.info.access or frame.info.written_after(value, node):
            return False
    return True


def _is_unchanged(frame: Frame, load: Apply) -> bool:
    """Tell whether a load gives the same when it is repeated in the reverse sweep."""
    is_array_read = load in frame.info.access and is_array(type_of(load.args[0]))
    return is_array_read and not frame.info.read_is_overwritten(load)


def _element_reads(frame: Frame, node: Node) -> Iterator[Value]:
    """Yield the memory that a node reads; the length of a list counts, as it may change."""
    if is_load(node) or frame.is_length_of_list(node):
        return values(operands(node))
    return content_reads(node)


def _is_plain(frame: Frame, store: Store, local: set[Value]) -> bool:
    """Tell whether a store is to an array made in this iteration, or from outside and to be left out."""
    owner = frame.info.owners.get(store.array, store.array)
    return owner in local or owner not in frame.inside or owner in frame.body.params


def _origins(region: Region, above: tuple[Atom, ...] = ()) -> Origins:
    """Map each value, and each statement, below a region to its node and to all that this reads.

    Args:
        region: the region.
        above: what decides whether, and how often, it runs.
    """
    found: Origins = {}
    for node in region.nodes:
        match node:
            case Apply():
                found[node.out] = node, (*operands(node), *above)
            case Store() | Effect():
                found[node] = node, (*operands(node), *above)
            case If():
                for out, left, right in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                    found[out] = node, (node.test, left, right, *above)
                for arm in regions(node):
                    found |= _origins(arm, (*above, node.test))
            case For() | While():
                found |= _origins_in_loop(node, (*above, *control(node)))
    return found


def _origins_in_loop(node: For | While, above: tuple[Atom, ...]) -> Origins:
    found: Origins = {}
    params = node.carried
    after = node.next_values
    for param, init, last, out in zip(params, node.inits, after, node.outs, strict=True):
        found[param] = found[out] = node, (init, last, *above)
    if isinstance(node, For):
        found[node.body.params[0]] = node, above
    for part in regions(node):
        found |= _origins(part, above)
    return found


def control(loop: For | While) -> tuple[Atom, ...]:
    """Return what decides how often a loop runs."""
    bounds = (loop.start, loop.stop, loop.step) if isinstance(loop, For) else loop.cond.yields
    return (*bounds, *loop.body.yields[: loop.breaks])


def repeated(body: Region, back: Region, owners: dict[Value, Value], starts: dict[Value, Literal]) -> Region:
    """Put the whole iteration before its reversal; dead code removal keeps what is read.

    Nothing that is read depends on the carried values: that is the condition for repeating it.

    Args:
        body: the iteration; branches have handed on what their reversals read.
        back: its reversal.
        owners: what owns the memory behind each array.
        starts: where counters that are counted back have been at first; those of the copy are added.
    """
    inside = defined(body)
    needed = tuple(value for value in free(back) if value in inside)
    kept = Region(body.params, tuple(_without_effects(body, owners)), ())
    shadows = (node.array for node in walk(kept) if isinstance(node, Store) and node.role is Role.ADJOINT)
    kept = replace(kept, yields=(*needed, *shadows))
    kept = replace(remove_dead(Graph("iteration", kept)).body, params=(), yields=())
    mapping: dict[Value, Atom] = dict.fromkeys(body.params[1:], UNDEFINED)
    copy = clone(kept, mapping)
    starts.update(renamed_keys(starts, mapping))
    own = defined(back)  # reverse loops keep the index of the loop that they reverse
    back = substitute(back, {old: new for old, new in mapping.items() if old not in own})
    return Region(back.params, (*copy.nodes, *back.nodes), back.yields)


def _stacks(body: Region) -> set[Value]:
    """Return the stacks that an iteration makes, also as the branches hand them on that made them."""
    nodes = [*walk(body)]
    found = {n.out for n in nodes if isinstance(n, Apply) and n.fn == "list" and n.role is Role.TAPE}
    pairs = [pair for node in nodes if isinstance(node, If) for pair in merges(node)]
    while more := {target for target, source in pairs if source in found} - found:
        found |= more
    return found


def _without_effects(body: Region, owners: dict[Value, Value]) -> list[Node]:
    """Return the nodes of an iteration without asserts, draws, and stores to arrays from outside."""
    local = {node.out for node in walk(body) if isinstance(node, Apply)} | _stacks(body)

    def keep(node: Node) -> bool:
        if isinstance(node, Effect):
            return card(node.fn).relates_sizes or (node.fn == "append" and node.args[0] in local)
        if isinstance(node, Apply):
            is_own = node.fn == "pop" or node.role is Role.TAPE
            return card(node.fn).is_pure or (is_own and node.args[0] in local)
        is_adjoint = node.role is Role.ADJOINT  # of an inner loop that is reversed as it runs
        return not isinstance(node, Store) or is_adjoint or owners.get(node.array, node.array) in local

    def rewrite(inner: Region) -> Region:
        kept = [as_passed(node) for node in inner.nodes if keep(node)]
        nodes = [with_regions(node, tuple(map(rewrite, regions(node)))) for node in kept]
        return Region(inner.params, tuple(nodes), inner.yields)

    return list(rewrite(body).nodes)
