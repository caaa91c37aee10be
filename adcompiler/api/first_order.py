"""First derivatives of scalar functions: `grad` and `value_and_grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from adcompiler.api.checks import Argnums, chosen
from adcompiler.api.derivative import Derivative, P

Value = TypeVar("Value")


@overload
def grad(
    function: Callable[P, Any],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Derivative[P, Any]: ...


@overload
def grad(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Any]], Derivative[P, Any]]: ...


def grad(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    has_aux: bool = False,
    holomorphic: bool = False,
    **options: Any,
) -> Any:
    """Return a function that evaluates the gradient of a scalar function.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one number.
        argnums: the argument or arguments to differentiate, by position or name.
        jit: False runs the same generated text as plain Python and NumPy.
        has_aux: whether the function returns a pair (value, auxiliary values), of which the first is
            differentiated and the second handed on.
        holomorphic: whether arguments and result are complex, and the function analytic: the derivative by a
            complex number is one. Otherwise the result is real, and the derivative of u by z = x + iy is
            du/dx - i du/dy, as in JAX.
        options: `accurate_math=True` keeps the order of all sums, and libm in loops. `broadcasting=True`
            lets compiled callers pass arrays that are stretched because one of their sizes is 1; from Python
            this always works. `debug_nans=True` raises FloatingPointError at the first value or adjoint
            that is infinite or not a number, and names it, its line and the iteration of each loop.
            `memory="200MB"` bounds what loops keep for their reversal, `checkpoints=10` how many states each
            keeps: other iterations are run again from these. `workspace=True` lets the process keep freed
            memory for the next call, up to 2 GB rather than 256 MB, where tapes are large. `parallel=True`
            runs loops on all cores: over `prange`, and outermost ones whose iterations do not need each
            other. `wide_sums=True` lets loops over float32 add up in float64. All else are Numba's options
            such as `fastmath=True` or `error_model="python"`; those of a dispatcher are taken over.

    Returns:
        a callable with the parameters of `function`. It returns the gradient of the one argument, in
        its shape and dtype, or a tuple of gradients where `argnums` is a sequence. In the gradient by a
        tuple, dictionary, list or dataclass, None stands for whatever is no float in it, integers included.
        With `has_aux`, it returns (gradient, auxiliary values).

    Raises:
        DifferentiationError: where the function cannot be differentiated, when it is decorated
            or when it is first called with arguments of some type.

    >>> @grad
    ... def energy(x, k):
    ...     return 0.5 * k * x * x
    >>> energy(3.0, 2.0)
    6.0
    >>> grad(energy.function, argnums=("x", "k"))(3.0, k=2.0)
    (6.0, 4.5)
    >>> grad(lambda x: (x * x, {"half": 0.5 * x}), has_aux=True)(3.0)
    (6.0, {'half': 1.5})
    >>> grad(lambda z: abs(z) ** 2)(1 + 2j), grad(lambda z: z**3, holomorphic=True)(1 + 2j)
    ((2-4j), (-9+12j))
    """
    if function is None:
        flags = chosen(options, has_aux=has_aux, holomorphic=holomorphic)
        return lambda f: grad(f, argnums, jit=jit, **flags)
    return Derivative(
        function, "grad", argnums, jit, chosen(options, has_aux=has_aux, holomorphic=holomorphic)
    )


@overload
def value_and_grad(
    function: Callable[P, Value],
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Derivative[P, tuple[Value, Any]]: ...


@overload
def value_and_grad(
    function: None = ...,
    argnums: Argnums = ...,
    *,
    jit: bool = ...,
    has_aux: bool = ...,
    holomorphic: bool = ...,
    **options: Any,
) -> Callable[[Callable[P, Value]], Derivative[P, tuple[Value, Any]]]: ...


def value_and_grad(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    has_aux: bool = False,
    holomorphic: bool = False,
    **options: Any,
) -> Any:
    """Return a function that evaluates a scalar function and its gradient together.

    Arguments, result and errors are those of `grad`, but the result is `(value, gradient)`; with `has_aux`,
    it is `((value, auxiliary values), gradient)`.

    >>> def energy(x, k):
    ...     return 0.5 * k * x * x
    >>> value_and_grad(energy)(3.0, 2.0)
    (9.0, 6.0)
    """
    if function is None:
        flags = chosen(options, has_aux=has_aux, holomorphic=holomorphic)
        return lambda f: value_and_grad(f, argnums, jit=jit, **flags)
    return Derivative(
        function, "value_and_grad", argnums, jit, chosen(options, has_aux=has_aux, holomorphic=holomorphic)
    )
