"""Names for values that have none of their own: an element is named after its array, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adcompiler.graph.nodes import Apply, Atom, Literal, Node, Region, Store, Value, hint
from adcompiler.graph.walk import walk

_LONGEST = 24


def better_names(body: Region, makers: Mapping[Value, Node]) -> dict[Value, str]:
    """Return names for temporary values of a graph's body that say more than the operator that makes them.

    Args:
        body: the body.
        makers: what defines each value.

    >>> i, item, y = Value("i"), Value("item", temporary=True), Value("y")
    >>> made = Apply(item, "getitem", (y, i))
    >>> better_names(Region((y, i), (made,), (item,)), {item: made})
    {%item: 'y_i'}
    """
    found: dict[Value, str] = {}
    for node in walk(body):
        if isinstance(node, Apply) and node.out.temporary:
            name = _made(node, makers)
            if name:
                found[node.out] = name
        elif isinstance(node, Store) and isinstance(node.value, Value) and node.value.temporary:
            name = _stored(node, makers)
            if name and node.value in makers:
                found[node.value] = name
    return found


def _made(node: Apply, makers: Mapping[Value, Node]) -> str | None:
    """Name a value after what computes it."""
    if node.fn == "getitem" and node.out.name == hint("getitem"):
        return _element(node.args[0], node.args[1:], makers)
    is_count = node.fn == "max" and node.args[1:] == (Literal(0),) and node.out.name == hint("max")
    return "count" if is_count else None


def _stored(store: Store, makers: Mapping[Value, Node]) -> str | None:
    """Name a number after the element of an array that it becomes."""
    made = makers.get(store.value)  # type: ignore[arg-type]
    value, array = store.value, store.array
    assert isinstance(value, Value)
    is_blank = value.name == array.name or (isinstance(made, Apply) and value.name == hint(made.fn))
    if store.accumulate or not is_blank or array.name.endswith("_tape"):
        return None
    return _element(array, store.index, makers)


def _element(array: Atom, index: Iterable[Atom], makers: Mapping[Value, Node]) -> str | None:
    """Name an element after its array and its place: `x_i`, `x_0`, or `x_ip1` for `x[i + 1]`."""
    if not isinstance(array, Value) or array.name == hint("getitem"):
        return None
    places = [_place(atom, makers) for atom in index]
    base = array.name
    if base.endswith("_tape"):  # the first indices are those of the loops
        base, places = base.removesuffix("_tape").removesuffix("_then"), places[-1:]
    name = "_".join([base, *(place for place in places if place)])
    return name if places and None not in places and len(name) <= _LONGEST else None


def _place(atom: Atom, makers: Mapping[Value, Node]) -> str | None:
    if isinstance(atom, Literal):
        return str(atom.value) if str(atom.value).isdigit() else None
    made = makers.get(atom) if isinstance(atom, Value) else None
    if isinstance(atom, Value) and not atom.temporary:
        return atom.name
    if not isinstance(made, Apply) or made.fn not in ("add", "sub", "getitem"):
        return None
    if made.fn == "getitem":
        return made.out.name if made.out.name != hint("getitem") else None
    base, offset = made.args
    if not isinstance(base, Value) or base.temporary or not isinstance(offset, Literal):
        return None
    return f"{base.name}{'p' if made.fn == 'add' else 'm'}{offset.value}"
