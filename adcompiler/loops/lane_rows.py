"""Copy what the innermost loops of an iteration read again and again of arrays that belong to the caller.

Where iterations run side by side, `x[i, j]` lies far from that of the next iteration. If a loop that does not
count `j` reads it anew, a copy of the row comes first, which gets lanes like all arrays of an iteration; what
is added to `d_x[i, j]` is added up in such a row, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from numba import boolean, int64
from numba.core import types as nt

from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.types import element, is_array, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Store, Value, While, entry
from adcompiler.graph.walk import operands, regions, results, values, with_regions
from adcompiler.loops.lane_values import LaneValues
from adcompiler.prepare.allocation import allocate


@dataclass(frozen=True)
class Place:
    """A statement in an iteration, and the loops around it there."""

    node: Node
    loops: tuple[For | While, ...]


def places(region: Region, loops: tuple[For | While, ...] = ()) -> Iterator[Place]:
    """Yield the statements of a region, with the loops around each."""
    for node in region.nodes:
        yield Place(node, loops)
        inner = (*loops, node) if isinstance(node, For | While) else loops
        for part in regions(node):
            yield from places(part, inner)


def rows_read(loop: For, kinds: LaneValues) -> list[Place] | None:
    """Return the accesses in innermost loops that rows are to be copied for, None if others lie far apart.

    Args:
        loop: a loop over samples.
        kinds: what its values are.
    """
    every = [*places(loop.body)]
    depth = max((len(place.loops) for place in every), default=0)
    far = [place for place in every if len(place.loops) == depth and _is_far(place.node, loop, kinds)]
    return far if all(_is_row(place, loop, kinds) for place in far) else None


def _access(node: Node) -> tuple[Value, tuple[Atom, ...]] | None:
    match node:
        case Apply(fn="getitem", args=(Value() as array, *index)) if is_array(array.type):
            return array, tuple(index)
        case Store():
            return node.array, node.index
    return None


def _is_far(node: Node, loop: For, kinds: LaneValues) -> bool:
    """Tell whether each iteration reads or writes elsewhere in an array that is not its own."""
    access = _access(node)
    if access is None or access[0] in kinds.own or not kinds.vary(access[1]):
        return False
    array, index = access
    is_next = index[-1] is loop.body.params[0] and getattr(array.type, "layout", "") == "C"
    return not (is_next and not kinds.vary(index[:-1]))


def _is_row(place: Place, loop: For, kinds: LaneValues) -> bool:
    """Tell whether an access is to the iteration's row of an array, again and again."""
    access = _access(place.node)
    assert access is not None
    array, (first, *others) = access
    is_whole = len(others) == rank(array.type) - 1 > 0 and first is loop.body.params[0]
    is_kept = not isinstance(place.node, Store) or place.node.accumulate
    makers = {node.out: node for inner in place.loops for node in inner.body.nodes if isinstance(node, Apply)}
    counted = _counted(others, makers)
    is_again = any(inner.body.params[0] not in counted for inner in place.loops if isinstance(inner, For))
    return is_whole and is_kept and not kinds.vary(others) and is_again


def is_read_again(place: Place, kinds: LaneValues) -> bool:
    """Tell whether the loop around a statement adds up one number of an iteration, or goes on reading one."""
    *_, around, inner = (None, *place.loops)
    access = _access(place.node)
    if any(value in kinds.varying for value in inner.carried) or _reads_number(place.node, around, kinds):
        return True
    if access is None or not isinstance(inner, For):
        return False
    makers = {node.out: node for node in inner.body.nodes if isinstance(node, Apply)}
    is_of_iteration = access[0] in kinds.varying or kinds.vary(access[1])
    return is_of_iteration and inner.body.params[0] not in _counted(access[1], makers)


def _reads_number(node: Node, around: For | While | None, kinds: LaneValues) -> bool:
    """Tell whether a node reads a number that the next but one loop around it computes for each iteration."""
    made = {value for each in around.body.nodes for value in results(each)} if around is not None else set()
    read = made.intersection(values(operands(node)), kinds.varying)
    return any(is_scalar(value.type) for value in read)


def _counted(atoms: Sequence[Atom], makers: Mapping[Value, Apply]) -> set[Value]:
    """Return the values that indices are made of."""
    found: set[Value] = set()
    todo = [*values(atoms)]
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += values(operands(makers[value])) if value in makers else ()
    return found


