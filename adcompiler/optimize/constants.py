"""Arithmetic on constants."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from adcompiler.graph.nodes import Apply, Atom, Literal

_ARITHMETIC: dict[str, Callable[..., object]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "max": max,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "not": operator.not_,
}


def is_arithmetic(node: Apply) -> bool:
    """Tell whether a primitive can be computed here, given constants."""
    return node.fn in _ARITHMETIC


def computed(node: Apply) -> Apply | Atom:
    """Return the constant that a primitive makes of constants; the node where that is no finite number.

    >>> from adcompiler.graph.nodes import Value
    >>> computed(Apply(Value("y"), "add", (Literal(1), Literal(2)))) == Literal(3)
    True
    """
    try:
        value = _ARITHMETIC[node.fn](*(atom.value for atom in node.args if isinstance(atom, Literal)))
    except (ArithmeticError, TypeError, ValueError):
        return node
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return Literal(value)
    return node
