"""Arrays that may have no value yet, because a loop or branch is the first to assign them."""

from __future__ import annotations

from adcompiler.analysis.sizes import Shape, Shapes, arrays_of
from adcompiler.analysis.types import Types, is_array
from adcompiler.graph.nodes import UNDEFINED, Graph, Value
from adcompiler.graph.walk import merges, results, walk


def first_assigned_inside(
    graph: Graph, types: Types, active: set[Value], shapes: Shapes
) -> dict[Value, Shape | None]:
    """Map arrays that may be undefined to the shape that they have once they are assigned.

    Nothing reads such an array before it has a value, but zeros of its shape may be needed as its adjoint.
    Where it is not known beforehand that the shape is the same each time, the array is mapped to None.

    Args:
        graph: the primal.
        types: type of every value.
        active: values that carry a derivative.
        shapes: shapes of arrays, as far as they are known.
    """
    sources: dict[Value, list[object]] = {}
    for node in walk(graph.body):
        for target, source in merges(node):
            sources.setdefault(target, []).append(source)
    maybe = {target for target, found in sources.items() if UNDEFINED in found}
    size = -1
    while size != len(maybe):
        size = len(maybe)
        maybe |= {target for target, found in sources.items() if not maybe.isdisjoint(found)}  # type: ignore[arg-type]
    outside = {*graph.body.params, *(value for node in graph.body.nodes for value in results(node))}
    known: dict[Value, Shape | None] = {}
    for target in sorted(maybe, key=lambda value: value.name):
        if target not in active or not is_array(types.get(target)):
            continue
        found = {shapes.get(source) for source in _assigned(target, sources, maybe)}  # type: ignore[call-overload]
        shape = found.pop() if len(found) == 1 else None
        is_fixed = shape is not None and all(
            symbol in outside for part in shape for symbol in arrays_of(part)
        )
        known[target] = shape if is_fixed else None
    return known


def _assigned(target: Value, sources: dict[Value, list[object]], maybe: set[Value]) -> set[Value]:
    """Return the arrays with a value that a variable may stand for."""
    found: set[Value] = set()
    seen, todo = {target}, [target]
    while todo:
        for source in sources[todo.pop()]:
            if isinstance(source, Value) and source in maybe and source not in seen:
                seen.add(source)
                todo.append(source)
            elif isinstance(source, Value) and source not in maybe:
                found.add(source)
    return found
