"""Second derivatives and Jacobians: `hvp`, `hessian`, `jacobian`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcompiler.api.checks import Argnums
from adcompiler.api.derivative import Derivative


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


def hessian(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the matrix of second derivatives of a scalar function.

    It is made row by row, of as many products (`hvp`) as the argument has elements.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one float.
        argnums: the argument or arguments to differentiate twice, by position or name: numbers or arrays.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function`. For an argument of shape s it returns an array of
        shape (*s, *s), for several a tuple of tuples of such blocks. It can be called inside `@njit` code.

    Raises:
        DifferentiationError: where the function cannot be differentiated.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    if function is None:
        return lambda f: Derivative(f, "hessian", argnums, jit, options)
    return Derivative(function, "hessian", argnums, jit, options)


def jacfwd(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian by forward mode: a column for each element of x.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one number or array.
        argnums: the argument or arguments to differentiate, by position or name: numbers or arrays.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function`. For a result of shape r and an argument of shape s it
        returns an array of shape (*r, *s), for several arguments a tuple of these. It can be called inside
        `@njit` code.

    Raises:
        DifferentiationError: where the function cannot be differentiated.

    >>> import numpy as np
    >>> jacfwd(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    if function is None:
        return lambda f: Derivative(f, "jacfwd", argnums, jit, options)
    return Derivative(function, "jacfwd", argnums, jit, options)


def jacrev(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian by reverse mode: a row for each element of y.

    Arguments, result and errors are those of `jacfwd`, which is the faster one unless the result has far
    fewer elements than the argument.

    >>> import numpy as np
    >>> jacrev(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    if function is None:
        return lambda f: Derivative(f, "jacrev", argnums, jit, options)
    return Derivative(function, "jacrev", argnums, jit, options)


jacobian = jacfwd
