"""Functions that Numba compiles as functions of JAX: under `jit`, `grad`, `jvp`, `vmap`.

JAX calls them on the host. Their derivatives are those that adcompiler makes. The gradient of a function that
returns one number is such a function again, and so is the Jacobian of that: there are derivatives of any
order, in both modes. Others have a pullback, or a derivative along directions, and no second derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from adcompiler.api.first_order import grad
from adcompiler.api.pullback import vjp
from adcompiler.api.pushforward import jvp
from adcompiler.api.second_order import jacobian

Function = Callable[..., Any]


def to_jax(
    function: Function,
    results: Function | None = None,
    mode: Literal["reverse", "forward"] = "reverse",
    vmap_method: str = "sequential",
) -> Function:
    """Return a function of JAX that calls a numeric Python function, with its derivatives.

    Args:
        function: a numeric Python function, `@njit` dispatcher or derivative, of numbers and arrays. It is
            given float64, whatever JAX has.
        results: given arguments of JAX, perhaps abstract ones, returns arrays, or whatever else has shape and
            dtype, like the results. If left out, the function is run on arrays of ones to see.
        mode: which derivative a function has that does not return one number.
        vmap_method: how it is mapped over a batch: see `jax.pure_callback`.

    Returns:
        the function; its results have JAX's default float type.

    Raises:
        ImportError: where JAX is not installed.

    Example:
        >>> from adcompiler.bridges.jax_functions import to_jax
        >>> cube = to_jax(lambda x: x * x * x)  # doctest: +SKIP
        >>> jax.grad(jax.grad(cube))(2.0)  # doctest: +SKIP
        Array(12., dtype=float32)
    """
    host = _Host(function, vmap_method)

    def called(*args: Any) -> Any:
        import jax

        like = jax.tree.map(_shape_of, _seen(function, args) if results is None else results(*args))
        if getattr(like, "shape", None) == ():
            return _number(host)(*args)
        return (_reversed if mode == "reverse" else _forward)(host, like)(*args)

    return called


@dataclass(frozen=True)
class _Host:
    """A function that JAX calls on the host."""

    function: Function
    vmap_method: str

    def __call__(self, like: Any, *args: Any, function: Function | None = None) -> Any:
        """Call it, or a function made of it, from JAX; `like` are the shapes of the results."""
        import jax

        def run(*given: Any) -> Any:
            found = (function or self.function)(*map(_plain, given))
            return jax.tree.map(lambda one, kind: np.asarray(one, kind.dtype), found, like)

        return jax.pure_callback(run, like, *args, vmap_method=self.vmap_method)

    def of(self, function: Function) -> _Host:
        return _Host(function, self.vmap_method)


def _number(host: _Host) -> Function:
    """Return a function of one number: its tangent follows from the gradient."""
    return _with_slopes(host, (), lambda k: grad(host.function, argnums=k))


def _with_jacobians(host: _Host, shape: tuple[int, ...]) -> Function:
    """Return a function of arrays: its tangent follows from its Jacobians."""
    return _with_slopes(host, shape, lambda k: jacobian(host.function, argnums=k))


def _with_slopes(host: _Host, shape: tuple[int, ...], slope: Callable[[int], Function]) -> Function:
    """Return a function whose tangent is the sum over its arguments of slope times direction."""
    import jax
    import jax.numpy as jnp

    function: Any = jax.custom_jvp(lambda *args: host(_float(shape), *args))

    def tangent(primals: Sequence[Any], directions: Sequence[Any]) -> tuple[Any, Any]:
        total = jnp.zeros(shape)
        for k in _varied(primals):
            derivative = _with_jacobians(host.of(slope(k)), (*shape, *np.shape(primals[k])))
            total = total + jnp.tensordot(derivative(*primals), directions[k], np.ndim(primals[k]))
        return function(*primals), total

    function.defjvp(tangent)
    return cast(Function, function)


def _reversed(host: _Host, like: Any) -> Function:
    """Return a function with a pullback."""
    import jax

    function: Any = jax.custom_vjp(lambda *args: host(like, *args))

    def backwards(args: Sequence[Any], adjoints: Any) -> tuple[Any, ...]:
        varied = _varied(args)
        flat, tree = jax.tree.flatten(adjoints)

        def pulled(*given: Any) -> list[Any]:
            found = vjp(host.function, *given[: len(args)])[1](jax.tree.unflatten(tree, given[len(args) :]))
            return [found[k] for k in varied]

        made = iter(host([_shape_of(args[k]) for k in varied], *args, *flat, function=pulled))
        return tuple(next(made) if k in varied else None for k in range(len(args)))

    function.defvjp(lambda *args: (function(*args), args), backwards)
    return cast(Function, function)


def _forward(host: _Host, like: Any) -> Function:
    """Return a function with a derivative along directions."""
    import jax

    function: Any = jax.custom_jvp(lambda *args: host(like, *args))

    def tangent(primals: Sequence[Any], directions: Sequence[Any]) -> tuple[Any, Any]:
        varied = _varied(primals)

        def pushed(*given: Any) -> Any:
            along = iter(given[len(primals) :])
            moved = [next(along) if k in varied else None for k in range(len(primals))]
            return jvp(host.function, given[: len(primals)], moved)[1]

        moved = (directions[k] for k in varied)
        return function(*primals), host(like, *primals, *moved, function=pushed)

    function.defjvp(tangent)
    return cast(Function, function)


def _varied(args: Sequence[Any]) -> list[int]:
    """Return the positions of the arguments that have derivatives."""
    return [k for k, arg in enumerate(args) if np.issubdtype(_dtype(arg), np.floating)]


def _dtype(value: Any) -> Any:
    return getattr(value, "dtype", None) or np.result_type(value)


def _seen(function: Function, args: Sequence[Any]) -> Any:
    return function(*(_plain(np.ones(np.shape(arg), _dtype(arg))) for arg in args))


def _plain(value: Any) -> Any:
    """Return an argument as the function takes it: float64, numbers as numbers."""
    array = np.asarray(value)
    array = array.astype(np.float64) if array.dtype.kind == "f" else array
    return array.item() if array.ndim == 0 else array


def _shape_of(value: Any) -> Any:
    import jax

    return (
        _float(np.shape(value))
        if _dtype(value).kind == "f"
        else jax.ShapeDtypeStruct(value.shape, value.dtype)
    )


def _float(shape: tuple[int, ...]) -> Any:
    import jax
    import jax.numpy as jnp

    return jax.ShapeDtypeStruct(shape, jnp.zeros(()).dtype)
