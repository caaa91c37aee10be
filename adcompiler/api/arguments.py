"""Python values and Numba types as arguments: their layouts, and what is handed to generated code."""

from __future__ import annotations

import types as python_types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numba
import numpy as np
from numba.core import types as nt
from numba.core.errors import NumbaError

from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import OfComplex, is_complex, is_continuous, rank
from adcompiler.graph.layout import (
    Layout,
    Leaf,
    Packed,
    Static,
    as_plain,
    is_bare,
    items_of,
    leaves,
    map_leaves,
    pack_python,
)

_ARRAY_TYPES: dict[tuple[Any, ...], Leaf] = {}
_ARRAYS = (np.ndarray, np.memmap, np.recarray)
_FLOAT = Leaf(nt.float64)
_FIXED = (str, python_types.FunctionType, python_types.BuiltinFunctionType, np.ufunc)


def layout_of_value(value: Any, name: str, differentiated: bool = False) -> Layout:
    """Return the layout of an argument.

    Args:
        value: the argument.
        name: its name, for error messages.
        differentiated: whether a list or dictionary stands for its items.

    Raises:
        DifferentiationError: AD301 for a value that Numba cannot type.
    """
    value = as_plain(value)
    if type(value) is float:
        return _FLOAT
    if type(value) is np.ndarray:
        key = (value.dtype, value.ndim, value.flags.num)
        if key not in _ARRAY_TYPES:
            _ARRAY_TYPES[key] = Leaf(_typeof(value, name))
        return _ARRAY_TYPES[key]
    check_array(value, f"argument '{name}'")
    if value is None or isinstance(value, _FIXED) or hasattr(value, "py_func"):
        return Static(value)
    if isinstance(value, tuple):
        parts = _parts(value, name, differentiated)
        is_named = hasattr(value, "_fields")
        return Packed(parts, value._fields, type(value)) if is_named else Packed(parts)  # type: ignore[attr-defined]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return Packed(_parts(value.values(), name, differentiated), tuple(value), dict)
    if is_dataclass(value) and not isinstance(value, type):
        return _of_dataclass(value, name, differentiated)
    if isinstance(value, list) and differentiated:
        return Packed(_parts(value, name, differentiated), (), list)
    return Leaf(_typeof(value, name))


def _of_dataclass(value: Any, name: str, differentiated: bool) -> Layout:
    """Return the layout of a dataclass, which can be built from its fields.

    Raises:
        DifferentiationError: AD301 for one that its constructor makes something else of.
    """
    names = tuple(field.name for field in fields(value))
    if hasattr(value, "__post_init__") or not all(field.init for field in fields(value)):
        reason = f"argument '{name}' is a {type(value).__name__}, which is more than its fields"
        raise DifferentiationError(
            "AD301", reason, None, "pass a dataclass without __post_init__, or a dictionary"
        )
    values = [getattr(value, own) for own in names]
    return Packed(_parts(values, name, differentiated), names, type(value))


def check_array(value: Any, name: str) -> None:
    """Refuse arrays that mean more than their numbers: masks, units, another product.

    Raises:
        DifferentiationError: AD301.

    >>> check_array(np.ma.masked_array([1.0, 2.0], [True, False]), "a tangent")
    Traceback (most recent call last):
    adcompiler.errors.DifferentiationError: [AD301] argument is not differentiable: a tangent is a MaskedArray
      way out: pass a plain array: np.asarray(x), or x.filled(0.0) for one with a mask
    """
    if isinstance(value, np.ndarray) and type(value) not in _ARRAYS:
        cure = "pass a plain array: np.asarray(x), or x.filled(0.0) for one with a mask"
        raise DifferentiationError("AD301", f"{name} is a {type(value).__name__}", None, cure)


def _parts(values: Iterable[Any], name: str, differentiated: bool) -> tuple[Layout, ...]:
    return tuple(layout_of_value(value, name, differentiated) for value in values)


def _typeof(value: Any, name: str) -> nt.Type:
    try:
        return numba.typeof(value)
    except (ValueError, NumbaError) as error:
        kind = type(value).__name__
        why = f" ({error})" if isinstance(error, NumbaError) else ""
        reason = f"argument '{name}' is a {kind}, which Numba cannot type{why}"
        raise DifferentiationError("AD301", reason) from None


