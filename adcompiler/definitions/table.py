"""Functions that are defined in the language itself: a call of one is written out in its place.

`np.max(x, axis=0)` is a few loops. Written as such, it works inside compiled code, which knows `np.max(x)`
only, and its derivative is derived from the loops: no rule is needed. A definition has the signature of
the function that it stands for. Tests of what is known before the program runs (`axis is None`,
`a.ndim == 2`) leave one path only; loops over tuples are written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Given = Mapping[str, Any]
"""The arguments of a call by name: constants and tuples of constants as they are, all else by its atom."""
Ranks = Mapping[str, int | None]
"""The number of axes of each argument, as far as it is known."""
Test = Callable[[Given, Ranks], bool]


@dataclass(frozen=True)
class Definition:
    """A function in the language.

    Attributes:
        function: the function.
        when: tells when it is used in place of the primitive.
        is_analytic: whether it is meant for complex arguments, too.
        reals: of a definition for complex arguments, those that have to be real all the same.
    """

    function: Callable[..., Any]
    when: Test
    is_analytic: bool = False
    reals: tuple[str, ...] = ()


DEFINITIONS: dict[str, list[Definition]] = {}
SHOWN = frozenset({"np.broadcast_to", "np.einsum without sums"})
"""Definitions that return a copy where NumPy shows the array itself: it may not be written afterwards."""


def always(given: Given, ranks: Ranks) -> bool:
    """The definition is for every call."""
    return True


def has(*names: str) -> Test:
    """The definition is for calls that say something about one of these arguments.

    >>> has("axis", "keepdims")({"a": 1, "axis": 0}, {}), has("axis", "keepdims")({"keepdims": False}, {})
    (True, False)
    """
    return lambda given, ranks: any(
        given.get(name) is not None and given.get(name) is not False for name in names
    )


def is_number(given: Given, ranks: Ranks) -> bool:
    """The definition is for numbers `a`."""
    return ranks.get("a") == 0


def has_several_axes(given: Given, ranks: Ranks) -> bool:
    """The definition is for calls with a tuple of axes."""
    return isinstance(given.get("axis"), tuple)


def has_more_axes(given: Given, ranks: Ranks) -> bool:
    """The definition is for arrays `a` of more than one axis."""
    return (ranks.get("a") or 1) > 1


def define(
    *names: str, when: Test = always, is_analytic: bool = False, reals: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a definition; of several for one name, the first that fits is used.

    Args:
        names: canonical names of the functions that it stands for.
        when: tells from the arguments whether it is meant.
        is_analytic: whether it holds for complex arguments as it is.
        reals: names of arguments that have to be real, where others may be complex.
    """

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            DEFINITIONS.setdefault(name, []).append(
                Definition(function, when, is_analytic or bool(reals), reals)
            )
        return function

    return enter


def refuse(reason: str) -> Any:
    """Stand, in a definition, where a call cannot be differentiated or has no meaning.

    Raises:
        NotImplementedError: where the definition runs as plain Python.
    """
    raise NotImplementedError(reason)
