"""Nodes whose slope may be infinite where they are given zero."""

from __future__ import annotations

from adcompiler.graph.nodes import Apply, Literal, Node
from adcompiler.primitives import card


def is_root(node: Node) -> bool:
    """Tell whether a node is a root or a power like one, or calls a function that holds one.

    >>> from adcompiler.graph.nodes import Value
    >>> x, y = Value("x"), Value("y")
    >>> [is_root(Apply(y, "pow", (x, Literal(power)))) for power in (2, 0.5)]
    [False, True]
    """
    if not isinstance(node, Apply):
        return False
    if card(node.fn).is_call:
        return bool(getattr(getattr(node.args[0], "value", None), "is_steep", False))
    if not card(node.fn).is_steep_at_zero or len(node.args) == 1:
        return card(node.fn).is_steep_at_zero
    power = node.args[1]
    return not isinstance(power, Literal) or (isinstance(power.value, float) and 0 < power.value < 1)
