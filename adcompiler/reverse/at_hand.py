"""What a slope asks for and the program has computed itself: the cosine beside a sine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from numba import float64

from adcompiler.graph.nodes import Apply, Atom, Node, Value, type_of
from adcompiler.graph.walk import map_operands
from adcompiler.primitives import card

Key = tuple[str, tuple[Atom, ...]]


def computed_in(nodes: Iterable[Node]) -> dict[Key, Value]:
    """Return the elementary functions of numbers among the nodes of a region, by function and arguments."""
    return {_key(node): node.out for node in nodes if isinstance(node, Apply) and _is_elementary(node)}


def _key(node: Apply) -> Key:
    return node.fn.removeprefix("math.").removeprefix("np."), node.args


def _is_elementary(node: Apply) -> bool:
    known = card(node.fn)
    is_dear = known.is_elementwise and not known.is_cheap and bool(known.partials)
    return is_dear and all(type_of(atom) == float64 for atom in (node.out, *node.args))


def share(nodes: Sequence[Node], atom: Atom, computed: dict[Key, Value]) -> tuple[list[Node], Atom]:
    """Return the nodes of a formula, and its value, with what the program has computed in place of the same.

    Args:
        nodes: the formula.
        atom: its value.
        computed: what the program has computed where it is at hand.
    """
    if not computed or not all(isinstance(node, Apply) for node in nodes):
        return [*nodes], atom
    known: dict[Value, Value] = {}

    def read(found: Atom) -> Atom:
        return known.get(found, found) if isinstance(found, Value) else found

    kept: list[Node] = []
    for node in nodes:
        changed = map_operands(node, read)
        own = computed.get(_key(changed)) if isinstance(changed, Apply) else None
        if own is None:
            kept.append(changed)
        elif isinstance(changed, Apply):
            known[changed.out] = own
    return kept, read(atom)
