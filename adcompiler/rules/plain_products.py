"""Products of an adjoint or tangent with a slope: plain ones where a zero needs no care.

The rules write `times(d, slope)` where the slope may be infinite or not a number, as that of a square root
at zero: an adjoint that is exactly zero then hands on exactly zero. Where the program shows that it makes no
difference, as with `1 / (1 + x * x)`, it is a product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adcompiler.analysis.ranges import Ranges
from adcompiler.graph.nodes import Apply, Literal, Node, Region
from adcompiler.graph.walk import map_region, uses, walk


def plain_products(nodes: Sequence[Node], known: Ranges, keeps_zeros: bool) -> tuple[Node, ...]:
    """Return the nodes of a formula with `times` only where it makes a difference.

    Args:
        nodes: what computes a part of an adjoint or tangent.
        known: what is known of the values of the primal; what the nodes compute is entered.
        keeps_zeros: whether the adjoint may be zero where a value of the primal is not a number, and infinite
            where the slope is zero.

    >>> from adcompiler.graph.nodes import Value
    >>> from adcompiler.graph.text import to_text
    >>> x, d, s, b, q, y = (Value(name) for name in "xdsbqy")
    >>> nodes = [Apply(s, "mul", (x, x)), Apply(b, "add", (Literal(1.0), s))]
    >>> nodes += [Apply(q, "truediv", (Literal(2.0), b)), Apply(y, "times", (d, q))]
    >>> plain_products(nodes, Ranges({}, {x}), False)[-1].fn
    'mul'
    >>> plain_products(nodes, Ranges({}, {x}), True)[-1].fn
    'times'
    """
    region = Region((), tuple(nodes), ())
    known.makers.update((node.out, node) for node in walk(region) if isinstance(node, Apply))
    trusted = replace(known, given=set()) if keeps_zeros else known
    counts = uses(region)

    def makes_no_difference(node: Apply) -> bool:
        slope = node.args[1]
        return trusted.is_finite(slope) and (not keeps_zeros or trusted.is_apart_from_zero(slope))

    def changed(node: Node) -> Node:
        if not isinstance(node, Apply) or node.fn != "times" or not makes_no_difference(node):
            return node
        made = known.made(node.args[1])
        is_own = made is not None and made.fn == "truediv" and counts[made.out] == 1
        if made is not None and is_own and made.args[0] in (Literal(1), Literal(1.0)):
            return replace(node, fn="truediv", args=(node.args[0], made.args[1]))
        return replace(node, fn="mul")

    def rewrite(inner: Region) -> Region:
        return replace(inner, nodes=tuple(map(changed, inner.nodes)))

    return map_region(region, rewrite).nodes
