"""How much memory a generated function takes beyond its arguments and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.alias import VIEWS
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import Axis, form_of
from adcompiler.analysis.types import Types, element, is_array
from adcompiler.graph.nodes import Apply, Effect, For, Graph, Region, Value, While
from adcompiler.graph.walk import regions, values
from adcompiler.rules import ELEMENTWISE


@dataclass(frozen=True)
class Allocation:
    """An array that a generated function makes.

    Attributes:
        name: its name.
        sizes: its sizes, as linear forms over sizes of arguments and whole numbers.
        itemsize: bytes of an element.
        loops: loops in whose iterations arrays pile up on a stack.
    """

    name: str
    sizes: tuple[Linear, ...]
    itemsize: int
    loops: tuple[For | While, ...] = ()

    def bytes(self, known: Mapping[object, int]) -> int | None:
        """Return the bytes, given sizes of arguments; None where these do not tell."""
        counts = [_evaluated(size, known) for size in self.sizes]
        for loop in self.loops:
            counts.append(_trips(loop, known))
        return None if None in counts else prod(counts, start=self.itemsize)  # type: ignore[arg-type]


def allocations(graph: Graph, types: Types) -> list[Allocation]:
    """Return the arrays that a function has at the same time, at most; its results are left out.

    Args:
        graph: the final graph of a function.
        types: type of every value.
    """
    shapes = symbolic_shapes(graph, types, ELEMENTWISE.keys())
    results = set(values(graph.body.yields))
    found: list[Allocation] = []

    def visit(region: Region, loops: tuple[For | While, ...]) -> None:
        stacked = {
            v for n in region.nodes if isinstance(n, Effect) and n.fn == "append" for v in values(n.args)
        }
        for node in region.nodes:
            inner = (*loops, node) if isinstance(node, For | While) else loops
            for part in regions(node):
                visit(part, inner)
            if not isinstance(node, Apply) or node.fn in VIEWS or node.fn == "pop" or node.out in results:
                continue
            kind = types.get(node.out)
            if is_array(kind):
                sizes = tuple(form_of(size) for size in shapes.get(node.out, ()))
                itemsize = np.dtype(str(element(kind))).itemsize  # type: ignore[arg-type]
                name = node.out.name
                found.append(Allocation(name, sizes, itemsize, loops if node.out in stacked else ()))

    visit(graph.body, ())
    return found


def known_sizes(graph: Graph, arguments: list[Any]) -> dict[object, int]:
    """Return what the single values of the arguments tell: sizes of arrays, and whole numbers."""
    known: dict[object, int] = {}
    for param, argument in zip(graph.body.params, arguments, strict=False):
        if isinstance(argument, np.ndarray):
            known.update({Axis(param, axis): size for axis, size in enumerate(argument.shape)})
        elif isinstance(argument, int | np.integer):
            known[param] = int(argument)
    return known


def _evaluated(form: Linear, known: Mapping[object, int]) -> int | None:
    if any(symbol not in known for symbol in form.terms):
        return None
    return max(form.constant + sum(factor * known[symbol] for symbol, factor in form.terms.items()), 0)


def _trips(loop: For | While, known: Mapping[object, int]) -> int | None:
    if not isinstance(loop, For):
        return None
    atoms = (loop.start, loop.stop, loop.step)
    ends = [known.get(a) if isinstance(a, Value) else getattr(a, "value", None) for a in atoms]
    return None if None in ends else len(range(*ends))  # type: ignore[arg-type]
