"""Lists that are stacks: everything that is ever pushed on them is known."""

from __future__ import annotations

from adcompiler.graph.nodes import Apply, Effect, Region, Value
from adcompiler.graph.walk import uses, walk


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
