"""What a for loop can go over besides a range: arrays, lists, tuples, enumerate, zip, reversed, ndindex."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gast

from adcompiler.custom import checkpointed
from adcompiler.frontend import resolve, scope, tuples
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.dictionaries import iterated
from adcompiler.frontend.facts import MISSING
from adcompiler.frontend.state import Bounds, Lowering, bounds_of
from adcompiler.graph.nodes import Atom, Global, Literal, Value


@dataclass
class Sequence:
    """What an iteration gives at each position.

    Attributes:
        length: appends the nodes that compute the number of items.
        item: appends the nodes that read the item at a position.
        items: the items themselves, where they are known here.
    """

    length: Callable[[], Atom]
    item: Callable[[Value], Binding]
    items: tuple[Binding, ...] | None = None


def position_name(target: gast.expr, over: gast.expr) -> str:
    """Return a name for the position of a loop: that of the index which `enumerate` gives."""
    if isinstance(target, gast.Tuple) and isinstance(target.elts[0], gast.Name):
        is_counted = isinstance(over, gast.Call) and getattr(over.func, "id", "") == "enumerate"
        return target.elts[0].id if is_counted else "k"
    return "k"


def checkpoints(state: Lowering, node: gast.expr) -> tuple[gast.expr, int | None]:
    """Return what a loop goes over, and the slots of `checkpointed(…, slots)` around it, if that is there."""
    if not isinstance(node, gast.Call) or scope.dotted(state, node.func) is not checkpointed:
        return node, None
    given = dict(zip(("iterable", "slots"), node.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in node.keywords}
    if given.keys() != {"iterable", "slots"} or len(node.args) + len(node.keywords) != 2:
        raise state.refuse("AD107", "checkpointed takes what a loop goes over, and slots", node)
    slots = state.atom(given["slots"])
    if not isinstance(slots, Literal) or not isinstance(slots.value, int) or slots.value < 1:
        cure = "give a constant, as in checkpointed(range(n), slots=10), or grad(f, checkpoints=10)"
        raise state.refuse("AD103", "the number of slots is no constant, or less than one", node, cure)
    return given["iterable"], slots.value


def is_independent(state: Lowering, node: gast.expr) -> bool:
    """Tell whether a loop goes over a `prange`: the program says that no iteration needs another one."""
    over, _ = checkpoints(state, node)
    function = scope.dotted(state, over.func) if isinstance(over, gast.Call) else None
    return getattr(function, "__name__", "") == "prange" and scope.called(state, over) == "range"


def range_bounds(state: Lowering, node: gast.expr) -> Bounds | None:
    """Return start, stop and step if an expression is a range, one that is reversed, or the name of one."""
    known = state.env.get(node.id) if isinstance(node, gast.Name) else None
    if isinstance(known, Value) and known in state.spans:
        return bounds_of(state.spans[known])
    match node:
        case gast.Subscript(slice=gast.Slice(lower=None, upper=None, step=step)) if _constant(step) == -1:
            return _reversed(state, node, range_bounds(state, node.value))
        case gast.Call():
            called = scope.called(state, node)
        case _:
            return None
    if called == "reversed" and len(node.args) == 1:
        return _reversed(state, node, range_bounds(state, node.args[0]))
    if called != "range":
        return None
    if node.keywords or not 1 <= len(node.args) <= 3:
        raise state.refuse("AD103", "range takes one to three positional arguments", node)
    if any(isinstance(arg, gast.Starred) for arg in node.args):
        raise state.refuse("AD103", "range takes numbers", node)
    return bounds_of([state.atom(arg) for arg in node.args])


def _reversed(state: Lowering, node: gast.expr, bounds: Bounds | None) -> Bounds | None:
    if bounds is None:
        return None
    start, stop, step = bounds
    if step == Literal(1):
        last = state.apply(node, "sub", (stop, Literal(1)))
        end = Literal(-1)
        if start != Literal(0):
            return last, state.apply(node, "sub", (start, Literal(1))), end
        return last, end, end
    span = state.apply(node, "range", bounds)
    count = state.apply(node, "len", (span,))
    more = state.apply(node, "sub", (count, Literal(1)))
    last = state.apply(node, "add", (start, _times(state, node, more, step)))
    before = state.apply(node, "sub", (start, step))
    return last, before, state.apply(node, "neg", (step,))


def _times(state: Lowering, node: gast.AST, left: Atom, right: Atom) -> Value:
    return state.apply(node, "mul", (left, right))


def sequence(state: Lowering, node: gast.expr, target: gast.expr) -> Sequence:
    """Lower what a loop goes over; `target` is what each item is assigned to."""
    called = scope.called(state, node) if isinstance(node, gast.Call) else None
    if isinstance(node, gast.Call) and not any(isinstance(arg, gast.Starred) for arg in node.args):
        match called, node.args:
            case "enumerate", [inner, *_]:
                return _enumerate(state, node, inner, target)
            case "zip", args:
                return _zip(state, node, args, target)
            case "reversed", [inner] if range_bounds(state, node) is None:
                return _backwards(state, node, sequence(state, inner, target))
            case "np.ndindex", _:
                return _ndindex(state, node, target)
            case "np.ndenumerate", [array]:
                return _elements(state, node, array, True)
            case "literal_unroll" | "list" | "tuple", [inner]:
                return sequence(state, inner, target)
            case (("set" | "map" | "filter" | "sorted"), _):
                raise state.refuse("AD103", f"a loop over '{called}' is not part of the language", node)
    if isinstance(node, gast.Attribute) and node.attr == "flat":
        return _elements(state, node, node.value, False)
    bounds = range_bounds(state, node)
    if bounds is not None:
        return _range(state, node, bounds)
    if isinstance(node, gast.List):
        return _known(tuple(state.binding(item) for item in node.elts))
    if isinstance(node, gast.Subscript) and (part := _part_of_list(state, node, target)) is not None:
        return part
    return _by_position(state, node, state.binding(node), target)


def _part_of_list(state: Lowering, node: gast.Subscript, target: gast.expr) -> Sequence | None:
    """`for h in hs[1:]`: the list is gone over from there on; None for arrays, and bounds that vary."""
    part = node.slice
    whole = scope.variable(state, node.value.id) if isinstance(node.value, gast.Name) else None
    if not isinstance(part, gast.Slice) or not isinstance(whole, Value):
        return None
    first, last, step = map(_constant, (part.lower, part.upper, part.step))
    if type(state.ranks.get(whole)) is int or first is MISSING or last is MISSING:
        return None
    if (first, last, step) == (None, None, -1):
        return _backwards(state, node, _by_position(state, node, whole, target))
    if step is not None:
        return None
    size = state.apply(node, "len", (whole,))
    start = _end_of_part(state, node, first or 0, size)
    stop = size if last is None else _end_of_part(state, node, last, size)
    length = state.apply(node, "max", (state.apply(node, "sub", (stop, start)), Literal(0)))
    items = _by_position(state, node, whole, target)
    return Sequence(lambda: length, lambda k: items.item(state.apply(node, "add", (k, start))))


def _constant(node: gast.expr | None) -> Any:
    """Return the end of a slice that is written down, None for one that is not given, MISSING for others."""
    match node:
        case None | gast.Constant(value=int()):
            return node and node.value
        case gast.UnaryOp(op=gast.USub(), operand=gast.Constant(value=int() as value)):
            return -value
    return MISSING


def _end_of_part(state: Lowering, node: gast.expr, end: int, size: Value) -> Value:
    """Return where a part of a list begins or ends."""
    if end < 0:
        return state.apply(node, "max", (state.apply(node, "sub", (size, Literal(-end))), Literal(0)))
    return state.apply(node, "min", (size, Literal(end)))


def _by_position(state: Lowering, node: gast.expr, found: Binding, target: gast.expr) -> Sequence:
    if isinstance(found, Global) and isinstance(found.value, tuple):
        found = tuple(resolve.constant("item", item) for item in found.value)
    found = iterated(found)
    if isinstance(found, tuple):
        return _known(found)
    whole = state.materialise(found, node)
    if not isinstance(whole, Value | Global):
        raise state.refuse("AD103", "this value cannot be gone over", node)
    name = target.id.lstrip("$") if isinstance(target, gast.Name) else None
    return Sequence(
        lambda: state.apply(node, "len", (whole,)),
        lambda k: state.apply(node, "nth", (whole, k), name),
    )


def _known(items: tuple[Binding, ...]) -> Sequence:
    def item(position: Value) -> Binding:
        raise AssertionError("items that are known are not read by position")

    return Sequence(lambda: Literal(len(items)), item, items)


def _part(state: Lowering, node: gast.expr, found: Sequence) -> Sequence:
    """Let a tuple that is known here be read by position, beside sequences that are not."""
    if found.items is None:
        return found
    items = found.items
    return Sequence(found.length, lambda k: tuples.chosen(state, node, items, k))


def _range(state: Lowering, node: gast.expr, bounds: Bounds) -> Sequence:
    start, _, step = bounds

    def item(k: Value) -> Binding:
        offset = k if step == Literal(1) else _times(state, node, k, step)
        return offset if start == Literal(0) else state.apply(node, "add", (start, offset))

    span = state.apply(node, "range", bounds)
    return Sequence(lambda: state.apply(node, "len", (span,)), item)


def _enumerate(state: Lowering, node: gast.Call, inner: gast.expr, target: gast.expr) -> Sequence:
    parts = target.elts if isinstance(target, gast.Tuple) and len(target.elts) == 2 else [target, target]
    given = [*node.args[1:], *(k.value for k in node.keywords)]
    start = state.atom(given[0]) if given else Literal(0)
    found = sequence(state, inner, parts[1])
    if found.items is not None:
        if not isinstance(start, Literal) or not isinstance(start.value, int):
            raise state.refuse("AD103", "enumerate over a tuple needs a constant start", node)
        first = start.value
        return _known(tuple((Literal(first + k), item) for k, item in enumerate(found.items)))

    def item(k: Value) -> Binding:
        index = k if start == Literal(0) else state.apply(node, "add", (start, k))
        return (index, found.item(k))

    return Sequence(found.length, item)


def _zip(state: Lowering, node: gast.Call, args: list[gast.expr], target: gast.expr) -> Sequence:
    is_apart = isinstance(target, gast.Tuple) and len(target.elts) == len(args)
    targets = target.elts if isinstance(target, gast.Tuple) and is_apart else [target] * len(args)
    parts = [sequence(state, arg, to) for arg, to in zip(args, targets, strict=True)]
    known = [part.items for part in parts if part.items is not None]
    if len(known) == len(parts):
        return _known(tuple(zip(*known, strict=False)))
    parts = [_part(state, node, part) for part in parts]

    def length() -> Atom:
        shortest = parts[0].length()
        for part in parts[1:]:
            shortest = state.apply(node, "min", (shortest, part.length()))
        return shortest

    return Sequence(length, lambda k: tuple(part.item(k) for part in parts))


def _backwards(state: Lowering, node: gast.expr, found: Sequence) -> Sequence:
    if found.items is not None:
        return _known(found.items[::-1])
    count = found.length()
    last = state.apply(node, "sub", (count, Literal(1)))

    def item(k: Value) -> Binding:
        return found.item(state.apply(node, "sub", (last, k)))

    return Sequence(lambda: count, item)


def _ndindex(state: Lowering, node: gast.Call, target: gast.expr) -> Sequence:
    found = tuple(state.binding(arg) for arg in node.args)
    if len(found) == 1:
        only = found[0]
        if isinstance(only, Value):
            rank = len(target.elts) if isinstance(target, gast.Tuple) else state.ranks.get(only)
            if rank is None:
                cure = "name the indices: for i, j in np.ndindex(a.shape)"
                raise state.refuse("AD103", "the number of indices is not known", node, cure)
            only = tuple(state.apply(node, "getitem", (only, Literal(k))) for k in range(rank))
        found = only if isinstance(only, tuple) else (only,)
    return _positions(state, node, [state.materialise(size, node) for size in found])


def _elements(state: Lowering, node: gast.expr, of: gast.expr, with_index: bool) -> Sequence:
    """`a.flat` and `np.ndenumerate(a)`: the elements in the order of their indices."""
    array = state.atom(of)
    rank = state.ranks.get(array) if isinstance(array, Value) else None
    if not rank:
        cure = "loop over range(...) for each axis"
        raise state.refuse("AD103", "the number of axes is not known", node, cure)
    shape = state.apply(node, "shape", (array,))
    sizes: list[Atom] = [state.apply(node, "getitem", (shape, Literal(k))) for k in range(rank)]
    indices = _positions(state, node, sizes)

    def item(k: Value) -> Binding:
        index = indices.item(k)
        element = state.apply(node, "getitem", (array, *index))  # type: ignore[misc]
        return (index, element) if with_index else element

    return Sequence(indices.length, item)


def _positions(state: Lowering, node: gast.AST, sizes: list[Atom]) -> Sequence:
    """Return the indices of an array of this shape, each a tuple."""

    def length() -> Atom:
        total = sizes[0]
        for size in sizes[1:]:
            total = _times(state, node, total, size)
        return total

    def item(k: Value) -> Binding:
        rest, indices = k, []
        for size in reversed(sizes[1:]):
            indices.append(state.apply(node, "mod", (rest, size)))
            rest = state.apply(node, "floordiv", (rest, size))
        return tuple(reversed([*indices, rest]))

    return Sequence(length, item)
