"""Adjoints of arrays handed down to functions that call themselves, which add to them.

A pullback returns the adjoint of each argument, a new array at every level of a recursion, and its caller
adds that to its own. As one writes it by hand, the caller's array goes down and is added to in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from numba.core import types as nt

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.types import is_array
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.layout import Leaf, Packed, Static
from adcompiler.graph.nodes import Apply, Effect, Global, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region, operands, results, uses, values, walk, walk_regions
from adcompiler.primitives import card


@dataclass(frozen=True)
class _Sink:
    """An adjoint that a pullback makes, adds to and returns.

    Attributes:
        position: which of its results it is.
        argument: the position of the argument that it belongs to.
        value: the array.
    """

    position: int
    argument: int
    value: Value


def hand_down(parts: Sequence[Graph]) -> list[Graph]:
    """Return the functions of a module, in which pullbacks add to arrays that their callers give them.

    Args:
        parts: final graphs, in which calls name the functions.
    """
    found = {part.name: tuple(_sinks(part)) for part in parts}
    calls = [(part, region, node) for part in parts for region, node in _calls(part)]
    taken = {
        name
        for part, region, node in calls
        if (name := _name(node)) and not _is_taken_apart(part, region, node)
    }
    sinks = {name: found[name] for name in found.keys() - taken if found[name]}
    matched = {_name(node) for part, region, node in calls if _adds(part, region, node, sinks)}
    sinks = {name: sinks[name] for name in sinks if name in matched}
    return [_calling(_adding(part, sinks.get(part.name, ())), sinks) for part in parts]


def _calls(part: Graph) -> Iterator[tuple[Region, Apply]]:
    for region in walk_regions(part.body):
        yield from ((region, node) for node in region.nodes if isinstance(node, Apply) and _name(node))


def _name(node: Node) -> str:
    """Return the name of the pullback that a node calls; empty if it calls none."""
    callee = node.args[0] if isinstance(node, Apply) and node.fn == "derivative" else None
    if not isinstance(callee, Global) or not isinstance(callee.value, Callee) or callee.value.single:
        return ""
    is_pullback = [(step.kind, step.in_lanes) for step in callee.value.chain] == [("pullback", False)]
    return callee.name if is_pullback else ""


def _parts(region: Region, node: Apply) -> dict[int, Apply]:
    """Return what picks single results of a call, by their positions."""
    return {
        made.args[1].value: made
        for made in region.nodes
        if isinstance(made, Apply) and made.fn == "getitem" and made.args[0] is node.out
        if isinstance(made.args[1], Literal)
    }


def _is_taken_apart(part: Graph, region: Region, node: Apply) -> bool:
    """Tell whether a call is read in its region only, each result at most once."""
    return uses(part.body)[node.out] == len(_parts(region, node))


def _sinks(part: Graph) -> Iterator[_Sink]:
    """Yield the results of a function that are arrays of zeros which it only adds to."""
    params, yields = [*part.body.params], part.body.yields
    for node in part.body.nodes:
        match node:
            case Apply(out=out, fn="np.zeros_like", args=(Value() as like,)) if like in params:
                if yields.count(out) == 1 and _is_added_to(part.body, out):
                    yield _Sink(yields.index(out), params.index(like), out)


def _is_added_to(body: Region, array: Value) -> bool:
    """Tell whether all that is done to an array and its views is to add to them."""
    shown = {array}
    for node in walk(body):
        read = shown.intersection(values(operands(node)))
        match node:
            case Apply() if read and card(node.fn).is_view and is_array(type_of(node.out)):
                shown.add(node.out)
                read -= {node.args[0]}
            case Apply() if read and card(node.fn).measures:
                read = set()
            case Store() if node.accumulate:
                read = shown.intersection(values((node.value, *node.index)))
        if read:
            return False
    inner = (region for region in walk_regions(body) if region is not body)
    return all(shown.isdisjoint(values(region.yields)) for region in inner)


def _adds(part: Graph, region: Region, node: Apply, sinks: Mapping[str, Sequence[_Sink]]) -> bool:
    """Tell whether a caller adds what a call returns to an array of its own."""
    return any(_store(part, region, node, sink) for sink in sinks.get(_name(node), ()))


def _store(part: Graph, region: Region, node: Apply, sink: _Sink) -> Store | None:
    """Return what adds one result of a call to an array that nothing touches in between."""
    picked = _parts(region, node).get(sink.position)
    if picked is None or uses(part.body)[picked.out] != 1:
        return None
    for place, made in enumerate(region.nodes):
        if isinstance(made, Store) and made.value is picked.out and made.accumulate and not made.index:
            between = region.nodes[region.nodes.index(node) : place]
            is_same = type_of(made.array) == type_of(sink.value)
            return made if is_same and _is_apart(part, between, made.array) else None
    return None


def _is_apart(part: Graph, between: Sequence[Node], array: Value) -> bool:
    """Tell whether an array is there before some nodes, which neither read nor write its memory."""
    classes = shared_memory(part.body)
    own = classes.get(array, array)
    inside = [made for node in between for made in walk(Region((), (node,), ()))]
    touched = [value for made in inside for value in (*values(operands(made)), *results(made))]
    return all(classes.get(value, value) is not own for value in touched)


def _adding(part: Graph, sinks: Sequence[_Sink]) -> Graph:
    """Return a pullback that is given what it adds to."""
    if not sinks:
        return part
    params, given = part.body.params, tuple(sink.value for sink in sinks)
    nodes = tuple(n for n in part.body.nodes if not (isinstance(n, Apply) and n.out in given))
    yields = tuple(atom for atom in part.body.yields if atom not in given)
    names = " and ".join(f"that of {params[sink.argument].name} to {sink.value.name}" for sink in sinks)
    doc = (
        f"{part.doc.removesuffix('.')}; add {names}."
        if yields
        else f"Add to the adjoints of arguments: {names}."
    )
    return replace(
        part,
        body=Region((*params, *given), nodes, yields),
        returns=Packed(tuple(Leaf() for _ in yields)) if yields else Static(None),
        doc=doc,
        parameters=(*part.parameters, *((v.name, Leaf()) for v in given)) if part.parameters else (),
    )


def _calling(part: Graph, sinks: Mapping[str, Sequence[_Sink]]) -> Graph:
    """Return a function that hands its arrays down."""

    def rewrite(region: Region) -> Region:
        nodes = [*region.nodes]
        for node in region.nodes:
            if isinstance(node, Apply) and (own := sinks.get(_name(node))):
                nodes = _handed(part, region, nodes, node, own)
        return replace(region, nodes=tuple(nodes))

    return replace(part, body=map_region(part.body, rewrite))


def _handed(
    part: Graph, region: Region, nodes: Sequence[Node], node: Apply, sinks: Sequence[_Sink]
) -> list[Node]:
    """Return the nodes of a region in which a call adds to arrays, to new ones where there are none."""
    given: list[Value] = []
    new: list[Node] = []
    gone: set[Node] = set()
    parts = _parts(region, node)
    for sink in sinks:
        picked, store = parts.pop(sink.position, None), _store(part, region, node, sink)
        gone |= {each for each in (store, picked) if each is not None}
        if store is not None:
            given.append(store.array)
            continue
        given.append(picked.out if picked else Value(sink.value.name, type=sink.value.type))
        like = node.args[sink.argument + 1]
        new.append(Apply(given[-1], "np.zeros_like", (like,), loc=node.loc, role=node.role))
    left = [k for k in range(len(node.out.type.types)) if k not in {sink.position for sink in sinks}]
    whole = Value(node.out.name, node.out.temporary, nt.Tuple([node.out.type.types[k] for k in left]))
    moved = {made: replace(made, args=(whole, Literal(left.index(k)))) for k, made in parts.items()}
    call: Node = replace(node, out=whole, fn="derivative_into", args=(*node.args, *given))
    if not left:
        call = Effect("derivative_into", (*node.args, *given), loc=node.loc, role=node.role)
    found: list[Node] = []
    for each in nodes:
        if each is node:
            found += [*new, call]
        elif each not in gone:
            found.append(moved.get(each, each) if isinstance(each, Apply) else each)
    return found
