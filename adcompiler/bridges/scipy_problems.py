"""Problems for SciPy's minimisers: parameters of any structure as one vector, constraints with Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcompiler.api.arguments import flat, layout_of_value
from adcompiler.api.first_order import value_and_grad
from adcompiler.api.second_order import hvp, jacobian
from adcompiler.graph.kinds import is_float
from adcompiler.graph.layout import Layout, build, leaves, pack_python

Function = Callable[..., Any]


@dataclass(frozen=True)
class ScipyProblem:
    """What `scipy.optimize.minimize` is given, and the way back from its vectors.

    Attributes:
        arguments: keyword arguments of `minimize`.
        layout: how the parameters are built from single values.
        shapes: the shapes of these.
    """

    arguments: dict[str, Any]
    layout: Layout
    shapes: tuple[tuple[int, ...], ...]

    def parameters(self, x: Any) -> Any:
        """Return the parameters that a vector stands for, `result.x` say, in the structure of the start."""
        return unflattened(x, self.layout, self.shapes)


def scipy_problem(
    function: Function,
    start: Any,
    *args: Any,
    bounds: tuple[Any, Any] | None = None,
    constraints: Sequence[tuple[Function, Any, Any]] = (),
    second_order: bool = False,
) -> ScipyProblem:
    """Return a problem for `scipy.optimize.minimize`, with exact gradients and Jacobians.

    Args:
        function: what is minimised: a numeric Python function of the parameters and `args`.
        start: the parameters to begin with: a number, an array, or a tuple, dictionary, list or dataclass of
            them, all of floats.
        *args: further arguments, which stay as they are.
        bounds: lowest and highest parameters: numbers, or structures like that of the parameters.
        constraints: functions of the parameters and `args` that return a number or a vector, each with its
            lowest and highest values (`-np.inf` and `np.inf` for none).
        second_order: whether products with the Hessian go along, for the methods that take them.

    Returns:
        a problem: `found = minimize(**problem.arguments)`, `problem.parameters(found.x)`.

    Raises:
        TypeError: where a parameter is no float.
        DifferentiationError: for functions that cannot be differentiated.

    >>> from scipy.optimize import minimize
    >>> def cost(box, price):
    ...     return price * (box["a"] * box["b"] + 2.0 * (box["a"] + box["b"]) * box["height"])
    >>> volume = lambda box, price: box["a"] * box["b"] * box["height"]
    >>> start = {"a": 1.0, "b": 2.0, "height": 1.0}
    >>> problem = scipy_problem(cost, start, 3.0, bounds=(0.1, 10.0), constraints=[(volume, 4.0, np.inf)])
    >>> found = minimize(**problem.arguments, method="SLSQP")
    >>> {name: round(float(size), 3) for name, size in problem.parameters(found.x).items()}
    {'a': 2.0, 'b': 2.0, 'height': 1.0}
    """
    layout = layout_of_value(start, "start", True)
    if not all(is_float(getattr(leaf.kind, "dtype", leaf.kind)) for leaf in leaves(layout)):
        raise TypeError("a part of the start is no float: pass what is not varied as a further argument")
    shapes = tuple(np.shape(leaf) for leaf in flat(start, layout))

    def of_vector(called: Function) -> Function:
        return lambda x, *more: called(unflattened(x, layout, shapes), *args, *more)

    def with_gradient(x: Any) -> Any:
        value, gradient = of_vector(slope)(x)
        return value, flattened(gradient, layout)

    slope = value_and_grad(function)
    arguments = {"fun": with_gradient, "jac": True, "x0": flattened(start, layout)}
    if second_order:
        product = of_vector(hvp(function))
        arguments["hessp"] = lambda x, v: flattened(product(x, unflattened(v, layout, shapes)), layout)
    if bounds is not None:
        arguments["bounds"] = np.transpose([_spread(bound, start, layout) for bound in bounds])
    if constraints:
        arguments["constraints"] = [_constraint(of_vector, *each) for each in constraints]
    return ScipyProblem(arguments, layout, shapes)


def _constraint(of_vector: Callable[[Function], Function], function: Function, low: Any, high: Any) -> Any:
    """Return a constraint of SciPy's, with the Jacobian of its function."""
    from scipy.optimize import NonlinearConstraint

    slopes = of_vector(jacobian(function, stacked=True))
    return NonlinearConstraint(of_vector(function), low, high, jac=lambda x: np.atleast_2d(slopes(x)))


def flattened(value: Any, layout: Layout) -> Any:
    """Return the numbers of a structure in one vector.

    >>> flattened((1.0, np.ones(2)), layout_of_value((1.0, np.ones(2)), "start"))
    array([1., 1., 1.])
    """
    return np.concatenate([np.ravel(leaf) for leaf in flat(value, layout)])


def unflattened(x: Any, layout: Layout, shapes: Sequence[tuple[int, ...]]) -> Any:
    """Return the structure that has the numbers of a vector.

    >>> unflattened(np.arange(3.0), layout_of_value((1.0, np.ones(2)), "start"), ((), (2,)))
    (0.0, array([1., 2.]))
    """

    def parts() -> Iterator[Any]:
        at = 0
        for shape in shapes:
            size = int(np.prod(shape))
            part = np.array(x[at : at + size], float).reshape(shape)
            yield part if shape else part.item()
            at += size

    return build(layout, parts(), pack_python)


def _spread(bound: Any, start: Any, layout: Layout) -> Any:
    """Return a bound for each parameter: one number for all, or a structure like theirs."""
    own = [*flat(start, layout)]
    given = [bound] * len(own) if isinstance(bound, int | float) else flat(bound, layout)
    parts = [np.broadcast_to(each, np.shape(leaf)) for each, leaf in zip(given, own, strict=True)]
    return np.concatenate([np.ravel(part) for part in parts])
