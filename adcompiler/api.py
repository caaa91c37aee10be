"""The public functions: `grad` and `value_and_grad`."""

from __future__ import annotations

import inspect
import textwrap
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property, update_wrapper
from typing import Any

import numba
import numpy as np
from numba.core import types as nt
from numba.core.errors import NumbaPerformanceWarning

from adcompiler.analysis.guess import describe, guess_arguments
from adcompiler.analysis.types import element, is_array, is_float
from adcompiler.backend.module import jit_options, load, module_text, uncompiled
from adcompiler.compile import Compiled, Mode, compile_text, primal_graph
from adcompiler.errors import DifferentiationError
from adcompiler.explain import explain
from adcompiler.frontend.parse import python_function
from adcompiler.graph.nodes import Graph
from adcompiler.view import ComputationGraph

Argnums = int | str | Sequence[int | str]


class Derivative:
    """A function made from another: its gradient, its value with the gradient, or the function itself.

    It is called like the original function, from Python or inside `@njit` code, and is specialised
    for the types of the arguments at the first call with them.
    """

    def __init__(
        self, function: Callable[..., Any], mode: Mode, argnums: Argnums, jit: bool, options: dict[str, Any]
    ) -> None:
        self.function = function
        self.mode = mode
        self.is_derivative = mode != "primal"
        self.argnums = argnums
        self.jit = jit
        self.options = jit_options(function, options)
        self.python = python_function(function)
        self.signature = inspect.signature(self.python)
        self.names = list(self.signature.parameters)
        self.wrt, self.single = _positions(argnums, self.names, self.python.__name__)
        if mode == "primal":
            self.py_func = self.python  # so that it can be followed and differentiated like a dispatcher
        self.specialised: dict[tuple[nt.Type, ...], tuple[Any, Compiled, str]] = {}
        update_wrapper(self, self.python)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate for these arguments; they are never changed."""
        if kwargs or len(args) != len(self.names):
            args = self._bind(args, kwargs)
        function = self._specialise(tuple(map(_typeof, args, self.names)))[0]
        if self.jit:
            return function(*args)
        with np.errstate(all="ignore"):
            return function(*(np.float64(a) if isinstance(a, float) else a for a in args))

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise DifferentiationError("AD305", f"{self.python.__name__}: {error}") from None
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in self.names)

    def _specialise(
        self, kinds: tuple[nt.Type, ...], origins: Sequence[str] = ()
    ) -> tuple[Any, Compiled, str]:
        if kinds not in self.specialised:
            self.check_arguments(kinds)
            made = compile_text(self._graph, kinds, self.wrt, self.mode, self.single)
            source = module_text(made.text, self._header(kinds, origins), self.options)
            module = load(source, made.text.name, made.text.arrays)
            name = made.text.name
            function = getattr(module, name) if self.jit else uncompiled(module, name)
            if self.jit and self.options.get("parallel"):
                with warnings.catch_warnings():  # a gradient without parallel parts is no fault
                    warnings.simplefilter("ignore", NumbaPerformanceWarning)
                    function.compile(kinds)
            self.specialised[kinds] = function, made, source
        return self.specialised[kinds]

    def check_arguments(self, kinds: Sequence[nt.Type]) -> None:
        """Refuse arguments that cannot be differentiated, or arrays of other element types."""
        for position in self.wrt if self.mode != "primal" else ():
            kind, name = kinds[position], self.names[position]
            if isinstance(element(kind), nt.Integer | nt.Boolean):
                reason = f"argument '{name}' has type {describe(kind)}"
                cure = f"pass floats: {name}.astype(float)" if is_array(kind) else "pass a float: 3.0, not 3"
                raise DifferentiationError("AD301", reason, None, cure)
            if not is_float(element(kind)):
                raise DifferentiationError("AD301", f"argument '{name}' has type {describe(kind)}")
            if str(element(kind)) not in ("float64", "float32"):
                raise DifferentiationError("AD306", f"argument '{name}' has elements of type {element(kind)}")

    def _header(self, kinds: Sequence[nt.Type], origins: Sequence[str]) -> str:
        what = {
            "primal": "the function",
            "grad": "the gradient of",
            "value_and_grad": "value and gradient of",
        }
        lines = [f"Generated by adcompiler: {what[self.mode]} {self.python.__name__}"]
        groups: dict[str, list[str]] = {}
        notes = list(origins) or ["as called"] * len(kinds)
        for name, kind, note in zip(self.names, kinds, notes, strict=True):
            groups.setdefault(note, []).append(f"{name}: {describe(kind)}")
        for note, args in groups.items():
            lines += textwrap.wrap(f"types {note}: {', '.join(args)}", 100, subsequent_indent="  ")
        return "\n".join(lines)

    @cached_property
    def _graph(self) -> Graph:
        return primal_graph(self.function)

    def _current(self) -> tuple[Any, Compiled, str]:
        """The latest specialisation, or one for guessed argument types."""
        if self.specialised:
            return next(reversed(self.specialised.values()))
        kinds, origins = guess_arguments(self._graph, self.python, self.wrt)
        found = self._specialise(tuple(kinds), origins)
        del self.specialised[tuple(kinds)]
        return found

    @property
    def source(self) -> str:
        """The text of the generated module, for the latest argument types or else for likely ones."""
        return self._current()[2]

    @property
    def graph(self) -> ComputationGraph:
        """The function's SSA graph, as an object to print, evaluate and follow."""
        return ComputationGraph.of(self._graph)

    def explain(self) -> str:
        """Return what the reverse sweep stores, loop by loop, how much and why."""
        return explain(self.python.__name__, self._current()[1].plans)

    @cached_property
    def primal(self) -> Any:
        """The function itself, compiled: callable from Python and inside `@njit` code."""
        if hasattr(self.function, "py_func"):
            return self.function
        return Derivative(self.function, "primal", self.argnums, self.jit, self.options)

    @cached_property
    def value_and_grad(self) -> Derivative:
        """The function that returns value and gradient together."""
        return Derivative(self.function, "value_and_grad", self.argnums, self.jit, self.options)

    def __repr__(self) -> str:
        return f"<adcompiler {self.mode} of {self.python.__name__}>"

    def dispatcher(self, kinds: tuple[nt.Type, ...]) -> Any:
        """Return the Numba dispatcher for argument types; used when compiled code calls this object."""
        parameters = list(self.signature.parameters.values())
        missing = [numba.typeof(p.default) for p in parameters[len(kinds) :]]
        plain = [nt.unliteral(kind) for kind in (*kinds, *missing)]
        return self._specialise(tuple(plain))[0]


