"""What has to be known of a generated function to call it."""

from __future__ import annotations

from dataclasses import dataclass

from numba.core import types as nt

from adcompiler.graph.layout import Layout


@dataclass(frozen=True)
class Adjoint:
    """What has to be known of the second function of a pullback, which is given what the first one kept.

    Attributes:
        name: its name.
        kinds: the types of what was kept, and of adjoints.
        returns: layout of its result.
    """

    name: str
    kinds: tuple[nt.Type, ...]
    returns: Layout


@dataclass(frozen=True)
class Interface:
    """What has to be known of a generated function to call it.

    Attributes:
        returns: layout of its result.
        writes: positions of the arguments that it works on copies of, because the function writes them.
        seeds: types of further arguments: adjoints of the results, or tangents; None for values without.
        is_conditional: whether it assumes of sizes what only some calls may need.
        decisive: positions of the single values whose elements decide where a derivative is not zero.
        adjoint: the function that reverses this one, where they are two.
    """

    returns: Layout
    writes: tuple[int, ...] = ()
    seeds: tuple[nt.Type | None, ...] = ()
    is_conditional: bool = False
    decisive: tuple[int, ...] = ()
    adjoint: Adjoint | None = None
