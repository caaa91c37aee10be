"""How arguments and results are built from single values: tuples, dictionaries and dataclasses of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass
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
        maker: `tuple`, `list`, `dict`, or the class of a named tuple or dataclass.
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


def is_bare(maker: Any) -> bool:
    """Tell whether compiled code knows what `maker` builds as a plain tuple, and no class of its own.

    >>> is_bare(dict), is_bare(list), is_bare(Leaf)
    (True, True, True)
    """
    return maker in (tuple, list, dict) or is_dataclass(maker)


def items_of(value: Any, layout: Packed) -> Iterable[Any]:
    """Return the parts of a Python value, in the order of a layout.

    >>> [*items_of({"a": 1, "b": 2}, Packed((Leaf(), Leaf()), ("b", "a"), dict))]
    [2, 1]
    """
    if layout.maker is dict:
        return [value[name] for name in layout.names]
    if is_dataclass(layout.maker):
        return [getattr(value, name) for name in layout.names]
    items: Iterable[Any] = value
    return items


def pack_python(layout: Packed, parts: Iterable[Any]) -> Any:
    """Put Python values together as the layout says.

    >>> pack_python(Packed((Leaf(), Leaf()), ("a", "b"), dict), [1, 2])
    {'a': 1, 'b': 2}
    """
    maker: Callable[..., Any] = layout.maker
    if maker is dict or is_dataclass(maker):
        return maker(**dict(zip(layout.names, parts, strict=True)))
    return maker(parts) if maker in (tuple, list) else maker(*parts)


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


def derived_name(name: str, *what: str) -> str:
    """Return the name of a derivative of a function of this name.

    >>> derived_name("loss", "grad"), derived_name("lambda_", "value_and_grad")
    ('loss_grad', 'lambda_value_and_grad')
    """
    return "_".join([name.rstrip("_") or name, *what])


def direction_name(names: Sequence[str], name: str = "v") -> str:
    """Return a name for a direction, or another argument more, that no parameter of the function has.

    >>> direction_name(["x", "k"]), direction_name(["v"])
    ('v', 'v_')
    """
    while name in names:
        name += "_"
    return name