@dataclass
class Row:
    """The copy of a row, or what is added up for it.

    Attributes:
        array: the array that has the row.
        adds: whether it is added to.
        sizes: how much of each further axis is accessed, as sums of numbers, for each access.
        own: the copy.
    """

    array: Value
    adds: bool
    sizes: list[tuple[Reach, ...]] = field(default_factory=list)
    own: Value = field(init=False)

    def __post_init__(self) -> None:
        kind = nt.Array(element(self.array.type), rank(self.array.type) - 1, "C")
        self.own = Value(f"{self.array.name}_row", type=kind)


@dataclass(frozen=True)
class Reach:
    """The sum of some numbers and a constant: an index is less, and not negative."""

    numbers: tuple[Value, ...]
    constant: int


def with_rows(
    loop: For, accesses: list[Place], iterations: Iterations, makers: Mapping[Value, Apply], kinds: LaneValues
) -> tuple[list[Node], For] | None:
    """Return a loop that copies rows first, and what computes their sizes; None where that is not possible.

    Args:
        loop: a loop over samples.
        accesses: what is to be about copies, from `rows_read`.
        iterations: tells what shares memory.
        makers: what computes each value of the graph.
        kinds: what the values of the loop are.
    """
    if not accesses:
        return [], loop
    rows: dict[tuple[Value, bool], Row] = {}
    meant: dict[Node, Row] = {}
    for place in accesses:
        access = _access(place.node)
        assert access is not None
        array, (_, *index) = access
        adds = isinstance(place.node, Store)
        row = meant[place.node] = rows.setdefault((array, adds), Row(array, adds))
        reaches = [_reach(atom, place.loops, makers, kinds) for atom in index]
        row.sizes.append(tuple(reach for reach in reaches if reach is not None))
        if len(row.sizes[-1]) < len(index):
            return None
    is_natural = isinstance(loop.start, Literal) and loop.start.value >= 0
    if not is_natural or not all(_stays(row, loop, iterations) for row in rows.values()):
        return None
    return _copied(loop, [*rows.values()], meant, makers)


def _stays(row: Row, loop: For, iterations: Iterations) -> bool:
    """Tell whether a row is not written where it is read, or is only added to."""
    sharing = iterations.sharing(row.array)
    for place in places(loop.body):
        match place.node:
            case Store() if place.node.array in sharing:
                if not (row.adds and place.node.accumulate):
                    return False
            case Apply(fn="getitem") if row.adds and place.node.args[0] in sharing:
                return False
    return True


def _reach(
    atom: Atom, loops: tuple[For | While, ...], makers: Mapping[Value, Apply], kinds: LaneValues
) -> Reach | None:
    """Return what an index is less than, None where that is not known, or where it may be negative."""
    ends = _ends(atom, {loop.body.params[0]: loop for loop in loops if isinstance(loop, For)}, makers, kinds)
    if ends is None or ends[0] is None or ends[0] < 0:
        return None
    return Reach(ends[1].numbers, ends[1].constant + 1)


def _ends(
    atom: Atom, loops: Mapping[Value, For], makers: Mapping[Value, Apply], kinds: LaneValues
) -> tuple[int | None, Reach] | None:
    """Return the least value of a number, if it is known, and its greatest."""
    if isinstance(atom, Literal):
        return (atom.value, Reach((), atom.value)) if type(atom.value) is int else None
    if not isinstance(atom, Value):
        return None
    if atom not in kinds.inside:
        return None, Reach((atom,), 0)
    if atom in loops:
        loop = loops[atom]
        start, stop = (_ends(bound, loops, makers, kinds) for bound in (loop.start, loop.stop))
        if start is None or stop is None or loop.step != Literal(1):
            return None
        return start[0], replace(stop[1], constant=stop[1].constant - 1)
    made = entry(makers, atom)
    if made is None or made.fn != "add":
        return None
    one, two = (_ends(part, loops, makers, kinds) for part in made.args)
    if one is None or two is None:
        return None
    least = one[0] + two[0] if one[0] is not None and two[0] is not None else None
    return least, Reach((*one[1].numbers, *two[1].numbers), one[1].constant + two[1].constant)


# writing


def _copied(
    loop: For, rows: list[Row], meant: Mapping[Node, Row], makers: Mapping[Value, Apply]
) -> tuple[list[Node], For]:
    before: list[Node] = []
    first: list[Node] = []
    last: list[Node] = []
    for row in rows:
        sizes = _Sizes(row.array, loop, makers)
        found = [
            sizes.of_axis(axis, [size[axis - 1] for size in row.sizes])
            for axis in range(1, rank(row.array.type))
        ]
        before += sizes.nodes
        first += allocate("np.zeros" if row.adds else "np.empty", row.own, found)
        (last if row.adds else first).append(_moved(row, loop, found))
    nodes = tuple(_with_copies(node, meant) for node in loop.body.nodes)
    around = [*_placed(first, loop), *nodes, *_placed(last, loop)]
    return _placed(before, loop), replace(loop, body=replace(loop.body, nodes=tuple(around)))


