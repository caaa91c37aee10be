"""`vjp`: outputs of any structure, and the function that pulls their adjoints back to the arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np

from adcompiler.api.arguments import flat, layout_of_value, needs_repacking, plain, repacked
from adcompiler.api.checks import Argnums, check_apart, seed
from adcompiler.api.derivative import Derivative
from adcompiler.api.explaining import note_place
from adcompiler.api.exporting import write_for
from adcompiler.api.plans import Plan, plans_of, quick_key, seed_kinds
from adcompiler.api.specialised import Specialised, assuming_less, outdated, run_plainly
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_continuous
from adcompiler.graph.layout import Layout, Leaf, Packed, items_of, leaves, pack_python
from adcompiler.runtime.guards import SizeError
from adcompiler.turns import in_turn

ADJOINT = "the adjoint of an output"
Outputs = TypeVar("Outputs")
Aux = TypeVar("Aux")


def derivative_of(
    function: Callable[..., Any], mode: Any, wrt: Argnums, jit: bool, options: tuple[Any, ...]
) -> Derivative[..., Any]:
    """Return the object that differentiates a function in some mode, made once; it sees what is there now."""
    made = _made_once(function, mode, wrt, jit, options)
    if not made.is_current():
        _bring_up_to_date(made)
    return made


@in_turn
def _bring_up_to_date(made: Derivative[..., Any]) -> None:
    if not made.is_current():  # no other thread has done it in the meantime
        made.recompile()


@lru_cache(maxsize=256)
def _made_once(
    function: Callable[..., Any], mode: Any, wrt: Argnums, jit: bool, options: tuple[Any, ...]
) -> Derivative[..., Any]:
    return Derivative(function, mode, wrt, jit, dict(options))


@overload
def vjp(
    function: Callable[..., Outputs],
    *args: Any,
    jit: bool = ...,
    has_aux: Literal[False] = ...,
    **options: Any,
) -> tuple[Outputs, Pullback]: ...


@overload
def vjp(
    function: Callable[..., tuple[Outputs, Aux]],
    *args: Any,
    jit: bool = ...,
    has_aux: Literal[True],
    **options: Any,
) -> tuple[Outputs, Pullback, Aux]: ...


def vjp(
    function: Callable[..., Any], *args: Any, jit: bool = True, has_aux: bool = False, **options: Any
) -> tuple[Any, ...]:
    """Return the outputs of a function and the function that multiplies by its transposed Jacobian.

    Args:
        function: a numeric Python function or `@njit` dispatcher with results of any structure: numbers,
            arrays, tuples, named tuples. One without a result has the arguments that it writes as
            its outputs; the caller's arrays stay as they are.
        *args: its arguments.
        jit: False runs the generated text as plain Python.
        has_aux: whether the function returns a pair (outputs, auxiliary values), of which the second has no
            adjoint.
        **options: Numba options.

    Returns:
        the outputs, and a function from adjoints in the structure of the outputs to a tuple with the
        adjoint of each argument (None for arguments without a derivative); with `has_aux`, the auxiliary
        values, too. What the reverse sweep reads is kept, so that each call of that function is one reverse
        sweep; where lists of arrays would have to be kept, `function` runs once more.

    Raises:
        DifferentiationError: where the function cannot be differentiated.

    >>> import numpy as np
    >>> def polar(r, angle):
    ...     return r * np.cos(angle), r * np.sin(angle)
    >>> outputs, pullback = vjp(polar, 2.0, 0.0)
    >>> outputs
    (2.0, 0.0)
    >>> pullback((1.0, 3.0))
    (1.0, 6.0)
    """
    fixed = tuple(sorted(options.items())) if options else ()
    plan = plans_of("vjp", function, jit, fixed).find(args, _planned, function, args, jit, fixed)
    pullback = Pullback(plan, plan.kept(args), has_aux)
    if not has_aux:
        return pullback.value, pullback
    outputs, aux = pair(pullback.value, plan.returns, plan.derivative.python.__name__)
    return outputs, pullback, aux


class Pullback:
    """What `vjp` returns beside the outputs: the function from their adjoints to those of the arguments.

    Attributes:
        plan: how the function is differentiated.
        args: its arguments, copied.
        has_aux: whether the second part of its result has no adjoint.
        made: the specialisation whose forward sweep has run.
        value: what the function returned.
        kept: what the forward sweep has kept.
    """

    __slots__ = ("args", "has_aux", "kept", "made", "plan", "value")

    def __init__(self, plan: Plan, args: tuple[Any, ...], has_aux: bool = False) -> None:
        self.plan, self.args, self.has_aux = plan, args, has_aux
        self.made, (self.value, self.kept) = run_forward(plan, args)
        if needs_repacking(plan.returns):
            self.value = repacked(self.value, plan.returns)

    def __call__(self, adjoint: Any) -> tuple[Any, ...]:
        """Return the adjoint of each argument, given that of the outputs."""
        plan = self.plan
        if self.has_aux:
            assert isinstance(plan.returns, Packed)
            adjoint = adjoint, _zeros(self.value[1], plan.returns.parts[1])
        seeds = _seeds(adjoint, self.value, plan)
        found = run_half(plan.derivative, self.made.adjoint, (*self.kept, *seeds))
        assert self.made.interface.adjoint is not None
        returns = self.made.interface.adjoint.returns
        found = repacked(found, returns) if needs_repacking(returns) else found
        if len(found) == plan.count:
            return tuple(found)
        parts = iter(found)
        return tuple(next(parts) if k in plan.derivative.wrt else None for k in range(plan.count))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the pullback to a file, as `Derivative.export` does.

        The function there takes the arguments of the function, then the adjoint of each output.

        Args:
            path: the file.
        """
        own = self.plan.derivative
        options = tuple(sorted(own.given.items()))
        whole = derivative_of(own.function, "pullback", tuple(own.wrt), own.jit, options)
        write_for(whole, Path(path), self.plan.made.layouts)

    def __reduce__(self) -> Any:
        if not self.plan.is_current():
            raise outdated(self.plan.derivative.python.__name__)
        return _arrived, (self.plan.derivative, self.args, self.has_aux)

    def __repr__(self) -> str:
        return f"<adcompiler pullback of {self.plan.derivative.python.__name__}>"


