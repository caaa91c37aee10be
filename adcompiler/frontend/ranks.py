"""Numbers of axes, as far as they can be told before types are inferred.

Functions out of packages, and definitions of NumPy's own, branch on `x.ndim`, and only the branch that fits
the argument has types at all.
"""

from __future__ import annotations

import numpy as np

from adcompiler.frontend.resolve import numpy_function
from adcompiler.graph.nodes import UNDEFINED, Apply, Atom, Literal, Value
from adcompiler.graph.syntax import BINARY, COMPARE, UNARY

Ranks = dict[Value, int | None]


def _named(names: str) -> frozenset[str]:
    return frozenset(f"np.{name}" for name in names.split())


_SAME = {"copy", "astype", "T", "np.transpose"} | _named(
    "zeros_like ones_like empty_like full_like ascontiguousarray asfortranarray sort argsort cumsum"
    " cumprod flip flipud fliplr roll rot90 diff tril triu linalg.inv linalg.pinv linalg.cholesky"
    " nan_to_num around round unwrap fix sinc"
)
_ALLOCATED = _named("zeros ones empty full")
_FLAT = {"ravel", "flatten", *_named("arange linspace ediff1d unique flatnonzero bincount")}
_MATRIX = _named("eye identity outer column_stack vander tri")
_NUMBERS = {"is", "len", "size", "ndim", "float", "int", "bool", "round", "dtype", "item"}
_NUMBERS |= _named("linalg.det linalg.norm size ndim trace vdot float32 float64 int64 bool_")
_REDUCTIONS = _named("sum mean max min prod std var any all argmax argmin ptp median count_nonzero nansum")
_ARITHMETIC = {*BINARY, *COMPARE, *UNARY, "and", "or", "max", "min", "abs", "np.where", "np.clip"} - {
    "matmul"
}


class Items(int):
    """The number of items of a tuple of numbers, such as a shape."""


def rank_of(node: Apply, ranks: Ranks) -> int | None:
    """Return the number of axes of a primitive's result; of a shape, the number of its items."""
    args = [atom_rank(arg, ranks) for arg in node.args]
    match node.fn:
        case fn if fn in _SAME or fn in ("stop_gradient", "of_reals"):
            return args[0]
        case fn if fn in _ALLOCATED:
            return int(args[0]) if isinstance(args[0], Items) else 1 if args[0] == 0 else None
        case "reshape":
            return int(args[1]) if isinstance(args[1], Items) else 1 if args[1] == 0 else None
        case fn if fn in _FLAT:
            return 1
        case fn if fn in _MATRIX:
            return 2
        case "shape":
            return None if args[0] is None else Items(args[0])
        case "tuple":
            return Items(len(args)) if all(rank == 0 for rank in args) else None
        case "list":
            return args[0] + 1 if args and args[0] is not None else None
        case "np.array" | "np.asarray":
            return args[0]
        case fn if fn in _NUMBERS:
            return 0
        case "slice":
            return -1
        case "nth":
            return None if args[0] is None else 0 if isinstance(args[0], Items) else args[0] - 1
        case "getitem":
            return _picked(args, node.args)
        case "matmul" | "np.dot":
            return _product(args)
        case "np.linalg.solve" | "np.searchsorted":
            return args[1]
        case "np.diag":
            return {1: 2, 2: 1}.get(args[0] or 0)
        case fn if fn in _REDUCTIONS:
            return _reduced(node, args[0])
        case "np.concatenate" | "np.hstack":
            return args[0]
        case "np.stack" | "np.vstack":
            first = args[0]
            return None if first is None else first + 1 if node.fn == "np.stack" else max(first, 2)
        case fn if fn in _ARITHMETIC or fn.startswith(("math.", "special.")) or _is_ufunc(fn):
            known = [rank for rank in args if rank is not None]
            return max(known) if known and len(known) == len(args) else None
    return None


def _is_ufunc(fn: str) -> bool:
    return isinstance(numpy_function(fn), np.ufunc)


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
            rank -= 1
    return rank
