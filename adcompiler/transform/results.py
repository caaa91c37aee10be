"""Results of a derivative that share no memory with each other."""

from __future__ import annotations

from collections.abc import Sequence

from adcompiler.analysis.alias import memory_classes
from adcompiler.graph.nodes import Apply, Atom, Node, Region, Value


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
