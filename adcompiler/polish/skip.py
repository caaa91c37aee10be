"""Pass over iterations of a reverse recurrence through which no adjoint flows.

Where a recurrence picks the least or largest of several values, as time warping and shortest paths do, the
adjoint of those not picked is zero, and so is all that their iterations would add.
"""

from __future__ import annotations

from dataclasses import replace

from numba import boolean

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds, running_sum
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import operands, regions, values, walk, with_regions
from adcompiler.primitives import card, hint

_ZERO = Literal(0.0)


def skip_zeros(graph: Graph) -> Graph:
    """Return the graph with such iterations behind a test.

    Args:
        graph: the graph of a gradient.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            node = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            is_reverse = isinstance(node, For) and node.role is Role.ADJOINT and not node.breaks
            nodes.append(_tested(node, loops, iterations) if is_reverse else node)  # type: ignore[arg-type]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _tested(loop: For, loops: Loops, iterations: Iterations) -> For:
    """Return a loop whose iterations test the adjoint that comes in first, if that may save work."""
    seed = _seed(loop.body)
    if seed is None or any(kind is None for kind in carried_kinds(loop.body)):
        return loop
    vanishing = _vanishing(loop.body, {seed.out})
    if vanishing is None or not _picks(loop.body, vanishing) or iterations.are_apart(loop, loops):
        return loop
    first = _needed_by(seed, loop.body)
    test = Value(hint("ne"), temporary=True, type=boolean)
    rest = tuple(node for node in loop.body.nodes if node not in first)
    outs = tuple(_like(param) for param in loop.carried)
    then = Region((), rest, loop.body.yields)
    made = If(test, then, Region((), (), loop.carried), outs, loc=loop.loc, role=loop.role)
    nodes = (*first, Apply(test, "ne", (seed.out, _ZERO), loc=loop.loc, role=loop.role), made)
    return replace(loop, body=replace(loop.body, nodes=nodes, yields=outs))


def _like(param: Value) -> Value:
    out = Value(param.name, param.temporary)
    if type_of(param) is not None:
        out.type = param.type
    return out


def _seed(body: Region) -> Apply | None:
    """Return the load of the only adjoint that an iteration takes: it sets the element to zero."""
    zeroed = [n for n in body.nodes if isinstance(n, Store) and not n.accumulate]
    if len(zeroed) != 1 or zeroed[0].value != _ZERO:
        return None
    place = (zeroed[0].array, *zeroed[0].index)
    first = next(k for k, node in enumerate(body.nodes) if isinstance(node, Store))
    before = body.nodes[:first]
    loads = [n for n in before if isinstance(n, Apply) and n.fn == "getitem" and n.args == place]
    return loads[0] if len(loads) == 1 else None


def _vanishing(body: Region, found: set[Value]) -> set[Value] | None:
    """Return the values that are zero if the seed is; None if an iteration does anything with others."""
    _follow(body, found)
    for entry, last in zip(body.params[1:], body.yields, strict=True):
        if last is entry:
            continue
        terms = running_sum(body, entry) or set()
        added = [
            a for n in walk(body) if isinstance(n, Apply) and n.out in terms for a in n.args if a not in terms
        ]
        if last not in terms or not all(atom in found for atom in added):
            return None
    for node in walk(body):
        match node:
            case Apply() if card(node.fn).is_pure:
                pass
            case If():
                pass
            case Store(accumulate=True) if node.value in found and node.index:
                pass
            case Store(accumulate=False, value=value) if value == _ZERO and node in body.nodes:
                pass
            case _:
                return None
    return found


def _follow(region: Region, found: set[Value]) -> None:
    def is_zero(atom: Atom) -> bool:
        return atom in found or atom == _ZERO

    for node in region.nodes:
        match node:
            case Apply(fn="mul", args=(one, two)) if one in found or two in found:
                found.add(node.out)
            case Apply(fn="truediv" | "neg", args=(one, *_)) if one in found:
                found.add(node.out)
            case Apply(fn="add" | "sub", args=(one, two)) if is_zero(one) and is_zero(two):
                found.add(node.out)
            case If():
                for arm in regions(node):
                    _follow(arm, found)
                ends = zip(node.outs, node.then.yields, node.orelse.yields, strict=True)
                found |= {out for out, one, two in ends if is_zero(one) and is_zero(two)}


def _picks(body: Region, vanishing: set[Value]) -> bool:
    """Tell whether an iteration hands an adjoint on or does not, as a test tells."""
    choices = (node for node in walk(body) if isinstance(node, If))
    return any(
        _ZERO in arm.yields and out in vanishing for n in choices for arm in regions(n) for out in n.outs
    )


def _needed_by(seed: Apply, body: Region) -> list[Node]:
    """Return the load of the seed, and what computes its index, in order."""
    makers = {node.out: node for node in body.nodes if isinstance(node, Apply)}
    needed: set[Node] = set()
    todo: list[Node] = [seed]
    while todo:
        node = todo.pop()
        needed.add(node)
        todo += [makers[value] for value in values(operands(node)) if value in makers]
    return [node for node in body.nodes if node in needed]
