"""Which derivative of a function is meant, a chain of transformations, and what its text is to be like."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from adcompiler.graph.layout import direction_name

Kind = Literal["grad", "value_and_grad", "pullback", "halves", "jvp", "tangent", "slope"]


@dataclass(frozen=True)
class Step:
    """One transformation of a function.

    Attributes:
        kind: what the new function returns: the gradient of its one result (`grad`), the result and the
            gradient, the adjoints of the arguments given those of the results (`pullback`), the results
            and their tangents given those of the arguments (`jvp`), these tangents only, or the
            derivatives by one number (`slope`). What is given are arguments after those of the function.
        wrt: positions of the arguments that have an adjoint or tangent.
        has_aux: whether the function returns a pair, and the derivative returns the second part, too.
        holomorphic: whether arguments and results are complex, and the derivative a complex number: results
            then are where they get adjoints, arguments where they get tangents. If False, these are real;
            None where they may be either. A gradient is that of a real result, unless it is holomorphic.
        transposed: of two halves, whether the second one is the transpose of the reverse sweep: it takes
            tangents of the arguments.
        in_lanes: whether tangents or adjoints are several ones at once, along a last axis of each array that
            is given and returned.
        in_sets: whether what is returned tells where derivatives are not zero: "everywhere", or "here", for
            certain arguments.
    """

    kind: Kind
    wrt: tuple[int, ...]
    has_aux: bool = False
    holomorphic: bool | None = field(default=None, repr=False)
    transposed: bool = field(default=False, repr=False)
    in_lanes: bool = field(default=False, repr=False)
    in_sets: Literal["", "everywhere", "here"] = field(default="", repr=False)


Chain = tuple[Step, ...]


@dataclass(frozen=True)
class NamedAxes:
    """The axes along which a batch goes in the items of a dictionary, by their keys."""

    names: tuple[str, ...]
    parts: tuple[Axes, ...]


Axes = int | None | tuple["Axes", ...] | NamedAxes
"""Along which axis a batch goes: of everything, or of each part; None for what all elements share."""


Entries = Literal["entries_by_columns", "entries_by_rows", "entries_of_hessian"]
"""The entries of a sparse matrix of derivatives, whose places are one more argument."""
Matrix = Literal["jacobian", "jacfwd", "jacrev", "hessian", "vmap", Entries]
"""Derivatives that are loops around products with vectors, and the loop around a function."""


@dataclass(frozen=True)
class Room:
    """How much a loop may keep that is run again from checkpoints.

    Attributes:
        slots: the number of states of each loop.
        memory: bytes of all arrays that a derivative makes, where the number is not given.
    """

    slots: int | None = None
    memory: int | None = None


@dataclass(frozen=True)
class Style:
    """What the generated text is to be like.

    Attributes:
        single: whether one gradient is returned by itself, not as a tuple.
        accurate: whether the order of all sums is kept, and the elementary functions of libm.
        broadcasts: whether arrays may be stretched where only their sizes tell.
        ones: single values of the arguments, by position, and axes of theirs that are taken to have size 1.
        cautious: whether nothing is assumed of sizes for the sake of code in a branch that may not be taken.
        packed: whether the tangents are one argument `v` in the structure of the gradient.
        checks: whether each value and adjoint is checked to be finite.
        in_lanes: whether Jacobians and Hessians are computed along several directions at once.
        wide_sums: whether loops add up numbers of single precision in double precision.
        room: what limits the states that loops keep to be run again from; None where they keep all that their
            reversal reads.
        parallel: whether iterations that do not depend on each other run at once.
    """

    single: bool = True
    accurate: bool = False
    broadcasts: bool = False
    ones: tuple[tuple[int, int], ...] = ()
    cautious: bool = False
    packed: bool = False
    checks: bool = False
    in_lanes: bool = True
    wide_sums: bool = False
    room: Room | None = None
    parallel: bool = False


def is_one_reverse_step(chain: Chain) -> bool:
    """Tell whether a derivative is one reverse sweep.

    >>> is_one_reverse_step((Step("grad", (0,)),)), is_one_reverse_step((Step("jvp", (0,)),))
    (True, False)
    """
    return len(chain) == 1 and chain[0].kind in ("grad", "value_and_grad", "pullback", "halves")


def gradient_of(chain: Chain, wrt: tuple[int, ...], holomorphic: bool = False) -> Chain | None:
    """Return the chain for the gradient of a function that is a derivative itself; None where there is none.

    Derivatives by numbers can be taken in any order, so a gradient comes first and forward mode after it.
    What the last one is taken of is complex if the number is by which the one before it is taken.

    >>> gradient_of((Step("grad", (0,)),), (1,))
    (Step(kind='grad', wrt=(1,), has_aux=False), Step(kind='slope', wrt=(0,), has_aux=False))
    """
    match chain:
        case ():
            return (Step("grad", wrt, holomorphic=holomorphic),)
        case (Step(kind="grad", wrt=(inner,)) as first, *rest) if all(step.kind == "slope" for step in rest):
            slope = Step("slope", (inner,), holomorphic=holomorphic)
            return (replace(first, wrt=wrt), slope, *rest)
    return None


def pullback_of(chain: Chain, wrt: tuple[int, ...]) -> Chain | None:
    """Return the chain for the pullback of a function that may be a derivative; None where there is none.

    A Hessian is symmetric: the pullback of a gradient is the gradient's derivative along a direction.
    """
    match chain:
        case ():
            return (Step("pullback", wrt),)
        case (Step(kind="grad", wrt=inner) as first, *rest) if all(step.kind == "slope" for step in rest):
            return (replace(first, wrt=wrt), Step("tangent", inner), *rest)
    return None


def extended(mode: str, signature: inspect.Signature) -> inspect.Signature:
    """Return the parameters of a derivative: those of its function, and a direction or places of entries.

    Where there is one more parameter, the arguments for all others have to be given.

    >>> def f(x, k=1.0): ...
    >>> extended("grad", inspect.signature(f)), extended("hvp", inspect.signature(f))
    (<Signature (x, k=1.0)>, <Signature (x, k, v)>)
    """
    if mode != "hvp" and mode not in get_args(Entries):
        return signature
    kind, names = inspect.Parameter.POSITIONAL_OR_KEYWORD, [*signature.parameters]
    own = [p.replace(kind=kind, default=p.empty) for p in signature.parameters.values()]
    name = direction_name(names) if mode == "hvp" else direction_name(names, "entries")
    return inspect.Signature([*own, inspect.Parameter(name, kind)])
