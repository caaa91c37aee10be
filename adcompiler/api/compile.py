"""The pipeline as straight calls: from a function and argument types to a module of source text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.single import type_derivative, without_casts
from adcompiler.analysis.sizes import Guards
from adcompiler.analysis.types import is_continuous
from adcompiler.api.arguments import gradient_layout
from adcompiler.api.interface import Adjoint, Interface
from adcompiler.emit.callees import Callees, Kinds, callee_graph, own_kinds, plain_or_none, returning_copy
from adcompiler.emit.handed_down import hand_down
from adcompiler.emit.together import call_together
from adcompiler.emit.write import ModuleText, emit
from adcompiler.errors import DifferentiationError
from adcompiler.forward.forward import forward
from adcompiler.frontend.recursion import Callee
from adcompiler.frontend.staying import CannotStayError
from adcompiler.graph.layout import Layout, Leaf, Packed, Static, direction_name, leaves
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Role, Value
from adcompiler.graph.steps import Chain, Step
from adcompiler.graph.verify import verify
from adcompiler.graph.walk import substitute
from adcompiler.lanes.in_lanes import in_lanes
from adcompiler.lanes.varying import NotInLanesError
from adcompiler.pipeline import Style, Unit, through
from adcompiler.prepare.adjoint_blocks_typed import refuse_blocks, without_blocks
from adcompiler.reverse.augmented import Augmented, Half, augment_calls
from adcompiler.reverse.calls_held import check_calls
from adcompiler.reverse.residuals import keep_residuals
from adcompiler.sets.doubt import decisive
from adcompiler.sets.in_sets import in_sets
from adcompiler.storage.derived import Derived
from adcompiler.storage.gradient import gradient
from adcompiler.storage.halves import Split, split
from adcompiler.storage.halves import halves as cut_in_halves
from adcompiler.storage.plan import LoopPlan
from adcompiler.storage.tape import Tape
from adcompiler.storage.transposed import along_tangents, as_program, pushforward
from adcompiler.watch import report


@dataclass
class Compiled:
    """What one specialisation is made of: `parts` are the graphs of all its functions, the main one last.

    `notes` tell of each loop that was to run at once why it does not, or nothing.
    """

    graph: Graph
    plans: list[tuple[LoopPlan, list[Tape]]]
    interface: Interface
    text: ModuleText = field(default_factory=ModuleText)
    parts: list[Graph] = field(default_factory=list)
    notes: dict[For, str] = field(default_factory=dict)


def compile_text(
    graph: Graph, layouts: Sequence[Layout], chain: Chain, style: Style, keep_arguments: bool = True
) -> Compiled:
    """Return the source text of a function or of one of its derivatives.

    Args:
        graph: the untyped primal.
        layouts: layout of each argument, with the types of its single values.
        chain: which derivative; empty for the function itself.
        style: what the text is to be like.
        keep_arguments: whether arguments that the function writes are copied; those copies are what a
            function without a result returns.
    """
    mains, compiled = _mains(graph, layouts, chain, style, keep_arguments)
    callees = Callees([graph.name for graph in mains])
    parts = [callees.resolve(main) for main in mains]
    while callees.todo:
        key = callees.todo.pop()
        part = callees.resolve(key.graph if isinstance(key, Half) else _callee(*key, style))
        parts.insert(0, replace(part, name=callees.names[key]))
    parts = hand_down(parts)
    compiled.parts = parts = [through(Unit(part, style=style), "precise").graph for part in parts]
    if not style.accurate:
        parts = [through(Unit(part), "written").graph for part in parts]
    compiled.text = emit(parts)
    return compiled


def _transformed(
    graph: Graph,
    layouts: Sequence[Layout],
    chain: Chain,
    style: Style,
    keep_arguments: bool = True,
    halves: Halves | None = None,
    masked: bool = False,
) -> tuple[Graph, Compiled]:
    """Return the final graph of one function, and what is known about it."""
    arguments = [leaf.kind for layout in layouts for leaf in leaves(layout)]
    transposes = any(step.transposed for step in chain)
    is_plain = not (halves or transposes or any(step.in_lanes or step.in_sets for step in chain))
    style = replace(style, parallel=style.parallel and is_plain)
    guards = Guards(cautious=style.cautious, stretches=style.broadcasts, ones=style.ones)
    unit = Unit(graph, arguments, style, keep_arguments, guards, masked=masked, transposes=transposes)
    through(unit, "typed")
    check_calls(unit.graph)
    if chain and chain[0].kind in ("jvp", "tangent", "slope"):
        refuse_blocks(unit.graph)
    writes = _written_positions(unit.graph, layouts) if keep_arguments else ()
    if not chain:
        unit.graph = _without_blocks(unit.graph)
        if keep_arguments:  # the pullback checks it too late
            through(unit, "checked")
        unit.graph = call_together(unit.graph)
        result = _at_once(through(unit, "itself")).graph
        return result, Compiled(result, [], Interface(result.returns or Leaf(), writes), notes=unit.notes)
    through(unit, "prepared")
    if len(chain) == 1:
        through(unit, "factored")
    made = _derived(unit, layouts, chain, halves or Halves(style))
    unit.graph = call_together(unit.graph)
    result = _at_once(through(unit, "polished")).graph
    if chain[-1].in_lanes:
        given = sum(kind is not None for kind in made.seeds)
        if chain[-1].kind == "tangent" and given < len(chain[-1].wrt):
            raise NotInLanesError("an argument holds integers, which have no direction")
        result = verify(in_lanes(result, given))
    if chain[-1].in_sets:
        return _as_sets(result, layouts, chain[-1], writes)
    assert result.returns is not None
    interface = Interface(result.returns, writes, made.seeds, guards.is_conditional)
    return result, Compiled(result, made.plans, interface, notes=unit.notes)


def _mains(
    graph: Graph, layouts: Sequence[Layout], chain: Chain, style: Style, keep_arguments: bool
) -> tuple[list[Graph], Compiled]:
    """Return the graphs of the functions that are called from outside, the first one last."""
    if not (chain and chain[-1].kind == "halves"):
        result, compiled = _transformed(graph, layouts, chain, style, keep_arguments)
        return [result], compiled
    if not chain[-1].transposed:
        result, compiled = _transformed(graph, layouts, chain, style, keep_arguments)
        return _halves(split(result, len(layouts)), compiled), compiled
    found = _transposed(graph, layouts, chain, style) or _along(graph, layouts, chain[-1].wrt, style)
    return _halves(*found), found[1]


def _transposed(
    graph: Graph, layouts: Sequence[Layout], chain: Chain, style: Style
) -> tuple[Split, Compiled] | None:
    """Return the two functions of a pushforward that reads what is kept; None if the function runs again.

    It does where the reverse sweep would, where there is none, and where that cannot be differentiated again.
    """
    try:
        result, compiled = _transformed(graph, layouts, chain, style)
        found, seeds = split(result, len(layouts)), compiled.interface.seeds
        if found.repeats:
            return None
        twice, about = _twice(found, seeds, style)
    except DifferentiationError:
        return None
    values = [result.body.params[k] for k in _leaf_positions(layouts, chain[-1].wrt, result)]
    found = replace(found, forward=_at_once(through(Unit(found.forward, style=style), "itself")).graph)
    return pushforward(found, twice, seeds, values, about.interface.seeds), compiled


def _twice(found: Split, seeds: Sequence[nt.Type | None], style: Style) -> tuple[Graph, Compiled]:
    """Return the pullback of a reverse sweep by the adjoints of the results."""
    count = len(found.kinds)
    wrt = tuple(range(count - sum(kind is not None for kind in seeds), count))
    how = replace(style, single=False, packed=False, ones=found.axes_of_one(seeds), room=None)
    if style.ones:
        how = replace(how, ones=(), broadcasts=True)
    chain = (Step("pullback", wrt),)
    return _transformed(as_program(found.adjoint), [Leaf(kind) for kind in found.kinds], chain, how)


def _along(
    graph: Graph, layouts: Sequence[Layout], wrt: tuple[int, ...], style: Style
) -> tuple[Split, Compiled]:
    """Return the two functions of a pushforward that runs the function again."""
    style = replace(style, packed=False, broadcasts=True, ones=())
    tangent, _ = _transformed(graph, layouts, (Step("tangent", wrt),), style)
    primal, compiled = _transformed(graph, layouts, (), style)
    return along_tangents(primal, tangent), compiled


def _halves(found: Split, compiled: Compiled) -> list[Graph]:
    """Return the two functions of a pullback or pushforward, the forward sweep last."""
    returns, adjoint = found.forward.returns, found.adjoint.returns
    assert returns is not None and adjoint is not None
    second = Adjoint(found.adjoint.name, found.kinds, adjoint)
    compiled.interface = replace(compiled.interface, returns=returns, adjoint=second)
    return [through(Unit(each), "called").graph for each in (found.adjoint, found.forward)]


def _at_once(unit: Unit) -> Unit:
    return through(unit, "at once") if unit.style.parallel else unit


def _as_sets(
    graph: Graph, layouts: Sequence[Layout], step: Step, writes: tuple[int, ...]
) -> tuple[Graph, Compiled]:
    """Return the program that finds where a derivative is not zero."""
    own, wrt = sum(len([*leaves(layout)]) for layout in layouts), _leaf_positions(layouts, step.wrt, graph)
    given = len(graph.body.params) - own
    result = through(Unit(in_sets(graph, wrt, given, step.in_sets == "here")), "called").graph
    assert result.returns is not None
    params = result.body.params
    seeds = tuple(param.type for param in params[own:])
    interface = Interface(result.returns, writes, seeds, decisive=decisive(result, own))
    return result, Compiled(result, [], interface)


def _without_blocks(graph: Graph) -> Graph:
    (body,) = without_blocks(graph.body)
    return replace(graph, body=body)


def _derived(unit: Unit, layouts: Sequence[Layout], chain: Chain, halves: Halves) -> Derived:
    """Differentiate a prepared primal, as often as the chain says."""
    plans: list[tuple[LoopPlan, list[Tape]]] = []
    seeds: list[nt.Type | None] = []
    packed: Layout = Leaf()
    for number, step in enumerate(chain):
        unit.wrt = positions = _leaf_positions(layouts, step.wrt, unit.graph)
        is_reverse = step.kind in ("grad", "value_and_grad", "pullback", "halves")
        if is_reverse or number == 0:
            through(unit, "checked")
        if is_reverse:
            unit.graph = augment_calls(keep_residuals(unit.graph, positions), positions, halves.make)
            how = step.has_aux, unit.masked, unit.style.room, step.holomorphic
            made = gradient(unit.graph, positions, step.kind, *how)
            gradients = [gradient_layout(layouts[position]) for position in step.wrt]
            packed = gradients[0] if unit.style.single else Packed(tuple(gradients))
            returns = _returns(unit.graph, packed, step)
            made.graph = replace(made.graph, returns=returns)
        else:
            if number > 0:
                through(unit, "by parts")
            made = forward(unit.graph, positions, step.kind, step.holomorphic)
            if unit.style.packed and step.kind == "tangent":
                made.graph = _with_direction(made.graph, unit.graph, packed)
        report(step.kind, unit.graph, made.graph)
        plans, unit.starts = plans + made.plans, unit.starts | made.starts
        seeds += made.seeds
        layouts = (*layouts, *(Leaf(kind) for kind in made.seeds if kind is not None))
        unit.graph = made.graph
        through(unit, "derived" if number < len(chain) - 1 else "derived last")
        unit.arguments = arguments = [leaf.kind for layout in layouts for leaf in leaves(layout)]
        type_derivative(unit.graph, arguments)
        unit.graph = without_casts(unit.graph) if is_reverse else unit.graph
    return Derived(unit.graph, plans, tuple(seeds))


@dataclass
class Halves:
    """Makes the two functions of each function that stays one, once for each combination of types.

    Attributes:
        style: what the text is to be like.
        made: those that were made.
    """

    style: Style
    made: dict[Hashable, Augmented] = field(default_factory=dict)

    def make(self, callee: Callee, args: Sequence[Atom], wrt: tuple[int, ...], masked: bool) -> Augmented:
        """Return the two functions for a call: see `adcompiler.reverse.augmented.Make`."""
        kinds = tuple(map(plain_or_none, args))
        key = callee, kinds, wrt, masked
        if key not in self.made:
            graph = through(Unit(callee_graph(callee, kinds)), "lowered").graph
            chain = (Step("halves", wrt),)
            layouts = [Leaf(kind) for kind in kinds]
            style = replace(self.style, single=False, packed=False, parallel=False, ones=())
            try:
                whole, made = _transformed(graph, layouts, chain, style, True, self, masked)
                self.made[key] = cut_in_halves(whole, graph, wrt, made.interface.seeds)
            except CannotStayError as error:
                raise CannotStayError(error.function or callee.function) from error
        return self.made[key]


def _returns(primal: Graph, gradient: Layout, step: Step) -> Layout:
    """Return the layout of what a reverse step returns."""
    whole = primal.returns or Leaf()
    if step.kind in ("value_and_grad", "halves"):
        return Packed((whole, gradient))
    if step.has_aux:
        assert isinstance(whole, Packed)
        return Packed((gradient, whole.parts[1]))
    return gradient


def _with_direction(derived: Graph, graph: Graph, direction: Layout) -> Graph:
    """Return a graph whose tangents are one more parameter of the graph that it was made from."""
    own = graph.parameters or tuple((param.name, Leaf()) for param in graph.body.params)
    name = direction_name([name for name, _ in own])
    body = derived.body
    if isinstance(direction, Leaf):
        *params, tangent = body.params
        whole = Value(name)
        body = replace(substitute(body, {tangent: whole}), params=(*params, whole))
    function = graph.name.removesuffix("_grad")
    doc = f"{graph.doc.replace('the gradient', 'the product of the Hessian').removesuffix('.')} and {name}."
    return replace(derived, name=f"{function}_hvp", body=body, doc=doc, parameters=(*own, (name, direction)))


def _callee(callee: Callee, kinds: Kinds, style: Style) -> Graph:
    """Return the final graph of a called function or of its derivative, in the style of the caller."""
    own = own_kinds(callee, kinds)
    graph = callee_graph(callee, own)
    if not callee.chain:
        given = [kind for kind in kinds if not isinstance(kind, nt.NoneType)]
        unit = Unit(graph, arguments=given, keep_arguments=False)
        for stage in ("lowered", "typed", "checked"):
            through(unit, stage)
        unit.graph = _without_blocks(unit.graph)
        unit.graph = returning_copy(unit.graph)
        return through(unit, "called").graph
    graph = through(Unit(graph), "lowered").graph
    layouts = [Static(None) if isinstance(kind, nt.NoneType) else Leaf(kind) for kind in own]
    own_style = replace(style, single=callee.single, packed=False, parallel=False, ones=())
    return _transformed(graph, layouts, callee.chain, own_style)[0]


def _leaf_positions(layouts: Sequence[Layout], wrt: Sequence[int], primal: Graph) -> list[int]:
    """Return the positions, among the single values of all arguments, of those to differentiate."""
    spans: list[list[int]] = []
    count = 0
    for layout in layouts:
        size = len([*leaves(layout)])
        spans.append([*range(count, count + size)])
        count += size
    params = primal.body.params
    return [k for position in wrt for k in spans[position] if is_continuous(params[k].type)]


def _written_positions(primal: Graph, layouts: Sequence[Layout]) -> tuple[int, ...]:
    """Return the positions of the arguments that are copied because the function writes them."""
    copies = (node for node in primal.body.nodes if isinstance(node, Apply) and node.fn == "copy")
    copied = {node.args[0] for node in copies if node.role is Role.TAPE}  # others the program makes itself
    position, found = 0, []
    for k, layout in enumerate(layouts):
        for _ in leaves(layout):
            if primal.body.params[position] in copied:
                found.append(k)
            position += 1
    return tuple(found)
