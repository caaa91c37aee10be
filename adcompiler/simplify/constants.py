"""Arithmetic on constants."""

from __future__ import annotations

import math

from adcompiler.graph.nodes import Apply, Atom, Literal
from adcompiler.primitives import card


def is_arithmetic(node: Apply) -> bool:
    """Tell whether a primitive can be computed here, given constants."""
    known = card(node.fn)
    return known.compute is not None and (known.operator is not None or node.fn == "max")


def computed(node: Apply) -> Apply | Atom:
    """Return the constant that a primitive makes of constants; the node where that is no finite number.

    >>> from adcompiler.graph.nodes import Value
    >>> computed(Apply(Value("y"), "add", (Literal(1), Literal(2)))) == Literal(3)
    True
    """
    compute = card(node.fn).compute
    assert compute is not None
    try:
        value = compute(*(atom.value for atom in node.args if isinstance(atom, Literal)))
    except (ArithmeticError, TypeError, ValueError):
        return node
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return Literal(value)
    return node