def layout_of_type(kind: nt.Type) -> Layout:
    """Return the layout of an argument inside compiled code.

    >>> layout_of_type(nt.UniTuple(nt.float64, 2))
    Packed(parts=(Leaf(kind=float64), Leaf(kind=float64)), names=(), maker=<class 'tuple'>)
    """
    kind = nt.unliteral(kind)
    if isinstance(kind, nt.Omitted):
        return Static(None) if kind.value is None else layout_of_value(kind.value, "default")
    if isinstance(kind, nt.NoneType):
        return Static(None)
    if isinstance(kind, nt.Dispatcher):
        return Static(kind.dispatcher)
    if isinstance(kind, nt.BaseTuple):
        parts = tuple(map(layout_of_type, kind.types))
        is_named = isinstance(kind, nt.BaseNamedTuple)
        return Packed(parts, tuple(kind.fields), kind.instance_class) if is_named else Packed(parts)
    return Leaf(kind)


def kind_of(layout: Layout) -> nt.Type:
    """Return the Numba type that generated code sees for an argument."""
    match layout:
        case Leaf():
            return layout.kind
        case Static(value=value):
            return numba.typeof(value) if hasattr(value, "py_func") else nt.none
        case Packed(maker=maker) if is_bare(maker):
            return nt.Tuple([kind_of(part) for part in layout.parts])
        case Packed():
            kinds = [kind_of(part) for part in layout.parts]
            same = all(kind == kinds[0] for kind in kinds)
            if same and kinds:
                return nt.NamedUniTuple(kinds[0], len(kinds), layout.maker)
            return nt.NamedTuple(kinds, layout.maker)


def plain(value: Any, layout: Layout) -> Any:
    """Return an argument as generated code takes it: dictionaries and lists as tuples, functions as None."""
    match layout:
        case Leaf():
            return as_plain(value)
        case Static():
            return value if hasattr(value, "py_func") else None
        case Packed(maker=maker):
            items = items_of(value, layout)
            parts = [plain(item, part) for item, part in zip(items, layout.parts, strict=True)]
            return tuple(parts) if is_bare(maker) else maker(*parts)


def flat(value: Any, layout: Layout) -> Iterator[Any]:
    """Yield the single values of an argument, in the order of `leaves`."""
    match layout:
        case Leaf():
            yield value
        case Packed():
            for item, part in zip(items_of(value, layout), layout.parts, strict=True):
                yield from flat(item, part)


def gradient_layout(layout: Layout) -> Layout:
    """Return the layout of a gradient: that of the argument, with None for parts without a derivative."""
    match layout:
        case Leaf():
            return layout if is_continuous(layout.kind) else Static(None)
        case Static():
            return Static(None)
        case Packed():
            parts = tuple(map(gradient_layout, layout.parts))
            return Packed(parts, layout.names, layout.maker)


def direction_layout(layouts: Sequence[Layout], single: bool) -> Layout:
    """Return the layout of a direction: that of a gradient, of arrays that stand in memory without gaps."""

    def laid_out(leaf: Leaf) -> Layout:
        kind = leaf.kind
        return Leaf(kind.copy(layout="C", readonly=False)) if isinstance(kind, nt.Array) else leaf

    parts = tuple(map_leaves(gradient_layout(layout), laid_out) for layout in layouts)
    return parts[0] if single else Packed(parts)


def repacked(found: Any, layout: Layout) -> Any:
    """Return what generated code gave as a tuple as the list, dictionary or dataclass that it stands for."""
    match layout:
        case Packed():
            parts = [repacked(item, part) for item, part in zip(found, layout.parts, strict=True)]
            return pack_python(layout, parts)
        case _:
            return found


def needs_repacking(layout: Layout) -> bool:
    """Tell whether a layout holds what compiled code gives back as a tuple, and is none."""
    match layout:
        case Packed(maker=maker):
            is_known = maker is tuple or not is_bare(maker)
            return not is_known or any(map(needs_repacking, layout.parts))
    return False


def ranked(layout: Layout) -> Layout:
    """Return a layout with the number of axes of each value as its kind: all that the graph depends on."""
    match layout:
        case Leaf():
            axes = None if layout.kind is None else rank(layout.kind)
            return Leaf(OfComplex(axes) if axes is not None and is_complex(layout.kind) else axes)
        case Packed():
            return Packed(tuple(map(ranked, layout.parts)), layout.names, layout.maker)
    return layout


def hold_complex(ranks: Sequence[Layout]) -> bool:
    """Tell whether there are complex numbers among what layouts hold whose kinds are numbers of axes."""
    return any(isinstance(leaf.kind, OfComplex) for layout in ranks for leaf in leaves(layout))
