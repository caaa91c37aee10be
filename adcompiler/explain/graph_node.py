"""One node of a graph to learn from."""

from __future__ import annotations

from dataclasses import dataclass

from adcompiler.explain.unrolled import ending


@dataclass(frozen=True)
class GraphNode:
    """A node: an input, or an expression over other nodes.

    Attributes:
        name: its name, unique in the graph.
        inputs: names of the nodes that it reads.
        operation: what it computes, as text; empty for an input.
        label: what people call it: its name, or the text of an expression without one.
        turn: the index of each loop around it, at a point.
        line: the line of the program, 0 if it has none.
    """

    name: str
    inputs: tuple[str, ...]
    operation: str
    label: str = ""
    turn: tuple[tuple[str, int], ...] = ()
    line: int = 0

    @property
    def title(self) -> str:
        """The label without the iteration."""
        label = self.label.removesuffix(ending(dict(self.turn)))
        return label[1:-1] if label.startswith("(") else label
