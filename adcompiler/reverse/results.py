"""Results of a derivative: they share no memory with each other, and have names of adjoints."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from adcompiler.analysis.alias import memory_classes
from adcompiler.graph.nodes import Apply, Atom, If, Node, Region, Role, Store, Value
from adcompiler.graph.walk import rename


def kept_apart(
    results: list[Atom],
    are_arrays: Sequence[bool],
    nodes: Sequence[Node],
    params: Sequence[Value] = (),
    all_of_them: bool = False,
) -> list[Node]:
    """Replace arrays that may share memory with an earlier one, or a parameter, by copies; return these."""
    classes = memory_classes(Region((), tuple(nodes), ()))
    seen = {classes.get(param, param) for param in params}
    copies: list[Node] = []
    for k, atom in enumerate(results):
        if isinstance(atom, Value) and are_arrays[k]:
            memory_of = classes.get(atom, atom)
            if all_of_them or memory_of in seen:
                results[k] = copy = Value(atom.name)
                copies.append(Apply(copy, "copy", (atom,), role=Role.TAPE))
            seen.add(memory_of)
    return copies


def rename_last(nodes: list[Node], atom: Value, new: Value, start: int, fixed: Container[Node]) -> bool:
    """Rename what one of the last nodes computes, and return whether that was possible.

    Args:
        nodes: the nodes of a region, which are changed.
        atom: the value to rename.
        new: the value in its place.
        start: the first node to look at; no loop or branch may come after the one that is found.
        fixed: branches that have to stay as they are.
    """
    last = nodes[-1] if nodes else None
    if isinstance(last, If) and last.outs == (atom,) and last not in fixed:
        nodes[-1] = replace(last, outs=(new,))
        return True
    for position in range(len(nodes) - 1, start - 1, -1):
        node = nodes[position]
        if not isinstance(node, Apply | Store):
            return False
        if isinstance(node, Apply) and node.out is atom:
            nodes[position:] = rename(Region((), tuple(nodes[position:]), ()), {atom: new}).nodes
            return True
    return False
