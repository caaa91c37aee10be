"""What a drawing of a graph shows: nodes in boxes, and edges, whatever it is drawn with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adcompiler.explain.graph_node import GraphNode
from adcompiler.explain.numbers_shown import shown
from adcompiler.graph.nodes import Apply, Atom, Effect, For, Graph, If, Node, Region, Store, Value, While
from adcompiler.graph.text import unique_names
from adcompiler.graph.walk import operands, values
from adcompiler.prepare.finite_values import named
from adcompiler.source import NOWHERE, Location


@dataclass
class Item:
    """A node.

    Attributes:
        key: what edges name it by.
        title: what it is called.
        lines: what stands below the title.
        kind: `input`, `value`, `step` for an expression without a name, `write`, or `output`.
        loc: its place in the program.
    """

    key: str
    title: str
    lines: tuple[str, ...] = ()
    kind: str = "value"
    loc: Location = NOWHERE


@dataclass
class Box:
    """Nodes and boxes that belong together: a loop, an iteration, an arm of a branch."""

    title: str
    parts: list[Item | Box] = field(default_factory=list)

    def items(self) -> Iterator[Item]:
        """Yield all nodes in it."""
        for part in self.parts:
            if isinstance(part, Box):
                yield from part.items()
            else:
                yield part


@dataclass(frozen=True)
class Edge:
    """An edge; dashed for what an iteration hands on to the next one."""

    start: str
    end: str
    text: str = ""
    is_dashed: bool = False


@dataclass
class Picture:
    """A drawing: the outermost box, without a title, and the edges."""

    box: Box
    edges: list[Edge]


def of_graph(graph: Graph) -> Picture:
    """Return the picture of a function: loops and arms of branches are boxes.

    >>> from adcompiler.frontend.lower import lower
    >>> from adcompiler.samples import recurrence
    >>> picture = of_graph(lower(recurrence))
    >>> [(part.title, len([*part.items()])) for part in picture.box.parts if isinstance(part, Box)]
    [('for i in range(len(x)):', 7)]
    """
    drawn = _Drawn(unique_names(graph.body))
    for param in graph.body.params:
        drawn.item(drawn.box, param, param.name, "input")
    drawn.region(graph.body, drawn.box)
    for atom in graph.body.yields:
        if isinstance(atom, Value) and atom in drawn.keys:
            drawn.items[drawn.keys[atom]].kind = "output"
    return Picture(drawn.box, list(dict.fromkeys(drawn.edges)))


class _Drawn:
    """A picture that is being made of a graph."""

    def __init__(self, names: dict[Value, str]) -> None:
        self.names = names
        self.box = Box("")
        self.edges: list[Edge] = []
        self.items: dict[str, Item] = {}
        self.keys: dict[Value, str] = {}

    def item(
        self, box: Box, value: Value, title: str, kind: str, loc: Location = NOWHERE, text: str = ""
    ) -> str:
        """Add a node for a value."""
        key = self.keys[value] = f"n{len(self.items)}"
        self.items[key] = Item(key, title, (text,) if text else (), kind, loc)
        box.parts.append(self.items[key])
        return key

    def join(self, atoms: Sequence[Atom], end: str, is_dashed: bool = False) -> None:
        """Add edges from what is read."""
        starts = (self.keys[atom] for atom in values(atoms) if atom in self.keys)
        self.edges += [Edge(start, end, "", is_dashed) for start in starts]

    def region(self, region: Region, box: Box) -> None:
        for node in region.nodes:
            self.node(node, box)

    def node(self, node: Node, box: Box) -> None:
        match node:
            case Apply():
                kind = "step" if node.out.temporary else "value"
                title = named(node.out, node.loc)
                text = node.fn if node.out.temporary and title != node.out.name else _text_of(node)
                self.join(node.args, self.item(box, node.out, title, kind, node.loc, text))
            case Store():
                self.written(node, box)
            case If():
                self.branch(node, box)
            case For() | While():
                self.loop(node, box)
            case Effect():
                text, made = node.loc.statement, Value(node.fn)
                self.join(node.args, self.item(box, made, node.fn, "write", node.loc, text))

    def written(self, node: Store, box: Box) -> None:
        """From here on, an array is what the statement makes of it."""
        before = operands(node)
        made = Value(node.array.name)
        key = self.item(box, made, node.array.name, "write", node.loc, node.loc.statement)
        self.join(before, key)
        self.keys[node.array] = key

    def branch(self, node: If, box: Box) -> None:
        """Add a box for each arm, and a node for each value that is chosen."""
        for arm, title in ((node.then, node.loc.statement), (node.orelse, "else:")):
            if arm.nodes:
                inner = Box(title)
                box.parts.append(inner)
                self.region(arm, inner)
        for out, one, other in zip(node.outs, node.then.yields, node.orelse.yields, strict=True):
            key = self.item(box, out, out.name, "value", node.loc, "one of two")
            self.join((one, other), key)
            self.join((node.test,), key, is_dashed=True)

    def loop(self, node: For | While, box: Box) -> None:
        """Add a box for an iteration; dashed edges lead to the next one."""
        inner = Box(node.loc.statement or "loop")
        box.parts.append(inner)
        loc = node.loc
        if isinstance(node, For):
            index = node.body.params[0]
            self.join((node.start, node.stop, node.step), self.item(inner, index, index.name, "step", loc))
        for param, init in zip(node.carried, node.inits, strict=True):
            self.join((init,), self.item(inner, param, param.name, "value", loc, "carried on"))
        if isinstance(node, While):
            self.region(node.cond, inner)
        self.region(node.body, inner)
        for param, out, after in zip(node.carried, node.outs, node.next_values, strict=True):
            self.join((after,), self.keys[param], is_dashed=True)
            self.keys[out] = self.keys[after] if isinstance(after, Value) else self.keys[param]


def _text_of(node: Apply) -> str:
    statement = node.loc.statement
    return statement if statement and len(statement) <= 40 else node.fn


def of_nodes(
    nodes: Sequence[GraphNode],
    output: str,
    values: Mapping[str, Any] | None = None,
    partials: Mapping[tuple[str, str], Any] | None = None,
    adjoints: Mapping[str, Any] | None = None,
) -> Picture:
    """Return the picture of a straight list of nodes; at a point, each iteration is a box.

    >>> node = GraphNode("y", ("x",), "exp(x)", "y")
    >>> picture = of_nodes([GraphNode("x", (), "", "x"), node], "y", {"x": 0.0, "y": 1.0}, {("x", "y"): 1.0})
    >>> [item.lines for item in picture.box.items()], [edge.text for edge in picture.edges]
    ([('= 0',), ('= 1',)], ['1'])
    """
    whole = Box("")
    boxes: dict[tuple[tuple[str, int], ...], Box] = {(): whole}
    keys = {node.name: f"n{k}" for k, node in enumerate(nodes)}
    edges: list[Edge] = []
    for node in nodes:
        for depth in range(1, len(node.turn) + 1):
            if node.turn[:depth] not in boxes:
                index, number = node.turn[depth - 1]
                boxes[node.turn[:depth]] = made = Box(f"{index} = {number}")
                boxes[node.turn[: depth - 1]].parts.append(made)
        lines = [] if values is None else [f"= {shown(values[node.name])}"]
        lines += [f"adjoint {shown(adjoints[node.name])}"] if adjoints and node.name in adjoints else []
        kind = "output" if node.name == output else _kind(node)
        boxes[node.turn].parts.append(Item(keys[node.name], node.title, tuple(lines), kind, node.loc))
        for name in node.inputs:
            slope = (partials or {}).get((name, node.name))
            edges.append(Edge(keys[name], keys[node.name], "" if slope is None else shown(slope)))
    return Picture(whole, edges)


def _kind(node: GraphNode) -> str:
    if not node.operation:
        return "input"
    if node.operation.startswith("write("):
        return "write"
    return "value" if node.label == node.name else "step"
