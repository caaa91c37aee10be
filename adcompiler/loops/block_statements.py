"""The statements of one iteration as loops over the iterations of a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_scalar, rank
from adcompiler.graph.nodes import (
    UNDEFINED,
    Apply,
    Atom,
    Effect,
    For,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    type_of,
)
from adcompiler.graph.walk import free, map_region, operands, regions, results, substitute, values
from adcompiler.loops.lane_values import LaneValues
from adcompiler.prepare.allocation import allocate
from adcompiler.primitives import card

LANES = 64


class NotInBlocksError(Exception):
    """An iteration does what cannot be done side by side."""


@dataclass
class Stretch:
    """Statements that stand in one loop over the lanes."""

    nodes: list[Node] = field(default_factory=list)


@dataclass
class Inner:
    """A loop that all lanes run through together, and what its body consists of."""

    loop: For
    parts: list[Part]


Part = Node | Stretch | Inner
"""A node stands for itself where it is the same for all lanes."""
LANE = Value("lane", type=int64)
"""Stands for the number of a lane until its loop is there."""


@dataclass
class Block:
    """A loop on its way into blocks.

    Attributes:
        loop: the loop.
        kinds: what its values are.
        width: how many iterations a block has at most.
        first: the index of the first iteration of a block.
        lanes: how many iterations a block has.
        arrays: arrays that hold what several stretches read, one number for each lane.
        wider: arrays of an iteration, with an axis for the lanes.
        latest: the value of each sum so far.
        chain: the value of the loop that this one stands for.
    """

    loop: For
    kinds: LaneValues
    width: Atom
    first: Value = field(default_factory=lambda: Value("first", type=int64))
    lanes: Value = field(default_factory=lambda: Value("lanes", type=int64))
    arrays: dict[Value, Value] = field(default_factory=dict)
    wider: dict[Value, Value] = field(default_factory=dict)
    latest: dict[int, Value] = field(default_factory=dict)
    chain: dict[int, Value] = field(default_factory=dict)

    def array_of(self, value: Value) -> Value:
        """Return the array that holds a number of each lane."""
        if value not in self.arrays:
            kind = nt.Array(type_of(value), 1, "C")
            self.arrays[value] = Value(f"{value.name}_lanes", type=kind)
        return self.arrays[value]


def in_block(loop: For, kinds: LaneValues, block: Value, width: Atom) -> Region:
    """Return the body of the loop over blocks; its parameters are the number of the block, and the sums.

    Args:
        loop: the loop.
        kinds: what its values are.
        block: the number of the block.
        width: how many iterations it has at most.

    Raises:
        NotInBlocksError: where the iterations cannot run side by side.
    """
    it = Block(loop, kinds, width)
    parts = _parts(it, loop.body)
    _note_crossings(it, parts)
    it.latest = dict(enumerate(loop.carried))
    it.chain = dict(it.latest)
    nodes = _written(it, parts)
    yields = tuple(it.latest[k] for k in range(len(loop.carried)))
    arrays = dict.fromkeys(it.arrays.values())
    found = (node for array in arrays for node in allocate("np.empty", array, (Literal(LANES),)))
    made = (replace(node, loc=loop.loc, role=loop.role) for node in found)
    return Region((block, *loop.carried), (*_head(it, block), *made, *nodes), yields)


def _head(it: Block, block: Value) -> Iterator[Node]:
    """Yield what tells which iterations a block has."""
    offset, left = Value("first", True, int64), Value("sub", True, int64)
    found = [
        Apply(offset, "mul", (block, it.width)),
        Apply(it.first, "add", (it.loop.start, offset)),
        Apply(left, "sub", (it.loop.stop, it.first)),
        Apply(it.lanes, "min", (left, it.width)),
    ]
    yield from (replace(node, loc=it.loop.loc, role=it.loop.role) for node in found)


# what an iteration consists of


def _parts(it: Block, region: Region) -> list[Part]:
    parts: list[Part] = [Stretch()]
    for node in region.nodes:
        last = parts[-1]
        assert isinstance(last, Stretch)
        if isinstance(node, For):
            _check_bounds(it, node)
            last.nodes += _stores(it, node, node.inits)
            inner = Inner(node, _parts(it, node.body))
            end = inner.parts[-1]
            assert isinstance(end, Stretch)
            end.nodes += _stores(it, node, node.next_values)
            parts += [inner, Stretch()]
        elif _is_uniform(it, node):
            parts.insert(len(parts) - 1, node)
        elif isinstance(node, Apply) and node.out in it.kinds.own:
            parts[len(parts) - 1 : len(parts) - 1] = _wider(it, node)
        else:
            _check(it, node)
            last.nodes.append(node)
    return parts


def _check_bounds(it: Block, loop: For) -> None:
    """Refuse loops that lanes run through differently often, or leave early."""
    bounds = values((loop.start, loop.stop, loop.step))
    if loop.breaks or any(value in it.kinds.inside and value not in it.kinds.uniform for value in bounds):
        raise NotInBlocksError
    if not all(is_scalar(type_of(value)) for value in loop.carried):
        raise NotInBlocksError


def _stores(it: Block, loop: For, atoms: tuple[Atom, ...]) -> list[Node]:
    """Return what puts the numbers that a loop carries into the arrays of its parameters."""
    made: list[Node] = []
    for param, out, atom in zip(loop.carried, loop.outs, atoms, strict=True):
        if it.kinds.is_varying(param):
            it.arrays[out] = it.array_of(param)
            if atom != UNDEFINED:
                made.append(Store(it.arrays[out], (LANE,), atom, loc=loop.loc, role=loop.role))
    return made


def _is_uniform(it: Block, node: Node) -> bool:
    if isinstance(node, Apply):
        return node.out in it.kinds.uniform
    is_guard = isinstance(node, Effect) and card(node.fn).is_guard
    return is_guard and all(v in it.kinds.uniform or v not in it.kinds.inside for v in values(operands(node)))


def _wider(it: Block, made: Apply) -> list[Node]:
    """Return what allocates an array of an iteration, with an axis for the lanes."""
    kind = made.out.type
    sizes = _sizes(it, made.args[0]) if made.fn in ("np.empty", "np.zeros") else None
    if sizes is None or any(v in it.kinds.inside and v not in it.kinds.uniform for v in values(sizes)):
        raise NotInBlocksError
    wider = it.wider[made.out] = Value(made.out.name, made.out.temporary)
    wider.type = nt.Array(kind.dtype, kind.ndim + 1, "C")
    found = allocate(made.fn, wider, (*sizes, it.width))
    return [replace(node, loc=made.loc, role=made.role) for node in found]


def _sizes(it: Block, shape: Atom) -> tuple[Atom, ...] | None:
    """Return the sizes of a new array, None where they are not written out."""
    if isinstance(shape, Literal) or is_scalar(type_of(shape)):
        return (shape,)
    found = [n for n in it.loop.body.nodes if isinstance(n, Apply) and n.out is shape and n.fn == "tuple"]
    return found[0].args if found else None


def _check(it: Block, node: Node) -> None:
    """Refuse a statement that is not about numbers and elements."""
    match node:
        case Apply(fn="getitem", args=(Value() as array, *index)):
            is_fine = _is_element(array, tuple(index)) and is_scalar(type_of(node.out))
        case Apply():
            is_fine = card(node.fn).is_pure and all(map(_is_number, (node.out, *operands(node))))
        case Store():
            is_fine = _is_element(node.array, node.index) and _is_number(node.value)
        case If():
            is_fine = all(map(_is_number, node.outs))
            for arm in regions(node):
                is_fine = is_fine and UNDEFINED not in arm.yields
                for inner in arm.nodes:
                    _check(it, inner)
        case _:
            is_fine = False
    if not is_fine:
        raise NotInBlocksError


def _is_element(array: Value, index: tuple[Atom, ...]) -> bool:
    return is_array(array.type) and len(index) == rank(array.type) and all(map(_is_number, index))


def _is_number(atom: Atom) -> bool:
    return isinstance(atom, Literal) or (isinstance(atom, Value) and is_scalar(type_of(atom)))


def _note_crossings(it: Block, parts: list[Part]) -> None:
    """Give an array to each number that another stretch reads than the one that computes it."""
    homes: dict[Value, Stretch] = {}

    def stretches(inner: list[Part]) -> Iterator[Stretch]:
        for part in inner:
            if isinstance(part, Stretch):
                yield part
            elif isinstance(part, Inner):
                yield from stretches(part.parts)

    every = [*stretches(parts)]
    for stretch in every:
        homes |= {value: stretch for node in stretch.nodes for value in results(node)}
    for stretch in every:
        for value in _reads(stretch):
            if it.kinds.is_varying(value) and homes.get(value, stretch) is not stretch:
                it.array_of(value)


def _reads(stretch: Stretch) -> dict[Value, None]:
    return dict.fromkeys(free(Region((), tuple(stretch.nodes), ())))


# what a block consists of


def _written(it: Block, parts: list[Part]) -> list[Node]:
    nodes: list[Node] = []
    for part in parts:
        if isinstance(part, Inner):
            nodes.append(_inner(it, part))
        elif isinstance(part, Stretch):
            nodes += _lane_loop(it, part)
        else:
            nodes.append(part)
    return nodes


def _inner(it: Block, part: Inner) -> Node:
    """Return a loop that all lanes run through together; it carries sums only."""
    loop, sums = part.loop, it.kinds.sums
    places = [k for k, param in enumerate(loop.carried) if param in sums]
    inits = tuple(it.latest[sums[loop.carried[k]]] for k in places)
    for k in places:
        number, param = sums[loop.carried[k]], loop.carried[k]
        it.latest[number] = it.chain[number] = param
    nodes = _written(it, part.parts)
    yields = tuple(it.latest[sums[loop.carried[k]]] for k in places)
    params = (loop.body.params[0], *(loop.carried[k] for k in places))
    outs = tuple(loop.outs[k] for k in places)
    for k in places:
        number = sums[loop.carried[k]]
        it.latest[number] = it.chain[number] = loop.outs[k]
    return replace(loop, inits=inits, body=Region(params, tuple(nodes), yields), outs=outs)


def _lane_loop(it: Block, stretch: Stretch) -> list[Node]:
    """Return the loop over the lanes for one stretch; it carries the sums that the stretch adds to."""
    if not stretch.nodes:
        return []
    about = replace(it.loop, inits=(), outs=(), checkpoints=None, independent=False)
    lane, index = Value("lane", type=int64), it.loop.body.params[0]
    mapping: dict[Value, Atom] = {LANE: lane}
    before: list[Node] = []
    defined = dict.fromkeys(value for node in stretch.nodes for value in results(node))
    reads = _reads(stretch)
    if index in reads:
        mapping[index] = own = Value(index.name, type=index.type)
        before.append(Apply(own, "add", (it.first, lane), loc=it.loop.loc, role=it.loop.role))
    for value in reads:
        if value in it.arrays and value not in defined:
            mapping[value] = item = Value(value.name, value.temporary, value.type)
            before.append(
                Apply(item, "getitem", (it.arrays[value], lane), loc=it.loop.loc, role=it.loop.role)
            )
    sums = {it.kinds.sums[v]: v for node in stretch.nodes for v in results(node) if v in it.kinds.sums}
    entries = {k: Value(last.name, last.temporary, last.type) for k, last in sums.items()}
    outs = {k: Value(last.name, last.temporary, last.type) for k, last in sums.items()}
    mapping |= {it.chain[k]: entries[k] for k in sums}
    after = [Store(it.arrays[v], (lane,), v, role=it.loop.role) for v in defined if v in it.arrays]
    body = substitute(_widened(it, Region((), tuple(stretch.nodes), ()), lane), mapping)
    region = Region((lane, *entries.values()), (*before, *body.nodes, *after), tuple(sums.values()))
    inits = tuple(it.latest[k] for k in sums)
    it.latest |= outs
    it.chain |= sums
    made = replace(
        about, start=Literal(0), stop=it.lanes, inits=inits, body=region, outs=tuple(outs.values())
    )
    return [made]


def _widened(it: Block, region: Region, lane: Value) -> Region:
    """Return statements in which arrays of an iteration have an index more."""

    def rewrite(inner: Region) -> Region:
        return replace(inner, nodes=tuple(map(one, inner.nodes)))

    def one(node: Node) -> Node:
        match node:
            case Apply(fn="getitem", args=(Value() as array, *index)) if array in it.wider:
                return replace(node, args=(it.wider[array], *index, lane))
            case Store() if node.array in it.wider:
                return replace(node, array=it.wider[node.array], index=(*node.index, lane))
        return node

    return map_region(region, rewrite)