_ARRAY_TYPES: dict[tuple[Any, ...], nt.Type] = {}


def _typeof(value: Any, name: str) -> nt.Type:
    """Return the Numba type of an argument; those of arrays are remembered, as this runs at every call."""
    if type(value) is float:
        return nt.float64
    if type(value) is np.ndarray:
        key = (value.dtype, value.ndim, value.flags.num)
        if key not in _ARRAY_TYPES:
            _ARRAY_TYPES[key] = _typeof_slowly(value, name)
        return _ARRAY_TYPES[key]
    return _typeof_slowly(value, name)


def _typeof_slowly(value: Any, name: str) -> nt.Type:
    try:
        return numba.typeof(value)
    except ValueError:
        kind = type(value).__name__
        raise DifferentiationError(
            "AD301", f"argument '{name}' is a {kind}, which Numba cannot type"
        ) from None


def _positions(argnums: Argnums, names: list[str], function: str) -> tuple[list[int], bool]:
    """Return the positions of the arguments to differentiate, and whether it is a single one."""
    single = isinstance(argnums, int | str)
    items = [argnums] if isinstance(argnums, int | str) else list(argnums)
    found = []
    for item in items:
        position = item if isinstance(item, int) else names.index(item) if item in names else None
        if position is None or not -len(names) <= position < len(names):
            reason = f"'{function}' has no argument {item!r}; it has ({', '.join(names)})"
            raise DifferentiationError("AD305", reason)
        found.append(position % len(names))
    if len(set(found)) != len(found):
        raise DifferentiationError("AD305", f"argnums {argnums!r} names an argument twice")
    return found, single


def grad(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates the gradient of a scalar function.

    Args:
        function: a numeric Python function, or an `@njit` dispatcher, that returns one float.
        argnums: the argument or arguments to differentiate, by position or name.
        jit: False runs the same generated text as plain Python and NumPy.
        options: Numba options such as `fastmath=True` or `error_model="python"`; those of a
            dispatcher are taken over.

    Returns:
        a callable with the parameters of `function`. It returns the gradient of the one argument, in
        its shape and dtype, or a tuple of gradients where `argnums` is a sequence.

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
    """
    if function is None:
        return lambda f: Derivative(f, "grad", argnums, jit, options)
    return Derivative(function, "grad", argnums, jit, options)


def value_and_grad(
    function: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    jit: bool = True,
    **options: Any,
) -> Any:
    """Return a function that evaluates a scalar function and its gradient together.

    Arguments, result and errors are those of `grad`, but the result is `(value, gradient)`.

    >>> def energy(x, k):
    ...     return 0.5 * k * x * x
    >>> value_and_grad(energy)(3.0, 2.0)
    (9.0, 6.0)
    """
    if function is None:
        return lambda f: Derivative(f, "value_and_grad", argnums, jit, options)
    return Derivative(function, "value_and_grad", argnums, jit, options)
