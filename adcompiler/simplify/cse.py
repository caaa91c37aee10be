"""Compute a scalar once per region: arithmetic, and loads with no store in between or right after theirs.

What is checked of numbers is checked once, too.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from adcompiler.analysis.alias import memory_classes, written_by
from adcompiler.analysis.types import element, is_array, rank
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    entry,
    type_of,
)
from adcompiler.graph.walk import map_operands, operands, regions, rename, values, walk, with_regions
from adcompiler.primitives import card

Key = tuple[str, tuple[Atom, ...], tuple[tuple[str, Atom], ...]]


def _is_arithmetic(node: Apply, scalars: Container[Value]) -> bool:
    """Tell whether a node reads numbers only, or the size of an array, which never changes."""
    reads = all(value in scalars for value in values(node.args))
    return (
        card(node.fn).is_pure
        and node.fn != "tuple"
        and (reads or card(node.fn).measures or node.fn == "getitem")
    )


def _is_check_of_numbers(node: Effect, scalars: Container[Value]) -> bool:
    return card(node.fn).is_guard and all(value in scalars for value in values(operands(node)))


def _loaded_from(key: Key, classes: Mapping[Value, Value]) -> Value | None:
    """Return the memory that a computation reads, if it is a load (or the length, which lists change)."""
    base = key[1][0] if key[0] in ("getitem", "len") else None
    return classes.get(base, base) if isinstance(base, Value) else None


def _written(node: Node) -> list[Value]:
    """Return what a node writes, itself or inside."""
    inner = [part for region in regions(node) for part in walk(region)]
    return [value for part in (node, *inner) for value in written_by(part)]


def eliminate_common(graph: Graph, scalars: Container[Value]) -> Graph:
    """Return the graph with repeated computations of numbers from the same inputs shared.

    An element that was just stored is the number that was stored.

    Args:
        graph: the graph.
        scalars: values known to be numbers; only those computed from numbers are shared, as arrays
            may be written in between.

    >>> from adcompiler.graph.text import to_text
    >>> x, a, b, y = (Value(name, temporary=True) for name in "xaby")
    >>> nodes = (Apply(a, "math.sin", (x,)), Apply(b, "math.sin", (x,)), Apply(y, "add", (a, b)))
    >>> print(to_text(eliminate_common(Graph("f", Region((x,), nodes, (y,))), {x, a, b, y})))
    graph f(x):
      a = math.sin(x)
      y = add(a, a)
      return y
    """
    known: dict[Value, Atom] = {}
    named: dict[Value, Value] = {}
    shapes = {n.out: n.args[0] for n in walk(graph.body) if isinstance(n, Apply) and n.fn == "shape"}

    def read(atom: Atom) -> Atom:
        return known.get(atom, atom) if isinstance(atom, Value) else atom

    classes = memory_classes(graph.body)

    def go(region: Region, seen: dict[Key, Atom], before: Sequence[If]) -> Region:
        seen = dict(seen)
        before = [*before]
        nodes: list[Node] = []
        for node in region.nodes:
            node = map_operands(node, read)
            written: set[Value | None] = {classes.get(array, array) for array in _written(node)}
            if written:
                for key in [key for key in seen if _loaded_from(key, classes) in written]:
                    if not _is_elsewhere(node, key):
                        del seen[key]
            inner = enumerate(regions(node))
            node = with_regions(
                node, tuple(go(part, seen | _chosen(before, node, k, scalars), before) for k, part in inner)
            )
            if isinstance(node, If):
                node = _without_twins(node, known, scalars)
                before.append(node)
            if isinstance(node, Apply) and node.out in scalars and _is_arithmetic(node, scalars):
                key = _size_key(node, shapes) or (node.fn, node.args, node.keywords)
                if key in seen and _is_one(seen[key], node.out, key, named):
                    known[node.out] = seen[key]
                    continue
                seen.setdefault(key, node.out)
            if isinstance(node, Effect) and _is_check_of_numbers(node, scalars):
                is_same = node.fn == "same_size" and node.args[0] == node.args[1]
                if is_same or (key := (node.fn, node.args, node.keywords)) in seen:
                    continue  # it was checked before, or need not be
                seen[key] = Literal(True)
            if isinstance(node, Store) and _can_be_read(node, scalars):
                seen["getitem", (node.array, *node.index), ()] = node.value
            nodes.append(node)
        return Region(region.params, tuple(nodes), tuple(map(read, region.yields)))

    return replace(graph, body=rename(go(graph.body, {}, ()), named))


def _without_twins(node: If, known: dict[Value, Atom], scalars: Container[Value]) -> If:
    """Hand on one number where both arms of a branch hand it on twice."""
    first: dict[tuple[Atom, Atom], Value] = {}
    for out, *pair in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
        twin = first.setdefault((pair[0], pair[1]), out)
        if twin is not out and out in scalars and out.type == twin.type:
            known[out] = twin
    kept = [k for k, out in enumerate(node.outs) if out not in known]
    if len(kept) == len(node.outs):
        return node
    then, orelse = (
        replace(arm, yields=tuple(arm.yields[k] for k in kept)) for arm in (node.then, node.orelse)
    )
    return replace(node, then=then, orelse=orelse, outs=tuple(node.outs[k] for k in kept))


def _chosen(before: Sequence[If], node: Node, k: int, scalars: Container[Value]) -> dict[Key, Atom]:
    """Return what the same arm of earlier branches on the same test has computed of numbers, and hands on."""
    found: dict[Key, Atom] = {}
    for first in before:
        if not isinstance(node, If) or first.test is not node.test:
            continue
        arm = regions(first)[k]
        inside = {made.out: made for made in arm.nodes if isinstance(made, Apply)}
        pairs = zip(arm.yields, first.outs, strict=True)
        outs = {one: out for one, out in pairs if isinstance(one, Value) and one in scalars}
        for made in (inside[value] for value in outs if value in inside):
            args = tuple(outs.get(arg, arg) if isinstance(arg, Value) else arg for arg in made.args)
            are_known = all(arg in scalars and arg not in inside for arg in values(args))
            if are_known and card(made.fn).is_pure:
                found[made.fn, args, made.keywords] = outs[made.out]
    return found


def _size_key(node: Apply, shapes: Mapping[Value, Atom]) -> Key | None:
    """Return what `len(x)` and `x.shape[0]` of an array have in common."""
    match node:
        case Apply(fn="len", args=(array,)) if is_array(type_of(array)):
            return "shape", (array, Literal(0)), ()
        case Apply(fn="getitem", args=(shape, Literal() as axis)) if isinstance(shape, Value):
            measured = entry(shapes, shape)
            is_known = measured is not None and is_array(type_of(measured))
            return ("shape", (measured, axis), ()) if measured is not None and is_known else None
    return None


def _can_be_read(store: Store, scalars: Container[Value]) -> bool:
    """Tell whether a store sets one element to a number of the very type that the array holds."""
    kind = store.value.type if isinstance(store.value, Value) else None
    is_element = is_array(store.array.type) and len(store.index) == rank(store.array.type)
    are_numbers = all(value in scalars for value in values((*store.index, store.value)))
    return is_element and are_numbers and not store.accumulate and kind == element(store.array.type)


def _is_elsewhere(node: Node, key: Key) -> bool:
    """Tell whether a store writes another element than a load of the same array reads."""
    if not isinstance(node, Store) or key[0] != "getitem" or key[1][0] is not node.array:
        return False
    pairs = zip(node.index, key[1][1:], strict=False)
    return any(_differ(one, two) for one, two in pairs)


def _differ(one: Atom, two: Atom) -> bool:
    match one, two:
        case Literal(value=int() as first), Literal(value=int() as second):
            return first != second and min(first, second) >= 0
    return False


def _is_one(first: Atom, again: Value, key: Key, named: dict[Value, Value]) -> bool:
    """Tell whether one value may do for both; a size has the name that the program gives it."""
    if not isinstance(first, Value):
        return again.temporary
    if again.temporary or named.get(first, first).name == again.name:
        return True
    if key[0] == "shape" and first.temporary and first not in named:
        named[first] = Value(again.name, type=first.type)
        return True
    return False
