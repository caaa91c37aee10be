"""`vjp`: outputs of any structure, and the function that pulls their adjoints back to the arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_continuous
from adcompiler.api.arguments import check_array, flat, layout_of_value, plain
from adcompiler.api.derivative import Derivative
from adcompiler.api.specialised import Specialised, outdated
from adcompiler.errors import DifferentiationError
from adcompiler.graph.layout import Layout, leaves
from adcompiler.turns import in_turn


def derivative_of(
    function: Callable[..., Any], mode: Any, wrt: tuple[int, ...], jit: bool, options: tuple[Any, ...]
) -> Derivative:
    """Return the object that differentiates a function in some mode, made once; it sees what is there now."""
    made = _made_once(function, mode, wrt, jit, options)
    if not made.is_current():
        _bring_up_to_date(made)
    return made


@in_turn
def _bring_up_to_date(made: Derivative) -> None:
    if not made.is_current():  # no other thread has done it in the meantime
        made.recompile()


@lru_cache(maxsize=256)
def _made_once(
    function: Callable[..., Any], mode: Any, wrt: tuple[int, ...], jit: bool, options: tuple[Any, ...]
) -> Derivative:
    return Derivative(function, mode, wrt, jit, dict(options))


def vjp(
    function: Callable[..., Any], *args: Any, jit: bool = True, **options: Any
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return the outputs of a function and the function that multiplies by its transposed Jacobian.

    Args:
        function: a numeric Python function or `@njit` dispatcher with results of any structure: numbers,
            arrays, tuples, named tuples. One without a result has the arguments that it writes as
            its outputs; the caller's arrays stay as they are.
        *args: its arguments.
        jit: False runs the generated text as plain Python.
        **options: Numba options.

    Returns:
        the outputs, and a function from adjoints in the structure of the outputs to a tuple with the
        adjoint of each argument (None for arguments without a derivative). Each call of it runs
        `function` once more.

    Raises:
        DifferentiationError: where the function cannot be differentiated.

    >>> def polar(r, angle):
    ...     return r * np.cos(angle), r * np.sin(angle)
    >>> outputs, pullback = vjp(polar, 2.0, 0.0)
    >>> outputs
    (2.0, 0.0)
    >>> pullback((1.0, 3.0))
    (1.0, 6.0)
    """
    fixed = tuple(sorted(options.items()))
    outputs = derivative_of(function, "outputs", (), jit, fixed)
    value = outputs(*args)
    args = outputs.bound(args)
    layouts = tuple(layout_of_value(arg, "argument", True) for arg in args)
    wrt = tuple(k for k, layout in enumerate(layouts) if any(is_continuous(x.kind) for x in leaves(layout)))
    returns = outputs._specialise(outputs.layouts(args)).interface.returns
    pullback = Pullback(derivative_of(function, "pullback", wrt, jit, fixed), args, value, returns)
    return value, pullback.made_ready()


class Pullback:
    """What `vjp` returns beside the outputs: the function from their adjoints to those of the arguments."""

    def __init__(self, derivative: Derivative, args: tuple[Any, ...], value: Any, returns: Layout) -> None:
        self.derivative, self.value, self.returns = derivative, value, returns
        self.layouts = tuple(layout_of_value(arg, "argument", True) for arg in args)
        self.kept = tuple(np.copy(arg) if isinstance(arg, np.ndarray) else arg for arg in args)
        self.made: Specialised | None = None

    def made_ready(self) -> Pullback:
        """Compile what the call will run, now: what the function reads may change until then."""
        self.made = self.derivative._specialise(self.layouts)
        return self

    def __call__(self, adjoint: Any) -> tuple[Any, ...]:
        """Return the adjoint of each argument, given that of the outputs."""
        made = self.made or self.derivative._specialise(self.layouts)
        seeds = _seeds(adjoint, self.value, self.returns, made.interface.seeds)
        found = self.derivative.run(made, [*map(plain, self.kept, made.layouts), *seeds])
        parts = iter(found)
        return tuple(next(parts) if k in self.derivative.wrt else None for k in range(len(self.kept)))

    def __reduce__(self) -> Any:
        is_current = self.made is None or (
            self.made.version == self.derivative.version and self.derivative.is_current()
        )
        if not is_current:
            raise outdated(self.derivative.python.__name__)
        return Pullback, (self.derivative, self.kept, self.value, self.returns)

    def __repr__(self) -> str:
        return f"<adcompiler pullback of {self.derivative.python.__name__}>"


def _seeds(adjoint: Any, value: Any, returns: Layout, kinds: tuple[nt.Type | None, ...]) -> list[Any]:
    """Return the adjoints of the outputs as the generated function takes them."""
    try:
        given, outputs = [*flat(adjoint, returns)], [*flat(value, returns)]
    except (TypeError, ValueError, AttributeError) as error:
        reason = "the adjoint has another structure than the outputs"
        raise DifferentiationError("AD305", reason) from error
    seeds: list[Any] = []
    for item, output, kind in zip(given, outputs, kinds, strict=True):
        if kind is None:
            continue
        check_array(item, "the adjoint of an output")
        if np.shape(item) != np.shape(output):
            reason = f"the adjoint of an output of shape {np.shape(output)} has shape {np.shape(item)}"
            raise DifferentiationError("AD305", reason)
        scalar = np.dtype(str(kind.dtype if is_array(kind) else kind))
        seeds.append(np.array(item, dtype=scalar, order="C") if is_array(kind) else scalar.type(item))
    return seeds
