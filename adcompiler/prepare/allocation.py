"""Nodes that allocate an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import boolean, float32, int64
from numba.core import types as nt

from adcompiler.analysis.types import element
from adcompiler.graph.nodes import Apply, Atom, Global, Node, Value


def allocate(fn: str, array: Value, bounds: Sequence[Atom]) -> list[Node]:
    """Return the allocation of an array by `np.empty` or `np.zeros`."""
    dtypes = {boolean: Global("np.bool_", np.bool_), int64: Global("np.int64", np.int64)}
    dtypes[float32] = Global("np.float32", np.float32)
    kind = element(array.type)
    dtype = (dtypes[kind],) if kind in dtypes else ()
    if len(bounds) == 1:
        return [Apply(array, fn, (bounds[0], *dtype))]
    shape = Value("shape", temporary=True, type=nt.UniTuple(int64, len(bounds)))
    return [Apply(shape, "tuple", tuple(bounds)), Apply(array, fn, (shape, *dtype))]
