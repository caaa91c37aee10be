"""The statements of one iteration as loops over the iterations of a block."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from numba import float64, int64

from adcompiler.analysis.types import element
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Literal,
    Node,
    Region,
    Store,
    Value,
)
from adcompiler.graph.walk import map_region, results, substitute, uses
from adcompiler.loops.block_parts import (
    LANE,
    LANES,
    Block,
    Inner,
    Part,
    Stretch,
    note_crossings,
    parts_of,
    reads_of,
)
from adcompiler.loops.lane_values import LaneValues
from adcompiler.prepare.allocation import allocate


def in_block(
    loop: For, kinds: LaneValues, makers: Mapping[Value, Apply], block: Value, width: Atom
) -> Region:
    """Return the body of the loop over blocks; its parameters are the number of the block, and the sums.

    Args:
        loop: the loop.
        kinds: what its values are.
        makers: what computes each value of the graph.
        block: the number of the block.
        width: how many iterations it has at most.

    Raises:
        NotInBlocksError: where the iterations cannot run side by side.
    """
    it = Block(loop, kinds, width, makers=makers)
    parts = parts_of(it, loop.body)
    note_crossings(it, parts)
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
    """Return a loop that all lanes run through together; it carries sums, and what is the same for all."""
    loop, sums = part.loop, it.kinds.sums
    places = [k for k, param in enumerate(loop.carried) if param not in it.kinds.varying]

    def now(k: int, atoms: tuple[Atom, ...]) -> Atom:
        param = loop.carried[k]
        return it.latest[sums[param]] if param in sums else atoms[k]

    def enter(merged: tuple[Value, ...]) -> None:
        found = {sums[loop.carried[k]]: merged[k] for k in places if loop.carried[k] in sums}
        it.latest |= found
        it.chain |= found

    inits = tuple(now(k, loop.inits) for k in places)
    enter(loop.carried)
    nodes = _written(it, part.parts)
    yields = tuple(now(k, loop.next_values) for k in places)
    params = (loop.body.params[0], *(loop.carried[k] for k in places))
    enter(loop.outs)
    outs = tuple(loop.outs[k] for k in places)
    return replace(loop, inits=inits, body=Region(params, tuple(nodes), yields), outs=outs)


def _lane_loop(it: Block, stretch: Stretch) -> list[Node]:
    """Return the loop over the lanes for one stretch, and what stores the sums over lanes after it."""
    if not stretch.nodes:
        return []
    about = replace(it.loop, inits=(), outs=(), checkpoints=None, independent=False)
    lane, mapping = Value("lane", type=int64), dict[Value, Atom]()
    defined = dict.fromkeys(value for node in stretch.nodes for value in results(node))
    before = _loads(it, stretch, defined, lane, mapping)
    totals, nodes, stores = _totals(it, stretch.nodes)
    sums = {it.kinds.sums[v]: v for node in stretch.nodes for v in results(node) if v in it.kinds.sums}
    entries = {k: Value(last.name, last.temporary, last.type) for k, last in sums.items()}
    outs = {k: Value(last.name, last.temporary, last.type) for k, last in sums.items()}
    mapping |= {it.chain[k]: entries[k] for k in sums}
    after = [Store(it.arrays[v], (lane,), v, role=it.loop.role) for v in defined if v in it.arrays]
    body = substitute(_widened(it, Region((), tuple(nodes), ()), lane), mapping)
    made = replace(
        about,
        start=Literal(0),
        stop=it.lanes,
        inits=(*(it.latest[k] for k in sums), *(Literal(0.0) for _ in totals)),
        body=Region(
            (lane, *entries.values(), *(total.entry for total in totals)),
            _in_place(it, (*before, *body.nodes, *after)),
            (*sums.values(), *(total.next for total in totals)),
        ),
        outs=(*outs.values(), *(total.out for total in totals)),
    )
    it.latest |= outs
    it.chain |= sums
    return [made, *stores]


def _loads(
    it: Block, stretch: Stretch, defined: Container[Value], lane: Value, mapping: dict[Value, Atom]
) -> list[Node]:
    """Return what a lane needs first: its index, and its numbers that others than this stretch compute.

    Args:
        it: the block.
        stretch: the statements.
        defined: what they define.
        lane: the number of the lane.
        mapping: what values of the iteration are called in the lane, extended.
    """
    mapping[LANE] = lane
    index, reads, nodes = it.loop.body.params[0], reads_of(stretch), list[Node]()
    if index in reads:
        mapping[index] = own = Value(index.name, type=index.type)
        nodes.append(Apply(own, "add", (it.first, lane), loc=it.loop.loc, role=it.loop.role))
    for value in reads:
        if value in it.arrays and value not in defined:
            mapping[value] = item = Value(value.name, value.temporary, value.type)
            nodes.append(Apply(item, "getitem", (it.arrays[value], lane), loc=it.loop.loc, role=it.loop.role))
    return nodes


def _in_place(it: Block, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Return statements in which a lane's number is added to where it was read, added to, and stored."""
    arrays = {*it.arrays.values()}
    makers = {node.out: node for node in nodes if isinstance(node, Apply)}
    counts = uses(Region((), nodes, ()))
    found: list[Node] = []
    for node in nodes:
        total = makers.get(node.value) if isinstance(node, Store) and isinstance(node.value, Value) else None
        match node, total:
            case Store(accumulate=False), Apply(fn="add", args=(Value() as item, part)) if (
                node.array in arrays
                and counts[total.out] == counts[item] == 1
                and (load := makers.get(item)) is not None
                and load.fn == "getitem"
                and load.args == (node.array, *node.index)
            ):
                found = [other for other in found if other not in (total, load)]
                found.append(replace(node, value=part, accumulate=True, loc=total.loc))
            case _:
                found.append(node)
    return tuple(found)


@dataclass
class Total:
    """What all lanes together add to one element: the number so far, with one lane's, and in the end."""

    entry: Value
    next: Value
    out: Value


def _totals(it: Block, nodes: list[Node]) -> tuple[list[Total], list[Node], list[Node]]:
    """Return the sums over lanes that elements get, the statements with them, and what stores them."""
    totals: list[Total] = []
    inside: list[Node] = []
    stores: list[Node] = []
    for node in nodes:
        if isinstance(node, Store) and _is_sum(it, node):
            array = node.array
            total = Total(*(Value(f"{array.name}_sum", type=element(array.type)) for _ in range(3)))
            totals.append(total)
            inside.append(Apply(total.next, "add", (total.entry, node.value), loc=node.loc, role=node.role))
            stores.append(replace(node, value=total.out))
        else:
            inside.append(node)
    return totals, inside, stores


def _is_sum(it: Block, node: Store) -> bool:
    is_shared = node.accumulate and node.array not in it.wider and not it.kinds.vary(node.index)
    return is_shared and element(node.array.type) == float64


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
