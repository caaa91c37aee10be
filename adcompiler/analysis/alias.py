"""Which values are the same memory, and whether memory read at one point may be written later."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from adcompiler.analysis.dependence import Dependences
from adcompiler.analysis.types import is_list, is_mutable, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import defined, merges, operands, regions, values, walk
from adcompiler.primitives import Shows, card


def owner_of(definitions: dict[Value, Node], value: Value) -> Value:
    """Follow views back to the value that owns the memory: an allocation, a parameter, or a merge."""
    node = definitions.get(value)
    while isinstance(node, Apply) and card(node.fn).is_view and node.args and isinstance(node.args[0], Value):
        value = node.args[0]
        node = definitions.get(value)
    return value


_UNTYPED: WeakKeyDictionary[Region, dict[Value, Value]] = WeakKeyDictionary()
"""The memory classes of regions as far as no types tell: several passes in a row ask for them."""


_TYPED: WeakKeyDictionary[Region, tuple[set[Value], set[Value], Mapping[Value, Value]]] = WeakKeyDictionary()
"""Those of typed regions, with the arrays and lists that their types told of."""


def memory_classes(
    region: Region,
    arrays: Container[Value] | None = None,
    lists: Container[Value] = (),
    apart: Container[Value] = (),
) -> Mapping[Value, Value]:
    """Map each value to the representative of all values that may share memory with it.

    Args:
        region: the body of a graph.
        arrays: values known to be arrays or lists; None if the types are not known yet.
        lists: those among them that are lists: they hold the arrays that are put into them.
        apart: views to be told apart from what they show.
    """
    if arrays is not None or lists or apart:
        return _classes(region, arrays, lists, apart)
    if region not in _UNTYPED:
        _UNTYPED[region] = _classes(region, None, (), ())
    return _UNTYPED[region]


def _classes(
    region: Region, arrays: Container[Value] | None, lists: Container[Value], apart: Container[Value]
) -> dict[Value, Value]:
    parent: dict[Value, Value] = {}

    def find(value: Value) -> Value:
        while parent.setdefault(value, value) is not value:
            parent[value] = parent[parent[value]]
            value = parent[value]
        return value

    def unite(left: Atom, right: Atom) -> None:
        are_memory = arrays is None or (left in arrays and right in arrays)
        if isinstance(left, Value) and isinstance(right, Value) and are_memory:
            parent[find(left)] = find(right)

    displays = {node.out for node in walk(region) if isinstance(node, Apply) and node.fn == "list"}

    def is_list(node: Apply) -> bool:
        """Tell whether a node puts lists together."""
        is_known = node.out in lists or not displays.isdisjoint(values(node.args))
        return is_known and node.fn in ("mul", "add")

    def visit(inner: Region) -> None:
        for node in inner.nodes:
            if isinstance(node, Apply) and node.out in apart:
                pass
            elif isinstance(node, Apply):
                for arg in shown_by(node, is_list(node)):
                    unite(node.out, arg)
            elif isinstance(node, Effect) and node.fn == "append":
                unite(node.args[0], node.args[1])
            for left, right in merges(node):
                unite(left, right)
            for sub in regions(node):
                visit(sub)

    visit(region)
    for node in walk(region):
        if isinstance(node, Store) and not node.accumulate:
            is_held = node.array in lists or (arrays is None and find(node.array) in map(find, displays))
            unite(node.array, node.value if is_held else node.array)
    return {value: find(value) for value in list(parent)}


def shown_by(node: Apply, is_list: bool) -> tuple[Atom, ...]:
    """Return the arguments whose memory the result may share."""
    match card(node.fn).shows:
        case Shows.FIRST | Shows.FIRST_IF_CONTIGUOUS | Shows.MAYBE_FIRST:
            return node.args[:1]
        case Shows.NOTHING if not is_list:
            return ()
    return node.args


def shared_memory(region: Region) -> Mapping[Value, Value]:
    """Return the memory classes of all but numbers: stacks hold arrays, too, typed or not."""
    arrays = {value for value in defined(region) if not is_scalar(type_of(value))}
    displays = (node.out for node in walk(region) if isinstance(node, Apply) and node.fn == "list")
    lists = {value for value in arrays if is_list(type_of(value))}.union(displays)
    known = _TYPED.get(region)
    if known is None or known[0] != arrays or known[1] != lists:
        known = _TYPED[region] = arrays, lists, _classes(region, arrays, lists, ())
    return known[2]


def is_opaque(node: Node) -> bool:
    """Tell whether a node may do anything to its arguments: calls into the unknown, for their effect."""
    match node:
        case Effect():
            return not card(node.fn).is_statement
        case Apply():
            return card(node.fn).is_opaque
    return False


def written_by(node: Node) -> Iterator[Value]:
    """Yield the arrays, lists and other objects that a node itself writes, or may write."""
    match node:
        case Store():
            yield node.array
        case Effect() | Apply() if card(node.fn).writes_first:
            yield from values(node.args[:1])
        case Effect() | Apply() if is_opaque(node):
            yield from values(operands(node))


def written_arrays(region: Region) -> Iterator[Value]:
    """Yield what a region writes, also what operators such as `+=` may write."""
    for node in walk(region):
        yield from written_by(node)


def writes_arguments(graph: Graph) -> bool:
    """Tell whether a function writes its arguments: these may overlap, so that the order matters."""
    classes = memory_classes(graph.body)
    own = {classes.get(param, param) for param in graph.body.params}
    return any(classes.get(array, array) in own for array in written_arrays(graph.body))


@dataclass
class Access:
    """A node at its position in program order, with the loops around it (outermost first)."""

    position: int
    loops: tuple[Node, ...]


@dataclass
class Memory:
    """Where memory is written, allocated and read; answers whether a re-read is safe."""

    owners: dict[Value, Value]
    classes: Mapping[Value, Value]
    access: dict[Node, Access]
    born: dict[Value, Access]
    writes: dict[Value, list[tuple[Node, Value]]]
    positions: dict[Value, int]
    lists: Container[Value] = ()
    dependences: Dependences | None = None

    def is_written(self, value: Value) -> bool:
        """Tell whether any store reaches the memory of an array."""
        return bool(self._writes_of(value))

    def _writes_of(self, value: Value) -> list[tuple[Node, Value]]:
        """Return what may write the elements of an array, or a list itself.

        Arrays that stand in a list share its memory class, but are not written when the list grows.
        """
        found = self.writes.get(self.classes.get(value, value), [])
        if value in self.lists:
            return found
        return [(node, owner) for node, owner in found if not self._changes_list(node)]

    def _changes_list(self, node: Node) -> bool:
        is_item = isinstance(node, Store) and node.array in self.lists and not node.accumulate
        return is_item or (isinstance(node, Effect | Apply) and card(node.fn).changes_length)

    def written_after(self, value: Value, node: Node) -> bool:
        """Tell whether the array's elements, as `node` reads them, may be overwritten afterwards."""
        return self.written_behind(value, self.access[node])

    def written_behind(self, value: Value, here: Access) -> bool:
        """Tell whether the array's elements, as read at some place, may be overwritten afterwards."""
        reader = self.owners.get(value, value)
        return any(
            self._reaches(store, writer, reader, here) and self._touches(value, here, store)
            for store, writer in self._writes_of(value)
        )

    def read_is_overwritten(self, read: Apply) -> bool:
        """Tell whether the element that a `getitem` reads may be overwritten afterwards."""
        array = read.args[0]
        assert isinstance(array, Value)
        here, owner = self.access[read], self.owners.get(array, array)
        return any(
            self._reaches(store, writer, owner, here) and self._overlaps(read, here, store)
            for store, writer in self._writes_of(array)
        )

    def _touches(self, value: Value, here: Access, store: Node) -> bool:
        if self.dependences is None or not isinstance(store, Store):
            return True
        there = self.access[store]
        later = there.position > here.position
        return self.dependences.part_may_follow(value, here.loops, store, there.loops, later)

    def _overlaps(self, read: Apply, here: Access, store: Node) -> bool:
        if self.dependences is None or not isinstance(store, Store):
            return True
        there = self.access[store]
        later = there.position > here.position
        return self.dependences.may_follow(read, here.loops, store, there.loops, later)

    def _reaches(self, store: Node, writer: Value, reader: Value, here: Access) -> bool:
        there = self.access[store]
        common = [loop for loop in there.loops if loop in here.loops]
        is_item = writer in self.lists and not self._changes_list(store)  # an array that may be older
        fresh = None if is_item else self.born.get(writer)
        if fresh is not None and all(loop in fresh.loops for loop in common):
            # each iteration writes an array of its own, which is older readers' business only if
            # they could already see it
            older = self.born_position(reader) < fresh.position
            return there.position > here.position and not older
        return bool(common) or there.position > here.position

    def note(self, made: Apply, position: int, loops: tuple[Node, ...]) -> None:
        """Enter a new array, made at a position in the program."""
        self.access[made] = self.born[made.out] = Access(position, loops)
        self.owners[made.out] = made.out
        self.positions[made.out] = position
        if self.dependences is not None:
            self.dependences.enter(made, loops)

    def born_position(self, value: Value) -> int:
        """Return where an owner is defined; parameters of the function count as first."""
        return self.positions.get(value, -1)


