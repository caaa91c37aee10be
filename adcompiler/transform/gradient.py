"""From a primal to the graph of its gradient: forward sweep, reverse sweep, and the plan between them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.types import Types, is_float
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Effect, Graph, Literal, Region, Value
from adcompiler.graph.walk import clone
from adcompiler.rules import CONSTANT
from adcompiler.transform.plan import LoopPlan
from adcompiler.transform.record import Recording, Tape, export
from adcompiler.transform.reverse import reverse


@dataclass
class Gradient:
    """The graph that returns value and gradients, and the plan that it follows."""

    graph: Graph
    plans: list[tuple[LoopPlan, list[Tape]]]


def gradient(graph: Graph, wrt: list[int], types: Types, with_value: bool) -> Gradient:
    """Build the graph that evaluates a function's gradient.

    Args:
        graph: the specialised primal; its result must be a real scalar.
        wrt: positions of the arguments to differentiate.
        types: type of every value.
        with_value: whether the value is returned beside the gradient.

    Returns:
        a graph returning `[value,] gradient of each argument` in order.

    Raises:
        DifferentiationError: AD302 for another result, and whatever the reverse sweep refuses.
    """
    check_result(graph, types)
    arguments = [graph.body.params[k] for k in wrt]
    active = active_values(graph, arguments, types, CONSTANT)
    sweep = reverse(graph, arguments, types, active)
    recording = Recording(sweep, types)
    forward, back = recording.frame(graph.body, sweep.body)
    forward, back = export(forward, back, sweep)
    back = clone(Region((), back.nodes, back.yields), {})
    value = forward.yields if with_value else ()
    border = Effect("reverse sweep", ())
    body = Region(forward.params, (*forward.nodes, border, *back.nodes), (*value, *back.yields))
    suffix = "value_and_grad" if with_value else "grad"
    doc = f"Return {'the value and ' if with_value else ''}the gradient of {graph.name}"
    doc += f" with respect to {', '.join(a.name for a in arguments)}."
    result = replace(graph, name=f"{graph.name}_{suffix}", body=body, returns_tuple=True, doc=doc)
    return Gradient(result, recording.plans)


def check_result(graph: Graph, types: Types) -> None:
    """Refuse a function whose result is not one real scalar."""
    found = graph.body.yields
    if graph.returns_tuple or len(found) != 1:
        raise DifferentiationError("AD302", f"'{graph.name}' returns a tuple of {len(found)} values")
    (result,) = found
    if isinstance(result, Literal) and isinstance(result.value, float | int):
        return
    kind = types.get(result) if isinstance(result, Value) else None
    if not is_float(kind):
        raise DifferentiationError("AD302", f"'{graph.name}' returns {kind}")
