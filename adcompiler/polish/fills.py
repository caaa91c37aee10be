"""Write elements at once that are set to zero, then added to: `d[i] = 0.0; d[i] += v` is `d[i] = v`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.sizes import Shapes, Size, form_of, size_of
from adcompiler.graph.nodes import Apply, Atom, For, Graph, Literal, Node, Region, Store, Value
from adcompiler.graph.walk import map_region, operands, regions, values, walk, with_regions
from adcompiler.loops.elements import Elements
from adcompiler.polish.reuse import blank
from adcompiler.primitives import Fill, card

_ZERO = Literal(0.0)


def fill_at_once(graph: Graph, shapes: Shapes, sizes: Mapping[Value, Size]) -> Graph:
    """Return the graph without zeros that are added to once before anything reads them.

    Args:
        graph: the graph, with array code written as loops.
        shapes: symbolic shape of every array.
        sizes: what is known of the numbers that are sizes.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    counters = {node.body.params[0]: node for node in walk(graph.body) if isinstance(node, For)}
    elements = Elements(shapes, sizes, makers, counters)
    filler = _Filler(shapes, sizes, makers, shared_memory(graph.body), elements)
    return replace(graph, body=map_region(graph.body, filler.region))


@dataclass
class _Filler:
    shapes: Shapes
    sizes: Mapping[Value, Size]
    makers: Mapping[Value, Apply]
    classes: Mapping[Value, Value]
    elements: Elements

    def region(self, region: Region) -> Region:
        nodes = [*region.nodes]
        for node in region.nodes:
            match node:
                case Store(index=(), accumulate=False) if node.value == _ZERO:
                    self.filled(nodes, node, node.array, None)
                case Store(accumulate=False) if node.value == _ZERO:
                    self.added(nodes, node)
                case Apply() if card(node.fn).allocates is Fill.ZEROS:
                    self.filled(nodes, node, node.out, blank(node))
        return replace(region, nodes=tuple(nodes))

    def filled(self, nodes: list[Node], zeros: Node, array: Value, unset: Node | None) -> None:
        """Let the first loop that adds to all elements of an array of zeros set them."""
        start = nodes.index(zeros)
        for position in range(start + 1, len(nodes)):
            node = nodes[position]
            if not self.touches(node, array):
                continue
            made = self.setting(node, array, ()) if isinstance(node, For) else None
            if made is not None:
                nodes[position] = made
                nodes[start : start + 1] = [] if unset is None else [unset]
            return

    def added(self, nodes: list[Node], zero: Store) -> None:
        """Let what is added to an element replace the zero, if nothing in between touches the element."""
        start = nodes.index(zero)
        for position in range(start + 1, len(nodes)):
            node = nodes[position]
            if not self.touches(node, zero.array) or self.is_elsewhere(node, zero):
                continue
            if isinstance(node, Store) and node.accumulate and _place(node) == (zero.array, zero.index):
                nodes[position] = replace(node, accumulate=False)
                del nodes[start]
            return

    def touches(self, node: Node, array: Value) -> bool:
        """Tell whether a node reads or writes the memory of an array, itself or inside."""
        memory = self.classes.get(array, array)
        parts = (node, *(part for region in regions(node) for part in walk(region)))
        used = (atom for part in parts if not _asks_size(part) for atom in operands(part))
        yielded = (atom for region in regions(node) for atom in region.yields)
        return any(self.classes.get(value, value) is memory for value in values((*used, *yielded)))

    def is_elsewhere(self, node: Node, zero: Store) -> bool:
        """Tell whether a node accesses another element of the same array."""
        if not isinstance(node, Store | Apply):
            return False
        array, index = _place(node)
        if array is not zero.array or len(index) != len(zero.index):
            return False
        return any(map(self.differ, index, zero.index))

    def differ(self, one: Atom, two: Atom) -> bool:
        """Tell whether two indices are apart; one that may be negative counts from the end."""
        left, right = linear(one, self.makers), linear(two, self.makers)
        if left is None or right is None:
            return False
        distance = left - right
        is_apart = not distance.terms and distance.constant != 0
        return is_apart and all(map(self.elements.is_counted, (one, two)))

    def setting(self, loop: For, array: Value, around: tuple[Atom, ...]) -> For | None:
        """Return a loop over an axis of an array that sets what it adds to, None if it does not add to all.

        Each iteration has to begin with that, and to touch no element of other iterations.
        """
        index = (*around, loop.body.params[0])
        if not self.covers(loop, array, len(around)) or self.is_carried(loop, array):
            return None
        nodes = [*loop.body.nodes]
        touching = [k for k, node in enumerate(nodes) if self.touches(node, array)]
        if not touching:
            return None
        first = nodes[touching[0]]
        made: Node | None = None
        if isinstance(first, Store) and first.accumulate and _place(first) == (array, index):
            made = replace(first, accumulate=False)
        elif isinstance(first, For):
            made = self.setting(first, array, index)
        if made is None or not all(self.stays(nodes[k], array, index) for k in touching[1:]):
            return None
        nodes[touching[0]] = made
        return replace(loop, body=replace(loop.body, nodes=tuple(nodes)))

    def is_carried(self, loop: For, array: Value) -> bool:
        memory = self.classes.get(array, array)
        atoms = values((*loop.inits, *loop.body.yields))
        return any(self.classes.get(value, value) is memory for value in atoms)

    def covers(self, loop: For, array: Value, axis: int) -> bool:
        """Tell whether the counter of a loop takes all places along an axis."""
        shape = self.shapes.get(array, ())
        if loop.breaks or axis >= len(shape):
            return False
        if (loop.start, loop.step) == (Literal(0), Literal(1)):
            count = self.form(loop.stop)
        elif (loop.stop, loop.step) == (Literal(-1), Literal(-1)):
            last = self.form(loop.start)
            count = None if last is None else last + 1
        else:
            return False
        return count == form_of(shape[axis])

    def form(self, atom: Atom) -> Linear | None:
        """Return a number of iterations in terms of sizes."""
        form = linear(atom, self.makers)
        if form is None:
            return None
        total = Linear({}, form.constant)
        for symbol, factor in form.terms.items():
            assert isinstance(symbol, Value)
            total = total + factor * form_of(size_of(symbol, self.sizes))
        return total

    def stays(self, node: Node, array: Value, index: tuple[Atom, ...]) -> bool:
        """Tell whether all that touches an array in a node is under an index."""
        parts = (node, *(part for region in regions(node) for part in walk(region)))
        for part in parts:
            shallow = with_regions(part, tuple(Region((), (), ()) for _ in regions(part)))
            if not self.touches(shallow, array):
                continue
            if not isinstance(part, Store | Apply):
                return False
            base, own = _place(part)
            if base is not array or own[: len(index)] != index:
                return False
        return True


def _place(node: Store | Apply) -> tuple[Atom | None, tuple[Atom, ...]]:
    """Return the array and the index of an access to an element, None for other nodes."""
    if isinstance(node, Store):
        return node.array, node.index
    return (node.args[0], node.args[1:]) if node.fn == "getitem" else (None, ())


def _asks_size(node: Node) -> bool:
    return isinstance(node, Apply) and not card(node.fn).reads_elements
