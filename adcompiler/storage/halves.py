"""The two functions that the gradient of a function that stays one is cut into."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from numba import typeof
from numba.core import types as nt

from adcompiler.frontend.staying import CannotStayError
from adcompiler.graph.layout import Leaf, Packed, derived_name
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
    Value,
    While,
    type_of,
)
from adcompiler.graph.roots import is_root
from adcompiler.graph.walk import (
    clone,
    defined,
    free,
    map_region,
    merges,
    operands,
    regions,
    substitute,
    values,
    walk,
    with_regions,
)
from adcompiler.primitives import card
from adcompiler.reverse.augmented import Augmented, Half

MOST_KEPT = 16
"""With more than these values to keep, the function is run once more where it is reversed."""


@dataclass(frozen=True)
class _Cut:
    """The parts of a gradient.

    Attributes:
        own: the parameters of the function.
        seeds: the adjoints of its results.
        forward: the forward sweep.
        back: the reverse sweep.
        results: what the function returns.
        gradients: the adjoints of the parameters.
        kept: what the reverse sweep reads of the forward sweep.
        again: what it computes again.
    """

    own: tuple[Value, ...]
    seeds: tuple[Value, ...]
    forward: tuple[Node, ...]
    back: tuple[Node, ...]
    results: tuple[Atom, ...]
    gradients: tuple[Atom, ...]
    kept: tuple[Value, ...] = ()
    again: tuple[Node, ...] = ()


def halves(graph: Graph, primal: Graph, wrt: Sequence[int], seeds: Sequence[nt.Type | None]) -> Augmented:
    """Cut the graph of results and gradients of a function in two.

    Args:
        graph: the final graph; a forward sweep, `reverse_sweep()`, and a reverse sweep that begins with the
            adjoints of the results. It returns results, then gradients.
        primal: the graph of the function.
        wrt: positions of the parameters to differentiate.
        seeds: types of the adjoints of results; None for results that have none.

    Raises:
        CannotStayError: where the sweeps cannot be taken apart.
    """
    cut = _with_kept(_cut(graph.body, len(primal.body.params), len(primal.body.yields)))
    adjoint = _adjoint(graph, primal.name, cut, [primal.body.params[k].name for k in wrt])
    reads = free(Region((), (*cut.again, *cut.back), cut.gradients))
    cut = replace(cut, forward=_defined_on_all_paths(cut))
    yields = (*cut.results, *(value for value in cut.kept if value not in cut.results))
    augmented = _function(graph, primal.name, Region(cut.own, cut.forward, yields), _doc(primal, cut.kept))
    return Augmented(
        primal.name,
        augmented,
        _kind(yields),
        adjoint,
        len(cut.results),
        tuple(k for k, kind in enumerate(seeds) if kind is not None),
        tuple(k for k, param in enumerate(cut.own) if param in reads),
        tuple(wrt),
        tuple(map(yields.index, cut.kept)),
        any(map(is_root, walk(primal.body))),
    )


def _cut(body: Region, count: int, results: int) -> _Cut:
    place = next(k for k, n in enumerate(body.nodes) if isinstance(n, Effect) and n.fn == "reverse_sweep")
    forward, back = body.nodes[:place], body.nodes[place + 1 :]
    own, seeds = body.params[:count], body.params[count:]
    known = {*own, *defined(Region((), forward, ()))}
    if not known.issuperset(values(body.yields[:results])):
        raise CannotStayError(None)
    return _Cut(own, seeds, forward, back, body.yields[:results], body.yields[results:])


def _with_kept(cut: _Cut) -> _Cut:
    """Choose what is kept: all that costs more than a few instructions, if that is not too much."""
    inside = defined(Region((), cut.forward, ()))
    crossing = [value for value in free(Region((), cut.back, cut.gradients)) if value in inside]
    again = _computed_again(cut, crossing)
    read = [value for node in again.values() for value in values(operands(node)) if value in inside]
    kept = tuple(dict.fromkeys(value for value in (*crossing, *read) if value not in again))
    if not all(map(_is_number, kept)):
        raise CannotStayError(None)
    if len(kept) > MOST_KEPT:
        return replace(cut, again=tuple(node for node in cut.forward if not isinstance(node, Effect)))
    repeated = tuple(node for node in cut.forward if isinstance(node, Apply) and node.out in again)
    return replace(cut, kept=kept, again=repeated)


def _defined_on_all_paths(cut: _Cut) -> tuple[Node, ...]:
    """Return the forward sweep with zeros for what is kept and set on some paths only."""
    wanted: set[Value] = set(cut.kept)
    body = Region((), cut.forward, ())
    pairs = [pair for node in walk(body) for pair in merges(node)]
    while more := {*values(source for target, source in pairs if target in wanted)} - wanted:
        wanted |= more
    if not any(target in wanted and source == UNDEFINED for target, source in pairs):
        return cut.forward

    def change(node: Node) -> Node:
        if isinstance(node, If):
            arms = regions(node)
            arms = tuple(replace(arm, yields=_with_zeros(node.outs, arm.yields, wanted)) for arm in arms)
            return with_regions(node, arms)
        if isinstance(node, For | While):
            return replace(node, inits=_with_zeros(node.carried, node.inits, wanted))
        return node

    return map_region(body, lambda region: replace(region, nodes=tuple(map(change, region.nodes)))).nodes


def _with_zeros(targets: Sequence[Value], sources: Sequence[Atom], wanted: set[Value]) -> tuple[Atom, ...]:
    pairs = zip(targets, sources, strict=True)
    return tuple(_zero(t) if s == UNDEFINED and t in wanted else s for t, s in pairs)


def _zero(value: Value) -> Literal:
    if isinstance(value.type, nt.Boolean):
        return Literal(False)
    return Literal(0) if isinstance(value.type, nt.Integer) else Literal(0.0)


def _computed_again(cut: _Cut, crossing: Sequence[Value]) -> dict[Value, Apply]:
    """Return what costs less to compute again than to keep, from arguments and from what is kept."""
    at_hand = {*cut.own, *crossing}
    cheap: dict[Value, Apply] = {}
    for node in cut.forward:
        if isinstance(node, Apply) and _is_cheap(node) and at_hand.issuperset(values(operands(node))):
            cheap[node.out] = node
            at_hand.add(node.out)
    found: dict[Value, Apply] = {}
    todo = [*crossing]
    while todo:
        value = todo.pop()
        if value in cheap and value not in found:
            found[value] = cheap[value]
            todo += values(operands(cheap[value]))
    return found


def _is_cheap(node: Apply) -> bool:
    """Tell whether a node is an instruction on numbers."""
    known = card(node.fn)
    return (
        known.is_cheap and known.is_pure and all(_is_number(v) for v in (node.out, *values(operands(node))))
    )


def _is_number(value: Value) -> bool:
    return isinstance(value.type, nt.Number | nt.Boolean)


def _adjoint(graph: Graph, name: str, cut: _Cut, names: Sequence[str]) -> Half:
    """Return the function that reverses the other one."""
    given: dict[Value, Atom] = {n.out: n.args[0] for n in cut.back if isinstance(n, Apply) and n.fn == "seed"}
    back = [node for node in cut.back if not (isinstance(node, Apply) and node.fn == "seed")]
    marker = [Effect("reverse_sweep", ())] if cut.again else []
    region = substitute(Region((), (*cut.again, *marker, *back), cut.gradients), given)
    reads = free(region)
    params = (*(param for param in cut.own if param in reads), *cut.kept, *cut.seeds)
    body = clone(replace(region, params=params), {})
    doc = f"Return the adjoints of {', '.join(names)}, given those of what {name} returns."
    own = derived_name(name, "adjoint")
    return Half(own, _function(graph, own, body, doc), _kind(body.yields))


def _function(graph: Graph, name: str, body: Region, doc: str) -> Graph:
    """Return the graph of a function that returns single values."""
    returns = Packed(tuple(Leaf() for _ in body.yields)) if len(body.yields) > 1 else None
    return replace(graph, name=name, body=body, returns=returns, doc=doc, parameters=(), defaults=())


def _doc(primal: Graph, kept: Collection[Value]) -> str:
    if not kept:
        return primal.doc
    return f"Return what {primal.name} returns, and what its adjoint reads."


def _kind(atoms: Sequence[Atom]) -> nt.Type:
    kinds = [typeof(atom.value) if isinstance(atom, Literal) else type_of(atom) for atom in atoms]
    if None in kinds:
        raise CannotStayError(None)
    return nt.Tuple(kinds) if len(kinds) > 1 else kinds[0]
