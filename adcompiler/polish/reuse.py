"""Allocate scratch arrays once before a loop instead of in each iteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adcompiler.analysis.alias import shared_memory, written_arrays
from adcompiler.analysis.types import is_scalar
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
    Store,
    Value,
    While,
    entry,
    type_of,
)
from adcompiler.graph.walk import defined, operands, regions, values, walk, walk_regions, with_regions
from adcompiler.primitives import Fill, card


def reuse_arrays(graph: Graph, keeps: Callable[[Node], bool] = lambda loop: False) -> Graph:
    """Return the graph with allocations moved out of loops where no iteration passes the array on.

    Iterations that run at once keep their own.

    Args:
        graph: the graph of a derivative.
        keeps: tells of an outermost loop whether its iterations are to keep theirs for now.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(region(inner) for inner in regions(node)))
            keeps_own = getattr(node, "parallel", False) or (body is graph.body and keeps(node))
            if isinstance(node, For | While) and not keeps_own:
                nodes += _moved_out(node, makers)
            else:
                nodes.append(node)
        return replace(body, nodes=tuple(nodes))

    return replace(graph, body=region(graph.body))


def _moved_out(loop: For | While, makers: dict[Value, Apply]) -> list[Node]:
    classes = shared_memory(loop.body)
    written = {classes.get(array, array) for array in written_arrays(loop.body)}
    inside = {value for inner in regions(loop) for value in defined(inner)}
    moved: list[Node] = []
    kept: list[Node] = []
    for node in loop.body.nodes:
        is_made = isinstance(node, Apply) and card(node.fn).allocates in (Fill.ZEROS, Fill.NOTHING)
        is_fixed = not any(value in inside for value in values(operands(node)))
        if isinstance(node, Apply) and node.fn == "list" and not node.args and node.role is Role.TAPE:
            moved.append(node)  # a stack: what an iteration pushes it also pops
            inside.discard(node.out)
            continue
        if isinstance(node, Apply) and node.fn == "tuple" and is_fixed and _are_numbers(node):
            moved.append(node)
            inside.discard(node.out)
            continue
        if (
            isinstance(node, Apply)
            and is_made
            and is_fixed
            and _cannot_fail(node, makers)
            and not _escapes(node.out, loop.body)
        ):
            inside.discard(node.out)
            if card(node.fn).allocates is Fill.ZEROS and classes.get(node.out, node.out) not in written:
                moved.append(node)
                continue
            moved.append(blank(node))
            if card(node.fn).allocates is Fill.ZEROS:
                kept.append(Store(node.out, (), Literal(0.0), loc=node.loc, role=node.role))
        else:
            kept.append(node)
    return [*moved, replace(loop, body=replace(loop.body, nodes=tuple(kept)))]


def blank(zeros: Apply) -> Apply:
    """Return the allocation of an array whose elements are all to be set.

    >>> blank(Apply(Value("d"), "np.zeros_like", (Value("x"),))).fn
    'np.empty_like'
    """
    return replace(zeros, fn=zeros.fn.replace("zeros", "empty"))


def _are_numbers(node: Apply) -> bool:
    return all(is_scalar(type_of(value)) for value in values(node.args))


def _cannot_fail(made: Apply, makers: dict[Value, Apply]) -> bool:
    """Tell whether sizes are known to be zero or more, in case the loop does not run at all."""
    if made.fn.endswith("_like"):
        return True
    shape = entry(makers, made.args[0])
    sizes = shape.args if shape is not None and shape.fn == "tuple" else made.args[:1]
    return all(_is_size(atom, makers) for atom in sizes)


def _is_size(atom: Atom, makers: dict[Value, Apply]) -> bool:
    if isinstance(atom, Literal):
        return isinstance(atom.value, int) and atom.value >= 0
    made = entry(makers, atom)
    if made is None:
        return False
    base = entry(makers, made.args[0]) if made.fn == "getitem" else None
    is_shape = card(made.fn).measures or (base is not None and base.fn == "shape")
    are_sizes = [_is_size(arg, makers) for arg in made.args] if made.fn in ("max", "min") else []
    return is_shape or (any(are_sizes) if made.fn == "max" else bool(are_sizes) and all(are_sizes))


def _escapes(array: Value, body: Region) -> bool:
    """Tell whether an array, or a view of it, may be seen after the iteration that makes it."""
    same = {array}
    for node in walk(body):
        is_view = (
            isinstance(node, Apply) and card(node.fn).is_view and any(v in same for v in values(node.args))
        )
        if isinstance(node, Apply) and is_view and not is_scalar(node.out.type):
            same.add(node.out)
    return any(value in same for inner in walk_regions(body) for value in _kept(inner))


def _kept(region: Region) -> list[Value]:
    """Return the values that a region hands on."""
    found: list[Atom] = list(region.yields)
    for node in region.nodes:
        match node:
            case Apply() if card(node.fn).may_keep:
                found += operands(node)
            case Effect():
                found += node.args
            case Store():
                found.append(node.value)
            case For() | While():
                found += node.inits
    return list(values(found))
