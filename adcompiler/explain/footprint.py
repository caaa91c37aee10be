"""How much memory a generated function takes beyond its arguments and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numba.core import types as nt

from adcompiler.analysis.affine import Linear
from adcompiler.analysis.shapes import symbolic_shapes
from adcompiler.analysis.sizes import Axis, form_of
from adcompiler.analysis.types import element, is_array, is_memory, is_scalar, rank
from adcompiler.graph.nodes import Apply, Effect, For, Global, Graph, Node, Region, Value, While, type_of
from adcompiler.graph.walk import operands, regions, values, walk, walk_regions
from adcompiler.primitives import card
from adcompiler.reverse.augmented import Half


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
        counts += [_trips(loop, known) for loop in self.loops]
        told = [count for count in counts if count is not None]
        return prod(told, start=self.itemsize) if len(told) == len(counts) else None


def allocations(graph: Graph) -> list[Allocation]:
    """Return the arrays that a function has at the same time, at most.

    Its results are left out, and the states of loops that take what is left of a given memory.

    Args:
        graph: the final graph of a function.
    """
    shapes = symbolic_shapes(graph)
    results = set(values(graph.body.yields))
    carried = {value for region in walk_regions(graph.body) for value in values(region.yields)}
    found: list[Allocation] = []
    bounded = {n.out for n in walk(graph.body) if isinstance(n, Apply) and n.fn == "slots_within"}
    frugal: dict[Half, bool] = {}

    def made(name: str, value: Value, loops: Loops, times: int = 1) -> Allocation:
        kind = value.type
        sizes = [form_of(size) for size in shapes.get(value, ())] if is_array(kind) else []
        is_known = len(sizes) == rank(kind)
        parts = (*sizes, Linear({}, times)) if is_known else (_UNKNOWN,)
        return Allocation(name, parts, _itemsize(kind), loops)

    def visit(region: Region, loops: Loops) -> None:
        pushed = {v for node in region.nodes if _is_push(node) for v in values(operands(node)[1:])}
        for node in region.nodes:
            for part in regions(node):
                visit(part, (*loops, node) if isinstance(node, For | While) else loops)
            if isinstance(node, Effect) and node.fn == "append":
                items, value = node.args
                assert isinstance(items, Value)
                if isinstance(value, Value) and is_known_kind(type_of(value)):
                    found.append(made(items.name, value, loops))
            if not isinstance(node, Apply) or _needs_nothing(node, frugal) or node.out in results:
                continue
            kind = node.out.type
            if card(node.fn).is_call or _holds_arrays(kind) or node.fn == "longer":
                found.append(Allocation(_what(node), (_UNKNOWN,), 1))
            elif is_array(kind) and node.out not in pushed:
                times = 2 if loops and node.out in carried else 1  # the old one is there while it is made
                found.append(made(node.out.name, node.out, (), times))

    visit(graph.body, ())
    return [one for one in found if all(bounded.isdisjoint(size.terms) for size in one.sizes)]


def _needs_nothing(node: Apply, frugal: dict[Half, bool]) -> bool:
    """Tell whether a primitive makes no array; `frugal` remembers which functions make none."""
    half = getattr(node.args[0], "value", None) if node.args else None
    if not isinstance(half, Half):
        return card(node.fn).is_view or node.fn == "pop"
    if half not in frugal:
        inside = [inner for inner in walk(half.graph.body) if isinstance(inner, Apply)]
        makes = any(is_memory(n.out.type) or _holds_arrays(n.out.type) for n in inside)
        frugal[half] = not makes and all(_needs_nothing(n, frugal) for n in inside if card(n.fn).is_call)
    return frugal[half]


Loops = tuple[For | While, ...]
_UNKNOWN = Linear({object(): 1}, 0)


def is_known_kind(kind: nt.Type | None) -> bool:
    """Tell whether values of a type are numbers, or arrays of numbers."""
    return is_array(kind) or is_scalar(kind)


def _itemsize(kind: nt.Type) -> int:
    return int(np.dtype(str(element(kind)).replace("boolean", "bool")).itemsize)


def _is_push(node: Node) -> bool:
    return isinstance(node, Effect) and node.fn == "append"


def _holds_arrays(kind: nt.Type | None) -> bool:
    return isinstance(kind, nt.BaseTuple) and any(map(is_array, kind.types))


def _what(node: Apply) -> str:
    """Return what takes memory that is not known: a variable, or a function that is called."""
    callee = node.args[0] if node.args else None
    return (
        f"what {callee.name} needs" if card(node.fn).is_call and isinstance(callee, Global) else node.out.name
    )


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
    ends: list[Any] = [known.get(a) if isinstance(a, Value) else getattr(a, "value", None) for a in atoms]
    return None if None in ends else len(range(*ends))
