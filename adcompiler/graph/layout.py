"""How arguments and results are built from single values: tuples, named tuples and dictionaries of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Leaf:
    """One value; `kind` is its Numba type where that is known."""

    kind: Any = None


@dataclass(frozen=True)
class Static:
    """An object fixed when the function is differentiated: a function passed as an argument, or None."""

    value: Any


@dataclass(frozen=True)
class Packed:
    """Several parts in one value: a tuple, or what `maker` (a named tuple's class, dict, list) builds.

    Attributes:
        parts: their layouts.
        names: names of the fields or keys; empty for tuples and lists.
        maker: `tuple`, `list`, `dict`, or the class of a named tuple.
    """

    parts: tuple[Layout, ...]
    names: tuple[str, ...] = ()
    maker: Any = tuple


Layout = Leaf | Static | Packed


def leaves(layout: Layout) -> Iterator[Leaf]:
    """Yield the single values of a layout, in order.

    >>> len([*leaves(Packed((Leaf(), Packed((Leaf(), Static(None))))))])
    2
    """
    match layout:
        case Leaf():
            yield layout
        case Packed():
            for part in layout.parts:
                yield from leaves(part)


def map_leaves(layout: Layout, change: Callable[[Leaf], Layout]) -> Layout:
    """Return a layout with each single value replaced, in the order of `leaves`.

    >>> map_leaves(Packed((Leaf(), Static(None))), lambda leaf: Static(0))
    Packed(parts=(Static(value=0), Static(value=None)), names=(), maker=<class 'tuple'>)
    """
    match layout:
        case Leaf():
            return change(layout)
        case Packed():
            return Packed(
                tuple(map_leaves(part, change) for part in layout.parts), layout.names, layout.maker
            )
    return layout


def build(layout: Layout, supply: Iterator[Any], pack: Callable[[Packed, list[Any]], Any]) -> Any:
    """Build a value: leaves are taken from `supply`, `pack` puts the parts of a `Packed` together."""
    match layout:
        case Leaf():
            return next(supply)
        case Static():
            return layout.value
        case Packed():
            return pack(layout, [build(part, supply, pack) for part in layout.parts])


def pack_python(layout: Packed, parts: Iterable[Any]) -> Any:
    """Put Python values together as the layout says.

    >>> pack_python(Packed((Leaf(), Leaf()), ("a", "b"), dict), [1, 2])
    {'a': 1, 'b': 2}
    """
    if layout.maker is dict:
        return dict(zip(layout.names, parts, strict=True))
    if layout.maker in (tuple, list):
        return layout.maker(parts)
    return layout.maker(*parts)


def as_plain(value: Any) -> Any:
    """Return a number or text of a class of its own, such as a member of an IntEnum, as what it is one of.

    >>> import enum
    >>> as_plain(enum.IntEnum("Kind", "ONE TWO").TWO)
    2
    """
    kind = type(value)
    if kind in (float, int, bool, str) or not isinstance(value, int | float | str):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return value if kind is np.float64 else float.__float__(value)
