"""Solutions of equations, by the implicit function theorem: the solver is never differentiated.

At a root of `F(x, a) = 0`, `dF/dx . dx = -dF/da . da`. The two rules are written as the text of functions
that Numba can compile, for a number of parameters and the axes of x; they read derivatives of F, so that
they can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcompiler.api.derivative import Derivative
from adcompiler.api.first_order import grad
from adcompiler.api.pushforward import jvp
from adcompiler.api.second_order import jacfwd
from adcompiler.custom import CustomFunction, P, R, T
from adcompiler.frontend.texts import function_of
from adcompiler.graph.kinds import is_continuous, rank


class ImplicitFunction(CustomFunction[P, R]):
    """A solver of an equation; its derivative is that of the solution, however it is found.

    Attributes:
        residual: the function F of a solution and the parameters that is zero.
    """

    def __init__(self, solver: Callable[P, R], residual: Callable[..., Any]) -> None:
        super().__init__(solver)
        self.residual = residual
        self.variants: dict[tuple[int, tuple[bool, ...]], CustomFunction[P, R]] = {}

    def variant(self, kinds: Sequence[Any]) -> CustomFunction[P, R]:
        """Return the function with rules for the types of its arguments and of its result."""
        return self.variant_for(rank(kinds[-1]), tuple(map(is_continuous, kinds[1:-1])))

    def variant_for(self, axes: int, varied: tuple[bool, ...]) -> CustomFunction[P, R]:
        """Return the function with the rules that `rules` returns; other processes make them anew."""
        key = axes, varied
        if key not in self.variants:
            found = rules(self.residual, *key)
            made: CustomFunction[P, R] = CustomFunction(self.dispatcher, found["vjp"], found["jvp"])
            self.variants[key] = made
            for name, rule in (("vjp", made.vjp), ("jvp", made.jvp)):
                rule.remade = _rule_of, (self, key, name)
        return self.variants[key]

    def reads(self) -> tuple[Any, ...]:
        """Return the functions that its derivative depends on."""
        return self.dispatcher, self.residual

    def _parts(self) -> tuple[Any, ...]:
        return super()._parts()[0], self.residual


def _rule_of(function: ImplicitFunction[..., Any], key: tuple[int, tuple[bool, ...]], name: str) -> Any:
    """Return a rule of an implicit function in this process."""
    return getattr(function.variant_for(*key), name)


def rules(residual: Callable[..., Any], axes: int, varied: Sequence[bool]) -> dict[str, Any]:
    """Return the rules for adjoints and tangents of a solution.

    Args:
        residual: the function that is zero.
        axes: the number of axes of the solution.
        varied: for each parameter, whether it can carry a derivative.
    """
    given = [f"a{k}" for k in range(len(varied))]
    moved = [name for name, own in zip(given, varied, strict=True) if own]
    x = ", ".join(["x", *given])
    directions = [f"t_{name}" if name in moved else "None" for name in given]
    known = {"np": np, "residual": residual, "jvp": jvp, "slope": jacfwd(residual)}
    known["__name__"] = __name__  # all that these functions read is known by the residual and by this package
    weighted = function_of(
        f"def weighted({x}, w):\n    return {_total(axes)}residual({x}))\n", known, residual
    )
    along = ["def along({}):".format(", ".join([x, *(f"t_{name}" for name in moved)]))]
    along += [f"    return jvp(residual, ({x},), (None, {', '.join(directions)}))[1]\n"]
    known["along"] = Derivative(function_of("\n".join(along), known, residual), "primal", 0, True, {})
    known["pulled"] = grad(weighted, argnums=tuple(moved))
    return {
        "vjp": function_of(_adjoint_rule(x, given, moved, axes), known, residual),
        "jvp": function_of(_tangent_rule(x, given, moved, axes), known, residual),
    }


def _total(axes: int) -> str:
    return "np.sum(w * " if axes else "(w * "


def _adjoint_rule(x: str, given: Sequence[str], moved: Sequence[str], axes: int) -> str:
    lines = [f"def vjp({', '.join(['start', *given, 'x', 'd'])}):"]
    if moved:
        lines += _solved("w", f"slope({x})", "d", axes, ".T")
        lines.append(f"    found = pulled({x}, w)")
    parts = [f"found[{moved.index(name)}]" if name in moved else "0.0" for name in given]
    return "\n".join([*lines, f"    return {', '.join(['0.0', *parts])}\n"])


def _tangent_rule(x: str, given: Sequence[str], moved: Sequence[str], axes: int) -> str:
    lines = [f"def jvp({', '.join(['start', *given, 'x', 't_start', *(f't_{name}' for name in given)])}):"]
    if not moved:
        return "\n".join([*lines, f"    return {'np.zeros_like(x)' if axes else '0.0'}\n"])
    lines.append(f"    change = along({', '.join([x, *(f't_{name}' for name in moved)])})")
    lines += _solved("found", f"slope({x})", "change", axes, "")
    return "\n".join([*lines, "    return found\n"])


def _solved(name: str, matrix: str, right: str, axes: int, transposed: str) -> list[str]:
    """Return the lines that solve a linear equation for minus its right-hand side."""
    if not axes:
        return [f"    {name} = -{right} / {matrix}"]
    return [
        f"    matrix = {matrix}.reshape(x.size, x.size)",
        f"    {name} = np.linalg.solve(matrix{transposed}, -{right}.ravel()).reshape(x.shape)",
    ]


def custom_root(residual: Callable[..., Any]) -> Callable[[Callable[P, T]], ImplicitFunction[P, T]]:
    """Let a solver of F(x, *parameters) = 0 have the derivative of the root, by the implicit function
    theorem.

    Args:
        residual: F, a function of x and the parameters, of the shape of x.

    Returns:
        a decorator for solvers: functions of a first guess and the parameters, numbers and arrays, that Numba
        can compile, and that return x, a number or array. The guess carries no derivative. What is made is
        called like the solver, also in compiled code, and can be differentiated as often as F can, plus once.

    >>> from adcompiler import grad
    >>> @custom_root(lambda x, a: x * x - a)
    ... def square_root(guess, a):
    ...     x = guess
    ...     for _ in range(20):
    ...         x = 0.5 * (x + a / x)
    ...     return x
    >>> grad(lambda a: square_root(1.0, a))(4.0), grad(grad(lambda a: square_root(1.0, a)))(4.0)
    (0.25, -0.03125)
    """
    return lambda solver: ImplicitFunction(solver, residual)


def custom_fixed_point(step: Callable[..., Any]) -> Callable[[Callable[P, T]], ImplicitFunction[P, T]]:
    """Let a solver of x = T(x, *parameters) have the derivative of the fixed point.

    Args:
        step: T, a function of x and the parameters, of the shape of x.

    Returns:
        a decorator for solvers, as that of `custom_root`.

    >>> import math
    >>> from adcompiler import grad
    >>> @custom_fixed_point(lambda x, a: math.cos(a * x))
    ... def settled(guess, a):
    ...     x = guess
    ...     for _ in range(200):
    ...         x = math.cos(a * x)
    ...     return x
    >>> round(grad(lambda a: settled(0.5, a))(1.0), 6)
    -0.297474
    """

    def decorate(solver: Callable[P, T]) -> ImplicitFunction[P, T]:
        return ImplicitFunction(solver, _difference(step, solver))

    return decorate


def custom_argmin(objective: Callable[..., Any]) -> Callable[[Callable[P, T]], ImplicitFunction[P, T]]:
    """Let a minimiser of f(x, *parameters) over x have the derivative of the place of the minimum.

    Args:
        objective: f, a function of x and the parameters that returns one number. Its Hessian by x must not be
            singular at the minimum.

    Returns:
        a decorator for minimisers, as that of `custom_root`.

    >>> import numpy as np
    >>> from adcompiler import jacobian
    >>> @custom_argmin(lambda x, a: np.sum((x - a) ** 2) + np.sum(x**2))
    ... def nearest(guess, a):
    ...     return 0.5 * a
    >>> jacobian(lambda a: nearest(a, a))(np.array([1.0, 3.0]))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    return custom_root(grad(objective))


def _difference(step: Callable[..., Any], solver: Callable[..., Any]) -> Any:
    count = len(CustomFunction(solver).signature.parameters) - 1
    x = ", ".join(["x", *(f"a{k}" for k in range(count))])
    return function_of(f"def residual({x}):\n    return step({x}) - x\n", {"step": step}, step)
