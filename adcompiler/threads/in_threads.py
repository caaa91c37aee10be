"""Run loops on all cores: those that the program writes with `prange`, and outermost ones that may.

Where the program says that no iteration needs another one, that is believed of indices which only the running
program knows; all else is proved, for the primal as for its reversal.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.graph.nodes import For, Graph, Node, Region, While
from adcompiler.graph.walk import regions, walk, with_regions
from adcompiler.threads.conflicts import shared
from adcompiler.threads.parts import at_once


def in_threads(graph: Graph, notes: dict[For, str]) -> Graph:
    """Return the graph with loops whose iterations run at once.

    Args:
        graph: the final graph of a derivative.
        notes: gets what becomes of each loop that was looked at: nothing where it runs at once, else why not.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            made = _at_once(node, loops, iterations, notes)
            if made is None:
                inner = (*loops, node) if isinstance(node, For | While) else loops
                made = [with_regions(node, tuple(region(part, inner) for part in regions(node)))]
            nodes += made
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _at_once(node: Node, loops: Loops, iterations: Iterations, notes: dict[For, str]) -> list[Node] | None:
    """Return what runs a loop at once, None if it is not to, or may not."""
    if not isinstance(node, For) or not _is_wanted(node, loops):
        return None
    found = shared(node, loops, iterations)
    notes[node] = found if isinstance(found, str) else ""
    return None if isinstance(found, str) else at_once(node, found)


def _is_wanted(loop: For, loops: Loops) -> bool:
    """Tell whether a loop is one to run at once: as the program says, else an outermost one."""
    if loop.independent:
        return True
    inside = (node for node in walk(loop.body) if isinstance(node, For))
    return not loops and not any(node.independent for node in inside)
