"""`vjp`: outputs of any structure, and the function that pulls their adjoints back to the arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.api.arguments import check_array, flat, layout_of_value, plain
from adcompiler.api.derivative import Derivative
from adcompiler.errors import DifferentiationError
from adcompiler.graph.kinds import is_array, is_continuous
from adcompiler.graph.layout import Layout, leaves


def derivative_of(
    function: Callable[..., Any], mode: Any, wrt: tuple[int, ...], jit: bool, options: tuple[Any, ...]
) -> Derivative:
    """Return the object that differentiates a function in some mode, made once; it sees what is there now."""
    made = _made_once(function, mode, wrt, jit, options)
    if not made.is_current():
        made.recompile()
    return made


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
    derivative = derivative_of(function, "pullback", wrt, jit, fixed)
    made = derivative._specialise(layouts)  # now: what the function reads may change until the pullback runs
    returns = outputs._specialise(outputs.layouts(args)).compiled.returns
    kept = tuple(np.copy(arg) if isinstance(arg, np.ndarray) else arg for arg in args)

    def pullback(adjoint: Any) -> tuple[Any, ...]:
        """Return the adjoint of each argument, given that of the outputs."""
        seeds = _seeds(adjoint, value, returns, made.compiled.seeds)
        found = derivative.run(made, [*map(plain, kept, made.layouts), *seeds])
        parts = iter(found)
        return tuple(next(parts) if k in wrt else None for k in range(len(args)))

    return value, pullback


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
