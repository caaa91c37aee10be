"""What arguments may be, and which of them are differentiated."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import numpy as np
from numba.core import types as nt

from adcompiler.api.arguments import check_array, layout_of_value
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import describe, element, is_array, is_complex, is_continuous
from adcompiler.graph.layout import Layout, Leaf, Packed, items_of, leaves
from adcompiler.graph.steps import Entries

Argnums = int | str | Sequence[int | str]
_ALONG_DIRECTIONS = ("jacobian", "jacfwd", "hessian", *get_args(Entries))
TANGENT = "the tangent of an argument"


def layout_of_default(default: Any) -> Layout:
    """Return what a default value fixes: a function, a string, None; numbers are guessed like others."""
    is_fixed = default is None or isinstance(default, str) or callable(default)
    is_given = default is not inspect.Parameter.empty
    return layout_of_value(default, "default") if is_fixed and is_given else Leaf()


def check_leaf(kind: nt.Type, name: str) -> None:
    """Refuse an argument to differentiate unless it is a float, a complex number or an array of these.

    Raises:
        DifferentiationError: AD301 for other values, AD306 for floats of other sizes.
    """
    if isinstance(element(kind), nt.Integer | nt.Boolean):
        reason = f"argument '{name}' has type {describe(kind)}"
        cure = f"pass floats: {name}.astype(float)" if is_array(kind) else "pass a float: 3.0, not 3"
        raise DifferentiationError("AD301", reason, None, cure)
    if not is_continuous(kind):
        raise DifferentiationError("AD301", f"argument '{name}' has type {describe(kind)}")
    if str(element(kind)) not in ("float64", "float32", "complex128", "complex64"):
        raise DifferentiationError("AD306", f"argument '{name}' has elements of type {element(kind)}")


def check_varied(layout: Layout, name: str, mode: str = "grad", holomorphic: bool = False) -> None:
    """Refuse an argument to differentiate unless it is, or holds, what `check_leaf` lets pass.

    All numbers are complex for what is `holomorphic`; else real, where a derivative goes along directions.

    Raises:
        DifferentiationError: AD301, AD306.
    """
    if isinstance(layout, Leaf):
        check_leaf(layout.kind, name)
    elif not any(is_continuous(leaf.kind) for leaf in leaves(layout)):
        raise DifferentiationError("AD301", f"argument '{name}' holds no floats")
    for leaf in leaves(layout):
        if is_continuous(leaf.kind):
            check_leaf(leaf.kind, name)
            _check_numbers(leaf.kind, name, mode, holomorphic)


def _check_numbers(kind: nt.Type, name: str, mode: str, holomorphic: bool) -> None:
    if holomorphic and not is_complex(kind):
        reason = f"argument '{name}' has type {describe(kind)}; holomorphic=True is for complex ones"
        cure = f"pass {name} + 0j, or leave holomorphic=True out"
        raise DifferentiationError("AD301", reason, None, cure)
    if is_complex(kind) and not holomorphic and mode in _ALONG_DIRECTIONS:
        what = "a sparse matrix" if mode in get_args(Entries) else mode
        reason = f"{what} by '{name}' of type {describe(kind)} would have to tell two directions"
        cure = "holomorphic=True, where the function is; or jacrev, for real results"
        raise DifferentiationError("AD301", reason, None, cure)


def check_apart(args: tuple[Any, ...], function: str, writes: Sequence[int]) -> None:
    """Refuse arrays that overlap if the function writes one: it would see the other change.

    Raises:
        DifferentiationError: AD303.
    """
    arrays = [(k, arg) for k, arg in enumerate(args) if isinstance(arg, np.ndarray)]
    for k, written in arrays:
        if k in writes:
            for j, other in arrays:
                if j != k and np.may_share_memory(written, other):
                    reason = f"'{function}' writes an argument that shares memory with another one"
                    raise DifferentiationError("AD303", reason, None, "pass a copy of one of them")


def chosen(options: dict[str, Any], **flags: bool) -> dict[str, Any]:
    """Return options, and those of some flags that are set.

    >>> chosen({"fastmath": True}, has_aux=True, stacked=False)
    {'fastmath': True, 'has_aux': True}
    """
    return options | {name: True for name, flag in flags.items() if flag}


def positions(argnums: Argnums, names: list[str], function: str) -> tuple[list[int], bool]:
    """Return the positions of the arguments to differentiate, and whether it is a single one.

    Raises:
        DifferentiationError: AD305 for arguments that do not exist, or are named twice.
    """
    single = isinstance(argnums, int | str)
    items = [argnums] if isinstance(argnums, int | str) or not isinstance(argnums, Iterable) else [*argnums]
    found = []
    for item in items:
        if not isinstance(item, int | str):
            cure = "arguments are passed to what is returned: grad(f)(x)"
            raise DifferentiationError("AD305", f"argnums={argnums!r} names no argument", None, cure)
        position = item if isinstance(item, int) else names.index(item) if item in names else None
        if position is None or not -len(names) <= position < len(names):
            reason = f"'{function}' has no argument {item!r}; it has ({', '.join(names)})"
            raise DifferentiationError("AD305", reason)
        found.append(position % len(names))
    if len(set(found)) != len(found):
        raise DifferentiationError("AD305", f"argnums {argnums!r} names an argument twice")
    return found, single


def flat_tangent(tangent: Any, argument: Any, layout: Layout) -> Iterator[Any]:
    """Yield the tangents of the single values of an argument, as the generated function takes them.

    Raises:
        DifferentiationError: AD305 for a tangent that has not the structure or shape of the argument.
    """
    match layout:
        case Leaf(kind=kind) if is_continuous(kind):
            given = np.zeros(np.shape(argument)) if tangent is None else tangent
            number = np.dtype(str(element(kind)))
            yield seed(given, argument, number, is_array(kind), TANGENT)
        case Packed():
            own = [*items_of(argument, layout)]
            try:
                items = [*items_of(tangent, layout)]
            except (TypeError, KeyError, AttributeError):
                items = []
            if tangent is None:
                items = [None] * len(own)
            if len(items) != len(own):
                raise DifferentiationError("AD305", "a tangent has another structure than its argument")
            for item, part, inner in zip(items, own, layout.parts, strict=True):
                yield from flat_tangent(item, part, inner)


def seed(given: Any, like: Any, number: np.dtype[Any], is_array: bool, name: str) -> Any:
    """Return an adjoint or a tangent as generated code takes it; an array is copied.

    Args:
        given: what the caller gives.
        like: the output or the argument that it belongs to.
        number: the type of its numbers.
        is_array: whether it is an array.
        name: what it is called in messages.

    Raises:
        DifferentiationError: AD305 for another shape, AD301 for arrays that mean more than their numbers.
    """
    is_plain = type(given) is np.ndarray and type(like) is np.ndarray and given.shape == like.shape
    if not is_plain and (is_array or type(given) is not float):
        check_array(given, name)
        if np.shape(given) != np.shape(like):
            reason = f"{name} of shape {np.shape(like)} has shape {np.shape(given)}"
            raise DifferentiationError("AD305", reason)
    if number.kind != "c" and np.iscomplexobj(given):
        raise DifferentiationError("AD305", f"{name} of type {number} is complex", None, "pass its real part")
    if not is_array:
        return number.type(given)
    if is_plain and given.dtype is number:
        return given.copy()  # np.array takes twice as long
    return np.array(given, dtype=number, order="C")
