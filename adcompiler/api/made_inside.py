"""Derivatives that are made inside compiled code: `grad(f)(x)` in an `@njit` function.

What is made is an object of the program, as if it stood outside of the function: `f` and `argnums` are fixed
there, and so Numba has to know both when it compiles.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from numba.core import types as nt
from numba.extending import overload

from adcompiler.api.derivative import Derivative
from adcompiler.api.first_order import grad, value_and_grad
from adcompiler.api.products_inside import function_of_type
from adcompiler.api.second_order import hessian, hvp, jacfwd, jacobian, jacrev
from adcompiler.api.vmapped import vmap
from adcompiler.errors import DifferentiationError

_NOT_FIXED = object()


@lru_cache(maxsize=256)
def _made(
    maker: Callable[..., Any], function: Any, fixed: tuple[Any, ...], has_aux: bool
) -> Derivative[..., Any]:
    options = {"has_aux": True} if has_aux else {}
    made: Derivative[..., Any] = maker(function, *fixed, **options)
    return made


def _fixed(kind: Any) -> Any:
    """Return the value that the type of an argument stands for."""
    match kind:
        case int() | str() | None | bool():  # a default
            return kind
        case nt.Omitted():
            return _fixed(kind.value)
        case nt.NoneType():
            return None
        case nt.Literal():
            return kind.literal_value
        case nt.BaseTuple():
            return tuple(map(_fixed, kind.types))
    return _NOT_FIXED


def _implementation(maker: Callable[..., Any], function: Any, *kinds: Any, has_aux: Any = False) -> Any:
    """Return the derivative that a call makes, or None for what is no function."""
    found = function_of_type(function)
    if found is None:
        return None
    fixed = (*map(_fixed, kinds), _fixed(has_aux))
    if any(one is _NOT_FIXED or (isinstance(one, tuple) and _NOT_FIXED in one) for one in fixed):
        reason = f"'{maker.__name__}' in compiled code, of arguments that are not constants"
        raise DifferentiationError("AD305", reason, None, "write them out as numbers or names")
    return _made(maker, found, fixed[:-1], bool(fixed[-1]))


def _along_arguments(maker: Callable[..., Any]) -> None:
    @overload(maker, prefer_literal=True)
    def _derivative(function, argnums=0, has_aux=False):
        made = _implementation(maker, function, argnums, has_aux=has_aux)
        return made and (lambda function, argnums=0, has_aux=False: made)


def _of_second_order(maker: Callable[..., Any]) -> None:
    @overload(maker, prefer_literal=True)
    def _derivative(function, argnums=0):
        made = _implementation(maker, function, argnums)
        return made and (lambda function, argnums=0: made)


def _of_batches() -> None:
    @overload(vmap, prefer_literal=True)
    def _batch(function, in_axes=0, out_axes=0):
        made = _implementation(vmap, function, in_axes, out_axes)
        return made and (lambda function, in_axes=0, out_axes=0: made)


def register_makers() -> None:
    """Let Numba know `grad` and its like."""
    makers: tuple[Callable[..., Any], ...] = (grad, value_and_grad, jacobian, jacfwd, jacrev)
    for maker in makers:
        _along_arguments(maker)
    for maker in (hvp, hessian):
        _of_second_order(maker)
    _of_batches()
