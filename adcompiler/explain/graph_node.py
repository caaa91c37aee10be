"""One node of a graph to learn from."""

from __future__ import annotations

from dataclasses import dataclass

from adcompiler.explain.unrolled import ending
from adcompiler.source import NOWHERE, Location


@dataclass(frozen=True)
class GraphNode:
    """A node: an input, or an expression over other nodes.

    Attributes:
        name: its name, unique in the graph.
        inputs: names of the nodes that it reads.
        operation: what it computes, as text; empty for an input.
        label: what people call it: its name, or the text of an expression without one.
        turn: the index of each loop around it, at a point.
        loc: its place in the program.
    """

    name: str
    inputs: tuple[str, ...]
    operation: str
    label: str = ""
    turn: tuple[tuple[str, int], ...] = ()
    loc: Location = NOWHERE

    @property
    def title(self) -> str:
        """The label without the iteration."""
        label = self.label.removesuffix(ending(dict(self.turn)))
        return label[1:-1] if label.startswith("(") else label
