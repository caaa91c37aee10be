"""Numba types as the text of expressions that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numba.core import types as nt

from adcompiler.errors import DifferentiationError


def type_text(kind: nt.Type, makers: Mapping[Any, str]) -> str:
    """Return the text of an expression that makes a type, where `types` is Numba's module.

    Args:
        kind: the type.
        makers: names of the classes of named tuples.

    Raises:
        DifferentiationError: AD501 for a type that has no such text.

    >>> type_text(nt.float64[:, ::1], {}), type_text(nt.UniTuple(nt.int64, 2), {})
    ('types.float64[:, ::1]', 'types.Tuple((types.int64, types.int64))')
    """
    match kind:
        case nt.NoneType():
            return "types.none"
        case nt.Array():
            return _array(kind, type_text(kind.dtype, makers))
        case nt.NamedUniTuple():
            item = type_text(kind.dtype, makers)
            return f"types.NamedUniTuple({item}, {kind.count}, {makers[kind.instance_class]})"
        case nt.BaseNamedTuple():
            return f"types.NamedTuple({_tuple(kind, makers)}, {makers[kind.instance_class]})"
        case nt.BaseTuple():
            return f"types.Tuple({_tuple(kind, makers)})"
        case nt.List():
            return f"types.List({type_text(kind.dtype, makers)}, reflected={kind.reflected})"
        case nt.Boolean():
            return "types.boolean"
        case nt.Number():
            return f"types.{kind.name}"
    reason = f"an argument is of type {kind}, which has no name in another program"
    raise DifferentiationError("AD501", reason, None, "pass numbers, arrays of numbers, or tuples of these")


def _tuple(kind: nt.BaseTuple, makers: Mapping[Any, str]) -> str:
    parts = [type_text(part, makers) for part in kind.types]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _array(kind: nt.Array, item: str) -> str:
    if kind.ndim == 0 or not kind.mutable or not kind.aligned:
        extra = "" if kind.mutable else ", readonly=True"
        extra += "" if kind.aligned else ", aligned=False"
        return f'types.Array({item}, {kind.ndim}, "{kind.layout}"{extra})'
    axes = [":"] * kind.ndim
    if kind.layout in "CF":
        axes[-1 if kind.layout == "C" else 0] = "::1"
    return f"{item}[{', '.join(axes)}]"
