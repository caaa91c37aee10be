"""Division by zero as Python has it, where the function that divides asks for that.

Under the error model "python", which is the default of `@njit`, a division by zero raises. That is meant for
what the program divides, not for what its derivative divides; so the whole is compiled under NumPy's model,
with a check before each division that stands in the text of such a function.
"""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import is_complex, is_scalar
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Literal, Node, Region, type_of
from adcompiler.graph.walk import map_region
from adcompiler.primitives import card


def check_divisors(graph: Graph) -> Graph:
    """Return a primal that raises ZeroDivisionError where a division that says so divides a number by zero.

    Args:
        graph: the typed primal.

    >>> from numba import float64
    >>> from adcompiler.graph.nodes import Value
    >>> from adcompiler.graph.text import to_text
    >>> x, y = Value("x", type=float64), Value("y", type=float64)
    >>> nodes = (Apply(y, "truediv", (Literal(1.0), x), raises=True),)
    >>> print(to_text(check_divisors(Graph("f", Region((x,), nodes, (y,))))))
    graph f(x):
      nonzero(x)
      y = truediv(1.0, x)
      return y
    """

    def is_number(atom: Atom) -> bool:
        if isinstance(atom, Literal):
            return not atom.value
        kind = type_of(atom)
        return is_scalar(kind) and not is_complex(kind)

    def raises(node: Apply) -> bool:
        return node.raises and is_scalar(node.out.type)

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            if isinstance(node, Apply) and card(node.fn).divides and raises(node):
                nodes += (
                    [Effect("nonzero", node.args[1:2], loc=node.loc, role=node.role)]
                    if is_number(node.args[1])
                    else []
                )
            nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))
