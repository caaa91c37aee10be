"""Whether complex steps tell the derivative of a program."""

from __future__ import annotations

from adcompiler.graph.kinds import element
from adcompiler.graph.nodes import Apply, Effect, Graph, Node, Store
from adcompiler.graph.walk import defined, walk
from adcompiler.primitives import card


def is_analytic(graph: Graph) -> bool:
    """Tell whether a typed primal is analytic in its floats, as far as its primitives say.

    >>> from numba import float64
    >>> from adcompiler.graph.nodes import Region, Value
    >>> x, y = Value("x", type=float64), Value("y", type=float64)
    >>> [is_analytic(Graph("f", Region((x,), (Apply(y, fn, (x,)),), (y,)))) for fn in ("np.exp", "np.abs")]
    [True, False]
    """
    is_complex = any("complex" in str(element(value.type)) for value in defined(graph.body))
    return not is_complex and all(map(_keeps_imaginary_parts, walk(graph.body)))


def _keeps_imaginary_parts(node: Node) -> bool:
    match node:
        case Store():
            return False  # NumPy would cut them off
        case Apply() if node.fn in ("np.real", "np.imag") or card(node.fn).is_call:
            return False
        case Apply():
            known = card(node.fn)
            is_loaded = known.is_view or known.allocates is not None or not known.reads_elements
            is_constant = known.is_constant and not node.fn.startswith("math.")  # which takes real numbers
            return known.is_analytic or known.is_linear or is_constant or is_loaded
        case Effect():
            return card(node.fn).is_statement
    return True
