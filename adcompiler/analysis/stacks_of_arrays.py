"""Lists that are stacks, or whose items are otherwise known: everything that is ever put into them is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Effect, For, Literal, Region, Store, Value, type_of
from adcompiler.graph.walk import uses, walk, walk_regions
from adcompiler.primitives import card


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


def lists_of_items(body: Region) -> set[Value]:
    """Return the lists that are written out, appended to, popped from and read by item, and nothing else.

    >>> items, x, y = Value("items"), Value("x"), Value("y")
    >>> made, read = Apply(items, "list", (x,)), Apply(y, "getitem", (items, Literal(0)))
    >>> lists_of_items(Region((x,), (made, read), ())) == {items}
    True
    """
    nodes = [*walk(body)]
    made = {node.out for node in nodes if isinstance(node, Apply) and node.fn == "list"}
    if not made:
        return made
    known: Counter[Value] = Counter()
    for node in nodes:
        match node:
            case Effect(fn="append", args=(Value() as held, _)) | Store(array=held):
                known[held] += 1
            case Apply(args=(Value() as held, *_)) if is_item(node) or card(node.fn).measures:
                known[held] += 1
    counts = uses(body)
    return {held for held in made if counts[held] == known[held]}


def is_item(node: Apply) -> bool:
    """Tell whether a node reads one item, or takes it off: no slice of a list."""
    match node.args:
        case (_,):
            return node.fn == "pop"
        case (_, index):
            return node.fn in ("getitem", "nth") and (isinstance(index, Literal) or is_scalar(type_of(index)))
    return False


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
