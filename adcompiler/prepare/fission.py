"""Split a loop in two: what fills an array, and all else, which reads the array when it is full.

Loop distribution (Kennedy and McKinley 1990), for one array: `c[i] = r / (b - a * c[i - 1])` in the loop of
an elimination depends on no right side, though the same iteration computes `d[i]`, which does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.integers import Integers
from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import Apply, Atom, For, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import clone, defined, operands, values, walk
from adcompiler.primitives import card


def split_off(loop: For, memory: Value, classes: Mapping[Value, Value], integers: Integers) -> list[For]:
    """Return the loop that fills an array and the one that does the rest; nothing where they are not two.

    Args:
        loop: a loop that counts up or down by one.
        memory: what stands for the array among all that share its memory.
        classes: which values share memory.
        integers: integers as forms.
    """

    def is_meant(array: Atom) -> bool:
        return isinstance(array, Value) and classes.get(array, array) is memory

    nodes = loop.body.nodes
    touching = [node for node in walk(loop.body) if any(map(is_meant, operands(node)))]
    stores = [node for node in nodes if isinstance(node, Store) and is_meant(node.array)]
    loads = [node for node in touching if isinstance(node, Apply) and node.fn == "getitem"]
    if loop.breaks or not stores or len(stores) + len(loads) < len(touching):
        return []
    if any(store.accumulate or is_meant(store.value) for store in stores):
        return []
    if not all(_is_final(load, store, loop, integers) for load in loads for store in stores):
        return []
    needed = _slice(stores, loop)
    rest = tuple(_read_back(node, stores, loop) for node in nodes if node not in stores)
    if needed is None or not (loop.outs or any(not isinstance(node, Apply) for node in rest)):
        return []
    filling = tuple(node for node in nodes if node in needed or node in stores)
    body = clone(Region(loop.body.params[:1], filling, ()), {})
    for node in body.nodes:
        if isinstance(node, Apply):
            integers.enter(node, ())
    return [replace(loop, inits=(), outs=(), body=body), replace(loop, body=replace(loop.body, nodes=rest))]


def _slice(stores: list[Store], loop: For) -> list[Apply] | None:
    """Return the nodes that compute what is stored, and where; None if these are more than numbers."""
    makers: dict[Value, Node] = {node.out: node for node in loop.body.nodes if isinstance(node, Apply)}
    inside = {*defined(loop.body)} - {loop.body.params[0]}
    found: dict[Apply, None] = {}
    todo = [value for store in stores for value in values(operands(store)) if value in inside]
    while todo:
        node = makers.get(todo.pop())
        if not isinstance(node, Apply) or not is_scalar(node.out.type) or not card(node.fn).is_pure:
            return None
        if node not in found:
            found[node] = None
            todo += [value for value in values(operands(node)) if value in inside]
    return [*found]


def _is_final(load: Apply, store: Store, loop: For, integers: Integers) -> bool:
    """Tell whether no iteration writes with a store what it or an earlier one has read with a load."""
    index, step = loop.body.params[0], getattr(loop.step, "value", None)
    if step not in (1, -1) or len(load.args) - 1 != len(store.index):
        return False
    ahead: list[int] = []
    for read, written in zip(load.args[1:], store.index, strict=True):
        one, two = integers.form(read), integers.form(written)
        if one is None or two is None:
            return False
        gap: Linear = one - two
        if gap.terms or abs(two.terms.get(index, 0)) > 1:
            return False
        if index in two.terms:
            ahead.append(step * two.terms[index] * gap.constant)
        elif gap.constant:
            return True
    nodes = [*walk(loop.body)]
    is_later = nodes.index(load) > nodes.index(store)
    return bool(ahead) and (any(k < 0 for k in ahead) or (not any(ahead) and is_later))


def _read_back(node: Node, stores: list[Store], loop: For) -> Node:
    """Let the rest of a loop read what was stored, rather than compute it again."""
    for store in stores:
        is_there = all(isinstance(atom, Literal) or atom is loop.body.params[0] for atom in store.index)
        if isinstance(node, Apply) and node.out is store.value and is_there:
            return Apply(node.out, "getitem", (store.array, *store.index), loc=node.loc, role=node.role)
    return node
