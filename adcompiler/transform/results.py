"""Results of a derivative: they share no memory with each other, and have names of adjoints."""

from __future__ import annotations

from collections.abc import Sequence

from adcompiler.analysis.alias import memory_classes
from adcompiler.graph.nodes import Apply, Atom, Node, Region, Store, Value
from adcompiler.graph.walk import rename


def kept_apart(
    results: list[Atom], are_arrays: Sequence[bool], nodes: Sequence[Node], params: Sequence[Value] = ()
) -> list[Node]:
    """Replace arrays that may share memory with an earlier one, or a parameter, by copies; return these."""
    classes = memory_classes(Region((), tuple(nodes), ()))
    seen = {classes.get(param, param) for param in params}
    copies: list[Node] = []
    for k, atom in enumerate(results):
        if isinstance(atom, Value) and are_arrays[k]:
            memory_of = classes.get(atom, atom)
            if memory_of in seen:
                results[k] = copy = Value(atom.name)
                copies.append(Apply(copy, "copy", (atom,)))
            seen.add(memory_of)
    return copies


def rename_last(nodes: list[Node], atom: Atom, new: Value, start: int) -> bool:
    """Rename what one of the last nodes computes, if no loop or branch comes after it; return whether."""
    for position in range(len(nodes) - 1, start - 1, -1):
        node = nodes[position]
        if not isinstance(node, Apply | Store):
            return False
        if isinstance(node, Apply) and node.out is atom:
            nodes[position:] = rename(Region((), tuple(nodes[position:]), ()), {node.out: new}).nodes
            return True
    return False
