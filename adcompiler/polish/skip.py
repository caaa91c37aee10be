"""Pass over what only adds multiples of an adjoint that is zero.

Where a program picks the least or largest of several values, as nearest neighbours, time warping and shortest
paths do, or cuts off at zero, the adjoint of those not picked is zero. So is all that a loop behind it would
add, or a whole iteration of a recurrence.
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
from adcompiler.graph.walk import free, makers_of, regions, values, walk, with_regions
from adcompiler.primitives import card, hint

_ZERO = Literal(0.0)


def skip_zeros(graph: Graph) -> Graph:
    """Return the graph with such loops and iterations behind a test.

    Args:
        graph: the graph of a gradient.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            node = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            if isinstance(node, For) and node.role is Role.ADJOINT and not node.breaks:
                node = _behind_test(_ending(_tested(node, loops, iterations)), nodes)
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _behind_test(loop: For, before: list[Node]) -> Node:
    """Return a loop that runs only if the adjoint which a choice before it may have made zero is not.

    Args:
        loop: a loop of the reverse sweep.
        before: what stands before it in its region; the test is added to it.
    """
    reads = set(free(loop.body))
    for k in reversed(range(len(before))):
        choice = before[k]
        if isinstance(choice, Apply) and choice.out in reads:
            reads.update(values(choice.args))
        if not isinstance(choice, If) or choice.role is not Role.ADJOINT:
            continue
        for position, seed in enumerate(choice.outs):
            found = {seed}
            if seed not in reads or not _may_be_zero(choice, position):
                continue
            follow(Region((), tuple(before[k + 1 :]), ()), found)
            if _adds_only(loop, found):
                test = Value(hint("ne"), temporary=True, type=boolean)
                before.append(Apply(test, "ne", (seed, _ZERO), loc=loop.loc, role=loop.role))
                outs = tuple(map(_like, loop.outs))
                then = Region((), (replace(loop, outs=outs),), outs)
                return If(test, then, Region((), (), loop.inits), loop.outs, loc=loop.loc, role=loop.role)
    return loop


def _ending(loop: For) -> For:
    """Return a loop that ends when the adjoint that it hands on is zero, if nothing happens afterwards."""
    kinds = carried_kinds(loop.body)
    own = [k for k, kind in enumerate(kinds) if kind is None]
    if len(own) != 1:
        return loop
    entry, last = loop.carried[own[0]], loop.next_values[own[0]]
    choice = next((n for n in loop.body.nodes if isinstance(n, If) and last in n.outs), None)
    if choice is None or not _may_be_zero(choice, choice.outs.index(last)):
        return loop
    found = {entry}
    if not _adds_only(loop, found, own[0]) or last not in found:
        return loop
    test = Value(hint("eq"), temporary=True, type=boolean)
    nodes = (*loop.body.nodes, Apply(test, "eq", (last, _ZERO), loc=loop.loc, role=loop.role))
    return replace(loop, body=replace(loop.body, nodes=nodes, yields=(test, *loop.body.yields)), breaks=True)


def _may_be_zero(choice: If, position: int) -> bool:
    """Tell whether a choice yields a literal zero on some path."""
    for arm in regions(choice):
        end = arm.yields[position]
        inner = next((n for n in arm.nodes if isinstance(n, If) and end in n.outs), None)
        if end == _ZERO or (inner is not None and _may_be_zero(inner, inner.outs.index(end))):
            return True
    return False


def _adds_only(loop: For, found: set[Value], besides: int | None = None) -> bool:
    """Tell whether all that a loop does is to add values that are zero if some others are.

    Args:
        loop: the loop.
        found: these others, extended with what is zero with them.
        besides: position of a carried value that does not count.
    """
    follow(loop.body, found)
    for k, (entry, last) in enumerate(zip(loop.carried, loop.next_values, strict=True)):
        if k != besides and last is not entry and not _is_sum_of(loop.body, entry, last, found):
            return False
    return any(isinstance(node, Store) for node in walk(loop.body)) and all(
        (isinstance(node, Apply) and card(node.fn).is_pure)
        or isinstance(node, If | For)
        or (isinstance(node, Store) and node.accumulate and bool(node.index) and node.value in found)
        for node in walk(loop.body)
    )


def _is_sum_of(body: Region, entry: Value, last: Atom, found: set[Value]) -> bool:
    """Tell whether a carried number is a sum to which nothing but some values is added."""
    terms = running_sum(body, entry) or set()
    made = [node for node in walk(body) if isinstance(node, Apply) and node.out in terms]
    return last in terms and all(a in found for node in made for a in node.args if a not in terms)


def _tested(loop: For, loops: Loops, iterations: Iterations) -> For:
    """Return a loop whose iterations test the adjoint that comes in first, if that may save work."""
    seed = _seed(loop.body)
    if seed is None or any(kind is None for kind in carried_kinds(loop.body)):
        return loop
    vanishing = _vanishing(loop.body, {seed.out})
    if vanishing is None or not _picks(loop.body, vanishing) or iterations.are_apart(loop, loops):
        return loop
    first = makers_of((seed.out,), loop.body.nodes)
    if any(isinstance(node, Store) for node in walk(Region((), tuple(first), ()))):
        return loop
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
    follow(body, found)
    for entry, last in zip(body.params[1:], body.yields, strict=True):
        if last is not entry and not _is_sum_of(body, entry, last, found):
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


def follow(region: Region, found: set[Value]) -> None:
    """Add what is zero if what was found is."""

    def is_zero(atom: Atom) -> bool:
        return atom in found or atom == _ZERO

    for node in region.nodes:
        match node:
            case Apply(fn="mul" | "times", args=(one, two)) if one in found or two in found:
                found.add(node.out)
            case Apply(fn="truediv" | "neg", args=(one, *_)) if one in found:
                found.add(node.out)
            case Apply(fn="add" | "sub", args=(one, two)) if is_zero(one) and is_zero(two):
                found.add(node.out)
            case If():
                for arm in regions(node):
                    follow(arm, found)
                ends = zip(node.outs, node.then.yields, node.orelse.yields, strict=True)
                found |= {out for out, one, two in ends if is_zero(one) and is_zero(two)}
            case For(breaks=False):
                follow(node.body, found)
                carried = zip(node.outs, node.inits, node.carried, node.next_values, strict=True)
                sums = (
                    (out, init, _is_sum_of(node.body, own, last, found)) for out, init, own, last in carried
                )
                found |= {out for out, init, is_sum in sums if is_sum and is_zero(init)}


def _picks(body: Region, vanishing: set[Value]) -> bool:
    """Tell whether an iteration hands an adjoint on or does not, as a test tells."""
    choices = (node for node in walk(body) if isinstance(node, If))
    return any(
        _ZERO in arm.yields and out in vanishing for n in choices for arm in regions(n) for out in n.outs
    )
