"""What cannot be told of a program for all values of its arguments."""

from __future__ import annotations

from adcompiler.analysis.alias import shared_memory
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import For, If, Node, Region, Store, Value, While
from adcompiler.graph.walk import regions, walk


def refuse(is_so: bool, reason: str, node: Node, cure: str | None = None) -> None:
    """Refuse a program (AD601) whose sparsity depends on what only certain arguments tell."""
    if is_so:
        raise DifferentiationError("AD601", reason, node.loc, cure)


class Writes:
    """Where the arrays of a program are written.

    Args:
        body: the body of the program.
    """

    def __init__(self, body: Region) -> None:
        self.classes = shared_memory(body)
        self.places = {node: k for k, node in enumerate(walk(body))}
        self.starts: dict[Node, int] = {}
        self._enter(body, None)

    def _enter(self, region: Region, start: int | None) -> None:
        for node in region.nodes:
            begin = self.places[node] if start is None else start
            self.starts[node] = begin
            for inner in regions(node):
                self._enter(inner, begin if isinstance(node, For | While) else start)

    def matter(self, out: Value, node: If | For) -> bool:
        """Tell whether an array that a branch or loop chooses may be written when it has been chosen."""
        inside = {*walk(Region((), (node,), ()))} if isinstance(node, If) else set()
        own = self.classes.get(out, out)
        return any(
            isinstance(each, Store)
            and self.classes.get(each.array, each.array) is own
            and place > self.starts[node]
            and each not in inside
            for each, place in self.places.items()
        )
