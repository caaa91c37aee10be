"""A function on its way through the pipeline, and what a pass is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from numba.core import types as nt

from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import Guards, Shapes
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import For, Graph, Literal, Value, type_of
from adcompiler.graph.steps import Style
from adcompiler.graph.walk import alike, defined
from adcompiler.watch import is_left_out, report


@dataclass
class Unit:
    """A function on its way through the pipeline.

    Attributes:
        graph: what it is now.
        arguments: types of its arguments.
        style: what the text is to be like.
        keep_arguments: whether arguments that it writes are copied.
        guards: the checks that it needs of the sizes that are assumed.
        wrt: positions of the parameters to differentiate; None for a function that is run by itself, as
            part of a derivative: its indices are checked for all arrays of floats.
        masked: whether its results may be left out by what its caller makes of them.
        settled: for each pass, the graph in which it last found nothing to change.
        starts: where the counters end that reverse loops count back.
        transposes: whether the reverse sweep is differentiated again, by the adjoints that it is given.
        notes: of each loop that was to run at once, why it does not; nothing if it does.
    """

    graph: Graph
    arguments: Sequence[nt.Type] = ()
    style: Style = field(default_factory=Style)
    keep_arguments: bool = True
    guards: Guards = field(default_factory=Guards)
    wrt: Sequence[int] | None = None
    masked: bool = False
    starts: dict[Value, Literal] = field(default_factory=dict)
    settled: dict[str, Graph] = field(default_factory=dict)
    transposes: bool = False
    notes: dict[For, str] = field(default_factory=dict)

    def shapes(self) -> Shapes:
        """Return the symbolic shape of every array."""
        return symbolic_shapes(self.graph)

    def unchanging(self) -> set[Value]:
        """Return the values that never change: numbers, and shapes."""
        kinds = ((value, type_of(value)) for value in defined(self.graph.body))
        return {value for value, kind in kinds if is_scalar(kind) or isinstance(kind, nt.BaseTuple)}


@dataclass(frozen=True)
class Pass:
    """One row of the pipeline.

    Attributes:
        name: what it is called in dumps and tests.
        apply: returns the graph that it makes of a unit's.
        why: what it is good for, and why it stands here.
        when: tells whether a unit needs it.
    """

    name: str
    apply: Callable[[Unit], Graph]
    why: str
    when: Callable[[Unit], bool] = lambda unit: True


def apply(step: Pass, unit: Unit) -> None:
    """Let one pass change a unit, if it needs it, and unless it has found nothing to change in this graph."""
    before = unit.graph
    if not step.when(unit) or is_left_out(step.name):
        return
    if unit.settled.get(step.name) is not before:
        unit.graph = step.apply(unit)
        if alike(before, unit.graph):
            unit.graph = unit.settled[step.name] = before
    report(step.name, before, unit.graph)
