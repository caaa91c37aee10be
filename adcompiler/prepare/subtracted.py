"""What `-=` subtracts from an element of another type is converted before it is negated.

`h[i] -= n` is held as `h[i] += -n`. A number of an unsigned or short type has no negative of its own type.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import float64, int64
from numba.core import types as nt

from adcompiler.analysis.types import element, is_array
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Node, Region, Store, Value, entry, type_of
from adcompiler.graph.walk import map_region


def convert_subtracted(graph: Graph) -> Graph:
    """Return the graph with such numbers converted.

    Args:
        graph: the typed primal, in which in-place operators are resolved.
    """

    def rewrite(region: Region) -> Region:
        makers = {node.out: node for node in region.nodes if isinstance(node, Apply) and node.fn == "neg"}
        nodes: list[Node] = []
        for node in region.nodes:
            made = entry(makers, node.value) if isinstance(node, Store) and node.accumulate else None
            wanted = _wanted(made, node) if made is not None and isinstance(node, Store) else None
            if made is None or wanted is None:
                nodes.append(node)
                continue
            assert isinstance(node, Store)
            converted, negative = _converted(made, wanted)
            nodes += [converted, negative, replace(node, value=negative.out)]
        return replace(region, nodes=tuple(nodes))

    return replace(graph, body=map_region(graph.body, rewrite))


def _wanted(neg: Apply, store: Store) -> nt.Type | None:
    """Return the type to convert to; None for what the program itself negates, and what has a negative."""
    kind, target = element(type_of(neg.args[0])), element(store.array.type)
    is_short = isinstance(kind, nt.Boolean) or (isinstance(kind, nt.Integer) and kind != int64)
    if neg.loc != store.loc or not is_short or kind == target:
        return None
    has_sign = isinstance(kind, nt.Boolean) or kind.signed
    return int64 if has_sign or isinstance(target, nt.Integer) else float64


def _converted(neg: Apply, wanted: nt.Type) -> tuple[Apply, Apply]:
    """Return the conversion, and the negative of what was converted."""
    source = neg.args[0]
    kind: nt.Type = wanted
    fn, more = ("int" if wanted == int64 else "float"), tuple[Atom, ...]()
    if is_array(type_of(source)):
        kind = type_of(source).copy(dtype=wanted, layout="C", readonly=False)
        fn, more = "astype", (Global(f"np.{wanted}", getattr(np, str(wanted))),)
    converted, out = (Value(name, temporary=True, type=kind) for name in ("converted", "neg"))
    return (
        Apply(converted, fn, (source, *more), loc=neg.loc, role=neg.role),
        replace(neg, out=out, args=(converted,)),
    )