def _placed(nodes: list[Node], loop: For) -> list[Node]:
    return [replace(node, loc=loop.loc, role=loop.role) for node in nodes]


def _with_copies(node: Node, meant: Mapping[Node, Row]) -> Node:
    match node:
        case Apply() if node in meant:
            return replace(node, args=(meant[node].own, *node.args[2:]))
        case Store() if node in meant:
            return replace(node, array=meant[node].own, index=node.index[1:])
        case Apply() | Store():
            return node
    inner = (replace(part, nodes=tuple(_with_copies(n, meant) for n in part.nodes)) for part in regions(node))
    return with_regions(node, tuple(inner))


def _moved(row: Row, loop: For, sizes: list[Atom]) -> Node:
    """Return the loops that copy a row, or add one to its array."""
    index = [Value(f"k{axis}" if axis else "k", type=int64) for axis in range(len(sizes))]
    sample = (loop.body.params[0], *index)
    item = Value("item", temporary=True, type=element(row.array.type))
    source, target = (row.own, row.array) if row.adds else (row.array, row.own)
    load = Apply(item, "getitem", (source, *(index if row.adds else sample)))
    store = Store(target, sample if row.adds else tuple(index), item, accumulate=row.adds)
    nodes: tuple[Node, ...] = (load, store)
    for counter, size in zip(reversed(index), reversed(sizes), strict=True):
        body = Region((counter,), nodes, ())
        nodes = (For(Literal(0), size, Literal(1), (), body, (), loc=loop.loc, role=loop.role),)
    return nodes[0]


class _Sizes:
    """Writes down how much of the rows of an array is copied: nothing that is not there."""

    def __init__(self, array: Value, loop: For, makers: Mapping[Value, Apply]) -> None:
        self.array, self.loop, self.makers = array, loop, makers
        self.nodes: list[Node] = []

    def apply(self, fn: str, *args: Atom, kind: nt.Type = int64) -> Value:
        out = Value(fn, temporary=True, type=kind)
        self.nodes.append(Apply(out, fn, args))
        return out

    def of_axis(self, axis: int, reaches: Iterable[Reach]) -> Atom:
        """Return how much of an axis is copied, given how far each access reaches."""
        reach, *others = dict.fromkeys(reaches)
        if not others and not reach.constant and self.is_size(reach.numbers, axis):
            size: Atom = reach.numbers[0]
        else:
            size = self.sum(reach)
            for other in others:
                size = self.apply("max", size, self.sum(other))
            size = self.apply("max", self.apply("min", size, self.size(axis)), Literal(0))
        if self.is_size((self.loop.stop,), 0):
            return size
        are_there = self.apply("le", self.loop.stop, self.size(0), kind=boolean)
        found = Value("rows", type=int64)
        arms = Region((), (), (size,)), Region((), (), (Literal(0),))
        self.nodes.append(If(are_there, *arms, (found,)))
        return found

    def size(self, axis: int) -> Value:
        kind = nt.UniTuple(int64, rank(self.array.type))
        return self.apply("getitem", self.apply("shape", self.array, kind=kind), Literal(axis))

    def sum(self, reach: Reach) -> Atom:
        found: Atom = Literal(reach.constant)
        for number in reach.numbers:
            found = number if found == Literal(0) else self.apply("add", found, number)
        return found

    def is_size(self, atoms: Sequence[Atom], axis: int) -> bool:
        """Tell whether a number is the size of the array, as it was read before."""
        made = entry(self.makers, atoms[0]) if len(atoms) == 1 else None
        if made is None:
            return False
        if made.fn == "getitem" and made.args[1:] == (Literal(axis),):
            shape = entry(self.makers, made.args[0])
            return (
                shape is not None
                and shape.fn == "shape"
                and self.origin(shape.args[0]) is self.origin(self.array)
            )
        return made.fn == "len" and axis == 0 and self.origin(made.args[0]) is self.origin(self.array)

    def origin(self, array: Atom) -> Atom:
        """Return the array whose shape an array was made with."""
        made = entry(self.makers, array)
        return self.origin(made.args[0]) if made is not None and made.fn.endswith("_like") else array
