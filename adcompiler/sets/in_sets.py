"""A derivative along one direction becomes a program that finds where the derivative may not be zero.

Each number that follows from the tangents becomes the set of those tangents that it may depend on
(`runtime/sets.py`). What the program itself computes is left to find indices, sizes and paths; where one of
these depends on floats, all are taken that there may be, unless the path of certain arguments is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list, is_scalar
from adcompiler.graph.layout import Layout, Leaf
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
from adcompiler.graph.walk import defined, free, map_operands, operands, values, walk
from adcompiler.lanes.varying import flow, followers
from adcompiler.primitives import card
from adcompiler.sets.combined import primitive
from adcompiler.sets.doubt import values_in_doubt
from adcompiler.sets.forming import EMPTY, Forming
from adcompiler.sets.placed import store
from adcompiler.sets.refusals import Writes, refuse
from adcompiler.sets.without_sets import without_sets


def in_sets(graph: Graph, wrt: Sequence[int], count: int, is_local: bool) -> Graph:
    """Return a program that takes sets in place of tangents, and the book of their unions as last argument.

    Args:
        graph: the derivative along one direction, polished.
        wrt: positions of the parameters that it is differentiated by.
        count: how many of its parameters, the last ones, are tangents.
        is_local: whether the path of the arguments is followed, and no other one.

    Raises:
        DifferentiationError: AD601 where a path, an index or a size depends on floats, and what may happen
            otherwise cannot be told.
    """
    params = graph.body.params
    own = len(params) - count
    varying = followers(graph.body, params[own:], flow(graph.body))
    varied = params[own:] if is_local else [params[k] for k in wrt] + [*params[own:]]
    doubts = values_in_doubt(graph.body, varied, () if is_local else params)
    sets = Forming(varying, *doubts, Writes(graph.body))
    given = tuple(map(sets.define, params[own:]))
    for node in graph.body.nodes:
        form(sets, node)
    yields = tuple(map(sets.returned, graph.body.yields))
    body = Region((*params[:own], *given, sets.book), tuple(sets.nodes), yields)
    parameters = _parameters(graph, (*given, sets.book))
    return replace(graph, name=f"{graph.name}_sets", body=body, parameters=parameters)


def _parameters(graph: Graph, added: tuple[Value, ...]) -> tuple[tuple[str, Layout], ...]:
    """Return the layouts of all parameters, if each is not one value anyway."""
    if not graph.parameters:
        return ()
    own = graph.parameters[: len(graph.parameters) - len(added) + 1]
    return (*own, *((param.name, Leaf()) for param in added))


def form(sets: Forming, node: Node) -> None:
    """Append what forms the sets that a node hands on, and what remains of the node itself."""
    match node:
        case Apply() if node.out in sets.varying:
            sets.named(node.out, primitive(sets, node))
        case Store() if node.array in sets.varying:
            store(sets, node)
        case Effect():
            _effect(sets, node)
        case If() | For() | While() if not sets.varying.isdisjoint(_touched(node)):
            _doubtful(sets, node) if sets.is_undecided(node) else _path(sets, node)
        case For() | While() if sets.is_unsure and sets.is_undecided(node):
            _any_number_of_times(sets, node)
        case If() if sets.is_undecided(node):
            sets.nodes.append(without_sets(node, sets.varying))
        case If() | For() | While() if sets.is_unsure and not sets.is_undecided(node):
            _path(sets, node)
        case Store() if sets.is_unsure:
            pass  # what the array holds is not known then
        case Apply(fn="getitem") if (
            sets.is_unsure and is_scalar(node.out.type) and is_array(type_of(node.args[0]))
        ):
            sets.nodes.append(replace(node, fn="sets.item"))
        case _:
            is_list_changed = isinstance(node, Apply) and card(node.fn).changes_length
            refuse(is_list_changed and sets.is_unsure, "how long a list is depends on floats", node)
            sets.nodes.append(map_operands(node, sets.seen))


def _effect(sets: Forming, node: Effect) -> None:
    """Checks of what may be any are left out, as are those that may not run."""
    if card(node.fn).writes_first and node.args[0] in sets.varying:
        is_known = bool(card(node.fn).in_sets) and not sets.is_unsure
        refuse(not is_known, "how long a list is depends on floats", node)
        sets.nodes.append(replace(node, args=tuple(map(sets.read, node.args))))
    elif not sets.is_unsure and (
        card(node.fn).writes_first or sets.undecided.isdisjoint(values(operands(node)))
    ):
        sets.nodes.append(map_operands(node, sets.seen))


def _inner(
    sets: Forming, region: Region, merged: Iterable[Value | None], params: tuple[Value, ...] = ()
) -> Region:
    """Return what a region becomes, given the values that its yields are merged to."""
    outer, sets.nodes = sets.nodes, []
    for node in region.nodes:
        form(sets, node)
    pairs = zip(region.yields, merged, strict=True)
    yields = tuple(sets.read(atom) if out in sets.varying else atom for atom, out in pairs)
    nodes, sets.nodes = tuple(sets.nodes), outer
    return Region(params, nodes, yields)


def _path(sets: Forming, node: If | For | While) -> None:
    """A branch or loop whose path is known has sets beside what the program itself hands on."""
    if isinstance(node, If):
        then, orelse = (_inner(sets, arm, node.outs) for arm in (node.then, node.orelse))
        sets.nodes.append(replace(node, then=then, orelse=orelse, outs=tuple(map(sets.define, node.outs))))
        return
    inits = _inits(sets, node)
    params = tuple(map(sets.define, node.body.params))
    if isinstance(node, While):
        node = replace(node, cond=_inner(sets, node.cond, (None,)))
    body = _inner(sets, node.body, (*[None] * node.breaks, *node.carried), params)
    outs = tuple(map(sets.define, node.outs))
    sets.nodes.append(replace(node, inits=inits, body=body, outs=outs))


def _inits(sets: Forming, node: For | While) -> tuple[Atom, ...]:
    """Return what a loop begins with; numbers that only it assigns have empty sets before."""
    found = []
    for atom, param in zip(node.inits, node.carried, strict=True):
        is_unbound = param in sets.varying and (atom == UNDEFINED or atom in sets.unbound)
        if is_unbound and is_array(param.type):
            sets.unbound.add(param)
        is_number = is_unbound and is_scalar(param.type)
        found.append(EMPTY if is_number else sets.read(atom) if param in sets.varying else atom)
    return tuple(found)


def _doubtful(sets: Forming, node: If | For | While) -> None:
    """Either branch may be taken, and a loop may end with any iteration: what may happen does."""
    was_unsure, sets.is_unsure = sets.is_unsure, True
    match node:
        case If():
            _both(sets, node)
        case For(breaks=True) if not sets.doubts((node.start, node.stop, node.step)):
            _to_the_end(sets, node)
        case _:
            _any_number_of_times(sets, node)
    sets.is_unsure = was_unsure


def _both(sets: Forming, node: If) -> None:
    """Run both branches one after the other."""
    if any(out not in sets.varying for out in node.outs):
        sets.nodes.append(without_sets(node, sets.varying))
    for arm in (node.then, node.orelse):
        for inner in arm.nodes:
            form(sets, inner)
    for out, one, two in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
        if out in sets.varying:
            _check_choice(sets, out, node, one, two)
            sets.named(out, sets.union(sets.read(one), sets.read(two)))


def _check_choice(sets: Forming, out: Value, node: If | For, one: Atom, two: Atom) -> None:
    """Refuse arrays that are written, or may not be there, where only the arguments tell which is meant."""
    is_memory = is_list(out.type) or (is_array(out.type) and sets.writes.matter(out, node))
    is_memory = is_memory or not sets.unbound.isdisjoint((one, two))
    refuse(is_memory and one is not two, "which array or list is meant depends on floats", node)


def _to_the_end(sets: Forming, node: For) -> None:
    """Run a loop that may be left early to its end; what it hands on is that of any iteration."""
    inits = _inits(sets, node)
    outer, sets.nodes = sets.nodes, []
    params = tuple(map(sets.define, node.body.params))
    for inner in node.body.nodes:
        form(sets, inner)
    yields: list[Atom] = []
    for param, out, found in zip(node.carried, node.outs, node.next_values, strict=True):
        if out in sets.varying:
            _check_choice(sets, out, node, param, found)
        yields.append(sets.union(sets.read(param), sets.read(found)) if out in sets.varying else found)
    body, sets.nodes = Region(params, tuple(sets.nodes), tuple(yields)), outer
    outs = tuple(map(sets.define, node.outs))
    sets.nodes.append(replace(node, inits=inits, body=body, outs=outs, breaks=False))


def _any_number_of_times(sets: Forming, node: For | While) -> None:
    """Run the body of a loop once, on sets that stay open until it is known what iterations add to them."""
    outside = [sets.own[array] for array in _written_from_outside(sets, node)]
    opened: list[tuple[Atom, Value]] = [(array, _open(sets, array)) for array in outside]
    sets.nodes += (
        Store(array, (), found, role=Role.TAPE) for array, (_, found) in zip(outside, opened, strict=True)
    )
    opened += [_entry(sets, node, k) for k, out in enumerate(node.outs) if out in sets.varying]
    index = node.body.params[0] if isinstance(node, For) else Value("once", True, int64)
    outer, sets.nodes = sets.nodes, []
    for inner in node.body.nodes:
        form(sets, inner)
    for last, found in opened:
        _close(sets, found, last)
    kept = [k for k, out in enumerate(node.outs) if out not in sets.varying]
    ends = tuple(node.next_values[k] for k in kept)
    body, sets.nodes = Region((index, *(node.carried[k] for k in kept)), tuple(sets.nodes), ends), outer
    inits, outs = tuple(node.inits[k] for k in kept), tuple(node.outs[k] for k in kept)
    once = For(Literal(0), Literal(1), Literal(1), inits, body, outs, loc=node.loc, role=node.role)
    sets.nodes.append(once)


def _written_from_outside(sets: Forming, node: For | While) -> list[Value]:
    """Return the arrays of sets from outside that a loop writes."""
    written = {sets.writes.memory(each.array) for each in walk(node.body) if isinstance(each, Store)}
    outside = [value for value in free(node.body) if value in sets.varying and not is_scalar(value.type)]
    found = [value for value in outside if sets.writes.memory(value) in written]
    refuse(any(is_list(value.type) for value in found), "what a list holds depends on floats", node)
    return found


def _entry(sets: Forming, node: For | While, k: int) -> tuple[Atom, Value]:
    """Open what a loop carries; return what an iteration hands on, and the open sets."""
    param, init = node.carried[k], node.inits[k]
    is_unbound = init == UNDEFINED or init in sets.unbound
    if not is_scalar(param.type):
        is_other = is_list(param.type) or is_unbound or sets.writes.may_change(param, node)
        refuse(is_other, "which array or list is meant depends on floats", node)
    found = _open(sets, EMPTY if is_unbound else sets.read(init))
    sets.own[param] = sets.own[node.outs[k]] = found
    return node.next_values[k], found


def _open(sets: Forming, atom: Atom) -> Value:
    kind = type_of(atom)
    if is_array(kind):
        return sets.apply("sets.open_sets", (sets.book, atom), nt.Array(int64, kind.ndim, "C"), "opened")
    return sets.apply("sets.open_set", (sets.book, atom), int64, "opened")


def _close(sets: Forming, found: Value, last: Atom) -> None:
    """Add to open sets what stands for a value, or an array of sets."""
    fn = "sets.close_sets" if is_array(found.type) else "sets.close_set"
    others = last if last in sets.own.values() else sets.read(last)
    sets.nodes.append(Effect(fn, (sets.book, found, others), role=Role.TAPE))


def _touched(node: Node) -> set[Value]:
    """Return the values that a node defines or writes, or those inside of it."""
    region = Region((), (node,), ())
    written = (inner.array for inner in walk(region) if isinstance(inner, Store))
    lists = (values(inner.args[:1]) for inner in walk(region) if isinstance(inner, Effect))
    return {*defined(region), *written, *(value for one in lists for value in one)}
