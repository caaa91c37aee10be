"""Keep a whole array once per iteration instead of single elements in the loops inside.

A loop over time overwrites its state, so what inner loops read of it is gone when the reverse sweep needs it.
Where every element that they read is as it was when the iteration began, one copy of the array serves all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from adcompiler.analysis.alias import Memory, is_opaque
from adcompiler.analysis.types import is_array, is_scalar, rank
from adcompiler.graph.nodes import Apply, For, Node, Region, Role, Store, Value, While, type_of
from adcompiler.graph.walk import defined, free, operands, values, walk
from adcompiler.primitives import card


def arrays_to_keep(
    loop: For | While, back: Region, info: Memory, is_cheap: Callable[[Apply], bool]
) -> dict[Value, list[Apply]]:
    """Return the arrays of which a loop should keep a copy per iteration, with the loads to serve from it.

    Args:
        loop: the loop of the primal.
        back: the ideal reversal of one iteration.
        info: where memory is written.
        is_cheap: tells whether a primitive is recomputed rather than stored.
    """
    inside = defined(loop.body)
    makers = {node.out: node for node in walk(loop.body) if isinstance(node, Apply)}
    lost: dict[Value, list[Apply]] = defaultdict(list)
    todo = [value for value in free(back) if value in inside]
    seen: set[Value] = set()
    while todo:
        value = todo.pop()
        node = makers.get(value)
        if value in seen or node is None:
            continue
        seen.add(value)
        if _is_lost(node, info):
            lost[node.args[0]].append(node)  # type: ignore[index]
        elif is_cheap(node):
            todo += values(operands(node))
    return {array: loads for array, loads in lost.items() if _serves(array, loads, loop, inside, info)}


def _is_lost(node: Apply, info: Memory) -> bool:
    """Tell whether a node reads an element that is overwritten later."""
    is_load = node.fn == "getitem" and is_array(type_of(node.args[0])) and is_scalar(node.out.type)
    return is_load and node in info.access and info.read_is_overwritten(node)


def _serves(
    array: Value, loads: list[Apply], loop: For | While, inside: dict[Value, None], info: Memory
) -> bool:
    """Tell whether a copy made at the start of an iteration holds what all these loads read."""
    if array in inside and array not in loop.body.params:
        return False
    around = [info.access[load].loops for load in loads]
    depths = [[*loops].index(loop) + 1 for loops in around if loop in loops]
    if len(depths) < len(loads):
        return False
    deep = all(len(loops) - depth >= rank(array.type) for loops, depth in zip(around, depths, strict=True))
    return deep and not any(_is_written_before(load, loop, info) for load in loads)


def _is_written_before(load: Apply, loop: For | While, info: Memory) -> bool:
    """Tell whether the element that a load reads may have been written in the same iteration."""
    assert info.dependences is not None
    array, here = load.args[0], info.access[load]
    assert isinstance(array, Value)
    for store, owner in info.writes.get(info.classes.get(array, array), []):
        there = info.access[store]
        if loop not in there.loops:
            continue
        if not isinstance(store, Store):
            return True
        if owner is not array and are_apart(array, owner, loop, info):
            continue
        earlier = there.position < here.position
        depth = [*there.loops].index(loop) + 1
        if info.dependences.may_precede(load, here.loops, store, there.loops, earlier, depth):
            return True
    return False


def are_apart(one: Value, two: Value, loop: For | While, info: Memory) -> bool:
    """Tell whether two arrays that a loop carries are never the same: new at first, then swapped."""
    params = loop.carried
    if one not in params or two not in params:
        return False
    classes = info.classes
    carried = [k for k, param in enumerate(params) if classes.get(param) is classes.get(one, one)]
    after = loop.next_values
    inits = [loop.inits[k] for k in carried]
    yields = [after[k] for k in carried]
    are_new = all(isinstance(v, Value) and _is_new(v, info) for v in inits)
    are_swapped = {params[k] for k in carried} == set(yields)
    return are_new and are_swapped and len(set(inits)) == len(inits) and len(set(yields)) == len(yields)


def _is_new(array: Value, info: Memory) -> bool:
    assert info.dependences is not None
    made = info.dependences.makers.get(array)
    return made is not None and not card(made.fn).is_view and not is_opaque(made) and made.fn != "getattr"


def served_from_copies(
    loop: For | While, kept: dict[Value, list[Apply]], info: Memory
) -> tuple[tuple[Node, ...], dict[Node, Apply]]:
    """Return the copies to make at the start of an iteration, and the loads that read from them."""
    copies: list[Node] = []
    loads: dict[Node, Apply] = {}
    for array, group in kept.items():
        copy = Value(f"{array.name}_then")
        copy.type = array.type.copy(layout="C", readonly=False)
        made = Apply(copy, "copy", (array,), role=Role.TAPE)
        copies.append(made)
        first = min(info.access[load].position for load in group)
        info.note(made, first, (*_outer(loop, info.access[group[0]].loops), loop))
        for load in group:
            new = Apply(load.out, "getitem", (copy, *load.args[1:]), loc=load.loc, role=load.role)
            info.access[new] = info.access[load]
            loads[load] = new
    return tuple(copies), loads


def _outer(loop: Node, loops: tuple[Node, ...]) -> tuple[Node, ...]:
    return loops[: [*loops].index(loop)]
