"""Arrays that may have no value yet, because a loop or branch is the first to assign them."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.sizes import Shape, Shapes, arrays_of
from adcompiler.analysis.types import dtype_name, element, is_array, rank
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    Global,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import map_region, merges, results, walk


def first_assigned_inside(graph: Graph, active: set[Value], shapes: Shapes) -> dict[Value, Shape | None]:
    """Map arrays that may be undefined to the shape that they have once they are assigned.

    Nothing reads such an array before it has a value, but zeros of its shape may be needed as its adjoint.
    Where it is not known beforehand that the shape is the same each time, the array is mapped to None.

    Args:
        graph: the primal.
        active: values that carry a derivative.
        shapes: shapes of arrays, as far as they are known.
    """
    sources, maybe = _maybe_undefined(graph)
    outside = {*graph.body.params, *(value for node in graph.body.nodes for value in results(node))}
    known: dict[Value, Shape | None] = {}
    for target in sorted(maybe, key=lambda value: value.name):
        if target not in active or not is_array(type_of(target)):
            continue
        found = {shapes.get(source) for source in _assigned(target, sources, maybe)}
        shape = found.pop() if len(found) == 1 else None
        is_fixed = shape is not None and all(
            symbol in outside for part in shape for symbol in arrays_of(part)
        )
        known[target] = shape if is_fixed else None
    return known


def _maybe_undefined(graph: Graph) -> tuple[dict[Value, list[object]], set[Value]]:
    """Return what each value of a loop or branch may be, and which of them may have no value."""
    sources: dict[Value, list[object]] = {}
    for node in walk(graph.body):
        for target, source in merges(node):
            sources.setdefault(target, []).append(source)
    maybe = {target for target, found in sources.items() if UNDEFINED in found}
    size = -1
    while size != len(maybe):
        size = len(maybe)
        maybe |= {target for target, found in sources.items() if not maybe.isdisjoint(found)}
    return sources, maybe


def with_empty_arrays(forward: Region) -> Region:
    """Let arrays begin empty that a loop records before the program has assigned them.

    What is recorded then is not read back: the iteration that would read it has not read the array either.

    Args:
        forward: the forward sweep.
    """
    nodes = [*walk(forward)]
    recorded = {node.args[1] for node in nodes if isinstance(node, Effect) and node.fn == "append"}
    loops = [node for node in nodes if isinstance(node, For | While)]
    for loop in reversed(loops):  # what an inner loop begins with, the one around carries
        pairs = zip(loop.inits, loop.carried, strict=True)
        recorded.update(init for init, param in pairs if param in recorded)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, For | While):
                node = _begun(node, recorded, nodes)
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return map_region(forward, rewrite)


def _begun(loop: For | While, recorded: set[Atom], before: list[Node]) -> For | While:
    """Return a loop whose recorded arrays have a value at first, which nodes before the loop make."""
    inits: list[Atom] = []
    for init, param in zip(loop.inits, loop.carried, strict=True):
        kind = type_of(param)
        if init != UNDEFINED or param not in recorded or not is_array(kind):
            inits.append(init)
            continue
        shape: Atom = Literal(0)
        if rank(kind) > 1:
            shape = Value("shape", temporary=True)
            before.append(Apply(shape, "tuple", (Literal(0),) * rank(kind), role=Role.TAPE))
        empty = Value(param.name)
        dtype = Global(dtype_name(str(element(kind))), None)
        before.append(Apply(empty, "np.empty", (shape, dtype), role=Role.TAPE))
        inits.append(empty)
    return replace(loop, inits=tuple(inits))


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
