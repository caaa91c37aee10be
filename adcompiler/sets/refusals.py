"""What cannot be told of a program for all values of its arguments."""

from __future__ import annotations

from adcompiler.analysis.alias import owner_of, shared_memory
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, For, If, Node, Region, Store, Value, While
from adcompiler.graph.walk import regions, results, walk


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
        self.makers: dict[Value, Node] = {value: node for node in walk(body) for value in results(node)}
        self.places = {node: k for k, node in enumerate(walk(body))}
        self.starts: dict[Node, int] = {}
        self._enter(body, None)

    def _enter(self, region: Region, start: int | None) -> None:
        for node in region.nodes:
            begin = self.places[node] if start is None else start
            self.starts[node] = begin
            for inner in regions(node):
                self._enter(inner, begin if isinstance(node, For | While) else start)

    def memory(self, array: Value) -> Value:
        """Return what stands for all arrays that may share memory with one."""
        return self.classes.get(array, array)

    def may_change(self, carried: Value, loop: For | While) -> bool:
        """Tell whether an array that a loop hands on may be written, but in the iteration that makes it."""
        inside = {*walk(loop.body)}
        return any(
            isinstance(each, Store)
            and self.memory(each.array) is self.memory(carried)
            and place > self.starts[loop]
            and not self._is_new(each.array, inside)
            for each, place in self.places.items()
        )

    def _is_new(self, array: Value, inside: set[Node]) -> bool:
        maker = self.makers.get(owner_of(self.makers, array))
        return maker in inside and isinstance(maker, Apply)

    def matter(self, out: Value, node: If | For) -> bool:
        """Tell whether an array that a branch or loop chooses may be written when it has been chosen."""
        inside = {*walk(Region((), (node,), ()))} if isinstance(node, If) else set()
        return any(
            isinstance(each, Store)
            and self.memory(each.array) is self.memory(out)
            and place > self.starts[node]
            and each not in inside
            for each, place in self.places.items()
        )
