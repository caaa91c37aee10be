"""Nodes that allocate an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import int64
from numba.core import types as nt

from adcompiler.analysis.types import dtype_name, element
from adcompiler.graph.nodes import Apply, Atom, Global, Node, Value


def dtype_of(kind: object) -> tuple[Global, ...]:
    """Return the `dtype` that makes an array of numbers of a type; nothing for float64.

    >>> dtype_of("float64"), dtype_of("boolean")
    ((), (Global(name='np.bool_', value=<class 'numpy.bool...'>),))
    """
    name = dtype_name(str(kind))
    return () if name == "np.float64" else (Global(name, getattr(np, name.removeprefix("np."))),)


def allocate(fn: str, array: Value, bounds: Sequence[Atom]) -> list[Node]:
    """Return the allocation of an array by `np.empty` or `np.zeros`."""
    dtype = dtype_of(element(array.type))
    if len(bounds) == 1:
        return [Apply(array, fn, (bounds[0], *dtype))]
    shape = Value("shape", temporary=True, type=nt.UniTuple(int64, len(bounds)))
    return [Apply(shape, "tuple", tuple(bounds)), Apply(array, fn, (shape, *dtype))]
