"""Move what does not change in a loop before it: arithmetic on sizes, and calls such as `exp(-k * dt)`."""

from __future__ import annotations

from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.sizes import Axis, Shapes
from adcompiler.analysis.types import is_array, is_float, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Value,
    While,
    entry,
    type_of,
)
from adcompiler.graph.walk import defined, operands, regions, values, with_regions
from adcompiler.primitives import card, hint
from adcompiler.simplify.shape_reads import checked_by


def hoist_sizes(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph with sizes computed outside the loops in which they stay the same.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array: one that a loop carries may keep that which it starts with.
    """

    checked = checked_by(graph.body)

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(region(inner) for inner in regions(node)))
            if isinstance(node, For | While):
                moved, node = _out_of(node, shapes, checked)
                nodes += moved
            nodes.append(node)
        return Region(body.params, tuple(nodes), body.yields)

    return replace(graph, body=region(graph.body))


def _out_of(loop: For | While, shapes: Shapes, checked: set[Value]) -> tuple[list[Node], For | While]:
    inside = set(defined(loop.body))
    if isinstance(loop, While):
        inside |= set(defined(loop.cond))
    params = loop.carried
    same = {
        param: init
        for param, init in zip(params, loop.inits, strict=True)
        if isinstance(init, Value) and param in shapes and shapes.get(init) == shapes[param]
    }
    moved: list[Node] = []
    kept: list[Node] = []

    def outer(atom: Atom, node: Apply) -> Atom:
        is_measured = card(node.fn).measures and isinstance(atom, Value) and node.out not in checked
        return (entry(same, atom) or atom) if is_measured else atom

    for node in loop.body.nodes:
        if isinstance(node, Apply) and _is_size(node):
            args = tuple(outer(atom, node) for atom in node.args)
            if not any(value in inside for value in values(args)):
                moved.append(replace(node, args=args))
                inside.discard(node.out)
                continue
            if node.out not in checked and (found := _measured_outside(node, shapes, inside)):
                moved += found
                inside.discard(node.out)
                continue
        kept.append(node)
    return moved, replace(loop, body=replace(loop.body, nodes=tuple(kept)))


def _measured_outside(node: Apply, shapes: Shapes, inside: set[Value]) -> list[Node]:
    """Return what reads the sizes of a row, or the like, from arrays that are there before a loop."""
    source = node.args[0] if card(node.fn).measures else None
    sizes = shapes.get(source, ()) if isinstance(source, Value) else ()
    if not sizes or (len(sizes) > 1 and node.fn not in ("len", "shape")):
        return []
    nodes: list[Node] = []
    read: list[Atom] = []
    for size in sizes if node.fn == "shape" else sizes[:1]:
        if isinstance(size, int):
            read.append(Literal(size))
        elif isinstance(size, Axis) and size.array not in inside and is_array(size.array.type):
            whole = Value(hint("shape"), temporary=True, type=nt.UniTuple(int64, rank(size.array.type)))
            length = Value("size", temporary=True, type=int64)
            read.append(length)
            nodes.append(Apply(whole, "shape", (size.array,), loc=node.loc, role=node.role))
            nodes.append(Apply(length, "getitem", (whole, Literal(size.axis)), loc=node.loc, role=node.role))
        else:
            return []
    fn = "tuple" if node.fn == "shape" else "pos"
    return [*nodes, replace(node, fn=fn, args=tuple(read))]


def _is_size(node: Apply) -> bool:
    """Tell whether a node computes an integer or a shape from sizes, which cannot fail."""
    is_choice = node.fn in ("max", "min") and len(node.args) == 2
    if not (card(node.fn).is_safe or node.fn == "getitem" or is_choice):
        return False
    kind = node.out.type
    is_whole = isinstance(kind, nt.Integer) or (isinstance(kind, nt.BaseTuple) and node.fn == "shape")
    reads = [type_of(value) for value in values(operands(node))]
    if card(node.fn).measures:
        return is_whole and all(map(is_array, reads))  # the length of a list may change
    first = node.args[0]
    is_of_tuple = isinstance(type_of(first), nt.BaseTuple)
    return is_whole and (node.fn != "getitem" or is_of_tuple)


def hoist_calls(graph: Graph) -> Graph:
    """Return the graph with elementary functions outside the loops in which their arguments stay the same.

    Such a value is then kept once, not in every iteration.

    Args:
        graph: the typed primal.
    """

    def region(body: Region) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            node = with_regions(node, tuple(region(inner) for inner in regions(node)))
            if isinstance(node, For):
                moved = _unchanging_calls(node)
                nodes += moved
                kept = tuple(inner for inner in node.body.nodes if inner not in moved)
                node = replace(node, body=replace(node.body, nodes=kept))
            nodes.append(node)
        return Region(body.params, tuple(nodes), body.yields)

    return replace(graph, body=region(graph.body))


def _is_call(node: Apply) -> bool:
    return card(node.fn).is_elementwise and ("." in node.fn or node.fn == "pow")


def _is_arithmetic(node: Apply) -> bool:
    return card(node.fn).is_cheap_on_arrays or node.fn in ("float", "np.float64")


def _unchanging_calls(loop: For) -> list[Node]:
    """Return the calls of a loop whose arguments come from outside, with the arithmetic in the arguments."""
    inside = set(defined(loop.body))
    found: list[Apply] = []
    for node in loop.body.nodes:
        is_known = isinstance(node, Apply) and (_is_call(node) or _is_arithmetic(node))
        if not isinstance(node, Apply) or not is_known or not is_float(node.out.type):
            continue
        if not inside.intersection(values(operands(node))):
            inside.discard(node.out)
            found.append(node)
    needed: set[Value] = set()
    moved: list[Node] = []
    for node in reversed(found):
        if _is_call(node) or node.out in needed:
            needed.update(values(operands(node)))
            moved.append(node)
    return moved[::-1]
