"""The two functions that the gradient of a function that stays one is cut into."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from numba import typeof
from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.alias import typed_memory
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import form_of
from adcompiler.analysis.types import is_array
from adcompiler.frontend.staying import CannotStayError
from adcompiler.graph.layout import Leaf, Packed, derived_name, leaves
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
from adcompiler.reverse.results import kept_apart

MOST_KEPT = 16
"""With more than these values to keep, the function is run once more where it is reversed."""

MOST_KEPT_BY_USERS = 64
"""Likewise for pullbacks that users hold: so many single values are handed out and in at each call."""


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
    cut = _cut(graph.body, len(primal.body.params), len(primal.body.yields))
    cut = _with_kept(cut, _is_number, MOST_KEPT)
    adjoint = _adjoint(graph, primal.name, cut, [primal.body.params[k].name for k in wrt])
    reads = free(Region((), (*cut.again, *cut.back), cut.gradients))
    cut = replace(cut, forward=_defined_on_all_paths(cut))
    yields = (*cut.results, *(value for value in cut.kept if value not in cut.results))
    augmented = _function(graph, primal.name, Region(cut.own, cut.forward, yields), _doc(primal, cut.kept))
    return Augmented(
        primal.name,
        augmented,
        _kind(yields),
        Half(adjoint.name, adjoint, _kind(adjoint.body.yields)),
        len(cut.results),
        tuple(k for k, kind in enumerate(seeds) if kind is not None),
        tuple(k for k, param in enumerate(cut.own) if param in reads),
        tuple(wrt),
        tuple(map(yields.index, cut.kept)),
        any(map(is_root, walk(primal.body))),
    )


@dataclass(frozen=True, eq=False)
class Split:
    """A pullback whose forward sweep is run once, as two functions.

    Attributes:
        forward: returns the results, and a tuple of what the other function is given of it.
        adjoint: is given these and the adjoints of results, and returns those of the arguments.
        kinds: the types of what it is given.
        repeats: whether the other function runs the forward sweep again, or calls functions.
    """

    forward: Graph
    adjoint: Graph
    kinds: tuple[nt.Type, ...]
    repeats: bool = False

    def axes_of_one(self, seeds: Sequence[nt.Type | None]) -> tuple[tuple[int, int], ...]:
        """Return the axes that have size 1 in what the other function is given, by its position there.

        Args:
            seeds: types of the adjoints of results; None for results that have none.
        """
        yields, shapes = self.forward.body.yields, symbolic_shapes(self.forward)
        results = [atom for atom, kind in zip(yields, seeds, strict=False) if kind is not None]
        given = (*yields[len(seeds) :], *results)
        sizes = (shapes.get(atom, ()) if isinstance(atom, Value) else () for atom in given)
        one = Linear({}, 1)
        return tuple(
            (k, n) for k, of in enumerate(sizes) for n, size in enumerate(of) if form_of(size) == one
        )


def split(graph: Graph, own: int) -> Split:
    """Cut the graph of results and gradients of a function in two that are called by themselves.

    Args:
        graph: the final graph, as for `halves`.
        own: the number of arguments of the function; its single values have adjoints after them.
    """
    assert isinstance(graph.returns, Packed)
    result, gradients = graph.returns.parts
    layouts = [layout for _, layout in graph.parameters[:own]] or [Leaf()] * own
    count = len(graph.body.yields) - len([*leaves(gradients)])
    cut = _cut(graph.body, sum(len([*leaves(layout)]) for layout in layouts), count)
    try:
        cut = _with_kept(cut, _may_leave, MOST_KEPT_BY_USERS)
        _check_apart(graph.body, cut)
        cut = replace(cut, forward=_defined_on_all_paths(cut))
    except CannotStayError:  # the forward sweep is run again
        cut = replace(cut, kept=(), again=cut.forward)
    reads = free(Region((), (*cut.again, *cut.back), cut.gradients))
    kept = (*(param for param in cut.own if param in reads), *cut.kept)
    name = graph.name.removesuffix("_halves")
    whole = _adjoint(graph, name, cut, [param.name for param in cut.own])
    adjoint = _apart(replace(whole, returns=gradients))
    results, nodes = [*cut.results], [*cut.forward]
    are_arrays = [isinstance(atom, Value) and is_array(atom.type) for atom in results]
    nodes += kept_apart(results, are_arrays, nodes, (*cut.own, *kept))
    body = Region(cut.own, tuple(nodes), (*results, *kept))
    returns = Packed((result, Packed(tuple(Leaf() for _ in kept))))
    doc = f"Return what {name} returns, and what its adjoint reads."
    forward = replace(graph, name=derived_name(name, "forward"), body=body, returns=returns, doc=doc)
    forward = replace(forward, parameters=graph.parameters[:own])
    calls = any(isinstance(node, Apply) and card(node.fn).is_call for node in walk(adjoint.body))
    repeats = calls or not all(isinstance(node, Apply) and _is_cheap(node) for node in cut.again)
    return Split(forward, adjoint, tuple(type_of(param) for param in adjoint.body.params), repeats)


def _may_leave(value: Value) -> bool:
    """Tell whether compiled code can hand a value out, and take it again."""
    is_plain = is_array(value.type) and isinstance(value.type.dtype, nt.Number | nt.Boolean)
    return is_plain or _is_number(value)


def _check_apart(body: Region, cut: _Cut) -> None:
    """Refuse arrays that are kept, share memory, and are written by the reverse sweep: copies would not."""
    memory, back = typed_memory(body), typed_memory(Region(cut.kept, cut.back, cut.gradients))
    arrays = [value for value in (*cut.own, *cut.kept) if is_array(value.type)]
    places = [memory.classes.get(value, value) for value in arrays]
    for value, place in zip(arrays, places, strict=True):
        if places.count(place) > 1 and back.is_written(value):
            raise CannotStayError(None)


def _apart(adjoint: Graph) -> Graph:
    """Let a function leave what it is given as it is, so that it can be called again with the same."""
    body = adjoint.body
    info = typed_memory(body)
    written = [param for param in body.params if is_array(param.type) and info.is_written(param)]
    params = {param: Value(param.name, type=param.type) for param in written}
    copies = [Apply(param, "copy", (own,), role=Role.TAPE) for param, own in params.items()]
    gradients = [*body.yields]
    are_arrays = [isinstance(atom, Value) and is_array(atom.type) for atom in gradients]
    nodes = [*copies, *body.nodes]
    given = tuple(params.get(param, param) for param in body.params)
    nodes += kept_apart(gradients, are_arrays, nodes, given)
    return replace(adjoint, body=Region(given, tuple(nodes), tuple(gradients)))


def _cut(body: Region, count: int, results: int) -> _Cut:
    place = next(k for k, n in enumerate(body.nodes) if isinstance(n, Effect) and n.fn == "reverse_sweep")
    forward, back = body.nodes[:place], body.nodes[place + 1 :]
    own, seeds = body.params[:count], body.params[count:]
    known = {*own, *defined(Region((), forward, ()))}
    if not known.issuperset(values(body.yields[:results])):
        raise CannotStayError(None)
    return _Cut(own, seeds, forward, back, body.yields[:results], body.yields[results:])


def _with_kept(cut: _Cut, is_kept: Callable[[Value], bool], most: int) -> _Cut:
    """Choose what is kept: all that costs more than a few instructions, if that is not too much.

    Args:
        cut: the parts of a gradient.
        is_kept: tells whether a value can be kept.
        most: how many values are kept; with more, the forward sweep is run again.
    """
    inside = defined(Region((), cut.forward, ()))
    crossing = [value for value in free(Region((), cut.back, cut.gradients)) if value in inside]
    again = _computed_again(cut, crossing)
    read = [value for node in again.values() for value in values(operands(node)) if value in inside]
    kept = tuple(dict.fromkeys(value for value in (*crossing, *read) if value not in again))
    if not all(map(is_kept, kept)):
        raise CannotStayError(None)
    if len(kept) > most:
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
    if not _is_number(value):
        raise CannotStayError(None)
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
    """Tell whether a node is an instruction on numbers, or a slice of them."""
    known, is_slice = card(node.fn), isinstance(node.out.type, nt.SliceType)
    reads_numbers = all(map(_is_number, values(operands(node))))
    return known.is_cheap and known.is_pure and reads_numbers and (is_slice or _is_number(node.out))


def _is_number(value: Value) -> bool:
    return isinstance(value.type, nt.Number | nt.Boolean)


def _adjoint(graph: Graph, name: str, cut: _Cut, names: Sequence[str]) -> Graph:
    """Return the function that reverses the other one."""
    given: dict[Value, Atom] = {n.out: n.args[0] for n in cut.back if isinstance(n, Apply) and n.fn == "seed"}
    back = [node for node in cut.back if not (isinstance(node, Apply) and node.fn == "seed")]
    marker = [Effect("reverse_sweep", ())] if cut.again else []
    region = substitute(Region((), (*cut.again, *marker, *back), cut.gradients), given)
    reads = free(region)
    params = (*(param for param in cut.own if param in reads), *cut.kept, *cut.seeds)
    body = clone(replace(region, params=params), {})
    doc = f"Return the adjoints of {', '.join(names)}, given those of what {name} returns."
    return _function(graph, derived_name(name, "adjoint"), body, doc)


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