def typed_memory(body: Region) -> Memory:
    """Analyse the stores of a body whose values know their types; elements are told apart."""
    arrays = {value for value in defined(body) if is_mutable(value.type)}
    return memory(body, arrays, {value for value in arrays if is_list(value.type)}, in_parts=True)


def memory(
    body: Region, arrays: Container[Value], lists: Container[Value] = (), in_parts: bool = False
) -> Memory:
    """Analyse the stores of a graph's body.

    Args:
        body: body of the graph.
        arrays: the values that are arrays or lists.
        lists: those among them that are lists.
        in_parts: whether elements are to be told apart; then types have to be known.
    """
    classes = memory_classes(body, arrays, lists)
    dependences = Dependences() if in_parts else None
    info = Memory({}, classes, {}, {}, {}, {}, lists, dependences)
    definitions: dict[Value, Node] = {}
    counter = 0

    def visit(region: Region, loops: tuple[Node, ...]) -> None:
        nonlocal counter
        for node in region.nodes:
            counter += 1
            info.access[node] = Access(counter, loops)
            if isinstance(node, Apply):
                definitions[node.out] = node
                info.positions[node.out] = counter
                info.owners[node.out] = owner_of(definitions, node.out)
                if not card(node.fn).is_view and card(node.fn).shows is not Shows.HANDED_OUT:
                    info.born[node.out] = info.access[node]
            for written in written_by(node):
                if written in arrays:
                    owner = owner_of(definitions, written)
                    key = classes.get(written, written)
                    info.writes.setdefault(key, []).append((node, owner))
            inner = (*loops, node) if isinstance(node, For | While) else loops
            if dependences is not None:
                dependences.enter(node, loops)
            for sub in regions(node):
                for param in sub.params:
                    info.positions[param] = counter
                visit(sub, inner)
            counter += 1
            for left, _ in merges(node):
                if left not in info.positions:
                    info.positions[left] = counter

    visit(body, ())
    return info


def content_reads(node: Node) -> Iterator[Value]:
    """Yield the values whose elements (not only shape) a node reads."""
    match node:
        case Apply() if not card(node.fn).reads_elements or card(node.fn).is_view:
            yield from values(node.args[1:])
        case Apply():
            yield from values(node.args)
            yield from values(atom for _, atom in node.keywords)
        case Store():
            yield from values((*node.index, node.value))
        case Effect():
            yield from values(operands(node))
