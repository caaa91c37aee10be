"""Numbers of axes, as far as they can be told before types are inferred.

Functions out of packages, and definitions of NumPy's own, branch on `x.ndim`, and only the branch that fits
the argument has types at all.
"""

from __future__ import annotations

from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Literal, Value
from adcompiler.primitives import Follows, card

Ranks = dict[Value, int | None]


class Items(int):
    """The number of items of a tuple of numbers, such as a shape."""


class Listed(int):
    """The number of axes of a list: those of the array that `np.array` makes of it."""


def rank_of(node: Apply, ranks: Ranks) -> int | None:
    """Return the number of axes of a primitive's result; of a shape, the number of its items."""
    args = [atom_rank(arg, ranks) for arg in node.args]
    match card(node.fn).follows:
        case Follows.NUMBER:
            return 0
        case Follows.SAME_SHAPE | Follows.SAME_RANK:
            return _of_array(args[0])
        case Follows.VECTOR:
            return 1
        case Follows.MATRIX:
            return 2
        case Follows.GIVEN:
            return _given(args[0])
        case Follows.REDUCED:
            return _reduced(node, args[0])
        case Follows.PRODUCT:
            return _product(args)
        case Follows.BROADCAST:
            is_search = node.fn == "np.where" and len(args) == 1  # a tuple of indices
            return None if is_search else _stretched(node, args)
    return _stretched(node, args) if card(node.fn).out_of_place else _own_rank(node, args)


def _own_rank(node: Apply, args: list[int | None]) -> int | None:
    first = args[0] if args else None
    match node.fn:
        case "reshape":
            return _given(args[1])
        case "shape":
            return None if first is None else Items(first)
        case "tuple":
            return Items(len(args)) if all(rank == 0 for rank in args) else None
        case "list":
            return None if first is None else Listed(first + 1)
        case "np.array" | "np.asarray" | "np.concatenate" | "np.hstack":
            return _of_array(first)
        case "slice":
            return -1
        case "nth" | "pop":
            return None if first is None else 0 if isinstance(first, Items) else _of_item(first)
        case "getitem":
            return _picked(args, node.args)
        case "np.linalg.solve" | "np.searchsorted":
            return args[1]
        case "np.diag":
            return {1: 2, 2: 1}.get(first or 0)
        case "np.stack" | "np.vstack":
            return None if first is None else first + 1 if node.fn == "np.stack" else max(first, 2)
    return None


def _stretched(node: Apply, args: list[int | None]) -> int | None:
    """Return the number of axes of what arrays are stretched to; a sum of shapes has the items of both."""
    known = [rank for rank in args if rank is not None]
    if not known or len(known) < len(args):
        return None
    shapes = [rank for rank in known if isinstance(rank, Items)]
    if shapes:
        return Items(sum(shapes)) if node.fn == "add" and len(shapes) == len(args) else None
    lists = [isinstance(rank, Listed) for rank in known if rank]
    is_list = bool(lists) and all(lists) and node.fn in ("add", "mul")
    return Listed(max(known)) if is_list else int(max(known))


def _of_array(rank: int | None) -> int | None:
    """Return the number of axes of an array that is made of an array, a list or a tuple."""
    return None if rank is None else 1 if isinstance(rank, Items) else int(rank)


def _of_item(rank: int) -> int:
    return Listed(rank - 1) if isinstance(rank, Listed) and rank > 1 else rank - 1


def _given(shape: int | None) -> int | None:
    """Return the number of axes of an array of a shape, a tuple or a number."""
    return int(shape) if isinstance(shape, Items) else 1 if shape == 0 else None


def _product(args: list[int | None]) -> int | None:
    one, two = args
    if one is None or two is None:
        return None
    return one + two - 2 if min(one, two) < 2 else max(one, two)


def _reduced(node: Apply, rank: int | None) -> int | None:
    given = dict(node.keywords)
    axis = given.get("axis", node.args[1] if len(node.args) > 1 else Literal(None))
    if axis == Literal(None):
        return 0
    return None if rank is None or "keepdims" in given else rank - 1


def atom_rank(atom: Atom, ranks: Ranks) -> int | None:
    """Return the number of axes of a value; of numbers 0; None if it is not known."""
    if atom == UNDEFINED:
        return None
    if isinstance(atom, Value):
        return ranks.get(atom)
    return 0 if isinstance(atom, Literal) else getattr(getattr(atom, "value", None), "ndim", None)


def joined_rank(one: Atom, two: Atom, ranks: Ranks) -> int | None:
    """Return the number of axes of what is one of two values, which have one type if it compiles."""
    found = {rank for atom in (one, two) if (rank := atom_rank(atom, ranks)) is not None}
    return found.pop() if len(found) == 1 else None


def _picked(args: list[int | None], atoms: tuple[Atom, ...]) -> int | None:
    """Numbers drop an axis, slices and lists of indices keep it, None adds one; else it is not followed."""
    rank = args[0]
    if isinstance(rank, Items):
        return 0
    for position, atom in zip(args[1:], atoms[1:], strict=True):
        if rank is None or position not in (0, -1, 1):
            return None
        if atom == Literal(None):
            rank += 1
        elif atom != Literal(...) and position == 0:
            rank = _of_item(rank)
    return rank
