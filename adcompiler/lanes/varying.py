"""Which values of a derivative vary with the direction: those that follow from its tangents or adjoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.types import is_scalar
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Effect, For, If, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import defined, merges, operands, values, walk
from adcompiler.primitives import card
from adcompiler.source import NOWHERE, Location


class NotInLanesError(DifferentiationError):
    """A derivative that cannot be computed along several directions at once; nobody is told."""

    def __init__(self, reason: str, location: Location = NOWHERE) -> None:
        super().__init__("AD202", reason, location)


def varying_values(body: Region, seeds: Iterable[Value]) -> set[Value]:
    """Return the values that are other ones for other directions.

    Args:
        body: the body of a derivative.
        seeds: its parameters that hold the direction.

    Raises:
        NotInLanesError: where a test or an index is among them: the program would take another path.
    """
    found = followers(body, seeds, flow(body))
    for node in walk(body):
        _check_path(node, found)
    return found


def followers(body: Region, seeds: Iterable[Value], edges: Iterable[tuple[Value, Value]]) -> set[Value]:
    """Return the values that can be reached from some along edges, and through memory."""
    classes = shared_memory(body)
    members: dict[Value, list[Value]] = {}
    for value in defined(body):
        if not is_scalar(type_of(value)):
            members.setdefault(classes.get(value, value), []).append(value)
    reached: dict[Value, list[Value]] = {}
    for source, target in edges:
        reached.setdefault(source, []).append(target)
    found: set[Value] = set()
    todo = [*seeds]
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += reached.get(value, []) + members.get(classes.get(value, value), [])
    return found


def flow(body: Region) -> Iterator[tuple[Value, Value]]:
    """Yield (value, value that follows from it)."""
    for node in walk(body):
        match node:
            case Apply() if not card(node.fn).measures:
                read = operands(node)[not card(node.fn).reads_elements :]
                yield from ((arg, node.out) for arg in values(read))
            case Store():
                yield from ((value, node.array) for value in values((node.value,)))
            case Effect() if card(node.fn).writes_first:
                yield from (
                    (arg, target) for target in values(node.args[:1]) for arg in values(node.args[1:])
                )
        yield from ((source, merged) for merged, source in merges(node) if isinstance(source, Value))


def _check_path(node: Node, varying: set[Value]) -> None:
    """Refuse what makes the program take another path in another direction."""
    read: tuple[Atom, ...] = ()
    match node:
        case If():
            read = (node.test,)
        case For():
            read = (node.start, node.stop, node.step, *node.body.yields[: node.breaks])
        case While():
            read = (*node.cond.yields, *node.body.yields[: node.breaks])
        case Store():
            read = node.index
        case Apply(fn="getitem"):
            read = node.args[1:]
        case Effect():
            read = () if card(node.fn).writes_first else operands(node)
    if not varying.isdisjoint(values(read)):
        raise NotInLanesError("the path of the program depends on the direction", node.loc)
