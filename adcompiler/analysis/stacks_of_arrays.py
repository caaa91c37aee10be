"""Lists that are stacks: everything that is ever pushed on them is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from adcompiler.graph.nodes import Apply, Effect, For, Region, Value
from adcompiler.graph.walk import uses, walk, walk_regions


def stacks(body: Region) -> dict[Value, list[Effect]]:
    """Return for each list that begins empty, is appended to and popped from, and nothing else, what appends.

    >>> items, x = Value("items"), Value("x")
    >>> made, push = Apply(items, "list", ()), Effect("append", (items, x))
    >>> stacks(Region((x,), (made, push), ())) == {items: [push]}
    True
    """
    nodes = [*walk(body)]
    made = {node.out for node in nodes if isinstance(node, Apply) and node.fn == "list" and not node.args}
    found: dict[Value, list[Effect]] = {stack: [] for stack in made}
    popped = dict.fromkeys(made, 0)
    for node in nodes:
        match node:
            case Effect(fn="append", args=(Value() as stack, _)) if stack in made:
                found[stack].append(node)
            case Apply(fn="pop", args=(Value() as stack,)) if stack in made:
                popped[stack] += 1
    counts = uses(body)
    return {stack: pushes for stack, pushes in found.items() if counts[stack] == len(pushes) + popped[stack]}


def loops_of(body: Region, found: Mapping[Value, list[Effect]]) -> dict[Value, tuple[For, For]]:
    """Return for each stack that one loop fills and another one empties, an item an iteration, the two.

    Args:
        body: the body of a graph.
        found: its stacks, with what appends to each.
    """
    loops: dict[Value, tuple[For, For]] = {}
    for region in walk_regions(body):
        made = {node.out for node in region.nodes if isinstance(node, Apply) and node.fn == "list"}
        pushing: dict[Value, For] = {}
        for loop in (node for node in region.nodes if isinstance(node, For) and not node.breaks):
            for node in loop.body.nodes:
                match node:
                    case Effect(fn="append", args=(Value() as stack, _)) if found.get(stack) == [node]:
                        pushing[stack] = loop
                    case Apply(fn="pop", args=(Value() as stack,)) if stack in made and stack in pushing:
                        loops[stack] = pushing[stack], loop
    pops = Counter(n.args[0] for n in walk(body) if isinstance(n, Apply) and n.fn == "pop")
    return {stack: pair for stack, pair in loops.items() if pops[stack] == 1}
