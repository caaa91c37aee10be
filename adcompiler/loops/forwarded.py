"""What an iteration keeps in an element of an array is a number.

Loops that share an iteration leave arrays of which each element is set, added to and read at one place of the
text: the number serves, and nobody needs the array (store-to-load forwarding).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from numba import float64

from adcompiler.analysis.types import element, rank
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import operands, regions, substitute, uses, walk, with_regions
from adcompiler.primitives import Fill, card


def forward_stores(graph: Graph) -> Graph:
    """Return the graph without such arrays.

    Args:
        graph: the final graph of a derivative.
    """
    made = {
        node.out
        for node in walk(graph.body)
        if isinstance(node, Apply) and card(node.fn).allocates is Fill.NOTHING
    }
    known = _Known(made, uses(graph.body))
    body = known.region(graph.body)
    return replace(graph, body=substitute(body, known.numbers)) if known.changed else graph


class _Known:
    """Arrays that begin without elements, how often they are used, and the numbers that reads stand for."""

    def __init__(self, made: set[Value], counts: Counter[Value]) -> None:
        self.made, self.counts = made, counts
        self.numbers: dict[Value, Atom] = {}
        self.changed = False

    def region(self, region: Region) -> Region:
        """Return a region without the elements that are used in it only."""
        written = dict.fromkeys(node.array for node in region.nodes if isinstance(node, Store))
        for array in written:
            if array in self.made and self._is_one_element(region, array):
                region = self._with_number(region, array)
                self.changed = True
        nodes = (with_regions(node, tuple(map(self.region, regions(node)))) for node in region.nodes)
        return replace(region, nodes=tuple(nodes))

    def _is_one_element(self, region: Region, array: Value) -> bool:
        """Tell whether all uses of an array are of one element, which the region sets first."""
        users = [node for node in walk(region) if array in operands(node)]
        first = next(node for node in region.nodes if node in users or _holds(node, array))
        if not isinstance(first, Store) or first.accumulate or len(first.index) != rank(array.type):
            return False
        stores = [node for node in users if isinstance(node, Store)]
        if len(users) != self.counts[array] or not all(store in region.nodes for store in stores):
            return False
        return all(_is_at(node, array, first.index) for node in users)

    def _with_number(self, region: Region, array: Value) -> Region:
        nodes: list[Node] = []
        number: Atom = array  # until it is set
        for node in region.nodes:
            match node:
                case Store() if node.array is array and node.accumulate:
                    total = Value(array.name, array.temporary, element(array.type))
                    nodes.append(Apply(total, "add", (number, node.value), loc=node.loc, role=node.role))
                    number = total
                case Store() if node.array is array:
                    number = node.value
                case Apply() if array in operands(node):
                    self.numbers[node.out] = number
                case _ if regions(node):
                    reads = {
                        inner.out: number
                        for part in regions(node)
                        for inner in walk(part)
                        if isinstance(inner, Apply) and array in operands(inner)
                    }
                    self.numbers.update(reads)
                    nodes.append(with_regions(node, tuple(_without(part, reads) for part in regions(node))))
                case _:
                    nodes.append(node)
        return replace(region, nodes=tuple(nodes))


def _holds(node: Node, array: Value) -> bool:
    return any(array in operands(inner) for part in regions(node) for inner in walk(part))


def _is_at(node: Node, array: Value, index: tuple[Atom, ...]) -> bool:
    """Tell whether a node reads the element at an index, or sets it to a number of its type."""
    match node:
        case Apply(fn="getitem", args=(base, *place)):
            return base is array and tuple(place) == index
        case Store(array=base, index=place, value=value):
            kind = float64 if isinstance(value, Literal) and type(value.value) is float else type_of(value)
            return base is array and place == index and kind == element(array.type)
    return False


def _without(region: Region, gone: dict[Value, Atom]) -> Region:
    nodes = (
        with_regions(node, tuple(_without(part, gone) for part in regions(node)))
        for node in region.nodes
        if not (isinstance(node, Apply) and node.out in gone)
    )
    return replace(region, nodes=tuple(nodes))
