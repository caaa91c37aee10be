"""Plans of `vjp` and `jvp`: what follows from a function and the types of its arguments, found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba._dispatcher import compute_fingerprint
from numba.core import types as nt

from adcompiler.api.derivative import Derivative
from adcompiler.api.specialised import Specialised
from adcompiler.frontend.reads import hold
from adcompiler.graph.kinds import element, is_array
from adcompiler.graph.layout import Layout

_SIMPLE = frozenset({np.ndarray, float, int, complex, np.float64, np.float32, np.complex128, type(None)})


@dataclass
class Plan:
    """How a function is differentiated for arguments of certain types.

    Attributes:
        derivative: what differentiates it.
        made: its specialisation.
        count: the number of arguments, one for each parameter.
        is_complete: whether the arguments are given one for each parameter, as numbers and arrays.
        outputs: what computes the outputs, where that is another object.
        returns: the structure of the outputs.
        seeds: of each adjoint or tangent that is given, the position of what it belongs to, the type of
            its numbers, and whether it is an array.
    """

    derivative: Derivative[..., Any]
    made: Specialised
    count: int
    is_complete: bool
    outputs: Derivative[..., Any]
    returns: Layout
    seeds: tuple[tuple[int, np.dtype[Any], bool], ...] = ()

    def __post_init__(self) -> None:
        one, other = self.outputs.seen, self.derivative.seen
        found = [one.reads()] if one.covers(other) else [one.reads(), other.reads()]
        self.reads = None if None in found else [read for reads in found for read in reads or ()]
        self.versions = self.outputs.version, self.derivative.version

    def is_current(self) -> bool:
        """Tell whether all that the function reads of its surroundings is as it was."""
        if self.versions != (self.outputs.version, self.derivative.version):
            return False  # for other arguments it has been compiled again
        return hold(self.reads) or (self.outputs.is_current() and self.derivative.is_current())

    def kept(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return one argument for each parameter, arrays as copies."""
        if not self.is_complete:
            args = self.derivative.bound(args)
        return tuple([np.array(arg) if isinstance(arg, np.ndarray) else arg for arg in args])


class Plans:
    """The plans for one function, by types of arguments."""

    def __init__(self) -> None:
        self.known: dict[bytes, Plan] = {}

    def find(self, given: tuple[Any, ...], make: Callable[..., Plan], *to_make: Any) -> Plan:
        """Return the plan for what is given; it is made where there is none that still holds."""
        key = quick_key(given)
        if key is None:
            return make(*to_make)
        found = self.known.get(key)
        if found is None or not found.is_current():
            found = self.known[key] = make(*to_make)
        return found


@lru_cache(maxsize=256)
def plans_of(kind: str, function: Callable[..., Any], jit: bool, options: tuple[Any, ...]) -> Plans:
    """Return the plans for a function; `kind` tells what for."""
    return Plans()


def quick_key(args: tuple[Any, ...]) -> bytes | None:
    """Return what fixes the types of numbers and arrays, as Numba's dispatchers find it; None for all else.

    >>> quick_key((1.0, 2)) == quick_key((3.0, 4)), quick_key(({},)), quick_key((np.ma.array([1.0]),))
    (True, None, None)
    """
    if not _SIMPLE.issuperset(map(type, args)):
        return None
    try:
        key: bytes = compute_fingerprint(args)
        return key
    except (NotImplementedError, ValueError):
        return None


def seed_kinds(kinds: Iterable[tuple[int, nt.Type | None]]) -> tuple[tuple[int, np.dtype[Any], bool], ...]:
    """Return what a plan knows of seeds, given the positions and types of what they belong to."""
    return tuple((k, np.dtype(str(element(kind))), is_array(kind)) for k, kind in kinds if kind is not None)
