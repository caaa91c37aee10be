"""Drop copies of arrays that nothing uses any more."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import Types, is_array
from adcompiler.graph.nodes import Apply, Atom, Graph, Region, Value
from adcompiler.graph.walk import operands, regions, substitute, values, walk, with_regions
from adcompiler.primitives import card


def drop_copies(graph: Graph, types: Types) -> Graph:
    """Return the graph without copies of arrays that are made in the same region and not used afterwards.

    >>> from numba import float64
    >>> from adcompiler.graph.nodes import Literal
    >>> from adcompiler.graph.text import to_text
    >>> x, y = Value("x"), Value("y")
    >>> nodes = (Apply(x, "np.zeros", (Literal(3),)), Apply(y, "copy", (x,)))
    >>> print(to_text(drop_copies(Graph("f", Region((), nodes, (y,))), {x: float64[:], y: float64[:]})))
    graph f():
      x = np.zeros(3)
      return x
    """
    same = {
        node.out: node.args[0]
        for node in walk(graph.body)
        if isinstance(node, Apply) and node.fn == "np.ascontiguousarray" and _has_no_gaps(node.args[0], types)
    }
    graph = replace(graph, body=substitute(graph.body, same))  # it returns such an array as it is
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    return replace(graph, body=_region(graph.body, types, makers))


def _has_no_gaps(atom: Atom, types: Types) -> bool:
    kind = types.get(atom) if isinstance(atom, Value) else None
    return kind is not None and is_array(kind) and kind.layout == "C"


def _region(body: Region, types: Types, makers: dict[Value, Apply]) -> Region:
    nodes = [
        with_regions(node, tuple(_region(part, types, makers) for part in regions(node)))
        for node in body.nodes
    ]
    body = replace(body, nodes=tuple(nodes))
    for node in nodes:
        if isinstance(node, Apply) and node.fn == "copy" and _is_last_use(node, body, types, makers):
            kept = replace(body, nodes=tuple(n for n in body.nodes if n is not node))
            body = substitute(kept, {node.out: node.args[0]})
            makers.update({n.out: n for n in body.nodes if isinstance(n, Apply)})
    return body


def _is_last_use(copy: Apply, body: Region, types: Types, makers: dict[Value, Apply]) -> bool:
    source = copy.args[0]
    if not isinstance(source, Value) or not is_array(types.get(source)):
        return False
    owner = _owner(source, makers)
    made = makers.get(owner)
    if made is None or card(made.fn).allocates is None or types.get(source) != types.get(copy.out):
        return False
    positions = {n.out: k for k, n in enumerate(body.nodes) if isinstance(n, Apply)}
    if owner not in positions or copy.out not in positions:
        return False
    used: list[Atom] = [*body.yields]
    for node in walk(Region((), body.nodes[positions[copy.out] + 1 :], ())):
        if not (isinstance(node, Apply) and not card(node.fn).reads_elements):  # both have the same shape
            used += operands(node)
        used += [*(atom for part in regions(node) for atom in part.yields)]
    return not any(_owner(value, makers) is owner for value in values(used))


def _owner(value: Value, makers: dict[Value, Apply]) -> Value:
    while value in makers and card(makers[value].fn).is_view and isinstance(makers[value].args[0], Value):
        value = makers[value].args[0]  # type: ignore[assignment]
    return value
