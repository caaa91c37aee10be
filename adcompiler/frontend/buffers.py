"""Captured arrays that a function writes by their own names."""

from __future__ import annotations

import gast
import numpy as np

from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Apply, Atom, Global, Value


def writable(state: Lowering, array: Atom, node: gast.AST) -> Atom:
    """Return what stands for an array that is written: for a captured one, its copy for this call."""
    if not isinstance(array, Global) or not isinstance(array.value, np.ndarray):
        return array
    out = Value(array.name)
    state.nodes.append(Apply(out, "buffer", (array,), loc=state.where(node)))
    state.ranks[out] = array.value.ndim
    return out
