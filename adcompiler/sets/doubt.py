"""What of a derivative is not the same for all values of the arguments that are floats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adcompiler.analysis.types import is_continuous
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, If, Node, Region, Store, Value, While
from adcompiler.graph.walk import operands, regions, results, values, walk
from adcompiler.lanes.varying import flow, followers
from adcompiler.primitives import card


def values_in_doubt(
    body: Region, varied: Sequence[Value], others: Sequence[Value]
) -> tuple[set[Value], set[Value]]:
    """Return the values that are not known, and beside them those that are not to decide about a branch.

    What is computed of a float that is not differentiated by is known, and the pattern holds for this float.
    But tests of it count as undecided, so that it need not be the same in each call: then both branches run,
    and what they hand on and write is not known.

    Args:
        body: the body of a derivative.
        varied: its parameters that may be anything.
        others: further ones.
    """
    edges = [*flow(body), *_control(body)]
    undecided = followers(body, _floats((*varied, *others)), edges)
    tests = [node for node in walk(body) if isinstance(node, If) and node.test in undecided]
    chosen = [value for node in tests for value in (*results(node), *_written_inside(node))]
    return followers(body, [*_floats(varied), *chosen], [*edges, *_any_iteration(body)]), undecided


def _floats(params: Sequence[Value]) -> list[Value]:
    return [param for param in params if is_continuous(param.type)]


def decided_by(node: Node) -> tuple[Atom, ...]:
    """Return what decides which of the nodes inside of one run, and how often.

    >>> decided_by(If(Value("test"), Region((), (), ()), Region((), (), ()), ()))
    (%test,)
    """
    match node:
        case If():
            return (node.test,)
        case For():
            return (node.start, node.stop, node.step, *node.body.yields[: node.breaks])
        case While():
            return (*node.cond.yields, *node.body.yields[: node.breaks])
    return ()


def decisive(graph: Graph, own: int) -> tuple[int, ...]:
    """Return the positions of the parameters of which a program reads more than sizes.

    Args:
        graph: the program that finds sets, without what is not needed for them.
        own: how many of its parameters are those of the function.
    """
    read: set[Atom] = {*graph.body.yields}
    for node in walk(graph.body):
        is_size = isinstance(node, Apply) and (card(node.fn).measures or not card(node.fn).reads_elements)
        read.update(operands(node)[is_size:], *(region.yields for region in regions(node)))
    return tuple(k for k, param in enumerate(graph.body.params[:own]) if param in read)


def _control(body: Region) -> Iterator[tuple[Value, Value]]:
    """Yield (value, value that depends on it without being computed of it)."""
    for node in walk(body):
        sources = [*values(decided_by(node))]
        targets = [*results(node), *_written_inside(node)] if sources else []
        yield from ((source, target) for source in sources for target in targets)
        if isinstance(node, Store):
            yield from ((source, node.array) for source in values(node.index))


def _any_iteration(body: Region) -> Iterator[tuple[Value, Value]]:
    """Yield (value that tells how often a loop runs, value that depends on which iteration it is)."""
    for node in walk(body):
        match node:
            case While():
                sources, targets = decided_by(node), node.carried
            case For():
                sources, targets = (node.start, node.stop, node.step), node.body.params
            case _:
                continue
        yield from ((source, target) for source in values(sources) for target in targets)


def _written_inside(node: Node) -> Iterator[Value]:
    for region in regions(node):
        for inner in walk(region):
            match inner:
                case Store():
                    yield inner.array
                case Effect() if card(inner.fn).writes_first:
                    yield from values(inner.args[:1])
