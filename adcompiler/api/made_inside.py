"""Derivatives that are made inside compiled code: `grad(f)(x)` in an `@njit` function.

What is made is an object of the program, as if it stood outside of the function: `f` and `argnums` are fixed
there, and so Numba has to know both when it compiles.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types as nt
from numba.extending import overload

from adcompiler.api.first_order import grad, value_and_grad
from adcompiler.api.products_inside import function_of_type
from adcompiler.api.pullback import derivative_of
from adcompiler.api.second_order import hessian, hvp, jacfwd, jacobian, jacrev
from adcompiler.api.vmapped import axes_of, vmap
from adcompiler.errors import DifferentiationError

_NOT_FIXED = object()


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


def _constants(maker: Callable[..., Any], *kinds: Any) -> list[Any]:
    """Return the values of arguments.

    Raises:
        DifferentiationError: AD305 where Numba does not know them when it compiles.
    """
    found = [*map(_fixed, kinds)]
    if any(one is _NOT_FIXED or (isinstance(one, tuple) and _NOT_FIXED in one) for one in found):
        reason = f"'{maker.__name__}' in compiled code, of arguments that are not constants"
        raise DifferentiationError("AD305", reason, None, "write them out as numbers or names")
    return found


def _along_arguments(maker: Callable[..., Any]) -> None:
    @overload(maker, prefer_literal=True)
    def _derivative(function, argnums=0, has_aux=False):
        found = function_of_type(function)
        wrt, with_aux = _constants(maker, argnums, has_aux)
        options = (("has_aux", True),) if with_aux else ()
        made = found and derivative_of(found, maker.__name__, wrt, True, options)
        return made and (lambda function, argnums=0, has_aux=False: made)


def _of_second_order(maker: Callable[..., Any]) -> None:
    @overload(maker, prefer_literal=True)
    def _derivative(function, argnums=0):
        found = function_of_type(function)
        (wrt,) = _constants(maker, argnums)
        made = found and derivative_of(found, maker.__name__, wrt, True, ())
        return made and (lambda function, argnums=0: made)


def _of_batches() -> None:
    @overload(vmap, prefer_literal=True)
    def _batch(function, in_axes=0, out_axes=0):
        found = function_of_type(function)
        axes = tuple(map(axes_of, _constants(vmap, in_axes, out_axes)))
        made = found and derivative_of(found, "vmap", (), True, (("axes", axes),))
        return made and (lambda function, in_axes=0, out_axes=0: made)


def register_makers() -> None:
    """Let Numba know `grad` and its like."""
    makers: tuple[Callable[..., Any], ...] = (grad, value_and_grad, jacobian, jacfwd, jacrev)
    for maker in makers:
        _along_arguments(maker)
    for maker in (hvp, hessian):
        _of_second_order(maker)
    _of_batches()
