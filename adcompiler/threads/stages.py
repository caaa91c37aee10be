"""Which nodes of a loop run before a recurrence, in it, and after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from adcompiler.analysis.sums import SUM, running_sum
from adcompiler.analysis.types import is_array
from adcompiler.graph.nodes import Apply, For, If, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import all_reads, regions, results, values, walk
from adcompiler.primitives import card

BEFORE, CHAIN, AFTER = range(3)
Links = Mapping[Node, Sequence[Node]]


@dataclass(frozen=True)
class Stages:
    """Where the nodes of a loop run.

    Attributes:
        of: the stage of each node, in their order.
        again: nodes that cost less than to keep what they compute: every stage runs them that reads them.
        carried: for each value that the loop carries, the stages that carry it: of a sum, all that add to it.
        added: of each value of a sum in the course of an iteration, what makes it, and the one before it.
    """

    of: dict[Node, int]
    again: frozenset[Node]
    carried: tuple[tuple[int, ...], ...]
    added: dict[Value, tuple[Node, Value]]

    def nodes(self, stage: int) -> list[Node]:
        """Return the nodes that run in a stage only."""
        return [node for node, own in self.of.items() if own == stage and node not in self.again]

    def sum_in(self, stage: int, value: Value) -> Value:
        """Return what stands for a value of a sum in a stage, which does not know what others add."""
        while value in self.added and self.of[self.added[value][0]] != stage:
            value = self.added[value][1]
        return value

    def others(self, stage: int) -> list[Value]:
        """Return the values of sums that other stages make."""
        return [value for value, (node, _) in self.added.items() if self.of[node] != stage]


def stages_of(loop: For, kinds: Sequence[str | None], met: Links) -> Stages | None:
    """Return the stages of a loop, None where no order of three loops keeps what its iterations do.

    Args:
        loop: the loop.
        kinds: what each value that it carries is: a sum, or part of the recurrence.
        met: of each node, the earlier ones that it meets in memory.
    """
    sums = [loop.carried[k] for k, kind in enumerate(kinds) if kind == SUM]
    chains = {entry: running_sum(loop.body, entry) or frozenset() for entry in sums}
    added = _added(loop.body, chains)
    if added is None:
        return None
    links = _links(loop.body, met, {value for chain in chains.values() for value in chain})
    of = _by_reach(loop, kinds, links)
    again = _again(loop, of, links) - {node for node, _ in added.values()}
    _join_chain(of, links)
    if not _join_what_is_light(loop, of, again):
        return None
    if any(of[one] > of[node] for node, earlier in links.items() for one in earlier):
        return None
    adders = {entry: {of[added[v][0]] for v in chain if v in added} for entry, chain in chains.items()}
    carried = tuple(tuple(sorted(adders.get(entry, {CHAIN}))) for entry in loop.carried)
    return Stages(of, frozenset(again), carried, added)


def _added(body: Region, chains: Mapping[Value, Set[Value]]) -> dict[Value, tuple[Node, Value]] | None:
    """Return what makes each value of sums, and the one before it; None where there are several."""
    found: dict[Value, tuple[Node, Value]] = {}
    for chain in chains.values():
        for node in body.nodes:
            before = [*all_reads(node) & chain]
            if len(before) > 1:
                return None
            found |= {value: (node, before[0]) for value in results(node) if value in chain}
    return found


def _links(body: Region, met: Links, sums: Set[Value]) -> Links:
    """Return, of each node, the earlier ones that it reads from, sums aside, or meets in memory."""
    makers = {value: node for node in body.nodes for value in results(node) if value not in sums}
    return {
        node: [*(makers[value] for value in all_reads(node) if value in makers), *met.get(node, ())]
        for node in body.nodes
    }


def _by_reach(loop: For, kinds: Sequence[str | None], links: Links) -> dict[Node, int]:
    """Put what lies between the values that come in and those that are handed on in the recurrence."""
    own = [k for k, kind in enumerate(kinds) if kind != SUM]
    heads, ends = {loop.carried[k] for k in own}, {*values(loop.body.yields[k] for k in own)}
    below: set[Node] = set()
    for node, earlier in links.items():
        if all_reads(node) & heads or not below.isdisjoint(earlier):
            below.add(node)
    above: set[Node] = set()
    for node, earlier in reversed([*links.items()]):
        if node in above or ends.intersection(results(node)):
            above |= {node, *earlier}
    return {node: BEFORE if node not in below else CHAIN if node in above else AFTER for node in links}


def _again(loop: For, of: Mapping[Node, int], links: Links) -> set[Node]:
    """Return what each stage may run for itself: indices, views, and reads of what stays."""
    written = {node.array for node in walk(loop.body) if isinstance(node, Store)}
    found: set[Node] = set()
    for node, earlier in links.items():
        if (
            of[node] == BEFORE
            and _is_cheap(node)
            and found.issuperset(earlier)
            and not all_reads(node) & written
        ):
            found.add(node)
    return found


def _is_cheap(node: Node) -> bool:
    if not isinstance(node, Apply) or not card(node.fn).is_pure:
        return False
    return card(node.fn).is_view or (card(node.fn).is_cheap and not is_array(type_of(node.out)))


def _join_chain(of: dict[Node, int], links: Links) -> None:
    """Let cheap nodes join the recurrence, where less is kept then."""
    later: dict[Node, list[Node]] = {node: [] for node in links}
    for node, earlier in links.items():
        for one in earlier:
            later[one].append(node)
    for node in reversed([*links]):
        if of[node] == BEFORE and _is_cheap(node) and {of[other] for other in later[node]} == {CHAIN}:
            of[node] = CHAIN
    for node, earlier in links.items():
        if of[node] == AFTER and _stores_number(node) and all(of[one] <= CHAIN for one in earlier):
            of[node] = CHAIN


def _stores_number(node: Node) -> bool:
    return isinstance(node, Store) and bool(node.index) and not is_array(type_of(node.value))


def _join_what_is_light(loop: For, of: dict[Node, int], again: Set[Node]) -> bool:
    """Let what runs before or after the recurrence join it if it is light; tell whether the recurrence is."""
    for stage in (BEFORE, AFTER):
        own = [node for node, where in of.items() if where == stage and node not in again]
        if not any(_is_heavy(node, loop) for node in own) and all(map(_is_light, own)):
            of |= dict.fromkeys(own, CHAIN)
    return all(_is_light(node) for node, where in of.items() if where == CHAIN)


def _is_heavy(node: Node, loop: For) -> bool:
    """Tell whether a thread is worth its while: a loop, or a function if the program asks for threads."""
    inside = [node, *(inner for region in regions(node) for inner in walk(region))]
    return any(
        isinstance(one, For | While) or (loop.independent and isinstance(one, Apply) and _is_function(one))
        for one in inside
    )


def _is_function(node: Apply) -> bool:
    return not (card(node.fn).is_cheap or card(node.fn).is_safe)


def _is_light(node: Node) -> bool:
    """Tell whether a node takes no longer than a few operations on numbers."""
    if isinstance(node, If):
        return all(_is_light(inner) for arm in regions(node) for inner in arm.nodes)
    is_number = isinstance(node, Apply) and card(node.fn).is_pure and not is_array(type_of(node.out))
    return is_number or _stores_number(node)
