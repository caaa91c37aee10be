"""From a primal to the graph of its gradient: forward sweep, reverse sweep, and the plan between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from numba.core import types as nt

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.types import is_array, is_complex, is_continuous, is_float, is_mutable, is_scalar
from adcompiler.analysis.vanishing import lost, vanishing
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Leaf, Packed, Static, derived_name
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.steps import Room
from adcompiler.graph.walk import clone, renamed_keys
from adcompiler.prepare.adjoint_blocks_typed import without_blocks
from adcompiler.reverse.bind import allocated
from adcompiler.reverse.first_assignment import with_empty_arrays
from adcompiler.reverse.results import kept_apart
from adcompiler.reverse.reverse import reverse
from adcompiler.storage.derived import Derived, described
from adcompiler.storage.export import export
from adcompiler.storage.record import Recording


def gradient(
    graph: Graph,
    wrt: Sequence[int],
    mode: str,
    has_aux: bool = False,
    masked: bool = False,
    room: Room | None = None,
    holomorphic: bool | None = None,
) -> Derived:
    """Build the graph that evaluates a function's gradient.

    Args:
        graph: the specialised primal; its result must be a scalar, except for a pullback.
        wrt: positions of the arguments to differentiate, among the parameters of the body.
        mode: `"grad"`, `"value_and_grad"`, or `"pullback"`, which takes the adjoints of the results as
            further arguments; `"halves"` is a pullback that returns the results, too, and whose reverse sweep
            can be taken apart from the forward sweep.
        has_aux: whether the first result only is differentiated, and the others are handed on.
        masked: whether results may be left out by what the caller makes of them.
        holomorphic: whether results are complex, as `Step` says.
        room: what limits the states that loops keep; None where they keep all that their reversal reads.

    Returns:
        a graph returning `[value,] gradient of each argument` in order; with other results, `value, others,
        gradients` or `gradients, others`.

    Raises:
        DifferentiationError: AD302 for another result, and whatever the reverse sweep refuses.
    """
    seeds: list[Atom | None] = [Literal(1.0 + 0j if holomorphic else 1.0)]
    params: list[Value] = []
    kinds: list[nt.Type | None] = []
    if mode in ("pullback", "halves"):
        check_numbers(graph, holomorphic)
        seeds = [_seed(atom, params, kinds) for atom in graph.body.yields]
    else:
        check_result(graph, has_aux, bool(holomorphic))
        seeds += [None] * (len(graph.body.yields) - 1)
    arguments = [graph.body.params[k] for k in wrt]
    given: list[Node] = []
    if mode == "halves":
        seeds = [seed and _given(seed, given) for seed in seeds]
    active = active_values(graph, arguments)
    sweep = reverse(graph, arguments, active, seeds, masked)
    graph, recording = sweep.primal, Recording(sweep, room=room)
    forward, back = _recorded(recording, merges=mode != "halves")
    for shadow in sweep.bound.shadows.values():
        shadow.type = None  # its layout follows from the array of zeros that it is a part of
    mapping: dict[Value, Atom] = {}
    back = clone(Region((), (*given, *back.nodes), back.yields), mapping)
    starts = recording.starts
    starts |= renamed_keys(starts, mapping)
    value = {"value_and_grad": forward.yields[:1], "halves": forward.yields}.get(mode, ())
    is_run_again = any(plan.room for plan, _ in recording.plans)
    others, copies = _others(forward, is_run_again) if has_aux else ([], [])
    nodes = (*forward.nodes, *copies, Effect("reverse_sweep", value if mode == "halves" else ()), *back.nodes)
    results = (*value, *others, *back.yields) if value else (*back.yields, *others)
    body = allocated(Region((*forward.params, *params), nodes, results))
    _check_nothing_is_lost(graph, sweep.body, replace(body, yields=back.yields))
    result = _derivative(graph, body, mode, params, described(graph, wrt))
    return Derived(result, recording.plans, tuple(kinds), starts)


def _others(forward: Region, is_run_again: bool) -> tuple[list[Atom], list[Node]]:
    """Return the results but for the first, which share no memory with arguments; and the copies for that.

    They share none either with what iterations write that are run again, lists among it.
    """
    others = [*forward.yields[1:]]
    is_own = is_mutable if is_run_again else is_array
    are_arrays = [isinstance(atom, Value) and is_own(type_of(atom)) for atom in others]
    return others, kept_apart(others, are_arrays, forward.nodes, forward.params, is_run_again)


def _given(seed: Atom, nodes: list[Node]) -> Value:
    """Return the adjoint of a result as what only the reverse sweep knows."""
    assert isinstance(seed, Value)
    out = Value(seed.name, type=seed.type)
    nodes.append(Apply(out, "seed", (seed,)))
    return out


def _recorded(recording: Recording, merges: bool = True) -> tuple[Region, Region]:
    """Return the forward sweep, which keeps what the reverse sweep reads, and this."""
    sweep = recording.sweep
    forward, back = recording.frame(sweep.primal.body, sweep.body)
    forward, back = export(forward, back, sweep)
    if merges:
        forward, back, merged = recording.merge(forward, back)
        for plan in merged:
            plan.merged = True
    forward, back = without_blocks(with_empty_arrays(recording.from_originals(forward)), back)
    return forward, back


def _derivative(graph: Graph, body: Region, mode: str, params: list[Value], names: list[str]) -> Graph:
    """Return the graph of a gradient by these names, which has more parameters than its primal."""
    what = {"grad": "the gradient", "value_and_grad": "the value and the gradient"}.get(mode, "the pullback")
    added = tuple((param.name, Leaf()) for param in params) if graph.parameters else ()
    return replace(
        graph,
        name=derived_name(graph.name, mode),
        body=body,
        doc=f"Return {what} of {graph.name.rstrip('_')} with respect to {', '.join(names)}.",
        parameters=(*graph.parameters, *added),
        defaults=() if params else graph.defaults,
    )


def _check_nothing_is_lost(primal: Graph, ideal: Region, body: Region) -> None:
    """What the plan makes of the ideal reverse sweep must not lose an adjoint."""
    both = Region(primal.body.params, (*primal.body.nodes, *ideal.nodes), ideal.yields)
    before, after = (vanishing(replace(primal, body=one)) for one in (both, body))
    assert not lost(before, after), "an adjoint was lost between the reverse sweep and its plan"


def _seed(atom: Atom, params: list[Value], kinds: list[nt.Type | None]) -> Atom | None:
    """Add the argument that gives the adjoint of a result, if the result can have one."""
    kind = type_of(atom)
    if not isinstance(atom, Value) or kind is None or not is_continuous(kind):
        kinds.append(None)
        return None
    if not (is_scalar(kind) or is_array(kind)):
        raise DifferentiationError("AD302", f"a result has type {kind}", None, "return an array or a tuple")
    base, taken = f"d_{atom.name}", {param.name for param in params}
    names = (base if k == 0 else f"{base}_{k}" for k in count())
    params.append(Value(next(name for name in names if name not in taken)))
    kinds.append(kind.copy(layout="C", readonly=False) if is_array(kind) else kind)
    return params[-1]


def _check_pair(graph: Graph) -> None:
    """Refuse a function that returns no pair of a number and something else."""
    match graph.returns:
        case Packed(parts=(Leaf(), _), names=()):
            return
    cure = "return (value, auxiliary values), where the value is one float"
    raise DifferentiationError("AD302", f"'{graph.name}' returns no pair, as has_aux=True says", None, cure)


def check_numbers(graph: Graph, holomorphic: bool | None) -> None:
    """Refuse results that are not complex, or not real, where they have to be."""
    for atom in graph.body.yields:
        kind = type_of(atom)
        if holomorphic is not None and is_continuous(kind) and is_complex(kind) != holomorphic:
            raise _of_other_numbers(graph, kind, holomorphic)


def _of_other_numbers(graph: Graph, kind: object, holomorphic: bool) -> DifferentiationError:
    cure = "pass holomorphic=True if the function is; else take abs(z) ** 2 or z.real of it, jacfwd or vjp"
    if holomorphic:
        cure = "leave holomorphic=True out: a real result has a gradient"
    where = next((node.loc for node in graph.body.nodes[::-1] if isinstance(node, Apply)), None)
    return DifferentiationError("AD302", f"'{graph.name}' returns {kind}", where, cure)


def check_result(graph: Graph, has_aux: bool = False, holomorphic: bool = False) -> None:
    """Refuse a function whose result, or the first of the two that it returns, is not one scalar.

    Args:
        graph: the primal.
        has_aux: whether it returns a pair.
        holomorphic: whether the scalar is to be complex, not real.
    """
    found = graph.body.yields
    if has_aux:
        _check_pair(graph)
        graph, found = replace(graph, returns=None), found[:1]
    if isinstance(graph.returns, Static):
        cure = "return a float, or use vjp, which treats written arguments as results"
        raise DifferentiationError("AD302", f"'{graph.name}' returns nothing", None, cure)
    if graph.returns is not None or len(found) != 1:
        cure = "return one float, or take vjp or jacobian"
        raise DifferentiationError("AD302", f"'{graph.name}' returns {len(found)} values", None, cure)
    (result,) = found
    if isinstance(result, Literal) and isinstance(result.value, float | int):
        return
    kind = type_of(result)
    if is_scalar(kind) and is_complex(kind) != holomorphic:
        raise _of_other_numbers(graph, kind, holomorphic)
    if not (is_float(kind) or (is_scalar(kind) and is_complex(kind))):
        raise DifferentiationError("AD302", f"'{graph.name}' returns {kind}")
