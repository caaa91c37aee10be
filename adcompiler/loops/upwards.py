"""Let loops of the reverse sweep count up where the order of their iterations does not matter.

A loop over rising indices is what compilers vectorise best. The order does not matter where iterations only
add to what they share, and where no iteration touches an element that another one writes. A counter that such
a loop counts back is counted as the primal counts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Role, Value, While
from adcompiler.graph.walk import free, operands, regions, results, substitute, with_regions

Starts = Mapping[Value, Literal]


def count_upwards(graph: Graph, starts: Starts) -> Graph:
    """Return the graph with downward loops turned round where that changes nothing but rounding.

    Args:
        graph: the graph of a gradient.
        starts: for each counter that a loop counts back, where it ends.
    """
    iterations = Iterations(graph)

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            new = with_regions(node, tuple(region(part, inner) for part in regions(node)))
            counters = _counters(node, loops, iterations, starts)
            turns = counters is not None and isinstance(new, For)
            nodes += _turned(new, counters or [], starts) if turns else [new]  # type: ignore[arg-type]
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body, ()))


def _counters(loop: Node, loops: Loops, iterations: Iterations, starts: Starts) -> list[int] | None:
    """Return which carried values of a loop that may turn are counters; None if it may not turn."""
    if not isinstance(loop, For) or loop.role is not Role.ADJOINT or loop.step != Literal(-1) or loop.breaks:
        return None
    kinds = carried_kinds(loop.body)
    counters = [k for k, kind in enumerate(kinds) if kind is None]
    if not all(_is_counted_back(loop, k, starts) for k in counters):
        return None
    return counters if iterations.are_apart(loop, loops) else None


def _is_counted_back(loop: For, k: int, starts: Starts) -> bool:
    """Tell whether a carried value is a counter of known start, whose step is known before an iteration."""
    entry, step = loop.body.params[k + 1], _step(loop, k)
    if entry not in starts or step is None or step.args[0] is not entry:
        return False
    changing = (*loop.carried, *(value for node in loop.body.nodes for value in results(node)))
    return step.args[1] not in changing


def _step(loop: For, k: int) -> Apply | None:
    after = loop.body.yields[k]
    for node in loop.body.nodes:
        if isinstance(node, Apply) and node.out is after and node.fn in ("add", "sub"):
            return node
    return None


def _reads(node: Node) -> list[Atom]:
    return [*operands(node), *(value for region in regions(node) for value in free(region))]


def _turned(loop: For, counters: list[int], starts: Starts) -> list[Node]:
    nodes: list[Node] = []
    first, past = _next(loop.stop, loop, nodes), _next(loop.start, loop, nodes)
    inits, body = list(loop.inits), loop.body
    for k in counters:
        inits[k] = starts[body.params[k + 1]]
        body = _counted(loop, k, body)
    turned = replace(loop, start=first, stop=past, step=Literal(1), inits=tuple(inits), body=body)
    return [*nodes, turned]


def _next(atom: Atom, loop: For, nodes: list[Node]) -> Atom:
    if isinstance(atom, Literal) and isinstance(atom.value, int):
        return Literal(atom.value + 1)
    out = Value("add", temporary=True)
    nodes.append(Apply(out, "add", (atom, Literal(1)), loc=loop.loc, role=loop.role))
    return out


def _counted(loop: For, k: int, body: Region) -> Region:
    """Let an iteration begin with the value of a counter that it ended with when it counted back."""
    entry, step = loop.body.params[k + 1], _step(loop, k)
    assert step is not None
    own, after = Value(entry.name), Value(entry.name)
    own.type = after.type = entry.type
    count = replace(step, out=after, fn="sub" if step.fn == "add" else "add", args=(own, step.args[1]))
    rest = tuple(node for node in body.nodes if node is not step)
    is_read = any(entry in _reads(node) for node in rest)
    nodes = (count, *rest) if is_read else (*rest, count)
    params = tuple(own if param is entry else param for param in body.params)
    yields = tuple(after if atom is step.out else atom for atom in body.yields)
    return substitute(Region(params, nodes, yields), {step.out: own, entry: after})
