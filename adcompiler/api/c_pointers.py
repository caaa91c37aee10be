"""`derivative.cfunc(*types)`: a derivative as a pointer to a function of C, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numba
from numba.core import types as nt

from adcompiler.api.arguments import kind_of
from adcompiler.api.exporting import layouts_for
from adcompiler.enabled import enabled
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.texts import function_of
from adcompiler.turns import in_turn, uninterrupted

_REAL = (nt.Float, nt.Integer, nt.Boolean)


@in_turn
def cfunc(derivative: Any, /, *args: Any) -> Any:
    """Return the derivative as a function of C, for ctypes, cffi, Cython, and solvers that call pointers.

    A number is passed as itself, an array as a pointer to its first element, in C's order, and its lengths
    (`int64_t`). If the first result is a number, it is returned, or NaN where the derivative raises; else 0
    is returned, or 1 where it raises (`int32_t`). Other results follow the arguments: pointers to where they
    are written, numbers in the order of a structure, arrays in C's order.

    Args:
        derivative: the derivative, of arguments that are real numbers and arrays of them.
        *args: arguments that it is made for, or Numba types such as `float64[:]`; where there are none, those
            of the latest call.

    Returns:
        Numba's `CFunc`: `.address` is the pointer, `.ctypes` a function of ctypes. It has to be kept as
        long as the pointer is called.

    Raises:
        DifferentiationError: AD305 for arguments or results that have no form in C.

    >>> import ctypes
    >>> import numpy as np
    >>> from adcompiler import grad, value_and_grad
    >>> grad(lambda x: x**3).cfunc(2.0).ctypes(2.0)
    12.0
    >>> squares = value_and_grad(lambda x: np.sum(x * x)).cfunc(np.ones(3))
    >>> x, d_x = np.arange(3.0), np.empty(3)
    >>> doubles = ctypes.POINTER(ctypes.c_double)
    >>> squares.ctypes(x.ctypes.data_as(doubles), 3, d_x.ctypes.data_as(doubles)), d_x
    (5.0, array([0., 2., 4.]))
    """
    layouts = layouts_for(derivative, args) if args else derivative._current().layouts
    named = zip(map(kind_of, layouts), derivative.names, strict=True)
    given = [_in_order(kind, f"argument '{name}'") for kind, name in named]
    with enabled(), uninterrupted():
        made = numba.typeof(derivative).compiled.dispatcher(tuple(given))
        returned = made.overloads[tuple(given)].signature.return_type
        results = [(place, _in_order(kind, "a result")) for place, kind in _results(returned, "found")]
        known = {"function": made, "carray": numba.carray, "__name__": __name__}
        called = function_of(_text(given, results), known, derivative)
        return numba.cfunc(_signature(given, results))(called)


def _in_order(kind: Any, what: str) -> Any:
    """Return the type that C hands over for one of Numba's.

    Raises:
        DifferentiationError: AD305 for what has no form in C.
    """
    if isinstance(kind, nt.Array) and isinstance(kind.dtype, _REAL):
        return nt.Array(kind.dtype, kind.ndim, "C")
    if isinstance(kind, _REAL):
        return kind
    cure = "pass numbers and arrays, or write a function with @numba.cfunc that calls the derivative"
    raise DifferentiationError("AD305", f"{what} is of type {kind}, which has no form in C", None, cure)


def _results(kind: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield where each single result stands in what is returned, and its type."""
    if isinstance(kind, nt.BaseTuple):
        for k, part in enumerate(kind.types):
            yield from _results(part, f"{place}[{k}]")
    elif not isinstance(kind, nt.NoneType):
        yield place, kind


def _returns(results: Sequence[tuple[str, Any]]) -> bool:
    """Tell whether the first result is what the function of C returns."""
    return isinstance(results[0][1], nt.Float)


def _signature(given: Sequence[Any], results: Sequence[tuple[str, Any]]) -> Any:
    parameters: list[Any] = []
    for kind in given:
        is_array = isinstance(kind, nt.Array)
        parameters += [nt.CPointer(kind.dtype), *[nt.int64] * kind.ndim] if is_array else [kind]
    for _, kind in results[_returns(results) :]:
        parameters.append(nt.CPointer(getattr(kind, "dtype", kind)))
    return (results[0][1] if _returns(results) else nt.int32)(*parameters)


def _text(given: Sequence[Any], results: Sequence[tuple[str, Any]]) -> str:
    """Return the text of the function of C: it calls the derivative, and writes what it returns."""
    parameters, arguments = [], []
    for k, kind in enumerate(given):
        lengths = [f"a{k}_{axis}" for axis in range(getattr(kind, "ndim", 0))]
        parameters += [f"a{k}", *lengths]
        arguments.append(f"carray(a{k}, ({', '.join(lengths)},))" if lengths else f"a{k}")
    body = [f"found = function({', '.join(arguments)})"]
    for k, (place, kind) in enumerate(results[_returns(results) :]):
        parameters.append(f"out{k}")
        is_array = isinstance(kind, nt.Array)
        body.append(f"carray(out{k}, {place}.shape)[...] = {place}" if is_array else f"out{k}[0] = {place}")
    body.append(f"return {results[0][0]}" if _returns(results) else "return 0")
    lines = [f"def called({', '.join(parameters)}):", "    try:", *[f"        {line}" for line in body]]
    lines += ["    except Exception:", "        return " + ("float('nan')" if _returns(results) else "1")]
    return "\n".join(lines) + "\n"
