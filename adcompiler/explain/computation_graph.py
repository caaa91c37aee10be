"""The computation graph as an object to learn from: nodes, edges with their partials, paths, chains."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

import gast

from adcompiler.errors import DifferentiationError
from adcompiler.explain.drawing import Drawing
from adcompiler.explain.evaluation import LIMIT, Point
from adcompiler.explain.graph_node import GraphNode
from adcompiler.explain.numbers_shown import shown
from adcompiler.explain.picture import Picture, of_graph, of_nodes
from adcompiler.explain.unrolled import Unrolled
from adcompiler.frontend.bindings import Binding
from adcompiler.frontend.lower import lower_expression
from adcompiler.graph.nodes import Apply, Atom, Effect, Graph, Literal, Node, Region, Store, Value
from adcompiler.graph.run_primitive import primitive
from adcompiler.graph.text import to_text, unique_names
from adcompiler.graph.walk import free, operands, regions, results, values
from adcompiler.prepare.finite_values import named
from adcompiler.primitives import card
from adcompiler.rules.formula import scalar_scope
from adcompiler.source import NOWHERE

_PATHS = 1000


@dataclass(frozen=True, repr=False)
class Evaluation(Drawing):
    """A graph evaluated at one point.

    Attributes:
        values: value of every node: a number, or an array.
        partials: (input, node) to ∂node/∂input, the local partial derivative of every edge: a number, or an
            array where the node acts element by element, or makes a number of an array.
        adjoints: ∂output/∂node for every node that has one, of its shape.
        graph: what ran, of a function: branches as taken, loops iteration by iteration.
    """

    values: dict[str, Any]
    partials: dict[tuple[str, str], Any]
    adjoints: dict[str, Any]
    graph: ComputationGraph

    def __str__(self) -> str:
        rows = [
            f"{name} = {shown(value)}"
            + (f", adjoint {shown(self.adjoints[name])}" if name in self.adjoints else "")
            for name, value in self.values.items()
        ]
        rows += [f"∂{node}/∂{source} = {shown(value)}" for (source, node), value in self.partials.items()]
        return "\n".join(rows)

    @property
    def picture(self) -> Picture:
        """What a drawing shows: iterations are boxes, partials stand on edges."""
        return of_nodes(self.graph.nodes, self.graph.output, self.values, self.partials, self.adjoints)


At = Callable[[Mapping[str, Any], int], Point]
"""From arguments by name, and a limit of steps, to what runs there."""


class ComputationGraph(Drawing):
    """A computation graph with one output.

    Args:
        definitions: for each node that is not an input, its expression over other nodes, in any order.
        output: name of the output; the last node that no other reads, if not given.

    Raises:
        DifferentiationError: AD401 where the definitions go in a circle.

    >>> g = ComputationGraph({"e": "c * d", "c": "a + b", "d": "b + 1"})
    >>> g.topological_order()
    ['a', 'b', 'c', 'd', 'e']
    >>> at = g.evaluate(a=2.0, b=1.0)
    >>> at.values["e"], at.adjoints["a"], at.adjoints["b"]
    (6.0, 2.0, 5.0)
    >>> g.paths("b", "e")
    [['b', 'c', 'e'], ['b', 'd', 'e']]
    >>> g.chain("b")
    '∂e/∂c * ∂c/∂b + ∂e/∂d * ∂d/∂b'
    """

    def __init__(self, definitions: Mapping[str, str], output: str | None = None) -> None:
        trees = {name: _parsed(name, text) for name, text in definitions.items()}
        reads = {name: _names(tree) for name, tree in trees.items()}
        order = _topological(reads)
        inputs = [name for name in order if name not in definitions]
        used = {source for names in reads.values() for source in names}
        self.output = output or [name for name in order if name not in used][-1]
        env: dict[str, Binding] = {name: Value(name) for name in inputs}
        nodes: list[Node] = []
        groups: list[tuple[str, list[Node], Atom]] = []
        for name in order:
            if name in trees:
                made: list[Node] = []
                env[name] = result = lower_expression(trees[name], scalar_scope(), env, made, name)
                groups.append((name, made, result))
                nodes += made
        final = env[self.output]
        assert isinstance(final, Value | Literal)
        params = tuple(env[name] for name in inputs)
        self._graph = Graph("graph", Region(params, tuple(nodes), (final,)))  # type: ignore[arg-type]
        self._at: At | None = None
        names = {value: name for name, value in env.items() if isinstance(value, Value)}
        self._fill(inputs, [(name, made, names) for name, made, _ in groups], dict(definitions))

    @classmethod
    def of(cls, graph: Graph, at: At | None = None) -> ComputationGraph:
        """Return the view of a function's graph; `at` tells what runs at a point."""
        view = cls.__new__(cls)
        view._graph, view._at = graph, at
        names = unique_names(graph.body)
        groups = [(names[out], [n], names) for n in graph.body.nodes for out in results(n)]
        result = graph.body.yields[0]
        view.output = names[result] if isinstance(result, Value) else repr(result)
        view._fill([names[p] for p in graph.body.params], groups, {})
        return view

    @classmethod
    def of_steps(cls, unrolled: Unrolled) -> ComputationGraph:
        """Return the view of what ran at a point."""
        view = cls.__new__(cls)
        view._graph, view._at, view._groups, view.output = unrolled.graph, None, {}, unrolled.output
        view._inputs = [step.name for step in unrolled.steps if step.node is None]
        view.nodes = [
            GraphNode(
                step.name,
                step.inputs,
                _operation(step.node, step.inputs),
                step.label,
                tuple(step.turn.items()),
                NOWHERE if step.node is None else step.node.loc,
            )
            for step in unrolled.steps
        ]
        return view

    def _fill(
        self, inputs: list[str], groups: list[tuple[str, list[Any], dict[Value, str]]], texts: dict[str, str]
    ) -> None:
        self._inputs = inputs
        self._groups = {name: (made, names) for name, made, names in groups}
        self.nodes = [GraphNode(name, (), "", name) for name in inputs]
        for name, made, names in groups:
            inside = {value for node in made for value in results(node)}
            reads = [names[v] for node in made for v in _read_by(node) if v not in inside and v in names]
            read = tuple(dict.fromkeys(reads))
            text, label = texts.get(name) or _operation(made[-1], read), name
            if name not in texts and isinstance(made[-1], Apply) and made[-1].out.temporary:
                found = named(made[-1].out, made[-1].loc)
                label = name if found == made[-1].out.name else f"({found})"
            self.nodes.append(GraphNode(name, read, text, label))

    def __str__(self) -> str:
        return to_text(self._graph)

    @property
    def picture(self) -> Picture:
        """What a drawing shows: of a function, loops and arms of branches are boxes."""
        return of_nodes(self.nodes, self.output) if self._at is None else of_graph(self._graph)

    def topological_order(self) -> list[str]:
        """Return the names of all nodes, every node after those that it reads."""
        return [node.name for node in self.nodes]

    def evaluate(self, limit: int = LIMIT, /, **inputs: Any) -> Evaluation:
        """Return every node's value and adjoint, and every edge's partial, at a point.

        Of a function with branches and loops, the nodes are those that run; they are the nodes of `.graph`.

        Args:
            limit: how many primitives may run.
            **inputs: a value for each input: numbers, or for functions whatever they take.

        Raises:
            DifferentiationError: AD402 where more run, or the result is not one number.

        >>> import numpy as np
        >>> from adcompiler import grad
        >>> from adcompiler.samples import recurrence
        >>> at = grad(recurrence).graph.evaluate(w=0.5, x=np.array([0.1, 0.2]))
        >>> round(at.values["h[i=1]"], 6), round(at.adjoints["h[i=0]"], 6), at.adjoints["x"].round(6)
        (0.244763, 0.470046, array([0.465376, 0.940091]))
        >>> at.graph.chain("h[i=0]")
        '∂h[i=1]/∂(w * h + x[i])[i=1] * ∂(w * h + x[i])[i=1]/∂(w * h)[i=1] * ∂(w * h)[i=1]/∂h[i=0]'
        """
        if self._at is not None:
            point = self._at(inputs, limit)
            values = {step.name: step.value for step in point.unrolled.steps}
            return Evaluation(values, point.partials, point.adjoints, self.of_steps(point.unrolled))
        self._check(inputs)
        found = {name: float(inputs[name]) for name in self._inputs}
        partials: dict[tuple[str, str], float] = {}
        for node in self.nodes:
            if node.operation:
                found[node.name], local = self._evaluate_node(node, found)
                partials |= {(source, node.name): value for source, value in local.items()}
        adjoints = dict.fromkeys(found, 0.0)
        adjoints[self.output] = 1.0
        for node in reversed(self.nodes):
            for source in node.inputs:
                adjoints[source] += adjoints[node.name] * partials[source, node.name]
        return Evaluation(found, partials, adjoints, self)

    def _check(self, inputs: Mapping[str, float]) -> None:
        if set(inputs) != set(self._inputs):
            raise DifferentiationError("AD305", f"the graph's inputs are {', '.join(self._inputs)}")

    def _evaluate_node(self, node: GraphNode, known: dict[str, float]) -> tuple[float, dict[str, float]]:
        """Evaluate one node and its partials, forward through the primitives that it is made of."""
        made, names = self._groups[node.name]
        numbers: dict[Value, float] = {}
        slopes: dict[Value, dict[str, float]] = {}
        result = 0.0
        for part in made:
            args = [_number(a, numbers, names, known) for a in part.args]
            result = primitive(part.fn, args, {})
            numbers[part.out] = result
            slopes[part.out] = dict.fromkeys(node.inputs, 0.0)
            for arg, partial in zip(part.args, _partials(part.fn, args, result), strict=True):
                inner = slopes.get(arg) if arg in slopes else {names[arg]: 1.0} if arg in names else {}
                for source, slope in (inner or {}).items():
                    slopes[part.out][source] += partial * slope
        return result, slopes[made[-1].out]

    def paths(self, start: str, end: str | None = None) -> list[list[str]]:
        """Return every path from one node to another, as lists of names.

        The derivative of `end` with respect to `start` is the sum, over the paths, of the product of the
        partials along each.
        """
        end = end or self.output
        for name in (start, end):
            if name not in self.topological_order():
                raise DifferentiationError("AD305", f"the graph has no node '{name}'")
        readers: dict[str, list[str]] = {}
        for node in self.nodes:
            for source in node.inputs:
                readers.setdefault(source, []).append(node.name)
        found = list(islice(_walk_paths(start, end, readers), _PATHS + 1))
        if len(found) > _PATHS:
            cure = "ask for the paths between nodes that are closer, or at a smaller point"
            raise DifferentiationError("AD402", f"there are more than {_PATHS} paths", None, cure)
        return found

    def chain(self, name: str) -> str:
        """Return the chain rule from the output back to a node; steps without a name are written out."""
        labels = {node.name: node.label for node in self.nodes}
        products = []
        for path in self.paths(name):
            steps = [*zip(path[1:], path, strict=False)][::-1]
            products.append(" * ".join(f"∂{labels[node]}/∂{labels[source]}" for node, source in steps))
        return " + ".join(dict.fromkeys(products)) or "0"


