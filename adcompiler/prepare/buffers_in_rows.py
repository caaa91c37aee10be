"""Arrays of one size that are held in a list, as the rows of one array.

Time steps that take turns with buffers, `b = [u.copy(), np.zeros(n)]` and `b[t % 2]`, say nothing of which
array is meant, but that they are different ones is seen of rows: loops over them are vectorised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.dependence import Loops, is_memory_of_its_own
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.stacks_of_arrays import is_item
from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import all_reads, map_region, regions, substitute, uses, walk
from adcompiler.prepare.allocation import dtype_of
from adcompiler.primitives import Fill, card


def buffers_in_rows(graph: Graph, shapes: Callable[[], Shapes]) -> Graph:
    """Return the graph with such lists as arrays.

    Args:
        graph: the typed primal.
        shapes: tells the symbolic shape of every array.
    """
    lists = _lists(graph)
    if not lists:
        return graph
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    known = shapes()

    def rewrite(region: Region) -> Region:
        for held in lists:
            display = next((n for n in region.nodes if isinstance(n, Apply) and n.out is held), None)
            if display is not None and _are_rows(display, region, known, makers):
                region = _with_rows(region, display)
        return region

    return replace(graph, body=map_region(graph.body, rewrite))


def _lists(graph: Graph) -> list[Value]:
    """Return the lists that are written out, and of which nothing but items and the length is read.

    All indices are known to be of items: a list says so where one is not, and an array does not.
    """
    nodes = (node for node in walk(graph.body) if isinstance(node, Apply) and node.fn == "list")
    made = {node.out: len(node.args) for node in nodes if len(node.args) > 1}
    if not made:
        return []
    dependences = Iterations(graph).dependences
    known = dict.fromkeys(made, 0)

    def visit(region: Region, loops: Loops) -> None:
        for node in region.nodes:
            match node:
                case Apply(fn="len", args=(Value() as held,)) if held in made:
                    known[held] += 1
                case Apply(fn="getitem", args=(Value() as held, Literal(value=int() as k))) if held in made:
                    known[held] += -made[held] <= k < made[held]
                case Apply(fn="getitem", args=(Value() as held, place)) if held in made:
                    known[held] += is_item(node) and dependences.is_below(place, made[held], loops)
            inner = (*loops, node) if isinstance(node, For | While) else loops
            for part in regions(node):
                visit(part, inner)

    visit(graph.body, ())
    counts = uses(graph.body)
    return [held for held in made if counts[held] == known[held]]


def _are_rows(display: Apply, region: Region, shapes: Shapes, makers: Mapping[Value, Apply]) -> bool:
    """Tell whether the items of a list are different arrays of one size, known by no other name before."""
    items = [item for item in display.args if isinstance(item, Value)]
    kinds = {item.type for item in items}
    if len({*items}) < len(display.args) or len(kinds) > 1 or len({shapes.get(item) for item in items}) > 1:
        return False
    (kind,) = kinds
    is_plain = is_array(kind) and kind.layout == "C" and kind.ndim < 3 and shapes.get(items[0]) is not None
    before = region.nodes[: region.nodes.index(display)]
    return is_plain and all(_is_only_filled(item, before, makers) for item in items)


def _is_only_filled(item: Value, before: Sequence[Node], makers: Mapping[Value, Apply]) -> bool:
    """Tell whether an array is made in a region, and until then only elements of it are read and written."""
    made = makers.get(item)
    if made is None or made not in before or not is_memory_of_its_own(made):
        return False
    touching = [part for node in before for part in (node, *_inside(node)) if item in all_reads(part)]
    return all(regions(node) or _is_access(node, item) for node in touching) and not any(
        item in region.yields or item in getattr(part, "inits", ())
        for node in before
        for part in (node, *_inside(node))
        for region in regions(part)
    )


def _inside(node: Node) -> list[Node]:
    return [part for region in regions(node) for part in walk(region)]


def _is_access(node: Node, item: Value) -> bool:
    match node:
        case Store(array=array, value=value):
            return array is item and value is not item
        case Apply():
            return is_scalar(type_of(node.out)) or not (card(node.fn).is_view or card(node.fn).may_keep)
    return False


def _untouched_zeros(nodes: Sequence[Node]) -> set[Value]:
    """Return the arrays of zeros that nodes make and do not touch."""
    made = {node.out for node in nodes if isinstance(node, Apply) and card(node.fn).allocates is Fill.ZEROS}
    return made - {value for node in nodes for value in all_reads(node)}


def _with_rows(region: Region, display: Apply) -> Region:
    """Return a region with an array for a list."""
    kind = type_of(display.args[0])
    array = Value(display.out.name, display.out.temporary, type=nt.Array(kind.dtype, kind.ndim + 1, "C"))
    nodes: list[Node] = []

    def new(fn: str, result: nt.Type, *args: Atom, name: str = "") -> Value:
        out = Value(name or fn, temporary=True, type=result)
        nodes.append(Apply(out, fn, args, loc=display.loc, role=display.role))
        return out

    shape = new("shape", nt.UniTuple(int64, kind.ndim), display.args[0])
    sizes = [new("getitem", int64, shape, Literal(axis), name="size") for axis in range(kind.ndim)]
    whole = new("tuple", nt.UniTuple(int64, kind.ndim + 1), Literal(len(display.args)), *sizes, name="shape")
    nodes.append(replace(display, out=array, fn="np.zeros", args=(whole, *dtype_of(kind.dtype))))
    place = region.nodes.index(display)
    zeros = _untouched_zeros(region.nodes[:place])
    rows: dict[Value, Atom] = {display.out: array}
    for k, item in enumerate(display.args):
        assert isinstance(item, Value)
        if item not in zeros:
            nodes.append(Store(array, (Literal(k),), item, loc=display.loc, role=display.role))
        rows[item] = row = Value(item.name, item.temporary, type=kind)
        nodes.append(Apply(row, "getitem", (array, Literal(k)), loc=display.loc, role=display.role))
    rest = substitute(Region((), region.nodes[place + 1 :], region.yields), rows)
    rest = _counted_from_start(rest, array, len(display.args))
    return Region(region.params, (*region.nodes[:place], *nodes, *rest.nodes), rest.yields)


def _counted_from_start(region: Region, array: Value, count: int) -> Region:
    """Return a region with rows of an array, such as `b[-1]`, counted from the start."""

    def counted(node: Node) -> Node:
        match node:
            case Apply(fn="getitem", args=(base, Literal(value=int() as k))) if base is array and k < 0:
                return replace(node, args=(base, Literal(k + count)))
        return node

    def rewrite(inner: Region) -> Region:
        return replace(inner, nodes=tuple(map(counted, inner.nodes)))

    return map_region(region, rewrite)
