"""`jvp`: outputs of any structure and their derivatives along a direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.types import element, is_array, is_continuous
from adcompiler.arguments import plain
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Layout, Leaf, Packed
from adcompiler.pullback import derivative_of


def jvp(
    function: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jit: bool = True,
    **options: Any,
) -> tuple[Any, Any]:
    """Return the outputs of a function and their derivatives along a direction: Jacobian times vector.

    One run of forward mode: it takes about as long as one or two of the function, whatever the number of
    outputs, and stores nothing.

    Args:
        function: a numeric Python function or `@njit` dispatcher with results of any structure: numbers,
            arrays, tuples, named tuples. One without a result has the arguments that it writes as
            its outputs; the caller's arrays stay as they are.
        primals: its arguments.
        tangents: the direction: for each argument a change of its structure and shape, or None for one that
            does not change, as also for arguments that are no floats.
        jit: False runs the generated text as plain Python.
        **options: those of `grad`.

    Returns:
        the outputs, and in the same structure their tangents (None for outputs without a derivative).

    Raises:
        DifferentiationError: where the function cannot be differentiated, or a tangent does not fit.

    >>> def polar(r, angle):
    ...     return r * np.cos(angle), r * np.sin(angle)
    >>> jvp(polar, (2.0, 0.0), (1.0, 0.5))
    ((2.0, 0.0), (1.0, 1.0))
    """
    if len(primals) != len(tangents):
        reason = f"there are {len(primals)} arguments and {len(tangents)} tangents"
        raise DifferentiationError("AD305", reason)
    wrt = tuple(k for k, tangent in enumerate(tangents) if tangent is not None)
    derivative = derivative_of(function, "jvp", wrt, jit, tuple(sorted(options.items())))
    args = derivative.bound(tuple(primals))
    made = derivative._specialise(derivative.layouts(args))
    seeds = [seed for k in wrt for seed in flat_tangent(tangents[k], args[k], made.layouts[k])]
    value, found = derivative.run(made, [*map(plain, args, made.layouts), *seeds])
    return value, found


def flat_tangent(tangent: Any, argument: Any, layout: Layout) -> Iterator[Any]:
    """Yield the tangents of the single values of an argument, as the generated function takes them.

    Raises:
        DifferentiationError: AD305 for a tangent that has not the structure or shape of the argument.
    """
    match layout:
        case Leaf(kind=kind) if is_continuous(kind):
            yield _seed(tangent, argument, kind)
        case Packed(maker=maker):
            own = [*argument.values()] if maker is dict else [*argument]
            try:
                given = [tangent[name] for name in layout.names] if maker is dict else [*tangent]
            except (TypeError, KeyError, AttributeError):
                given = []
            if tangent is None:
                given = [None] * len(own)
            if len(given) != len(own):
                raise DifferentiationError("AD305", "a tangent has another structure than its argument")
            for item, part, inner in zip(given, own, layout.parts, strict=True):
                yield from flat_tangent(item, part, inner)


def _seed(tangent: Any, argument: Any, kind: nt.Type) -> Any:
    scalar = np.dtype(str(element(kind)))
    if tangent is None:
        tangent = np.zeros(np.shape(argument))
    if np.shape(tangent) != np.shape(argument):
        reason = f"the tangent of an argument of shape {np.shape(argument)} has shape {np.shape(tangent)}"
        raise DifferentiationError("AD305", reason)
    return np.array(tangent, dtype=scalar, order="C") if is_array(kind) else scalar.type(tangent)
