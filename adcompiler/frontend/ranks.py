"""Numbers of axes, as far as they can be told before types are inferred.

Functions out of packages branch on `x.ndim`, and only the branch that fits the argument has types at all.
"""

from __future__ import annotations

from adcompiler.graph.nodes import Apply, Atom, Literal, Value

Ranks = dict[Value, int | None]

_SAME = ("copy", "np.zeros_like", "np.ones_like", "np.empty_like", "np.full_like", "astype", "T")
_ALLOCATED = ("np.zeros", "np.ones", "np.empty", "np.full")
_FLAT = ("ravel", "flatten")
_ARITHMETIC = ("add", "sub", "mul", "truediv", "pow", "neg")


def rank_of(node: Apply, ranks: Ranks) -> int | None:
    """Return the number of axes of a primitive's result; of a shape, the number of its items."""
    args = [_rank(arg, ranks) for arg in node.args]
    match node.fn:
        case fn if fn in _SAME:
            return args[0]
        case fn if fn in _ALLOCATED:
            return 1 if isinstance(node.args[0], Literal) else args[0]
        case "reshape":
            return 1 if isinstance(node.args[1], Literal) else args[1]
        case fn if fn in _FLAT:
            return 1
        case "shape":
            return args[0]
        case "tuple":
            return len(node.args)
        case "len" | "size" | "ndim":
            return 0
        case "slice":
            return -1
        case "getitem":
            return _picked(args, node.args)
        case fn if fn in _ARITHMETIC:
            known = [rank for rank in args if rank is not None]
            return max(known) if len(known) == len(args) else None
    return None


def _rank(atom: Atom, ranks: Ranks) -> int | None:
    if isinstance(atom, Value):
        return ranks.get(atom)
    return 0 if isinstance(atom, Literal) else getattr(getattr(atom, "value", None), "ndim", None)


def _picked(args: list[int | None], atoms: tuple[Atom, ...]) -> int | None:
    """Numbers drop an axis, slices keep it, None adds one; anything else is not followed."""
    rank = args[0]
    for position, atom in zip(args[1:], atoms[1:], strict=True):
        if rank is None or position not in (0, -1):
            return None
        if atom == Literal(None):
            rank += 1
        elif atom != Literal(...) and position == 0:
            rank -= 1
    return rank
