"""Groups of elementwise expressions that become one nest of loops."""

from __future__ import annotations

from dataclasses import dataclass, field

from adcompiler.analysis.sizes import Shape
from adcompiler.graph.nodes import Apply, Node, Store, Value
from adcompiler.loops.elements import Access
from adcompiler.loops.elementwise_loops import Operand


@dataclass
class Group:
    """Expressions that share a loop nest.

    Attributes:
        shape: symbolic shape, one entry per loop.
        nodes: the expressions, stores and sums in program order.
        accesses: where each array is read or written.
        writes: the memory that is written, and where.
        reads: the memory that is read, and where.
        after: what puts results on stacks, which runs after the loops.
        stacks: the memory of these stacks.
        shown: views of results, and numbers made of sums, which are made after the loops.
    """

    shape: Shape
    nodes: list[Apply | Store] = field(default_factory=list)
    accesses: dict[Operand, Access] = field(default_factory=dict)
    writes: dict[Value, list[Access]] = field(default_factory=dict)
    reads: dict[Value, set[Access]] = field(default_factory=dict)
    after: list[Node] = field(default_factory=list)
    stacks: set[Value] = field(default_factory=set)
    shown: set[Value] = field(default_factory=set)

    @property
    def computed(self) -> set[Value]:
        return {node.out for node in self.nodes if isinstance(node, Apply)}

    @property
    def hands_on(self) -> set[Value]:
        return self.computed | self.shown
