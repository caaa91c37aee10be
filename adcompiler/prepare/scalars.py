"""Keep the elements of small arrays in numbers, also through loops, branches and expressions on whole arrays.

After `r = np.empty(2)`, `r[0] = …`, `r[1] = …`, each element is a variable like any other. It needs no
memory, nor does its adjoint (scalar replacement; Callahan, Carr and Kennedy 1990).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adcompiler.analysis.alias import owner_of, written_by
from adcompiler.analysis.sizes import Shapes
from adcompiler.analysis.types import is_array, is_scalar
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
    type_of,
)
from adcompiler.graph.walk import map_operands, regions, rename, walk
from adcompiler.prepare.by_element import NOTHING, ByElement, as_float
from adcompiler.prepare.small_arrays import constant_index, is_expandable, small_arrays
from adcompiler.primitives import card


def replace_small_arrays(graph: Graph, shapes: Shapes) -> Graph:
    """Return the graph without arrays of a few numbers.

    Args:
        graph: the typed primal.
        shapes: symbolic shape of every array.
    """
    chosen = small_arrays(graph, shapes)
    if not chosen:
        return graph
    makers: dict[Value, Node] = {n.out: n for n in walk(graph.body) if isinstance(n, Apply)}
    writer = _Writer(chosen, shapes, makers)
    body = writer.region(graph.body, [None] * len(graph.body.yields))
    return replace(graph, body=rename(body, writer.renamed))


class _Writer(ByElement):
    """Writes a graph anew, region by region."""

    def region(self, region: Region, targets: Sequence[object]) -> Region:
        """Return a region without arrays that became numbers.

        Args:
            region: the region.
            targets: for each yield, the value that it becomes outside; None if that is no array.
        """
        around, self.nodes = self.nodes, []
        for node in region.nodes:
            self.node(node)
        yields = self.joined(region.yields, targets, region.nodes[-1] if region.nodes else None)
        made = Region(region.params, tuple(self.nodes), yields)
        self.nodes = around
        return made

    def node(self, node: Node) -> None:
        match node:
            case If():
                self.branch(node)
            case For() | While():
                self.loop(node)
            case Store() if node.array in self.chosen:
                self.store(node)
            case Apply() if node.out in self.chosen:
                self.define(node)
            case Store() if self.is_chosen(node.value) and self.hand_over(node):
                pass
            case Apply() if any(map(self.is_chosen, node.args)) and self.number(node):
                pass
            case _:
                self.nodes.append(map_operands(node, lambda atom: self.real(atom, node)))

    # joins

    def joined(self, atoms: Sequence[Atom], targets: Sequence[object], like: Node | None) -> tuple[Atom, ...]:
        """Return what flows into targets, by element where these are arrays that became numbers."""
        found: list[Atom] = []
        for atom, target in zip(atoms, targets, strict=True):
            if isinstance(target, Value) and target in self.chosen:
                found += self.elements(atom, self.shape(target), like)
            else:
                found.append(self.real(atom, like))
        return tuple(found)

    def join(self, joins: Sequence[Value], cells: Sequence[int]) -> tuple[Value, ...]:
        """Return the values that a node defines, with elements in place of arrays, and some beside."""
        found: list[Value] = []
        for value in joins:
            if value in self.chosen:
                self.cells[value] = self.fresh(value)
                found += self.enter([*self.cells[value].flat])
            else:
                found.append(value)
        return (*found, *self.enter(cells))

    def enter(self, cells: Sequence[int]) -> list[Value]:
        """Let elements be new values, and return these."""
        new = [self.value_of(cell) for cell in cells]
        self.held.update(zip(map(int, cells), new, strict=True))
        return new

    def branch(self, node: If) -> None:
        before, count = self.held, len(self.names)
        arms: list[Region] = []
        ends: list[dict[int, Atom]] = []
        for region in (node.then, node.orelse):
            self.held = dict(before)
            arms.append(self.region(region, node.outs))
            ends.append(self.held)
        seen = [cell for cell in range(count) if cell in ends[0] or cell in ends[1]]
        self.held = {cell: ends[0].get(cell, NOTHING) for cell in seen}
        changed = [cell for cell in seen if ends[0].get(cell) != ends[1].get(cell)]
        then, orelse = (
            replace(arm, yields=(*arm.yields, *(end.get(cell, NOTHING) for cell in changed)))
            for arm, end in zip(arms, ends, strict=True)
        )
        outs = self.join(node.outs, changed)
        self.nodes.append(replace(node, test=self.read(node.test), then=then, orelse=orelse, outs=outs))

    def loop(self, node: For | While) -> None:
        cells = self.written_inside(node)
        inits = (*self.joined(node.inits, node.carried, node), *map(self.content, cells))
        before = dict(self.held)
        params = self.join(node.carried, cells)
        if isinstance(node, For):
            start, stop, step = map(self.read, (node.start, node.stop, node.step))
            node = replace(node, start=start, stop=stop, step=step)
            params = (node.body.params[0], *params)
        else:
            node = replace(node, cond=self.region(node.cond, [None]))
        body = self.region(node.body, [*[None] * node.breaks, *node.carried])
        yields = (*body.yields, *map(self.content, cells))
        self.held = before
        outs = self.join(node.outs, cells)
        self.nodes.append(
            replace(node, inits=inits, body=replace(body, params=params, yields=yields), outs=outs)
        )

    def written_inside(self, node: For | While) -> list[int]:
        """Return the elements of arrays from outside that a loop writes."""
        found: dict[int, None] = {}
        for inner in (inner for region in regions(node) for inner in walk(region)):
            for array in written_by(inner):
                owner = owner_of(self.makers, array)
                if owner in self.cells:
                    found.update(dict.fromkeys(map(int, self.cells[owner].flat)))
        return [*found]

    # statements

    def store(self, node: Store) -> None:
        """Change the elements that a store writes."""
        cells = self.cells[node.array]
        cells = cells[constant_index(node.index, cells.shape, self.makers)]
        cells = cells if hasattr(cells, "flat") else cells[None]
        for cell, value in zip(cells.flat, self.elements(node.value, cells.shape, node), strict=True):
            if node.accumulate:
                value = self.apply("add", (self.content(cell), value), node, self.value_of(cell))
            self.held[int(cell)] = self.named(as_float(value), cell)

    def hand_over(self, node: Store) -> bool:
        """Write elements to a part of an array that exists; tell whether that is possible."""
        shape = self.shape(node.value)
        is_row = all(map(_is_number, node.index)) and self.shapes.get(node) == shape
        if not is_row:
            return False
        index = tuple(map(self.read, node.index))
        for place, value in zip(np.ndindex(*shape), self.elements(node.value, shape, node), strict=True):
            self.nodes.append(replace(node, index=(*index, *map(Literal, place)), value=value))
        return True

    def number(self, node: Apply) -> bool:
        """Find a number, or a shape, that is read off arrays; tell whether that is possible."""
        array = node.args[0]
        if node.fn == "getitem" and isinstance(array, Value) and array in self.chosen:
            index = constant_index(node.args[1:], self.shape(array), self.makers)
            self.mapping[node.out] = self.content(self.cells[array][index])
        elif card(node.fn).measures:
            self.measure(node, self.shape(array))
        elif is_expandable(node) and not is_array(node.out.type):
            (found,) = self.computed(node, [node.out])
            if found is not node.out:
                self.mapping[node.out] = found
        else:
            return False
        return True

    def measure(self, node: Apply, shape: tuple[int, ...]) -> None:
        match node.fn:
            case "shape":
                self.apply("tuple", tuple(map(Literal, shape)), node, node.out)
            case "len":
                self.mapping[node.out] = Literal(shape[0])
            case _:
                self.mapping[node.out] = Literal(math.prod(shape))


def _is_number(atom: Atom) -> bool:
    return is_scalar(type_of(atom)) or (isinstance(atom, Literal) and type(atom.value) is int)
