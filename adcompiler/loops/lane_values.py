"""What the values of an iteration are where several run side by side: the same, sums, or one each."""

from __future__ import annotations

from dataclasses import dataclass, field

from adcompiler.analysis.sums import running_sum
from adcompiler.graph.nodes import Apply, For, If, Node, Region, Value
from adcompiler.graph.walk import defined, operands, regions, values
from adcompiler.primitives import card


@dataclass
class LaneValues:
    """The kinds of the values that an iteration defines.

    Attributes:
        inside: all of them.
        uniform: those that are the same in all iterations.
        sums: for each value of a sum over the iterations, which of the loop's sums it is.
        own: arrays that an iteration makes for itself.
    """

    inside: set[Value]
    uniform: set[Value] = field(default_factory=set)
    sums: dict[Value, int] = field(default_factory=dict)
    own: dict[Value, None] = field(default_factory=dict)

    def is_varying(self, value: Value) -> bool:
        """Tell whether each iteration has a value of its own."""
        return value in self.inside and value not in self.uniform and value not in self.sums


def lane_values(loop: For) -> LaneValues:
    """Return what the values of a loop are whose carried values are sums."""
    found = LaneValues(set(defined(loop.body)))
    for k, param in enumerate(loop.carried):
        _follow_sum(loop.body, param, k, found)
    _classify(loop.body, found)
    return found


def _follow_sum(body: Region, entry: Value, k: int, found: LaneValues) -> None:
    chain = {entry} | (running_sum(body, entry) or set())
    found.sums |= dict.fromkeys(chain, k)
    _enter_loops(body, chain, k, found)


def _enter_loops(region: Region, chain: set[Value], k: int, found: LaneValues) -> None:
    for node in region.nodes:
        if isinstance(node, For):
            for param, init in zip(node.carried, node.inits, strict=True):
                if init in chain:
                    _follow_sum(node.body, param, k, found)
        elif isinstance(node, If):
            for arm in regions(node):
                _enter_loops(arm, chain, k, found)


def _classify(region: Region, found: LaneValues) -> None:
    for node in region.nodes:
        match node:
            case Apply() if card(node.fn).allocates is not None:
                found.own[node.out] = None
            case Apply() if card(node.fn).is_view and any(v in found.own for v in values(node.args[:1])):
                if node.fn != "getitem":
                    found.own[node.out] = None
            case Apply() if card(node.fn).is_pure and _reads_uniform(node, found):
                found.uniform.add(node.out)
            case For():
                found.uniform.add(node.body.params[0])
        for inner in regions(node):
            _classify(inner, found)


def _reads_uniform(node: Node, found: LaneValues) -> bool:
    return all(value not in found.inside or value in found.uniform for value in values(operands(node)))
