"""What a transformation makes of a function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.graph.layout import leaves
from adcompiler.graph.nodes import Graph, Literal, Value
from adcompiler.storage.plan import LoopPlan
from adcompiler.storage.tape import Tape


@dataclass
class Derived:
    """The graph of a derivative, and the plan that it follows.

    Attributes:
        graph: the graph.
        plans: what is done about the values of each loop.
        seeds: types of the further arguments: adjoints of the results for a pullback, tangents of the
            arguments in forward mode. None for values that have none.
        starts: where the counters end that reverse loops count back.
    """

    graph: Graph
    plans: list[tuple[LoopPlan, list[Tape]]] = field(default_factory=list)
    seeds: tuple[nt.Type | None, ...] = ()
    starts: dict[Value, Literal] = field(default_factory=dict)


def described(graph: Graph, wrt: Sequence[int]) -> list[str]:
    """Return the names of the parameters that hold the values to differentiate."""
    if not graph.parameters:
        return [graph.body.params[k].name for k in wrt]
    owners = [name for name, layout in graph.parameters for _ in leaves(layout)]
    return [*dict.fromkeys(owners[k] for k in wrt)]
