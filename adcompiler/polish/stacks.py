"""Keep numbers of loops of unknown length in arrays that grow, instead of in lists.

A list of numbers that is only appended to and popped from is a stack: an array, made twice as long whenever
it is full, and the number of its elements that are in use. The loops that push or pop carry both along.
Stacks that are used at the same places share this number, and are full at the same time. A `while` loop that
pushes runs until its stack is full, inside a loop that makes it longer: Numba counts the references to an
array in each iteration that may replace it.
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
Groups = Mapping[Value, list[Value]]
"""For each list, itself and all that have as many elements wherever it is used."""


def lists_to_arrays(graph: Graph) -> Graph:
    """Return the graph with stacks of numbers as arrays.

    Args:
        graph: the graph of a gradient.
    """
    stacks = _stacks(graph.body)
    if not stacks:
        return graph
    nodes, _ = _threaded(graph.body, {}, _groups(graph.body, stacks))
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


def _groups(body: Region, stacks: set[Value]) -> Groups:
    """Return the stacks with which each one is pushed to and popped from, one of all at each place."""
    places: dict[Value, list[object]] = {}
    for region in walk_regions(body):
        for node in region.nodes:
            stack = _stack_of(node)
            if stack in stacks:
                places.setdefault(stack, []).append((id(region), type(node)))
    alike: dict[object, list[Value]] = {}
    for stack, known in places.items():
        key = tuple(known) if len({*known}) == len(known) else stack
        alike.setdefault(key, []).append(stack)
    return {stack: group for group in alike.values() for stack in group}


def _stack_of(node: Node) -> Value | None:
    """Return the list that a node makes, pushes to or pops from."""
    match node:
        case Apply(fn="list"):
            return node.out
        case Effect(fn="append", args=(Value() as stack, _)) | Apply(fn="pop", args=(Value() as stack, *_)):
            return stack
    return None


def _is_numbers(kind: nt.Type | None) -> bool:
    return isinstance(kind, nt.List) and is_scalar(kind.dtype)


def _threaded(region: Region, state: State, groups: Groups) -> tuple[tuple[Node, ...], State]:
    """Return the nodes of a region, with what is in the stacks after them."""
    nodes: list[Node] = []
    now = dict(state)
    begun: dict[Value, int] = {}  # how many stacks of a group have been pushed to or popped from
    for node in region.nodes:
        match node:
            case Apply(fn="list") if node.out in groups:
                made = _array(node.out)
                kind = str(node.out.type.dtype)
                dtype = dtype_of(kind)
                nodes.append(replace(node, out=made, fn="np.empty", args=(Literal(_FIRST), *dtype)))
                now[node.out] = made, Literal(0)
            case Effect(fn="append", args=(Value() as stack, value)) if stack in now:
                group = groups[stack]
                if not begun.get(group[0]):
                    now |= _with_room(group, now, nodes)
                array, top = now[stack]
                assert isinstance(array, Value)
                nodes.append(Store(array, (top,), value, role=Role.TAPE))
                if _is_last(group, begun):
                    now |= _moved_by("add", group, now, nodes)
            case Apply(fn="pop", args=(Value() as stack, *_)) if stack in now:
                group = groups[stack]
                if not begun.get(group[0]):
                    now |= _moved_by("sub", group, now, nodes)
                nodes.append(replace(node, fn="getitem", args=now[stack]))
                _is_last(group, begun)
            case If() | For() | While() if touched := [stack for stack in now if _touches(node, stack)]:
                node, ends = _carrying(node, touched, now, groups)
                nodes.append(node)
                now |= ends
            case _ if regions(node):
                parts = [replace(part, nodes=_threaded(part, now, groups)[0]) for part in regions(node)]
                nodes.append(with_regions(node, tuple(parts)))
            case _:
                nodes.append(node)
    return tuple(nodes), now


def _is_last(group: list[Value], begun: dict[Value, int]) -> bool:
    """Count one more of a group; tell whether it is the last one."""
    begun[group[0]] = (begun.get(group[0], 0) + 1) % len(group)
    return begun[group[0]] == 0


def _array(stack: Value) -> Value:
    made = Value(stack.name, stack.temporary, type=nt.Array(stack.type.dtype, 1, "C"))
    return made


def _top() -> Value:
    made = Value("top", type=int64)
    return made


def _fresh(touched: Sequence[Value], groups: Groups) -> State:
    """Return names for stacks and for the numbers of their elements."""
    tops = {groups[stack][0]: _top() for stack in touched}
    return {stack: (_array(stack), tops[groups[stack][0]]) for stack in touched}


def _count(fn: str, nodes: list[Node], top: Atom) -> Value:
    made = _top()
    nodes.append(Apply(made, fn, (top, Literal(1)), role=Role.TAPE))
    return made


def _moved_by(fn: str, group: Sequence[Value], state: State, nodes: list[Node]) -> State:
    """Count one element more, or less, of all stacks of a group."""
    top = _count(fn, nodes, state[group[0]][1])
    return {stack: (state[stack][0], top) for stack in group}


def _with_room(group: Sequence[Value], state: State, nodes: list[Node]) -> State:
    """Make all stacks of a group longer if they are full."""
    arrays = [state[stack][0] for stack in group]
    full = _compared("eq", state[group[0]], nodes)
    longer, room = [*map(_array, group)], [*map(_array, group)]
    grow = (Apply(new, "longer", (old,), role=Role.TAPE) for new, old in zip(longer, arrays, strict=True))
    arms = Region((), tuple(grow), tuple(longer)), Region((), (), tuple(arrays))
    nodes.append(If(full, *arms, tuple(room), role=Role.TAPE))
    return {stack: (array, state[stack][1]) for stack, array in zip(group, room, strict=True)}


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
    node: If | For | While, touched: list[Value], state: State, groups: Groups
) -> tuple[Node, State]:
    """Let a branch or loop hand on the stacks that it touches; return it with what is in them after it."""
    outs = _fresh(touched, groups)
    results = (*node.outs, *values(_flat(outs, touched, groups)))
    if isinstance(node, If):
        arms = []
        for arm in regions(node):
            nodes, ends = _threaded(arm, state, groups)
            arms.append(Region((), nodes, (*arm.yields, *_flat(ends, touched, groups))))
        return replace(node, then=arms[0], orelse=arms[1], outs=results), outs
    if isinstance(node, While) and all(_is_pushed_once(node, stack) for stack in touched):
        return replace(_until_full(node, touched, state, groups), outs=results), outs
    entries = _fresh(touched, groups)
    nodes, ends = _threaded(node.body, {**state, **entries}, groups)
    body = Region(
        (*node.body.params, *values(_flat(entries, touched, groups))),
        nodes,
        (*node.body.yields, *_flat(ends, touched, groups)),
    )
    inits = (*node.inits, *_flat(state, touched, groups))
    return replace(node, inits=inits, body=body, outs=results), outs


def _flat(state: State, stacks: Sequence[Value], groups: Groups) -> tuple[Atom, ...]:
    """Return the arrays and, once for each group, the numbers of elements."""
    found: list[Atom] = []
    for stack in stacks:
        found += state[stack] if groups[stack][0] is stack else state[stack][:1]
    return tuple(found)


def _is_pushed_once(loop: While, stack: Value) -> bool:
    """Tell whether all that a loop does to a stack is to push one value in each iteration."""
    users = [node for node in loop.body.nodes if stack in operands(node) or _touches(node, stack)]
    is_push = len(users) == 1 and isinstance(users[0], Effect) and users[0].fn == "append"
    return is_push and not loop.breaks


def _until_full(loop: While, touched: list[Value], state: State, groups: Groups) -> While:
    """Return a loop that runs the given one until a stack is full, and then makes it longer."""
    params = [_renamed(param) for param in loop.body.params]
    entries = _fresh(touched, groups)
    nodes: list[Node] = []
    with_room: dict[Value, tuple[Atom, Atom]] = {}
    for stack in touched:
        if groups[stack][0] is stack:
            with_room |= _with_room(groups[stack], entries, nodes)
    inner, ends = _while_room(loop, params, with_room, groups)
    nodes.append(inner)
    tests = [_compared("lt", ends[stack], nodes) for stack in touched if groups[stack][0] is stack]
    is_done = _all(tests, nodes)
    carried = inner.outs[: len(loop.outs)]
    body = Region(
        (*params, *values(_flat(entries, touched, groups))),
        tuple(nodes),
        (is_done, *carried, *_flat(ends, touched, groups)),
    )
    inits = (*loop.inits, *_flat(state, touched, groups))
    always = Region((), (), (Literal(True),))
    return replace(loop, inits=inits, cond=always, body=body, breaks=True)


def _while_room(loop: While, inits: list[Value], entries: State, groups: Groups) -> tuple[While, State]:
    """Return the loop that ends when a stack is full, with what is in the stacks after it."""
    tops = {stack: _top() for stack in entries if groups[stack][0] is stack}
    current: dict[Value, Atom] = dict(tops)
    begun: dict[Value, int] = {}
    nodes: list[Node] = []
    for node in loop.body.nodes:
        pushed = node.args[0] if isinstance(node, Effect) and node.args else None
        if isinstance(node, Effect) and isinstance(pushed, Value) and pushed in entries:
            group, array = groups[pushed], entries[pushed][0]
            assert isinstance(array, Value)
            nodes.append(Store(array, (current[group[0]],), node.args[1], role=Role.TAPE))
            if _is_last(group, begun):
                current[group[0]] = _count("add", nodes, current[group[0]])
        else:
            nodes += _threaded(Region((), (node,), ()), {}, groups)[0]
    tests: list[Node] = [*loop.cond.nodes]
    room = [_compared("lt", (entries[stack][0], top), tests) for stack, top in tops.items()]
    test = _all([*room, *loop.cond.yields], tests)
    cond = Region((), tuple(tests), (test,))
    body = Region((*loop.body.params, *tops.values()), tuple(nodes), (*loop.body.yields, *current.values()))
    outs = [_renamed(out) for out in loop.outs]
    ends = {stack: _top() for stack in tops}
    inner = replace(
        loop,
        inits=(*inits, *(entries[stack][1] for stack in tops)),
        cond=cond,
        body=body,
        outs=(*outs, *ends.values()),
    )
    return inner, {stack: (entries[stack][0], ends[groups[stack][0]]) for stack in entries}


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
