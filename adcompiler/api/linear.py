"""`linearize`: outputs of any structure, and the linear function that is close to the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcompiler.api.arguments import layout_of_value, plain
from adcompiler.api.checks import flat_tangent
from adcompiler.api.derivative import Derivative
from adcompiler.api.plans import Plan, quick_key
from adcompiler.api.pullback import Outputs, derivative_of
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
        the tangents of the outputs. Each call of it runs `function` once more, by forward mode.

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
    outputs = derivative_of(function, "outputs", (), jit, fixed)
    bound = outputs.bound(primals)
    value = outputs(*primals)
    layouts = [layout_of_value(arg, "argument", True) for arg in bound]
    wrt = tuple(k for k, layout in enumerate(layouts) if any(is_continuous(x.kind) for x in leaves(layout)))
    derivative = derivative_of(function, "jvp", wrt, jit, fixed)
    return value, Pushforward(_plan(derivative, bound), primals, len(primals))


def _plan(derivative: Derivative[..., Any], bound: tuple[Any, ...]) -> Plan:
    made = derivative._specialise(derivative.layouts(bound))
    is_complete = made.is_plain and not derivative.is_variadic and quick_key(bound) is not None
    return Plan(derivative, made, len(bound), is_complete, derivative, made.interface.returns)


class Pushforward:
    """What `linearize` returns beside the outputs: the function of tangents."""

    __slots__ = ("given", "kept", "plan")

    def __init__(self, plan: Plan, primals: tuple[Any, ...], given: int) -> None:
        self.plan, self.kept = plan, plan.kept(plan.derivative.bound(primals))
        self.given = min(given, plan.count)  # others have their defaults

    def __call__(self, *tangents: Any) -> Any:
        """Return the tangents of the outputs, given one for each argument."""
        plan = self.plan
        if len(tangents) not in (plan.count, self.given):
            reason = f"there are {self.given} arguments and {len(tangents)} tangents"
            raise DifferentiationError("AD305", reason)
        tangents += (None,) * (plan.count - len(tangents))
        layouts = plan.made.layouts
        wrt = plan.derivative.wrt
        seeds = [part for k in wrt for part in flat_tangent(tangents[k], self.kept[k], layouts[k])]
        args = map(plain, self.kept, layouts)
        return plan.derivative.run(plan.made, (*args, *seeds))[1]

    def __reduce__(self) -> Any:
        if not self.plan.is_current():
            raise outdated(self.plan.derivative.python.__name__)
        return _arrived, (self.plan.derivative, self.kept, self.given)

    def __repr__(self) -> str:
        return f"<adcompiler pushforward of {self.plan.derivative.python.__name__}>"


def _arrived(derivative: Derivative[..., Any], kept: tuple[Any, ...], given: int) -> Pushforward:
    return Pushforward(_plan(derivative, kept), kept, given)
