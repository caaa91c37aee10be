"""Parts that a program takes of an array once, such as the matrices in a vector of parameters.

Loops that read several parts would add to several parts of one adjoint, and nothing tells LLVM, or the
analysis of dependences, that these have no element in common. A part that is a copy has an adjoint of its
own, which is added to its place when the loops have run. Copies themselves are dropped if nothing is written.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from numba import int64

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.sizes import Guards
from adcompiler.analysis.types import element, is_array, is_array_atom, is_float
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Role,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import free, operands, regions, values, walk, with_regions
from adcompiler.primitives import hint
from adcompiler.simplify.views import taken_alike

_BOUNDS = ("slice", "tuple")


def unpack(graph: Graph) -> Graph:
    """Return the graph with copies of the parts that are taken once and that loops, or branches, read.

    Args:
        graph: a typed primal.
    """
    body = graph.body
    inner = {value for node in body.nodes for region in regions(node) for value in free(region)}
    views = [node for node in body.nodes if isinstance(node, Apply) and node.out in inner and _is_part(node)]
    if not views:
        return graph
    is_written = _writes_of(body)
    nodes: list[Node] = []
    for node in body.nodes:
        if node in views and isinstance(node, Apply) and not is_written(node.out):
            part = Value(node.out.name, node.out.temporary, node.out.type)
            nodes.append(replace(node, out=part))
            node = Apply(node.out, "copy", (part,), loc=node.loc, role=node.role)
        nodes.append(node)
    return replace(graph, body=replace(body, nodes=tuple(nodes)))


def take_before_loops(graph: Graph, guards: Guards) -> Graph:
    """Return the graph with parts that each iteration takes alike taken before the loop.

    Args:
        graph: a typed primal.
        guards: what may be assumed: an array whose size does not fit its new shape is an error only if the
            loop runs.
    """

    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    is_written = _writes_of(graph.body)

    def is_taken_alike(node: Apply) -> bool:
        is_view = (_is_part(node) and not _is_of_one_place(node)) or _is_turned(node)
        return is_view and not is_written(node.out) and (node.fn != "reshape" or bool(sizes_of_new(node)))

    def sizes_of_new(node: Apply) -> tuple[Atom, ...]:
        """Return the shape that an array gets, if that may be assumed to hold as many elements."""
        made = entry(makers, node.args[1])
        sizes = made.args if made is not None and made.fn == "tuple" else ()
        return () if Literal(-1) in sizes or guards.cautious or guards.stretches else sizes

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(map(region, regions(node))))
            if isinstance(node, For):
                moved = _with_bounds(node, is_taken_alike)
                for part in moved:
                    if part.fn == "reshape":
                        nodes += _check(part, sizes_of_new(part))
                        guards.is_conditional = True
                    nodes.append(part)
                kept = tuple(inner for inner in node.body.nodes if inner not in moved)
                node = replace(node, body=replace(node.body, nodes=kept))
            nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _with_bounds(loop: For, is_part: Callable[[Apply], bool]) -> list[Apply]:
    """Return the parts that do not depend on the iteration, and what makes their slices and shapes."""
    found = taken_alike(loop, lambda node: node.fn in _BOUNDS or is_part(node))
    used = {value for node in found if node.fn not in _BOUNDS for value in values(operands(node))}
    return [node for node in found if node.fn not in _BOUNDS or node.out in used]


def _check(part: Apply, sizes: tuple[Atom, ...]) -> list[Node]:
    """Return the check that an array has as many elements as its new shape."""
    nodes: list[Node] = []

    def apply(fn: str, *args: Atom) -> Value:
        out = Value(hint(fn), temporary=True, type=int64)
        nodes.append(Apply(out, fn, args, loc=part.loc, role=Role.TAPE))
        return out

    total = functools.reduce(lambda one, two: apply("mul", one, two), sizes)
    size = apply("size", part.args[0])
    return [*nodes, Effect("same_size", (size, total), loc=part.loc)]


def _writes_of(body: Region) -> Callable[[Value], bool]:
    """Return what tells whether the memory of an array is written anywhere."""
    classes = shared_memory(body)
    written = {classes.get(array, array) for array in written_arrays(body)}
    return lambda array: classes.get(array, array) in written


def _is_turned(node: Apply) -> bool:
    """Tell whether a view shows all elements of an array in another order: it is no part."""
    return node.fn in ("T", "np.transpose")


def _is_of_one_place(node: Apply) -> bool:
    """Tell whether a view is that of one place along an axis, which need not exist if a loop does not run."""
    return node.fn == "getitem" and any(
        atom != Literal(None) and not str(type_of(atom)).startswith("slice") for atom in node.args[1:]
    )


def _is_part(node: Apply) -> bool:
    """Tell whether a node makes a view of some elements of an array of floats, or of all in another shape."""
    if node.fn not in ("getitem", "reshape") or not is_array(type_of(node.args[0])):
        return False
    is_picked = any(map(is_array_atom, node.args[1:]))
    return is_array(node.out.type) and is_float(element(node.out.type)) and not is_picked
