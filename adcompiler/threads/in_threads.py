"""Run loops on all cores: those that the program writes with `prange`, and outermost ones that may.

Where the program says that no iteration needs another one, that is believed of indices which only the running
program knows; all else is proved, for the primal as for its reversal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.types import is_array
from adcompiler.graph.nodes import Apply, Effect, For, Graph, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import free, operands, regions, values, walk, with_regions
from adcompiler.primitives import card
from adcompiler.threads.conflicts import is_wanted, shared
from adcompiler.threads.parts import at_once


def in_threads(graph: Graph, notes: dict[For, str]) -> Graph:
    """Return the graph with loops whose iterations run at once.

    Args:
        graph: the final graph of a derivative.
        notes: gets what becomes of each loop that was looked at, last one first: nothing where it runs at
            once, else why not.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops, later: set[Value]) -> Region:
        nodes: list[Node] = []
        later = {*later, *values(body.yields)}
        for node in reversed(_kept_late(body).nodes):
            made = _at_once(node, loops, iterations, notes, later)
            if made is None:
                inner, after = loops, later
                if isinstance(node, For | While):  # what is mentioned may be so in the next iteration
                    inner, after = (*loops, node), later | _mentioned(node)
                made = [with_regions(node, tuple(region(part, inner, after) for part in regions(node)))]
            nodes[:0] = made
            later |= _mentioned(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, (), set()))


def _kept_late(body: Region) -> Region:
    """Put arrays on stacks once they are written: Numba drops stores to what it does not see read later."""
    nodes = list(body.nodes)
    for push in [node for node in nodes if isinstance(node, Effect) and node.fn == "append"]:
        stack, array = push.args
        if not isinstance(array, Value) or not is_array(array.type):
            continue
        place = nodes.index(push)
        last = max(k for k, node in enumerate(nodes) if k == place or array in _mentioned(node))
        if last > place and not any(stack in _mentioned(node) for node in nodes[place + 1 : last + 1]):
            nodes.insert(last + 1, push)
            del nodes[place]
    return replace(body, nodes=tuple(nodes))


def _in_lists(loop: For, iterations: Iterations) -> set[Value]:
    """Return the arrays that a loop writes, and that a list may hold or have held."""
    stores = (node.array for node in walk(loop.body) if isinstance(node, Store))
    owners = {_owner(array, iterations.dependences.makers) for array in stores}
    return {array for array in owners if any(map(_is_list, iterations.sharing(array)))}


def _is_list(value: Value) -> bool:
    return not is_array(type_of(value))


def _owner(array: Value, makers: Mapping[Value, Apply]) -> Value:
    """Return the array that another one is a view of."""
    made = makers.get(array)
    base = made.args[0] if made is not None and made.args and card(made.fn).is_view else None
    return _owner(base, makers) if isinstance(base, Value) and is_array(type_of(base)) else array


def _mentioned(node: Node) -> set[Value]:
    return {*values(operands(node)), *(value for region in regions(node) for value in free(region))}


def _at_once(
    node: Node, loops: Loops, iterations: Iterations, notes: dict[For, str], later: set[Value]
) -> list[Node] | None:
    """Return what runs a loop at once, None if it is not to, or may not; `later` is mentioned afterwards."""
    if not isinstance(node, For) or not is_wanted(node, loops):
        return None
    found = shared(node, loops, iterations)
    if _in_lists(node, iterations) - later:  # Numba takes such stores for dead
        found = "it writes an array of a list that nothing names afterwards"
    notes[node] = found if isinstance(found, str) else ""
    return None if isinstance(found, str) else at_once(node, found)
