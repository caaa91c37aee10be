"""Keep numbers of loops of unknown length in arrays that grow, instead of in lists.

A list of numbers that is only appended to and popped from is a stack: an array, made twice as long whenever
it is full, and the number of its elements that are in use. The loops that push or pop carry both along. A
`while` loop that pushes runs until its stack is full, inside a loop that makes it longer: Numba counts the
references to an array in each iteration that may replace it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from numba import boolean, int64
from numba.core import types as nt

from adcompiler.analysis.types import is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Role,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import free, operands, regions, values, walk, walk_regions, with_regions
from adcompiler.prepare.allocation import dtype_of
from adcompiler.primitives import hint

_FIRST = 64
"""Elements that a stack has room for at first."""

State = Mapping[Value, tuple[Atom, Atom]]
"""For each list, the array and the number of its elements."""


def lists_to_arrays(graph: Graph) -> Graph:
    """Return the graph with stacks of numbers as arrays.

    Args:
        graph: the graph of a gradient.
    """
    stacks = _stacks(graph.body)
    if not stacks:
        return graph
    nodes, _ = _threaded(graph.body, {}, stacks)
    return replace(graph, body=replace(graph.body, nodes=nodes))


def _stacks(body: Region) -> set[Value]:
    """Return the stacks of numbers; of a list of the program, a pop may have to fail."""
    found: set[Value] = set()
    other: set[Value] = set()
    for region in walk_regions(body):
        other.update(values(region.yields))
    for node in walk(body):
        match node:
            case Apply(fn="list", args=()) if node.role is Role.TAPE and _is_numbers(node.out.type):
                found.add(node.out)
            case Effect(fn="append") | Apply(fn="pop") if isinstance(node.args[0], Value):
                other.update(values(node.args[1:]))
            case _:
                other.update(values(operands(node)))
        if isinstance(node, While):
            other |= free(node.cond).keys()
    return found - other


def _is_numbers(kind: nt.Type | None) -> bool:
    return isinstance(kind, nt.List) and is_scalar(kind.dtype)


def _threaded(region: Region, state: State, stacks: set[Value]) -> tuple[tuple[Node, ...], State]:
    """Return the nodes of a region, with what is in the stacks after them."""
    nodes: list[Node] = []
    now = dict(state)
    for node in region.nodes:
        match node:
            case Apply(fn="list") if node.out in stacks:
                made = _array(node.out)
                kind = str(node.out.type.dtype)
                dtype = dtype_of(kind)
                nodes.append(replace(node, out=made, fn="np.empty", args=(Literal(_FIRST), *dtype)))
                now[node.out] = made, Literal(0)
            case Effect(fn="append", args=(Value() as stack, value)) if stack in now:
                now[stack] = _pushed(stack, value, now[stack], nodes)
            case Apply(fn="pop", args=(Value() as stack, *_)) if stack in now:
                array, top = now[stack]
                last = _count("sub", nodes, top)
                nodes.append(replace(node, fn="getitem", args=(array, last)))
                now[stack] = array, last
            case If() | For() | While() if touched := [stack for stack in now if _touches(node, stack)]:
                node, ends = _carrying(node, touched, now, stacks)
                nodes.append(node)
                now |= ends
            case _ if regions(node):
                parts = [replace(part, nodes=_threaded(part, now, stacks)[0]) for part in regions(node)]
                nodes.append(with_regions(node, tuple(parts)))
            case _:
                nodes.append(node)
    return tuple(nodes), now


def _array(stack: Value) -> Value:
    made = Value(stack.name, stack.temporary, type=nt.Array(stack.type.dtype, 1, "C"))
    return made


def _top() -> Value:
    made = Value("top", type=int64)
    return made


def _count(fn: str, nodes: list[Node], top: Atom) -> Value:
    made = _top()
    nodes.append(Apply(made, fn, (top, Literal(1)), role=Role.TAPE))
    return made


def _pushed(stack: Value, value: Atom, entry: tuple[Atom, Atom], nodes: list[Node]) -> tuple[Atom, Atom]:
    """Append to a stack, which is made longer if it is full."""
    array, top = entry
    room = _longer_if(_compared("eq", entry, nodes), stack, array, nodes)
    nodes.append(Store(room, (top,), value, role=Role.TAPE))
    return room, _count("add", nodes, top)


def _longer_if(full: Atom, stack: Value, array: Atom, nodes: list[Node]) -> Value:
    longer, room = _array(stack), _array(stack)
    grown = Region((), (Apply(longer, "longer", (array,), role=Role.TAPE),), (longer,))
    nodes.append(If(full, grown, Region((), (), (array,)), (room,), role=Role.TAPE))
    return room


def _compared(fn: str, entry: tuple[Atom, Atom], nodes: list[Node]) -> Value:
    """Compare the number of elements in use with the length of a stack."""
    size, test = Value(hint("len"), temporary=True), Value(hint(fn), temporary=True)
    size.type, test.type = int64, boolean
    nodes.append(Apply(size, "len", (entry[0],), role=Role.TAPE))
    nodes.append(Apply(test, fn, (entry[1], size), role=Role.TAPE))
    return test


def _touches(node: Node, stack: Value) -> bool:
    return any(stack in free(part) for part in regions(node))


def _carrying(
    node: If | For | While, touched: list[Value], state: State, stacks: set[Value]
) -> tuple[Node, State]:
    """Let a branch or loop hand on the stacks that it touches; return it with what is in them after it."""
    outs: State = {stack: (_array(stack), _top()) for stack in touched}
    results = (*node.outs, *values(_flat(outs, touched)))
    if isinstance(node, If):
        arms = []
        for arm in regions(node):
            nodes, ends = _threaded(arm, state, stacks)
            arms.append(Region((), nodes, (*arm.yields, *_flat(ends, touched))))
        return replace(node, then=arms[0], orelse=arms[1], outs=results), outs
    if isinstance(node, While) and all(_is_pushed_once(node, stack) for stack in touched):
        return replace(_until_full(node, touched, state, stacks), outs=results), outs
    entries: State = {stack: (_array(stack), _top()) for stack in touched}
    nodes, ends = _threaded(node.body, {**state, **entries}, stacks)
    body = Region(
        (*node.body.params, *values(_flat(entries, touched))),
        nodes,
        (*node.body.yields, *_flat(ends, touched)),
    )
    inits = (*node.inits, *_flat(state, touched))
    return replace(node, inits=inits, body=body, outs=results), outs


def _flat(state: State, stacks: list[Value]) -> tuple[Atom, ...]:
    return tuple(atom for stack in stacks for atom in state[stack])


def _is_pushed_once(loop: While, stack: Value) -> bool:
    """Tell whether all that a loop does to a stack is to push one value in each iteration."""
    users = [node for node in loop.body.nodes if stack in operands(node) or _touches(node, stack)]
    is_push = len(users) == 1 and isinstance(users[0], Effect) and users[0].fn == "append"
    return is_push and not loop.breaks


def _until_full(loop: While, touched: list[Value], state: State, stacks: set[Value]) -> While:
    """Return a loop that runs the given one until a stack is full, and then makes it longer."""
    params = [_renamed(param) for param in loop.body.params]
    entries: State = {stack: (_array(stack), _top()) for stack in touched}
    nodes: list[Node] = []
    with_room: State = {
        stack: (_longer_if(_compared("eq", entry, nodes), stack, entry[0], nodes), entry[1])
        for stack, entry in entries.items()
    }
    inner, ends = _while_room(loop, params, with_room, stacks)
    nodes.append(inner)
    tests = [_compared("lt", ends[stack], nodes) for stack in touched]
    is_done = _all(tests, nodes)
    carried = inner.outs[: len(loop.outs)]
    body = Region(
        (*params, *values(_flat(entries, touched))),
        tuple(nodes),
        (is_done, *carried, *_flat(ends, touched)),
    )
    inits = (*loop.inits, *_flat(state, touched))
    always = Region((), (), (Literal(True),))
    return replace(loop, inits=inits, cond=always, body=body, breaks=True)


def _while_room(loop: While, inits: list[Value], entries: State, stacks: set[Value]) -> tuple[While, State]:
    """Return the loop that ends when a stack is full, with what is in the stacks after it."""
    tops = {stack: _top() for stack in entries}
    current = dict(tops)
    nodes: list[Node] = []
    for node in loop.body.nodes:
        pushed = node.args[0] if isinstance(node, Effect) and node.args else None
        if isinstance(node, Effect) and isinstance(pushed, Value) and pushed in entries:
            array = entries[pushed][0]
            assert isinstance(array, Value)
            nodes.append(Store(array, (current[pushed],), node.args[1], role=Role.TAPE))
            current[pushed] = _count("add", nodes, current[pushed])
        else:
            nodes += _threaded(Region((), (node,), ()), {}, stacks)[0]
    tests: list[Node] = [*loop.cond.nodes]
    room = [_compared("lt", (entries[stack][0], top), tests) for stack, top in tops.items()]
    test = _all([*room, *loop.cond.yields], tests)
    cond = Region((), tuple(tests), (test,))
    body = Region((*loop.body.params, *tops.values()), tuple(nodes), (*loop.body.yields, *current.values()))
    outs = [_renamed(out) for out in loop.outs]
    ends = {stack: _top() for stack in entries}
    inner = replace(
        loop,
        inits=(*inits, *(entries[stack][1] for stack in entries)),
        cond=cond,
        body=body,
        outs=(*outs, *ends.values()),
    )
    return inner, {stack: (entries[stack][0], end) for stack, end in ends.items()}


def _all(tests: Sequence[Atom], nodes: list[Node]) -> Atom:
    """Return whether all tests hold."""
    total = tests[0]
    for test in tests[1:]:
        joined = Value(hint("and"), temporary=True, type=boolean)
        nodes.append(Apply(joined, "and", (total, test), role=Role.TAPE))
        total = joined
    return total


def _renamed(value: Value) -> Value:
    new = Value(value.name, value.temporary)
    if type_of(value) is not None:
        new.type = value.type
    return new
