"""Derivatives that users give themselves, and values that carry none."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.extending import overload as compiled_form
from numba.extending import typeof_impl

from adcompiler.helpers_compiled import compiled_with_helpers
from adcompiler.portable import Portable

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class CustomFunction(Portable, Generic[P, R]):
    """A function with a derivative of its own; it is called as it is, and never followed into.

    Attributes:
        function: the plain function, which Numba must be able to compile.
        vjp: what the function that `defvjp` was given became, or None.
        jvp: likewise for `defjvp`.
        forward: the function that returns the result and residuals, where `defvjp` was given two, or None.
        nondiff: positions of the arguments that have no derivative.
    """

    def __init__(
        self,
        function: Callable[P, R],
        vjp: Callable[..., Any] | None = None,
        jvp: Callable[..., Any] | None = None,
        forward: Callable[..., Any] | None = None,
        nondiff: Sequence[int | str] = (),
    ) -> None:
        self.function: Callable[P, R] = getattr(function, "py_func", function)
        self.dispatcher: Any = _compiled(function)
        self.vjp: Any = vjp and _compiled(vjp)
        self.jvp: Any = jvp and _compiled(jvp)
        self.forward: Any = forward and _compiled(forward)
        self.signature = self.__signature__ = inspect.signature(self.function)
        self.nondiff = _positions(nondiff, self.signature)
        self.__name__ = self.function.__name__
        self.__qualname__ = self.function.__qualname__
        self.__module__ = self.function.__module__
        self.__doc__ = self.function.__doc__
        _OWNERS[self.dispatcher] = weakref.ref(self)

    def __call__(self, /, *args: P.args, **keywords: P.kwargs) -> R:
        """Call what was given: a dispatcher stays one."""
        found: R = _given(self.dispatcher)(*args, **keywords)
        return found

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        """Return the method of an object whose class has this function in its body."""
        return self if owner is None else MethodType(self, owner)

    def variant(self, kinds: Sequence[Any]) -> CustomFunction[P, R]:
        """Return the function with rules for the types of its arguments and of its result: here, itself."""
        return self

    def reads(self) -> tuple[Any, ...]:
        """Return the functions that its derivative depends on."""
        return self.dispatcher, self.vjp, self.jvp, self.forward, self.nondiff

    def given(self) -> tuple[Any, ...]:
        """Return the function and its rules as they were given."""
        return tuple(map(_given, (self.dispatcher, self.vjp, self.jvp, self.forward)))

    def _parts(self) -> tuple[Any, ...]:
        return *self.given(), self.nondiff

    def __repr__(self) -> str:
        return f"<custom function {self.__name__}>"

    def defvjp(self, rule: Callable[..., Any], backward: Callable[..., Any] | None = None) -> Any:
        """Give the vector-Jacobian product: `rule(*inputs, output, adjoint)` returns one adjoint per input.

        Given two functions, `defvjp(forward, backward)`, the first one takes the inputs, and returns the
        output and *residuals*: whatever the second one reads. That one is called as
        `backward(residuals, adjoint)`; before these come the arguments without derivative, if there are any.

        Args:
            rule: a function that Numba can compile. It gets the inputs, the function's result, and the
                derivative of what is differentiated with respect to that result, of the result's structure
                and shapes. It returns the adjoint of the input, or a tuple of one for each input that has a
                derivative, of its structure; 0.0 for inputs without one.
                Where it is in the language, it can be differentiated again, and serves forward mode, too.
            backward: what computes adjoints from residuals, if `rule` returns these.

        Returns:
            the rule, compiled when it is called.

        >>> from adcompiler import grad
        >>> import math
        >>> @custom_vjp
        ... def polar(x, y):
        ...     return math.hypot(x, y), math.atan2(y, x)
        >>> def forward(x, y):
        ...     r, angle = polar(x, y)
        ...     return (r, angle), (x, y, r)
        >>> def backward(residuals, d):
        ...     x, y, r = residuals
        ...     d_r, d_angle = d
        ...     return (d_r * x - d_angle * y / r) / r, (d_r * y + d_angle * x / r) / r
        >>> _ = polar.defvjp(forward, backward)
        >>> def area(x, y):
        ...     r, angle = polar(x, y)
        ...     return r * r * angle / 2.0
        >>> round(grad(area)(3.0, 4.0), 6)
        0.781886
        """
        self.forward = None if backward is None else _compiled(rule)
        self.vjp = _compiled(backward or rule)
        return self.vjp

    def defjvp(self, rule: Callable[..., Any]) -> Any:
        """Give the Jacobian-vector product: `rule(*inputs, output, *tangents)` returns that of the output.

        Args:
            rule: a function that Numba can compile. It gets the inputs, the function's result, and the
                tangent of each input that has a derivative. Where it is in the language, or of numbers, it
                serves gradients, too.

        Returns:
            the rule, compiled when it is called.
        """
        self.jvp = _compiled(rule)
        return self.jvp


def _positions(nondiff: Sequence[int | str], signature: inspect.Signature) -> tuple[int, ...]:
    """Return the positions of arguments that are given by positions or names."""
    names = [*signature.parameters]
    return tuple(sorted(names.index(k) if isinstance(k, str) else range(len(names))[k] for k in nondiff))


_OWNERS: weakref.WeakKeyDictionary[Any, weakref.ref[CustomFunction[..., Any]]] = weakref.WeakKeyDictionary()


def with_rules(dispatcher: Any) -> Any:
    """Return the function with rules of its own that a dispatcher stands for in compiled code, or itself."""
    owner = _OWNERS.get(dispatcher)
    return (owner and owner()) or dispatcher


_VERSIONS: weakref.WeakKeyDictionary[Any, str | None] = weakref.WeakKeyDictionary()


def _compiled(function: Callable[..., Any]) -> Any:
    if isinstance(function, Dispatcher):
        return function
    made = compiled_with_helpers(function)
    _VERSIONS[made] = None
    return made


def _given(made: Any) -> Any:
    """Return what `_compiled` was given."""
    return made.py_func if made is not None and made in _VERSIONS else made


def renew(value: Any, version: str) -> None:
    """Compile a function with a rule of its own, or such a rule, again if what it reads has changed.

    Args:
        value: a `CustomFunction`, or what it compiled; dispatchers that users made stay as they are.
        version: what tells its versions apart.
    """
    made = getattr(value, "dispatcher", value)
    if not isinstance(made, Dispatcher) or made not in _VERSIONS:
        return
    if _VERSIONS[made] not in (None, version):
        made.recompile()
    _VERSIONS[made] = version


@overload
def custom_vjp(
    function: Callable[P, T], nondiff_argnums: Sequence[int | str] = ()
) -> CustomFunction[P, T]: ...


@overload
def custom_vjp(
    *, nondiff_argnums: Sequence[int | str]
) -> Callable[[Callable[P, T]], CustomFunction[P, T]]: ...


def custom_vjp(function: Any = None, nondiff_argnums: Sequence[int | str] = ()) -> Any:
    """Let a function have the derivative that `defvjp` gives it, instead of one derived from its source.

    For functions whose source tells little (roots found by iteration), and for ones without any that Numba
    can call all the same. Arguments and results are numbers, arrays, and tuples, named tuples or dictionaries
    of these; a result that is one is written out in the `return` statement. The function does not change its
    arguments.

    Args:
        function: a Python function or an `@njit` dispatcher.
        nondiff_argnums: positions or names of arguments without derivative, functions among them.

    >>> from adcompiler import grad
    >>> @custom_vjp
    ... def square_root(a):
    ...     x = a
    ...     while abs(x * x - a) > 1e-14 * a:
    ...         x = 0.5 * (x + a / x)
    ...     return x
    >>> @square_root.defvjp
    ... def of_square_root(a, x, d):
    ...     return 0.5 * d / x
    >>> round(float(grad(lambda a: square_root(a) * a, jit=False)(4.0)), 9)
    3.0
    """
    return _decorated(function, nondiff_argnums)


@overload
def custom_jvp(
    function: Callable[P, T], nondiff_argnums: Sequence[int | str] = ()
) -> CustomFunction[P, T]: ...


@overload
def custom_jvp(
    *, nondiff_argnums: Sequence[int | str]
) -> Callable[[Callable[P, T]], CustomFunction[P, T]]: ...


def custom_jvp(function: Any = None, nondiff_argnums: Sequence[int | str] = ()) -> Any:
    """Let a function have the derivative that `defjvp` gives it, instead of one derived from its source.

    Args:
        function: a Python function or an `@njit` dispatcher, as for `custom_vjp`.
        nondiff_argnums: positions or names of arguments without derivative, functions among them.

    >>> from adcompiler import grad
    >>> @custom_jvp
    ... def logistic(x):
    ...     return 1.0 / (1.0 + math.exp(-x))
    >>> @logistic.defjvp
    ... def of_logistic(x, y, t):
    ...     return y * (1.0 - y) * t
    >>> import math
    >>> grad(lambda x: logistic(x), jit=False)(0.0)
    0.25
    """
    return _decorated(function, nondiff_argnums)


def _decorated(function: Any, nondiff: Sequence[int | str]) -> Any:
    if function is None:
        return lambda given: CustomFunction(given, nondiff=nondiff)
    return CustomFunction(function, nondiff=nondiff)


def stop_gradient(value: T) -> T:
    """Return the value as it is; to a gradient it is a constant.

    >>> from adcompiler import grad
    >>> float(grad(lambda x: x * stop_gradient(x), jit=False)(3.0))
    3.0
    """
    return value


def checkpointed(iterable: T, slots: int) -> T:
    """Return what a loop goes over; for its reversal, the loop keeps what few iterations begin with.

    The reverse sweep runs the other iterations again, from the last one before them that is kept. In all, the
    fewest iterations are run for this number of slots: 1,000 with 10 slots are 4,636 (Griewank and Walther
    2000, "Revolve", section 2).

    Args:
        iterable: what follows `in` in a `for` statement.
        slots: how many states to keep, a constant.

    >>> from adcompiler import grad
    >>> def grown(x, steps):
    ...     for _ in checkpointed(range(steps), slots=3):
    ...         x = x + 0.1 * x * (1.0 - x)
    ...     return x
    >>> round(float(grad(grown, jit=False)(0.5, 50)), 6)
    0.023154
    """
    return iterable


@contextmanager
def grad_of(value: Any) -> Iterator[Any]:
    """Run statements on the adjoint of a variable, as the reverse sweep forms it: `with grad_of(x) as d:`.

    What `d` is at the end of the block flows on to what `x` was computed from: print it, test it, clip it.
    It is what the uses of `x` below the block make of it; those above add to what flows on. In loops, the
    statements run once for each iteration: last one first, unless no iteration depends on another. The block
    is no part of the function itself: values of the function that it reads are those at its place, and it
    may assign to `d` and to new names.

    Args:
        value: a variable that holds a number or an array.

    Returns:
        the context manager. Where Python runs the function itself, without adcompiler, `d` is zero.

    >>> from adcompiler import grad
    >>> def clipped(x):
    ...     y = x * x
    ...     with grad_of(y) as d:
    ...         d = min(d, 1.0)
    ...     return 10.0 * y
    >>> grad(clipped)(3.0)
    6.0
    """
    yield np.zeros_like(value) if isinstance(value, np.ndarray) else 0.0


@compiled_form(stop_gradient)
def _stop_gradient(value):
    return lambda value: value


@typeof_impl.register(CustomFunction)
def _typeof_custom(value: CustomFunction[..., Any], context: Any) -> types.Dispatcher:
    return types.Dispatcher(value.dispatcher)
