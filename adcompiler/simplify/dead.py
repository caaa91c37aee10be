"""Remove what nothing needs: values never read, stores to memory never read, loops without effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import is_

from adcompiler.analysis.alias import memory_classes
from adcompiler.analysis.stacks_of_arrays import lists_of_items
from adcompiler.analysis.types import is_array, is_mutable
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
from adcompiler.graph.walk import operands, regions, select, values, with_regions
from adcompiler.primitives import card
from adcompiler.simplify.passed_checks import is_passed, measured


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
    """What is read: values, the memory behind them, and the nodes that have to run; each is met once.

    Attributes:
        around: the branch or loop around each node.
        takers: what runs, and is read, for each value that is.
        own: lists whose items are only put in, read and taken off, by one name.
        writers: the nodes that change each piece of memory.
        makers: what makes each value, of those that branches and loops do not hand on.
        given: arguments and the indices of loops, which are there in any case.
        passed: checks that have passed before, which keep nothing alive.
    """

    def __init__(self, body: Region) -> None:
        self.classes = memory_classes(body)
        self.own = lists_of_items(body)
        self.around: dict[Node, Node | None] = {}
        self.takers: dict[Value, list[tuple[Node, tuple[Atom, ...]]]] = defaultdict(list)
        self.writers: dict[Value, list[Node]] = defaultdict(list)
        self.lists: set[Value] = set()
        self.values: set[Value] = set()
        self.memory: set[Value] = set()
        self.nodes: set[Node] = set()
        self.waiting: list[Node | Value] = []
        self.makers: dict[Value, Node] = {}
        self.given: set[Value] = set()
        self.passed: list[Node] = []
        self.enter(body, None)
        self.read(body.yields)
        self.follow_all()
        for node in self.passed:
            is_met = self.around[node] is None or self.around[node] in self.nodes
            if is_met and measured(node, self.makers, self.values | self.given) is not None:
                self.need(node)
        self.follow_all()

    def follow_all(self) -> None:
        while self.waiting:
            self.follow(self.waiting.pop())

    def enter(self, region: Region, around: Node | None) -> None:
        """Note who reads and writes what, and what runs in any case."""
        if around is None or isinstance(around, For):
            self.given |= {*region.params[: None if around is None else 1]}
        for node in region.nodes:
            self.around[node] = around
            self.makers |= {node.out: node} if isinstance(node, Apply) else {}
            for out, sources in _flows(node):
                self.takers[out].append((node, sources))
            match node:
                case Store():
                    self.writers[self.class_of(node.array)].append(node)
                case Apply() | Effect() if card(node.fn).changes_length:
                    for array in values(node.args[:1]):
                        self.writers[self.class_of(array)].append(node)
                        self.lists.add(self.class_of(array))
                case Effect() if is_passed(node):
                    self.passed.append(node)
                case Effect() | Apply() if _runs_always(node):
                    self.need(node)
            for inner in regions(node):
                self.enter(inner, node)

    def class_of(self, value: Value) -> Value:
        """Return what stands for the memory behind a value; such a list is apart from that of its items."""
        return value if value in self.own else self.classes.get(value, value)

    def may_grow(self, value: Value) -> bool:
        """Tell whether what is written to a value may make it longer: a list, or a dictionary."""
        is_container = is_mutable(value.type) and not is_array(value.type)
        return is_container or self.class_of(value) in self.lists

    def need(self, node: Node | None) -> None:
        """Let a node run, and with it what is around it."""
        while node is not None and node not in self.nodes:
            self.nodes.add(node)
            self.waiting.append(node)
            node = self.around[node]

    def touch(self, atoms: Iterable[Atom]) -> None:
        """Read the values but not the memory behind them."""
        for value in values(atoms):
            if value not in self.values:
                self.values.add(value)
                self.waiting.append(value)

    def read(self, atoms: tuple[Atom, ...]) -> None:
        self.touch(atoms)
        for value in values(atoms):
            memory = self.class_of(value)
            if memory not in self.memory:
                self.memory.add(memory)
                for writer in self.writers.get(memory, ()):
                    self.need(writer)

    def follow(self, found: Node | Value) -> None:
        if isinstance(found, Value):
            for node, sources in self.takers.get(found, ()):
                self.need(node)
                self.touch(sources)
        else:
            self.mark(found)

    def mark(self, node: Node) -> None:
        """Read what a node reads that runs."""
        match node:
            case Apply(fn="len", args=(Value() as held,)) if self.may_grow(held):
                self.read((held,))
            case Apply(args=(Value() as held, *_)) if held in self.own:
                self.read(operands(node))
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
            case For():
                self.read((node.start, node.stop, node.step, *node.body.yields[: node.breaks]))
            case While():
                self.read((*node.cond.yields, *node.body.yields[: node.breaks]))

    def prune(self, region: Region) -> Region:
        nodes = tuple(self.prune_node(node) for node in region.nodes if node in self.nodes)
        is_same = len(nodes) == len(region.nodes) and all(map(is_, nodes, region.nodes))
        return region if is_same else Region(region.params, nodes, region.yields)

    def prune_node(self, node: Node) -> Node:
        if isinstance(node, Apply | Store | Effect):
            return node
        old = regions(node)
        new = tuple(map(self.prune, old))
        ends = node.outs if isinstance(node, If) else node.carried
        keep = [k for k, end in enumerate(ends) if end in self.values]
        pruned = node if all(map(is_, old, new)) else with_regions(node, new)
        assert isinstance(pruned, If | For | While)
        return pruned if len(keep) == len(ends) else select(pruned, keep)


def _flows(node: Node) -> Iterator[tuple[Value, tuple[Atom, ...]]]:
    """Yield each value that a node defines, and the values that it hands on to it."""
    match node:
        case Apply():
            yield node.out, ()
        case If():
            for out, one, other in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
                yield out, (one, other)
        case For() | While():
            for out, param in zip(node.outs, node.carried, strict=True):
                yield out, (param,)
            for param, *sources in zip(node.carried, node.next_values, node.inits, strict=True):
                yield param, (*sources,)


def _runs_always(node: Apply | Effect) -> bool:
    """Tell whether a node runs though nobody reads what it returns."""
    if isinstance(node, Apply) and card(node.fn).is_pure:
        return False
    is_checked = node.fn == "finite" and isinstance(node.args[0], Literal)  # a constant
    return node.fn != "dict" and not is_checked
