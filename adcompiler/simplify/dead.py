"""Remove what nothing needs: values never read, stores to memory never read, loops without effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from adcompiler.analysis.alias import memory_classes
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    For,
    Graph,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    While,
)
from adcompiler.graph.walk import operands, regions, results, select, values, walk
from adcompiler.primitives import card


def remove_dead(graph: Graph) -> Graph:
    """Return the graph without dead nodes, loop-carried values and branch outputs.

    >>> from adcompiler.graph.nodes import Literal
    >>> from adcompiler.graph.text import to_text
    >>> x, y, z = Value("x"), Value("y"), Value("z")
    >>> nodes = (Apply(y, "exp", (x,)), Apply(z, "mul", (x, Literal(2))))
    >>> print(to_text(remove_dead(Graph("double", Region((x,), nodes, (z,))))))
    graph double(x):
      z = mul(x, 2)
      return z
    """
    live = _Liveness(graph.body)
    return replace(graph, body=live.prune(graph.body))


class _Liveness:
    def __init__(self, body: Region) -> None:
        self.classes = memory_classes(body)
        grown = [n.args[0] for n in walk(body) if isinstance(n, Apply | Effect) and card(n.fn).changes_length]
        self.lists = {self.classes.get(array, array) for array in values(grown)}
        self.values: set[Value] = set()
        self.memory: set[Value] = set()
        size = -1
        self.read(body.yields)
        while size != len(self.values) + len(self.memory):
            size = len(self.values) + len(self.memory)
            self.mark(body)

    def read(self, atoms: tuple[Atom, ...]) -> None:
        for value in values(atoms):
            self.values.add(value)
            self.memory.add(self.classes.get(value, value))

    def touch(self, atoms: tuple[Atom, ...]) -> None:
        """Read the values but not the memory behind them."""
        self.values.update(values(atoms))

    def is_live(self, node: Node) -> bool:
        match node:
            case Apply():
                return node.out in self.values or (not card(node.fn).is_pure and self.keeps(node))
            case Store():
                return self.classes.get(node.array, node.array) in self.memory
            case Effect():
                return self.keeps(node)
            case _:
                if any(out in self.values for out in results(node)):
                    return True
                return any(self.is_live(n) for inner in regions(node) for n in inner.nodes)

    def keeps(self, node: Apply | Effect) -> bool:
        """Effects are kept; an append or pop only for a list that is read."""
        if card(node.fn).changes_length:
            array = node.args[0]
            return isinstance(array, Value) and self.classes.get(array, array) in self.memory
        is_checked = node.fn == "finite" and isinstance(node.args[0], Literal)  # a constant
        return node.fn != "dict" and not is_checked

    def mark(self, region: Region) -> None:
        for node in reversed(region.nodes):
            if self.is_live(node):
                self.mark_node(node)

    def mark_node(self, node: Node) -> None:
        match node:
            case Apply(fn="len", args=(Value() as array,)) if self.classes.get(array, array) in self.lists:
                self.read((array,))
            case Apply(fn="tuple"):
                self.touch(node.args)
            case Apply() if not card(node.fn).reads_elements or card(node.fn).is_view:
                self.touch(node.args[:1])
                self.read(operands(node)[1:])
            case Apply() | Effect():
                self.read(operands(node))
            case Store():
                self.touch((node.array,))
                self.read((*node.index, node.value))
            case If():
                self.read((node.test,))
                for arm in (node.then, node.orelse):
                    pairs = zip(node.outs, arm.yields, strict=True)
                    self.pass_on((out, atom) for out, atom in pairs)
                    self.mark(arm)
            case For() | While():
                self.mark_loop(node)

    def pass_on(self, pairs: Iterable[tuple[Value, Atom]]) -> None:
        for target, source in pairs:
            if target in self.values:
                self.touch((source,))

    def mark_loop(self, node: For | While) -> None:
        if isinstance(node, For):
            self.read((node.start, node.stop, node.step))
        else:
            self.read(node.cond.yields)
            self.mark(node.cond)
        params = node.carried
        if node.breaks:
            self.read(node.body.yields[:1])
        self.pass_on(zip(node.outs, params, strict=True))
        self.pass_on(zip(params, node.next_values, strict=True))
        self.pass_on(zip(params, node.inits, strict=True))
        self.mark(node.body)

    def prune(self, region: Region) -> Region:
        nodes = [self.prune_node(node) for node in region.nodes if self.is_live(node)]
        return Region(region.params, tuple(nodes), region.yields)

    def prune_node(self, node: Node) -> Node:
        match node:
            case If():
                node = replace(node, then=self.prune(node.then), orelse=self.prune(node.orelse))
                return select(node, [k for k, out in enumerate(node.outs) if out in self.values])
            case For() | While():
                params = node.carried
                keep = [k for k, param in enumerate(params) if param in self.values]
                if isinstance(node, While):
                    node = replace(node, cond=self.prune(node.cond))
                return select(replace(node, body=self.prune(node.body)), keep)
            case _:
                return node
