"""Which nodes can be part of a loop over elements, as their types tell."""

from __future__ import annotations

from numba import boolean, complex64, complex128, float32, float64, int64

from adcompiler.analysis.types import element, is_array, is_array_atom, is_complex, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, Literal, Store, Value, type_of
from adcompiler.primitives import Gives, card

_COMPLEX = (complex128, complex64)
_INEXACT = (float64, float32, *_COMPLEX)
_NUMBERS = (*_INEXACT, int64)


def can_store(node: Store) -> bool:
    """Tell whether a store writes real or complex floats, the latter to complex arrays."""
    is_known = element(node.array.type) in _INEXACT and (is_inexact(node.value) or is_number(node.value))
    return is_known and (is_complex(node.array.type) or part_kind(node.value) not in _COMPLEX)


def is_inexact(atom: Atom) -> bool:
    """Tell whether an atom is an array of real or complex floats."""
    kind = type_of(atom)
    return is_array(kind) and element(kind) in _INEXACT


def is_number(atom: Atom) -> bool:
    """Tell whether an atom is a number."""
    if isinstance(atom, Literal):
        return isinstance(atom.value, int | float | complex) and not isinstance(atom.value, bool)
    return isinstance(atom, Value) and type_of(atom) in _NUMBERS


def summed_axes(node: Apply) -> tuple[int, ...] | None:
    """Return the axes that a sum or mean goes over, in their order, None if that is not known.

    >>> from numba import float64
    >>> summed_axes(Apply(Value("s"), "np.sum", (Value("a", type=float64[:, :]),), (("axis", Literal(-1)),)))
    (1,)
    """
    axis = dict(node.keywords).get("axis", node.args[1] if len(node.args) > 1 else Literal(None))
    if any(key != "axis" for key, _ in node.keywords) or not isinstance(axis, Literal):
        return None
    axes = rank(type_of(node.args[0]))
    if axis.value is None:
        return tuple(range(axes))
    named = axis.value if isinstance(axis.value, tuple) else (axis.value,)
    return tuple(sorted(int(k) % axes for k in named)) if node.fn == "np.sum" else None


def is_gather(node: Apply) -> bool:
    """Tell whether a vector is made of elements of an array that one vector of integers picks."""
    if node.fn != "getitem" or not is_inexact(node.args[0]) or not isinstance(node.args[0], Value):
        return False
    base, *index = map(type_of, node.args)
    arrays = [kind for kind in index if is_array(kind)]
    return (
        [(element(kind), kind.ndim) for kind in arrays] == [(int64, 1)]
        and all(
            is_number(atom) for atom, kind in zip(node.args[1:], index, strict=True) if kind not in arrays
        )
        and base.ndim == len(index)
    )


def is_elementwise(node: Apply) -> bool:
    """Tell whether an array is computed element by element in a way that can be written as a loop."""
    kind = node.out.type
    if node.keywords or not is_array(kind) or not any(is_array(type_of(a)) for a in node.args):
        return False
    result = element(kind)
    if node.fn == "astype":
        return result in (float32, *_COMPLEX) and part_kind(node.args[0]) in _NUMBERS
    parts = [part_kind(atom) for atom in node.args]
    if None in parts:
        return False
    if card(node.fn).on_numbers not in ("", "mul"):
        return all(part == boolean for part in parts)
    if card(node.fn).gives is Gives.TEST:
        return all(part in _NUMBERS and part not in _COMPLEX for part in parts)
    if node.fn == "np.where":
        return parts[0] == boolean and result in _INEXACT and all(p in _NUMBERS for p in parts[1:])
    known = card(node.fn)
    if result == int64:
        is_whole = known.is_cheap_on_arrays and known.gives is not Gives.REAL
        return is_whole and all(part == int64 for part in parts)
    is_known = known.is_elementwise or known.is_step or node.fn == "copy"
    return is_known and result in _INEXACT and all(part in _NUMBERS for part in parts)


def part_kind(atom: Atom) -> object:
    """Return the type of an operand's elements, None if it is none that is understood."""
    if is_number(atom):
        if isinstance(atom, Literal):
            return {int: int64, complex: complex128}.get(type(atom.value), float64)
        return complex128 if is_complex(type_of(atom)) else float64
    kind = type_of(atom)
    if is_array(kind):
        found = element(kind)
        return found if found in (*_NUMBERS, boolean) else None
    return boolean if kind == boolean else None


def shows_part(node: Apply) -> bool:
    """Tell whether a node makes a view: it reads no elements."""
    is_basic = not any(is_array_atom(index) for index in node.args[1:])
    return node.fn in ("getitem", "T") and is_array(node.out.type) and is_basic


def is_arithmetic(node: Apply) -> bool:
    """Tell whether a node makes a number of numbers, at any time."""
    are_numbers = all(isinstance(a, Literal) or is_scalar(type_of(a)) for a in (node.out, *node.args))
    known = card(node.fn)
    return are_numbers and known.is_pure and not known.is_call and not node.raises


def gains_by_loop(node: Apply | Store) -> bool:
    """Tell whether a node gains by a loop: copies of arrays do not, but Numba is slow to compile
    stores of arrays, since the message for sizes that do not fit is put together in code."""
    if isinstance(node, Store):
        return node.accumulate or is_inexact(node.value)
    return node.fn not in ("copy", "astype") and not is_gather(node)
