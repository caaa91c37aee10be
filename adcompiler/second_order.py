"""`hvp`: products of a Hessian with vectors, by forward mode over the reverse mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcompiler.api import Derivative
from adcompiler.checks import Argnums


def hvp(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that multiplies the Hessian of a scalar function with a vector.

    The Hessian itself is never formed: a product takes a few times as long as the gradient.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one float.
        argnums: the argument or arguments to differentiate twice, by position or name.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function` and one more, `v`, in the structure of the gradient. It
        returns the product in the same structure: how the gradient changes along `v`. It can be called
        inside `@njit` code.

    Raises:
        DifferentiationError: where the function cannot be differentiated, or `v` does not fit.

    >>> import numpy as np
    >>> def energy(x, k):
    ...     return 0.5 * k * np.sum(x * x) ** 2
    >>> hvp(energy)(np.array([1.0, 2.0]), 3.0, np.array([1.0, 0.0]))
    array([42., 24.])
    """
    if function is None:
        return lambda f: Derivative(f, "hvp", argnums, jit, options)
    return Derivative(function, "hvp", argnums, jit, options)
