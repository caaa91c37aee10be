"""`jvp`: outputs of any structure and their derivatives along a direction."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

from adcompiler.api.arguments import kind_of, plain
from adcompiler.api.checks import TANGENT, flat_tangent, seed
from adcompiler.api.partials import written_out
from adcompiler.api.plans import Plan, plans_of, quick_key, seed_kinds
from adcompiler.api.pullback import Aux, Outputs, derivative_of, pair
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Packed


@overload
def jvp(
    function: Callable[..., Outputs],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jit: bool = ...,
    has_aux: Literal[False] = ...,
    **options: Any,
) -> tuple[Outputs, Any]: ...


@overload
def jvp(
    function: Callable[..., tuple[Outputs, Aux]],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jit: bool = ...,
    has_aux: Literal[True],
    **options: Any,
) -> tuple[Outputs, Any, Aux]: ...


def jvp(
    function: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jit: bool = True,
    has_aux: bool = False,
    **options: Any,
) -> tuple[Any, ...]:
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
        has_aux: whether the function returns a pair (outputs, auxiliary values), of which the second has no
            tangent.
        **options: those of `grad`.

    Returns:
        the outputs, and in the same structure their tangents (None for outputs without a derivative); with
        `has_aux`, the auxiliary values, too.

    Raises:
        DifferentiationError: where the function cannot be differentiated, or a tangent does not fit.

    >>> import numpy as np
    >>> def polar(r, angle):
    ...     return r * np.cos(angle), r * np.sin(angle)
    >>> jvp(polar, (2.0, 0.0), (1.0, 0.5))
    ((2.0, 0.0), (1.0, 1.0))
    """
    function = written_out(function)
    if not all(isinstance(given, Sequence) for given in (primals, tangents)):
        cure = "jvp(f, (x,), (tangent,))"
        raise DifferentiationError("AD305", "arguments and tangents are given as tuples", None, cure)
    if len(primals) != len(tangents):
        reason = f"there are {len(primals)} arguments and {len(tangents)} tangents"
        raise DifferentiationError("AD305", reason)
    fixed = tuple(sorted(options.items())) if options else ()
    plans = plans_of("jvp", function, jit, fixed)
    plan = plans.find((*primals, *tangents), _planned, function, primals, tangents, jit, fixed)
    if plan.is_complete:
        args = tuple(primals)
        seeds = [seed(tangents[k], args[k], number, is_array, TANGENT) for k, number, is_array in plan.seeds]
    else:
        changes, layouts = _by_position(function, tangents), plan.made.layouts
        bound = plan.derivative.bound(tuple(primals))
        seeds = [part for k in changes for part in flat_tangent(changes[k], bound[k], layouts[k])]
        args = tuple(map(plain, bound, layouts))
    value, found = plan.derivative.run(plan.made, (*args, *seeds))
    if not has_aux:
        return value, found
    assert isinstance(plan.returns, Packed)
    outputs, aux = pair(value, plan.returns.parts[0], plan.derivative.python.__name__)
    return outputs, found[0], aux


def _planned(
    function: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    jit: bool,
    options: tuple[Any, ...],
) -> Plan:
    wrt = tuple(_by_position(function, tangents))
    derivative = derivative_of(function, "jvp", wrt, jit, options)
    bound = derivative.bound(tuple(primals))
    made = derivative._specialise(derivative.layouts(bound))
    is_complete = (
        quick_key(tuple(primals)) is not None
        and made.is_plain
        and len(primals) == len(bound)
        and not derivative.is_variadic
    )
    seeds = seed_kinds((k, kind_of(made.layouts[k])) for k in wrt if is_complete)
    return Plan(derivative, made, len(bound), is_complete, derivative, made.interface.returns, seeds)


def _by_position(function: Callable[..., Any], tangents: Sequence[Any]) -> dict[int, Any]:
    """Return the tangents that are given, by the position of their parameter."""
    signature = inspect.signature(getattr(function, "py_func", function))
    if all(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature.parameters.values()):
        given = dict(enumerate(tangents))
    else:  # several arguments may belong to one parameter
        found = signature.bind_partial(*tangents).arguments
        given = {k: found.get(name) for k, name in enumerate(signature.parameters)}
    return {k: tangent for k, tangent in given.items() if tangent is not None}
