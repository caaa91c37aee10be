"""Second derivatives and Jacobians: `hvp`, `hessian`, `jacobian`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from adcompiler.api.checks import Argnums, chosen
from adcompiler.api.derivative import Derivative, P


@overload
def hvp(
    function: Callable[..., Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Derivative[..., Any]: ...


@overload
def hvp(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[..., Any]], Derivative[..., Any]]: ...


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


@overload
def hessian(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Derivative[P, Any]: ...


@overload
def hessian(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Derivative[P, Any]]: ...


def hessian(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the matrix of second derivatives of a scalar function.

    Each run of the gradient's tangents makes eight rows of it, where the program allows: else one.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one float.
        argnums: the argument or arguments to differentiate twice, by position or name.
        jit: False runs the generated text as plain Python and NumPy.
        **options: those of `grad`; with `holomorphic=True`, arguments and result are complex.

    Returns:
        a callable with the parameters of `function`. For an argument of shape s it returns an array of
        shape (*s, *s), for several a tuple of tuples of such blocks; for arguments with a structure, that
        structure of such structures. It can be called inside `@njit` code.

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


@overload
def jacobian(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Derivative[P, Any]: ...


@overload
def jacobian(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Derivative[P, Any]]: ...


def jacobian(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    has_aux: bool = False,
    stacked: bool = False,
    holomorphic: bool = False,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian.

    The derivative of a number by arrays is found by reverse mode, all else by forward mode, eight columns at
    a time where the program allows it, else one. Where an array in the result has far fewer elements than the
    argument, `jacrev` is faster.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns numbers and arrays, in
            tuples, named tuples, dictionaries and dataclasses if there are several.
        argnums: the argument or arguments to differentiate, by position or name.
        jit: False runs the generated text as plain Python and NumPy.
        has_aux: whether the function returns a pair (value, auxiliary values), of which the first is
            differentiated and the second handed on.
        stacked: whether the blocks of all arguments stand side by side in one matrix, with a column for each
            number that is differentiated by: what `scipy.optimize.curve_fit` and `least_squares` take.
        holomorphic: whether arguments and results are complex, and the function analytic.
        **options: those of `grad`.

    Returns:
        a callable with the parameters of `function`. For a result of shape r and an argument of shape s it
        returns an array of shape (*r, *s), for several arguments a tuple of these. For arguments and results
        with structure, it returns blocks in the structure of the result, in each place of which stands the
        structure of the arguments. Stacked, the block of a result has shape (*r, n) for n numbers in all
        arguments. It can be called inside `@njit` code.

    Raises:
        DifferentiationError: where the function cannot be differentiated.

    >>> import numpy as np
    >>> jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    >>> jacobian(lambda p: {"sum": p["a"] + p["b"]})({"a": 1.0, "b": 2.0})
    {'sum': {'a': 1.0, 'b': 1.0}}
    >>> def model(t, a, b):
    ...     return a * np.exp(-b * t)
    >>> jacobian(model, argnums=("a", "b"), stacked=True)(np.array([0.0, 1.0]), 2.0, 0.0)
    array([[ 1.,  0.],
           [ 1., -2.]])
    """
    options = chosen(options, has_aux=has_aux, stacked=stacked, holomorphic=holomorphic)
    if function is None:
        return lambda f: Derivative(f, "jacobian", argnums, jit, options)
    return Derivative(function, "jacobian", argnums, jit, options)


@overload
def jacfwd(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Derivative[P, Any]: ...


@overload
def jacfwd(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Derivative[P, Any]]: ...


def jacfwd(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    has_aux: bool = False,
    stacked: bool = False,
    holomorphic: bool = False,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian by forward mode: a column for each element of x.

    Arguments, result and errors are those of `jacobian`.

    >>> import numpy as np
    >>> jacfwd(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    options = chosen(options, has_aux=has_aux, stacked=stacked, holomorphic=holomorphic)
    if function is None:
        return lambda f: Derivative(f, "jacfwd", argnums, jit, options)
    return Derivative(function, "jacfwd", argnums, jit, options)


@overload
def jacrev(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Derivative[P, Any]: ...


@overload
def jacrev(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    stacked: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Derivative[P, Any]]: ...


def jacrev(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    has_aux: bool = False,
    stacked: bool = False,
    holomorphic: bool = False,
    **options: Any,
) -> Any:
    """Return a function that evaluates the Jacobian by reverse mode: a row for each element of y.

    Arguments, result and errors are those of `jacobian`. Eight rows are made at a time where the program
    allows, else one.

    >>> import numpy as np
    >>> jacrev(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    options = chosen(options, has_aux=has_aux, stacked=stacked, holomorphic=holomorphic)
    if function is None:
        return lambda f: Derivative(f, "jacrev", argnums, jit, options)
    return Derivative(function, "jacrev", argnums, jit, options)
