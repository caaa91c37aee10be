"""Let iterations that hand numbers on to the next few ones write their arrays last.

What `before = y[i]` hands on at the end of an iteration is read by the next one, and by no other. LLVM
vectorises such a loop, if all that is handed on is computed before anything is written. Tapes and adjoints
are written as early as their values are known, which is moved here.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.sums import carried_kinds
from adcompiler.analysis.types import is_memory
from adcompiler.graph.nodes import Apply, For, Graph, If, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region, operands, values
from adcompiler.loops.vectorise import is_simple


def store_last(graph: Graph) -> Graph:
    """Return the graph with stores at the end of such iterations, where nothing reads what they write.

    Args:
        graph: the final graph of a function.
    """
    classes = shared_memory(graph.body)

    def place(array: Value) -> Value:
        return classes.get(array, array)

    def reordered(body: Region) -> Region:
        kept: list[Node] = []
        last: list[Node] = []
        pinned: set[Value] = set()
        for node in reversed(body.nodes):
            if isinstance(node, Store) and place(node.array) not in pinned:
                last.append(node)
                continue
            kept.append(node)
            pinned |= {place(value) for value in values(operands(node)) if is_memory(type_of(value))}
        return replace(body, nodes=(*reversed(kept), *reversed(last)))

    def rewrite(region: Region) -> Region:
        nodes = (
            replace(node, body=reordered(node.body)) if isinstance(node, For) and _hands_on(node) else node
            for node in region.nodes
        )
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _hands_on(loop: For) -> bool:
    """Tell whether each number that a loop carries is one of an iteration a few places back, or a sum."""
    if loop.breaks or not isinstance(loop.step, Literal):
        return False
    if not all(is_simple(node) and not isinstance(node, If) for node in loop.body.nodes):
        return False
    triples = zip(loop.carried, loop.body.yields, carried_kinds(loop.body), strict=True)
    nexts = {param: last for param, last, kind in triples if kind is None}
    before = {param: _read(loop.body, last) & nexts.keys() for param, last in nexts.items()}
    while ends := {param for param, read in before.items() if not read}:
        before = {param: read - ends for param, read in before.items() if param not in ends}
    return bool(nexts) and not before


def _read(body: Region, atom: object) -> set[Value]:
    """Return all that a value of an iteration is computed from."""
    makers = {node.out: node for node in body.nodes if isinstance(node, Apply)}
    found: set[Value] = set()
    todo = [atom] if isinstance(atom, Value) else []
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += values(operands(makers[value])) if value in makers else ()
    return found
