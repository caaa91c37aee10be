"""All cards, how one is entered, and how one is found."""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Callable
from typing import Any

from adcompiler.primitives.card import Card, Follows, Gives
from adcompiler.primitives.rule import Elementwise, Structured, formula, partials_of

CARDS: dict[str, Card] = {}
RANKS = range(1, 7)
"""The numbers of axes for which rules of whole arrays are entered."""
_LIBRARIES = {"np": "numpy", "math": "math", "special": "scipy.special", "linalg": "scipy.linalg"}
_LIBRARIES |= {"factors": "adcompiler.runtime.factors", "random": "random", "time": "time"}
_LIBRARIES |= {"operator": "operator", "cmath": "cmath", "lanes": "adcompiler.runtime.lanes"}
_LIBRARIES |= {"sets": "adcompiler.runtime.sets", "common": "adcompiler.definitions.common"}
_IMPURE = ("np.random.", "random.", "time.")


def enter(names: str, **claims: Any) -> None:
    """Enter cards that make the same claims.

    Args:
        names: names of primitives, separated by spaces.
        claims: attributes of `Card`.
    """
    for name in names.split():
        assert name not in CARDS, f"two cards for {name}"
        CARDS[name] = Card(name, **claims)


def elementwise(
    names: str,
    *partials: str | None,
    at: tuple[tuple[float, ...], ...],
    inputs: str | None = None,
    on_complex: tuple[str, str] | None = None,
    gives: Gives = Gives.REAL,
    **claims: Any,
) -> None:
    """Enter the cards of an elementwise function.

    Args:
        names: names of primitives that share the rule, separated by spaces.
        partials: source of ∂y/∂input for each input; None where it is zero, UNKNOWN where there is none.
        at: points (one tuple of inputs each) at which tests compare with differences.
        inputs: names of the inputs, separated by spaces; by default `x`, or `a b`, or `c a b`.
        on_complex: source of the adjoint of a complex input `x`, over `x`, the result `y` and its adjoint
            `d`, and of the tangent of the result, over `x`, `y` and the tangent `t` of the input. Adjoints
            follow JAX's convention: the change of the result is the real part of adjoint times change.
        gives: the type of the numbers.
        claims: further attributes of `Card`.
    """
    rule = partials_of(partials, at, inputs)
    complex_rule = None
    if on_complex is not None:
        adjoint, tangent = map(formula, on_complex)
        complex_rule = Elementwise(("x",), (adjoint,), (), tangent=tangent)
    count = len(rule.inputs)
    enter(
        names,
        **{"arity": (count, count), "follows": Follows.BROADCAST, "gives": gives} | claims,
        partials=rule,
        complex_partials=complex_rule,
    )


def vjp(
    names: str, *ranks: int, axis: int | None = None, broadcasts: bool = False, of_complex: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the vector-Jacobian product of structured functions for arguments of these ranks.

    Args:
        names: names on whose cards it is written, separated by spaces.
        ranks: number of axes of each array argument; 0 is a number.
        axis: the value of the `axis` argument that the rule is for.
        broadcasts: the rule returns an adjoint that broadcasts to the shape of the input.
        of_complex: the rule is for complex arguments, those that are entered without are for real ones.
    """

    def write(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names.split():
            known = CARDS[name].complex_vjps if of_complex else CARDS[name].vjps
            known[ranks, axis] = Structured(function, broadcasts)
        return function

    return write


def jvp(
    names: str, *ranks: int, of_complex: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the Jacobian-vector product of functions that are not linear, for arguments of these ranks.

    Args:
        names: names on whose cards it is written, separated by spaces.
        ranks: number of axes of each array argument.
        of_complex: the rule is for complex arguments.
    """

    def write(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names.split():
            known = CARDS[name].complex_jvps if of_complex else CARDS[name].jvps
            known[ranks] = function
        return function

    return write


def card(name: str) -> Card:
    """Return the card of a primitive; of a function of a library that has none, a card that claims little.

    >>> from adcompiler.primitives import card
    >>> card("np.zeros").allocates, card("T").is_view, card("np.random.normal").is_pure
    (<Fill.ZEROS: ...>, True, False)
    """
    found = CARDS.get(name)
    return found if found is not None else _of_library(name)


@functools.cache
def _of_library(name: str) -> Card:
    is_ufunc = type(library_function(name)).__name__ == "ufunc"
    follows = Follows.BROADCAST if is_ufunc or name.startswith(("math.", "special.")) else Follows.OWN
    return Card(name, is_pure=not name.startswith(_IMPURE), follows=follows)


def hint(name: str) -> str:
    """Return a name for the result of a primitive where the user gave none.

    >>> hint("math.tanh"), hint("getitem"), hint("mul")
    ('tanh', 'item', 'mul')
    """
    return card(name).result_hint


def is_known(name: str) -> bool:
    """Tell whether there is a primitive of a name: one with a card, or a function of a library.

    >>> is_known("np.interp"), is_known("np.imterp")
    (True, False)
    """
    return name in CARDS or library_function(name) is not None


def similar_names(name: str) -> list[str]:
    """Return names of primitives that a misspelt one may mean."""
    return difflib.get_close_matches(name, CARDS, 2)


def library_function(name: str) -> object:
    """Return the function of a library that a name such as `np.linalg.norm` stands for, or None."""
    first, *path = name.split(".")
    if not path or first not in _LIBRARIES:
        return None
    found: Any = importlib.import_module(_LIBRARIES[first])
    for part in path:
        found = getattr(found, part, None)
    return found


def part_of(name: str, count: int) -> int | None:
    """Return which of its arguments a primitive such as `np.linalg.qr[1]` stands for; None for all else.

    In the graph, `np.linalg.qr[1]` of a matrix and of what the function returned for it is the second of
    these, seen as a function of the matrix.

    >>> part_of("np.linalg.qr[1]", 3), part_of("np.linalg.qr", 1)
    (2, None)
    """
    if not name.endswith("]"):
        return None
    whole, _, position = name[:-1].partition("[")
    return count - len(CARDS[whole].part_names) + int(position)
