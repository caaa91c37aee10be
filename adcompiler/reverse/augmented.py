"""Calls of functions that stay functions: a call that keeps what its reversal reads, and the reversal.

A function `f` of numbers becomes two: the augmented one returns the results and, after them, what the adjoint
reads; `f_adjoint` is given this and the adjoints of the results, and returns those of the arguments (Griewank
and Walther, "Evaluating Derivatives", 2008, section 12.2, joint and split reversals of calls).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from numba import typeof
from numba.core import types as nt

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.masked import masked_values
from adcompiler.analysis.ranges import ranges
from adcompiler.frontend.recursion import Callee
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import map_region, substitute, walk
from adcompiler.reverse.adjoints import AdjointSweep, Contribution


@dataclass(frozen=True, eq=False)
class Half:
    """A function of the generated module that a call needs, in its final form.

    Attributes:
        name: its name.
        graph: its graph.
        result: the type of what it returns: a tuple, if that is several values.
    """

    name: str
    graph: Graph
    result: nt.Type


@dataclass(frozen=True, eq=False)
class Augmented(Half):
    """A function that returns its results, and what its reversal reads.

    Attributes:
        adjoint: its reversal. It is given the arguments that it reads, what was kept, and the adjoints of
            results, and returns those of arguments.
        count: how many results there are.
        seeds: which of them have an adjoint.
        reads: which arguments the adjoint reads.
        wrt: which arguments it returns the adjoints of.
        kept: the places of what is kept in what it returns.
        is_steep: whether a slope of it may be infinite where it is given zero.
    """

    adjoint: Half
    count: int
    seeds: tuple[int, ...]
    reads: tuple[int, ...]
    wrt: tuple[int, ...]
    kept: tuple[int, ...]
    is_steep: bool


Make = Callable[[Callee, tuple[Atom, ...], tuple[int, ...], bool], Augmented]
"""Makes the two functions of a call, given its arguments, those that the adjoint is for, and whether its
results may be left out by what comes after it."""


def augment_calls(graph: Graph, wrt: Sequence[int], make: Make) -> Graph:
    """Return a graph whose active calls keep what their reversal reads.

    Args:
        graph: the prepared primal.
        wrt: positions of the parameters to differentiate.
        make: makes the functions that are called.
    """
    calls = _calls(graph.body)
    if not calls:
        return graph
    active = active_values(graph, [graph.body.params[k] for k in wrt])
    masked = masked_values(graph.body, active, ranges(graph))
    calls = [call for call in calls if not active.isdisjoint(call.outs)]
    made: dict[Node, list[Node]] = {}
    same: dict[Value, Atom] = {}
    for group in _alike(calls):  # with one pair of functions for all of them
        positions = {k for call in group for k in call.active_arguments(active)}
        is_masked = any(not masked.isdisjoint(call.outs) for call in group)
        for call in group:
            half = make(callee_of(call.node), call.args, tuple(sorted(positions)), is_masked)
            made[call.node] = _augmented(call, half, same)
    moved = {part for call in calls for part in call.parts}

    def rewrite(region: Region) -> Region:
        nodes = [node for node in region.nodes if node not in moved]
        return replace(region, nodes=tuple(new for node in nodes for new in made.get(node, [node])))

    return replace(graph, body=substitute(map_region(graph.body, rewrite), same))


@dataclass(frozen=True, eq=False)
class _Call:
    """A call of a function that stays one.

    Attributes:
        node: the call.
        parts: what reads single values of its result.
    """

    node: Apply
    parts: tuple[Apply, ...]

    @property
    def args(self) -> tuple[Atom, ...]:
        return self.node.args[1:]

    @property
    def outs(self) -> set[Value]:
        return {self.node.out, *(part.out for part in self.parts)}

    def active_arguments(self, active: set[Value]) -> Iterator[int]:
        return (k for k, arg in enumerate(self.args) if isinstance(arg, Value) and arg in active)


def _calls(body: Region) -> list[_Call]:
    """Return the calls of functions that stay, each with what reads its parts."""
    parts: dict[Value, list[Apply]] = {}
    for node in walk(body):
        if isinstance(node, Apply) and is_call(node):
            parts[node.out] = []
        elif isinstance(node, Apply) and node.fn == "getitem" and isinstance(node.args[0], Value):
            parts.get(node.args[0], []).append(node)
    calls = (node for node in walk(body) if isinstance(node, Apply) and node.out in parts)
    return [_Call(node, tuple(parts[node.out])) for node in calls]


def is_call(node: Node) -> bool:
    """Tell whether a node calls a function that stays one."""
    return isinstance(node, Apply) and node.fn == "called"


def callee_of(node: Apply) -> Callee:
    """Return the function that a node calls."""
    function = node.args[0]
    assert isinstance(function, Global) and isinstance(function.value, Callee)
    return function.value


def _alike(calls: Iterable[_Call]) -> Iterable[list[_Call]]:
    """Return the calls of each function, for each combination of types."""
    groups: dict[Hashable, list[_Call]] = {}
    for call in calls:
        kinds = tuple(typeof(arg.value) if isinstance(arg, Literal) else type_of(arg) for arg in call.args)
        groups.setdefault((callee_of(call.node), kinds), []).append(call)
    return groups.values()


def _part_of(node: Node, whole: Value) -> int | None:
    """Return which part of a tuple a node reads."""
    match node:
        case Apply(fn="getitem", args=(base, Literal(value=int() as k))) if base is whole:
            return k
    return None


def _augmented(call: _Call, half: Augmented, same: dict[Value, Atom]) -> list[Node]:
    """Return the augmented call with all its parts; `same` gets what stands for the parts read so far."""
    node = call.node
    outs = {} if call.parts or isinstance(node.out.type, nt.BaseTuple) else {0: node.out}
    for part in call.parts:
        k = _part_of(part, node.out)
        assert k is not None
        if outs.setdefault(k, part.out) is not part.out:
            same[part.out] = outs[k]
    args = (Global(half.name, half), *call.args)
    if not isinstance(half.result, nt.BaseTuple):
        return [replace(node, fn="augmented", args=args)]
    whole = Value(half.name, temporary=True, type=half.result)
    made: list[Node] = [replace(node, out=whole, fn="augmented", args=args)]
    for k, kind in enumerate(half.result):
        template = half.graph.body.yields[k]
        name = template.name if isinstance(template, Value) and k >= half.count else half.name
        out = outs.get(k) or Value(name, temporary=getattr(template, "temporary", True), type=kind)
        made.append(Apply(out, "getitem", (whole, Literal(k)), loc=node.loc, role=node.role))
    return made


def reverse_augmented(sweep: AdjointSweep, node: Apply) -> None:
    """Reverse a call that has kept what its reversal reads.

    Args:
        sweep: the state of the reverse sweep.
        node: the augmented call; its parts stand right after it.
    """
    callee, *args = node.args
    assert isinstance(callee, Global) and isinstance(callee.value, Augmented)
    half = callee.value
    parts = {k: out for out, made in sweep.definitions.items() if (k := _part_of(made, node.out)) is not None}
    parts = parts or {0: node.out}
    found = {k: sweep.take(parts[k]) for k in half.seeds}
    if not any(found.values()):
        return
    seeds = [sweep.zero(parts[k]) if part is None else part.atom for k, part in found.items()]
    kept = [parts[k] for k in half.kept]
    adjoint = Global(half.adjoint.name, half.adjoint)
    given = (*(args[k] for k in half.reads), *kept, *seeds)
    whole = sweep.apply("adjoint", adjoint, *given, name="adjoints")
    whole.type = half.adjoint.result
    for position, k in enumerate(half.wrt):
        argument = args[k]
        if isinstance(argument, Value) and argument in sweep.active:
            is_one = len(half.wrt) == 1
            part = (
                whole
                if is_one
                else sweep.apply("getitem", whole, Literal(position), name=f"d_{argument.name}")
            )
            sweep.contribute(argument, Contribution(part))


def is_part(sweep: AdjointSweep, node: Apply) -> bool:
    """Tell whether a node reads a part of what a call returned."""
    made = (
        sweep.definitions.get(node.args[0])
        if node.fn == "getitem" and isinstance(node.args[0], Value)
        else None
    )
    return isinstance(made, Apply) and made.fn in ("augmented", "recurse_parts")
