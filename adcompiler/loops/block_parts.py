"""What an iteration consists of where several run side by side: what all need once, loops, and stretches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from adcompiler.graph.walk import free, operands, regions, results
from adcompiler.loops.lane_values import LaneValues, sizes_of
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
        makers: what computes each value.
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
    makers: Mapping[Value, Apply] = field(default_factory=dict)
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


def parts_of(it: Block, region: Region) -> list[Part]:
    """Return what an iteration, or a loop in it, consists of.

    Raises:
        NotInBlocksError: where iterations cannot run side by side.
    """
    parts: list[Part] = [Stretch()]
    for node in region.nodes:
        last = parts[-1]
        assert isinstance(last, Stretch)
        if isinstance(node, For):
            _check_bounds(it, node)
            last.nodes += _stores(it, node, node.inits)
            inner = Inner(node, parts_of(it, node.body))
            end = inner.parts[-1]
            assert isinstance(end, Stretch)
            end.nodes += _stores(it, node, node.next_values)
            parts += [inner, Stretch()]
        elif isinstance(node, Store) and _is_uniform(it, node) and node.array in reads_of(last):
            parts += [node, Stretch()]
        elif _is_uniform(it, node):
            parts.insert(len(parts) - 1, node)
        elif isinstance(node, Apply) and node.out in it.kinds.own:
            parts[-1:-1] = _wider(it, node)
        elif isinstance(node, Store) and _fills(it, node):
            parts += [replace(node, array=it.wider[node.array]), Stretch()]
        else:
            _check(it, node)
            last.nodes.append(node)
    return parts


def _fills(it: Block, node: Store) -> bool:
    """Tell whether a statement sets a part of the arrays of all lanes to the same number."""
    is_part = node.array in it.wider and not _is_element(node.array, node.index)
    return is_part and not it.kinds.vary((*node.index, node.value)) and _is_number(node.value)


def _check_bounds(it: Block, loop: For) -> None:
    """Refuse loops that lanes run through differently often, or leave early."""
    if loop.breaks or it.kinds.vary((loop.start, loop.stop, loop.step)):
        raise NotInBlocksError
    if not all(is_scalar(type_of(value)) for value in loop.carried):
        raise NotInBlocksError


def _stores(it: Block, loop: For, atoms: tuple[Atom, ...]) -> list[Node]:
    """Return what puts the numbers that a loop carries into the arrays of its parameters."""
    made: list[Node] = []
    for param, out, atom in zip(loop.carried, loop.outs, atoms, strict=True):
        if param in it.kinds.varying:
            it.arrays[out] = it.array_of(param)
            if atom != UNDEFINED:
                made.append(Store(it.arrays[out], (LANE,), atom, loc=loop.loc, role=loop.role))
    return made


def _is_uniform(it: Block, node: Node) -> bool:
    """Tell whether a statement does the same for all lanes, so that they need it once."""
    match node:
        case Apply():
            return not it.kinds.vary((node.out,))
        case Store():
            return node.array in it.kinds.own and node.array not in it.kinds.varying
        case Effect():
            return card(node.fn).is_guard and not it.kinds.vary(operands(node))
    return False


def _wider(it: Block, made: Apply) -> list[Node]:
    """Return what allocates an array of an iteration, with an axis for the lanes."""
    sizes = sizes_of(made, it.makers)
    if sizes is None or it.kinds.vary(sizes) or any(key != "dtype" for key, _ in made.keywords):
        raise NotInBlocksError
    kind = made.out.type
    wider = it.wider[made.out] = Value(made.out.name, made.out.temporary)
    wider.type = nt.Array(kind.dtype, kind.ndim + 1, "C")
    found = allocate(made.fn.removesuffix("_like"), wider, (*sizes, it.width))
    return [replace(node, loc=made.loc, role=made.role) for node in found]


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


def note_crossings(it: Block, parts: list[Part]) -> None:
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
        for value in reads_of(stretch):
            if value in it.kinds.varying and homes.get(value, stretch) is not stretch:
                it.array_of(value)


def reads_of(stretch: Stretch) -> dict[Value, None]:
    return dict.fromkeys(free(Region((), tuple(stretch.nodes), ())))
