"""Powers whose exponents are halves or small whole numbers as roots and products: no logarithm is taken."""

from __future__ import annotations

from dataclasses import replace

from adcompiler.analysis.types import element, is_float
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Value, type_of
from adcompiler.graph.walk import regions, with_regions
from adcompiler.primitives import card

_LARGEST = 4  # a product of more factors is less precise than a power


def write_out_powers(graph: Graph) -> Graph:
    """Return the graph with `x ** -1.5` as `1.0 / (x * sqrt(x))`, and `x ** 3.0` as `x ** 3`.

    Derivatives must have been taken: that of `x ** 1.5` is 0 where x is 0, that of the product is not.

    Args:
        graph: a typed graph.

    >>> from numba import float64
    >>> x, y = Value("x", type=float64), Value("y", type=float64)
    >>> power = Apply(y, "pow", (x, Literal(1.5)))
    >>> [node.fn for node in write_out_powers(Graph("f", Region((x,), (power,), (y,)))).body.nodes]
    ['np.sqrt', 'mul']
    """

    def rewrite(region: Region) -> Region:
        nodes: list[Node] = []
        for node in region.nodes:
            exponent = _exponent(node)
            if isinstance(node, Apply) and exponent is not None:
                nodes += _written_out(node, exponent)
            else:
                nodes.append(with_regions(node, tuple(map(rewrite, regions(node)))))
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=rewrite(graph.body))


def _exponent(node: Node) -> float | None:
    """Return the exponent of a power of real numbers that can be written out."""
    if not isinstance(node, Apply) or card(node.fn).fast != "pow" or len(node.args) != 2:
        return None
    base, exponent = node.args
    if not isinstance(exponent, Literal) or not isinstance(exponent.value, float):
        return None
    kind = element(type_of(base))
    is_same = is_float(kind) and kind == element(node.out.type)
    is_known = (2 * exponent.value).is_integer() and 0 < abs(exponent.value) <= _LARGEST
    return exponent.value if is_same and is_known else None


def _written_out(node: Apply, exponent: float) -> list[Node]:
    base, count = node.args[0], int(abs(exponent))
    has_root, is_inverse = not exponent.is_integer(), exponent < 0
    made: list[Node] = []

    def apply(fn: str, args: tuple[Atom, ...], is_last: bool) -> Value:
        out = node.out if is_last else Value(fn.removeprefix("np."), temporary=True, type=node.out.type)
        made.append(replace(node, out=out, fn=fn, args=args, keywords=()))
        return out

    found: Atom = base
    if count > 1 or not (has_root or is_inverse):
        found = apply("pow", (base, Literal(count)), not (has_root or is_inverse))
    if has_root:
        root = apply("np.sqrt", (base,), count == 0 and not is_inverse)
        found = root if count == 0 else apply("mul", (found, root), not is_inverse)
    if is_inverse:  # Numba raises for `0.0 ** -2`, and has `0.0 ** -2.0` infinite
        apply("truediv", (Literal(1.0), found), True)
    return made