def _operation(node: Node | None, inputs: tuple[str, ...]) -> str:
    match node:
        case None:
            return ""
        case Apply() | Effect():
            what = node.fn
        case Store():
            what = "write"
        case _:
            what = type(node).__name__.lower()
    return f"{what}({', '.join(inputs)})"


def _read_by(node: Node) -> list[Value]:
    """Return the values that a node reads, in its regions too."""
    return [*values(operands(node)), *(value for region in regions(node) for value in free(region))]


def _parsed(name: str, text: str) -> gast.AST:
    try:
        return gast.ast_to_gast(ast.parse(text, mode="eval")).body
    except SyntaxError as error:
        raise DifferentiationError("AD102", f"definition of '{name}' is not an expression: {error}") from None


def _names(tree: gast.AST) -> list[str]:
    functions = {node.func for node in gast.walk(tree) if isinstance(node, gast.Call)}
    found = [node for node in gast.walk(tree) if isinstance(node, gast.Name) and node not in functions]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def _topological(reads: dict[str, list[str]]) -> list[str]:
    """Order the inputs by first appearance, then the definitions, each after those that it reads."""
    try:
        TopologicalSorter(reads).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise DifferentiationError("AD401", f"{circle} goes in a circle") from None
    inputs = [name for names in reads.values() for name in names if name not in reads]
    order: dict[str, None] = dict.fromkeys(inputs)

    def visit(name: str) -> None:
        for source in reads.get(name, []):
            if source not in order:
                visit(source)
        order[name] = None

    for name in reads:
        visit(name)
    return list(order)


def _number(atom: Atom, numbers: dict[Value, float], names: dict[Value, str], known: dict[str, float]) -> Any:
    if isinstance(atom, Value):
        return numbers[atom] if atom in numbers else known[names[atom]]
    return atom.value


def _partials(fn: str, args: list[float], y: float) -> list[float]:
    """Evaluate the partial derivatives of a primitive from its rule."""
    rule = card(fn).partials
    if rule is None:
        return [0.0] * len(args)
    scope = vars(math) | {"sign": lambda x: math.copysign(1.0, x) if x else 0.0}
    point = dict(zip(rule.inputs, args, strict=True)) | {"y": y}
    found = []
    for tree in rule.partials:
        code = "0.0" if tree is None else ast.unparse(tree)
        found.append(float(eval(code, {**scope, **point})))
    return found


def _walk_paths(start: str, end: str, readers: dict[str, list[str]]) -> Iterator[list[str]]:
    if start == end:
        yield [end]
        return
    for reader in readers.get(start, []):
        for rest in _walk_paths(reader, end, readers):
            yield [start, *rest]
