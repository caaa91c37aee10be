"""Sizes of arrays that are taken off stacks: those that one iteration kept are known by each other."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.sizes import Axis, Shape, Size, form_of, sides
from adcompiler.graph.nodes import Effect, Node, Role, Value
from adcompiler.prepare.guard import write_form


def sizes_of_taken(
    taken: Collection[Value], shapes: Mapping[Value, Shape], known: Container[Value]
) -> list[Node]:
    """Return checks that have passed of the sizes of arrays that are taken off stacks.

    Args:
        taken: the arrays, by the names that they have in the primal.
        shapes: their shapes, in sizes of the primal.
        known: the values of the primal that are known where the arrays are taken off. A size that is none of
            them is known by the first array that has it.
    """
    first: dict[Size, Linear] = {}
    sizes = [(Linear({Axis(v, k): 1}), size) for v in taken for k, size in enumerate(shapes.get(v, ()))]
    for own, size in sizes:
        first.setdefault(size, own)
    nodes: list[Node] = []
    for own, size in sizes:
        same = first[size] if first[size] != own else _from_others(size, first, taken, known)
        if same is not None and same != own:
            one, two = sides(own - same)
            args = write_form(one, nodes), write_form(two, nodes)
            nodes.append(Effect("same_size", args, role=Role.TAPE))
    return nodes


def _from_others(
    size: Size, first: Mapping[Size, Linear], taken: Container[Value], known: Container[Value]
) -> Linear | None:
    """Return a size in terms of others, if it is a sum that cannot be negative, which would make it zero."""
    form = form_of(size)
    if form.constant < 0 or min(form.terms.values(), default=0) < 0:
        return None
    total = Linear({}, form.constant)
    for name, factor in form.terms.items():
        source = name.array if isinstance(name, Axis) else name
        is_there = source in known and source not in taken
        part = Linear({name: 1}) if is_there else first.get(name)
        if part is None:
            return None
        total = total + factor * part
    return total