def _arrived(derivative: Derivative[..., Any], args: tuple[Any, ...], has_aux: bool) -> Pullback:
    return Pullback(plan_of_halves(derivative, args, is_given=True), args, has_aux)


def run_forward(plan: Plan, args: tuple[Any, ...]) -> tuple[Specialised, Any]:
    """Run the forward sweep; return the specialisation that it belongs to, outputs and what was kept."""
    derivative, made = plan.derivative, plan.made
    given = args if plan.is_complete else tuple(map(plain, args, made.layouts))
    if made.interface.writes:
        check_apart(given, derivative.python.__name__, made.interface.writes)
    try:
        return made, run_half(derivative, made.function, given)
    except SizeError:
        if made.style.broadcasts:
            raise
    style = assuming_less(made.style, made.layouts, given)
    plan.made = derivative._specialise(made.layouts, style=style)
    return run_forward(plan, args)


def run_half(derivative: Derivative[..., Any], function: Any, args: tuple[Any, ...]) -> Any:
    try:
        return function(*args) if derivative.jit else run_plainly(function, args)
    except SizeError:
        raise
    except Exception as error:
        note_place(derivative, error, dict(zip(derivative.names, args, strict=False)))
        raise


def pair(value: Any, returns: Layout, name: str) -> tuple[Any, Any]:
    """Return the two parts of what a function returns that has auxiliary values.

    Raises:
        DifferentiationError: AD302 where there are not two.
    """
    if not isinstance(returns, Packed) or returns.maker is not tuple or len(returns.parts) != 2:
        reason = f"'{name}' returns no pair, as has_aux=True says"
        raise DifferentiationError("AD302", reason, None, "return (outputs, auxiliary values)")
    return value[0], value[1]


def _zeros(value: Any, layout: Layout) -> Any:
    """Return an adjoint of zeros."""
    match layout:
        case Packed():
            parts = zip(items_of(value, layout), layout.parts, strict=True)
            return pack_python(layout, [_zeros(item, part) for item, part in parts])
    return np.zeros_like(value) if isinstance(value, np.ndarray) else 0.0


def _planned(
    function: Callable[..., Any], args: tuple[Any, ...], jit: bool, options: tuple[Any, ...]
) -> Plan:
    bound = derivative_of(function, "outputs", (), jit, options).bound(args)
    layouts = tuple(layout_of_value(arg, "argument", True) for arg in bound)
    wrt = tuple(k for k, layout in enumerate(layouts) if any(is_continuous(x.kind) for x in leaves(layout)))
    derivative = derivative_of(function, "halves", wrt, jit, options)
    return plan_of_halves(derivative, bound, quick_key(args) is not None and len(args) == len(bound))


def plan_of_halves(derivative: Derivative[..., Any], args: tuple[Any, ...], is_given: bool) -> Plan:
    """Return the plan, compiled now: what the function reads may change until the pullback runs."""
    made = derivative._specialise(tuple(layout_of_value(arg, "argument", True) for arg in args))
    is_complete = is_given and made.is_plain and not derivative.is_variadic
    assert isinstance(made.interface.returns, Packed)
    seeds = seed_kinds(enumerate(made.interface.seeds))
    returns = made.interface.returns.parts[0]
    return Plan(derivative, made, len(args), is_complete, derivative, returns, seeds)


def _seeds(adjoint: Any, value: Any, plan: Plan) -> list[Any]:
    """Return the adjoints of the outputs as the generated function takes them."""
    if isinstance(plan.returns, Leaf):
        return [seed(adjoint, value, number, is_array, ADJOINT) for _, number, is_array in plan.seeds]
    given, outputs = _flat_pair(adjoint, value, plan.returns)
    return [seed(given[k], outputs[k], number, is_array, ADJOINT) for k, number, is_array in plan.seeds]


def _flat_pair(adjoint: Any, value: Any, returns: Layout) -> tuple[list[Any], list[Any]]:
    try:
        return [*flat(adjoint, returns)], [*flat(value, returns)]
    except (TypeError, ValueError, AttributeError) as error:
        reason = "the adjoint has another structure than the outputs"
        raise DifferentiationError("AD305", reason) from error
