"""`linearize`: outputs of any structure, and the linear function that is close to the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcompiler.api.arguments import layout_of_value, needs_repacking, repacked
from adcompiler.api.checks import flat_tangent
from adcompiler.api.derivative import Derivative
from adcompiler.api.plans import Plan
from adcompiler.api.pullback import Outputs, derivative_of, plan_of_halves, run_forward, run_half
from adcompiler.api.specialised import outdated
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_continuous
from adcompiler.graph.layout import leaves


def linearize(
    function: Callable[..., Outputs], *primals: Any, jit: bool = True, **options: Any
) -> tuple[Outputs, Pushforward]:
    """Return the outputs of a function and its derivative there, a linear function of tangents.

    Args:
        function: a numeric Python function or `@njit` dispatcher with results of any structure.
        *primals: its arguments.
        jit: False runs the generated text as plain Python.
        **options: those of `grad`.

    Returns:
        the outputs, and a function from a tangent for each argument, None for one that does not change, to
        the tangents of the outputs. What these read is kept, so that each call computes tangents only; where
        that cannot be, as in a function with lists of arrays, `function` runs once more.

    Raises:
        DifferentiationError: where the function cannot be differentiated, or a tangent does not fit.

    >>> import numpy as np
    >>> def polar(r, angle):
    ...     return r * np.cos(angle), r * np.sin(angle)
    >>> outputs, pushforward = linearize(polar, 2.0, 0.0)
    >>> outputs, pushforward(1.0, 0.5), pushforward(1.0, None)
    ((2.0, 0.0), (1.0, 1.0), (1.0, 0.0))
    """
    fixed = tuple(sorted(options.items()))
    bound = derivative_of(function, "outputs", (), jit, fixed).bound(primals)
    layouts = [layout_of_value(arg, "argument", True) for arg in bound]
    wrt = tuple(k for k, layout in enumerate(layouts) if any(is_continuous(x.kind) for x in leaves(layout)))
    derivative = derivative_of(function, "linearized", wrt, jit, fixed)
    pushforward = Pushforward(plan_of_halves(derivative, bound, is_given=False), bound, len(primals))
    return pushforward.value, pushforward


class Pushforward:
    """What `linearize` returns beside the outputs: the function of tangents.

    Attributes:
        plan: how the function is differentiated.
        args: its arguments, copied.
        given: how many there are; others have their defaults.
        made: the specialisation whose first function has run.
        value: what the function returned.
        kept: what the second function reads.
    """

    __slots__ = ("args", "given", "kept", "made", "plan", "value")

    def __init__(self, plan: Plan, args: tuple[Any, ...], given: int) -> None:
        self.plan, self.args, self.given = plan, plan.kept(args), min(given, plan.count)
        self.made, (self.value, self.kept) = run_forward(plan, self.args)
        if needs_repacking(plan.returns):
            self.value = repacked(self.value, plan.returns)

    def __call__(self, *tangents: Any) -> Any:
        """Return the tangents of the outputs, given one for each argument."""
        plan = self.plan
        if len(tangents) not in (plan.count, self.given):
            reason = f"there are {self.given} arguments and {len(tangents)} tangents"
            raise DifferentiationError("AD305", reason)
        tangents += (None,) * (plan.count - len(tangents))
        layouts = self.made.layouts
        wrt = plan.derivative.wrt
        seeds = [part for k in wrt for part in flat_tangent(tangents[k], self.args[k], layouts[k])]
        found = run_half(plan.derivative, self.made.adjoint, (*self.kept, *seeds))
        assert self.made.interface.adjoint is not None
        returns = self.made.interface.adjoint.returns
        return repacked(found, returns) if needs_repacking(returns) else found

    def __reduce__(self) -> Any:
        if not self.plan.is_current():
            raise outdated(self.plan.derivative.python.__name__)
        return _arrived, (self.plan.derivative, self.args, self.given)

    def __repr__(self) -> str:
        return f"<adcompiler pushforward of {self.plan.derivative.python.__name__}>"


def _arrived(derivative: Derivative[..., Any], args: tuple[Any, ...], given: int) -> Pushforward:
    return Pushforward(plan_of_halves(derivative, args, is_given=False), args, given)
