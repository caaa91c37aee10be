"""`isinstance(x, tuple)` and `hasattr(x, "ndim")`: answers that are known before types are."""

from __future__ import annotations

import numbers

import gast
import numpy as np

from adcompiler.frontend import scope
from adcompiler.frontend.bindings import Binding, Record
from adcompiler.frontend.ranks import Items, Listed
from adcompiler.frontend.state import Lowering
from adcompiler.graph.nodes import Global, Literal, Value

_OF_NUMBERS = (int, float, complex, np.generic, numbers.Number)
"""Classes of numbers: which of them one belongs to is known when types are."""


def answered(state: Lowering, node: gast.Call, fn: str) -> bool | None:
    """Answer `isinstance` or `hasattr`; None where it is another call, or the answer is not known.

    Args:
        state: the state.
        node: the call.
        fn: the canonical name of what is called.
    """
    if fn not in ("isinstance", "hasattr") or len(node.args) != 2 or node.keywords:
        return None
    if fn == "isinstance":
        return _is_instance(state, node)
    name = node.args[1].value if isinstance(node.args[1], gast.Constant) else None
    found = state.binding(node.args[0])
    if isinstance(found, Record):
        return name in found.names
    kind = _class_of(state, found)
    return None if kind is None or not isinstance(name, str) else hasattr(kind, name)


def _is_instance(state: Lowering, node: gast.Call) -> bool | None:
    named = node.args[1].elts if isinstance(node.args[1], gast.Tuple) else [node.args[1]]
    found = [scope.dotted(state, each) for each in named]
    classes = tuple(each for each in found if isinstance(each, type))
    kind = _class_of(state, state.binding(node.args[0]))
    if kind is None or len(classes) < len(found):
        return None
    if kind is float and any(issubclass(each, _OF_NUMBERS) for each in classes):
        return None
    return issubclass(kind, classes)


def _class_of(state: Lowering, binding: Binding) -> type | None:
    """Return the class of an argument, float for any number; None where it is not known."""
    match binding:
        case Record():
            kind: type = binding.maker
            return kind
        case tuple():
            return tuple
        case Literal(value=int() | float()) if not isinstance(binding.value, bool):
            return float
        case Literal() | Global():
            return type(binding.value)
        case Value() if (rank := state.ranks.get(binding)) is not None:
            made_of = {Items: tuple, Listed: list}
            return made_of.get(type(rank), np.ndarray if rank else float)
    return None
