"""A program at one point as a straight list of what ran: branches as taken, loops iteration by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from adcompiler.analysis.types import is_array
from adcompiler.errors import DifferentiationError
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
from adcompiler.graph.run import Values, execute, read_atom
from adcompiler.graph.walk import map_operands, operands, values
from adcompiler.prepare.finite_values import named
from adcompiler.primitives import card


@dataclass(frozen=True)
class Step:
    """A primitive that ran, or an argument.

    Attributes:
        name: what it made, `h[i=2]` in the third iteration; writing an array makes another one.
        label: the name, or for an expression without one its text.
        reads: the step that made each value that it read.
        value: what it made.
        turn: the index of each loop around it.
        node: the primitive; None for an argument.
        given: what it read.
    """

    name: str
    label: str
    reads: dict[Value, str]
    value: Any
    turn: dict[str, int]
    node: Apply | Store | Effect | None = None
    given: dict[Value, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.reads.values()))


@dataclass
class Unrolled:
    """What ran.

    Attributes:
        graph: the same computation without loops and branches.
        steps: its arguments and primitives, in the order in which they ran.
        names: the step that made each value.
        output: the step that made the result.
    """

    graph: Graph
    steps: list[Step]
    names: dict[Value, str]
    output: str


def ending(turn: dict[str, int]) -> str:
    """Return what tells the iterations in names apart.

    >>> ending({"i": 0, "j": 2})
    '[i=0, j=2]'
    """
    return f"[{', '.join(f'{index}={k}' for index, k in turn.items())}]" if turn else ""


def unroll(graph: Graph, inputs: Sequence[Any], limit: int) -> Unrolled:
    """Run a program, and write down each primitive that runs.

    Args:
        graph: the typed primal.
        inputs: the single values of its arguments; arrays are copied.
        limit: how many primitives may run.

    Raises:
        DifferentiationError: AD402 where more do.

    >>> from adcompiler.frontend.lower import lower
    >>> from adcompiler.samples import recurrence
    >>> [step.name for step in unroll(lower(recurrence), (0.5, [0.1, 0.2]), 50).steps][2:]
    ['n', 'mul[i=0]', 'x_i[i=0]', 'add[i=0]', 'h[i=0]', 'mul[i=1]', 'x_i[i=1]', 'add[i=1]', 'h[i=1]']
    """
    params = graph.body.params
    made = _Unroller(limit, Values(zip(params, map(_kept, inputs), strict=True)))
    made.now.update(zip(params, params, strict=True))
    for param, value in zip(params, inputs, strict=True):
        name = made.enter(param, param.name)
        made.steps.append(Step(name, name, {}, _kept(value), {}))
    with np.errstate(all="ignore"):
        made.region(graph.body)
    body = Region(params, tuple(made.nodes), tuple(map(made.read, graph.body.yields)))
    result = body.yields[0] if body.yields else Literal(None)
    output = made.current(result) if isinstance(result, Value) else repr(getattr(result, "value", None))
    return Unrolled(replace(graph, body=body), made.steps, made.names, output)


def _kept(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


@dataclass
class _Unroller:
    """The state of a run.

    Attributes:
        limit: how many primitives may run.
        known: what the values of the program are now.
        now: which value of the straight list each value of the program is now.
        around: the index of each loop around this point.
    """

    limit: int
    known: Values
    now: dict[Value, Atom] = field(default_factory=dict)
    around: dict[str, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    names: dict[Value, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    owners: dict[Value, Value] = field(default_factory=dict)
    written: dict[Value, str] = field(default_factory=dict)

    def read(self, atom: Atom) -> Atom:
        return self.now.get(atom, atom) if isinstance(atom, Value) else atom

    def unique(self, base: str) -> str:
        """Return a name that no step has, and enter its place."""
        turn, k = ending(self.around), 0
        name = f"{base}{turn}"
        while name in self.places:
            k += 1
            name = f"{base}_{k}{turn}"
        self.places[name] = len(self.places)
        return name

    def enter(self, value: Value, base: str) -> str:
        """Give a value a name."""
        name = self.names[value] = self.unique(base)
        return name

    def current(self, value: Value) -> str:
        """Return the step that made a value, or that last wrote what it shows."""
        own = self.names[value]
        last = self.written.get(self.owners.get(value, value), own)
        return max(own, last, key=self.places.__getitem__)

    def region(self, region: Region) -> None:
        for node in region.nodes:
            self.node(node)

    def bind(self, targets: Sequence[Value], atoms: Sequence[Atom]) -> None:
        """Let values be what others are now, all at once."""
        flat = [self.read(atom) for atom in atoms]
        known = [read_atom(atom, self.known) for atom in atoms]
        self.now.update(zip(targets, flat, strict=True))
        self.known.update(zip(targets, known, strict=True))

    def node(self, node: Node) -> None:
        match node:
            case If():
                arm = node.then if read_atom(node.test, self.known) else node.orelse
                self.region(arm)
                self.bind(node.outs, arm.yields)
            case For():
                bounds = (read_atom(atom, self.known) for atom in (node.start, node.stop, node.step))
                self.loop(node, node.body.params[0].name, range(*bounds))
            case While():
                self.loop(node, "iteration", range(self.limit + 1))
            case _:
                self.primitive(node)

    def loop(self, node: For | While, index: str, turns: range) -> None:
        """Run the iterations of a loop, one after the other."""
        self.bind(node.carried, node.inits)
        for turn in turns:
            if isinstance(node, For):
                self.bind(node.body.params[:1], (Literal(turn),))
            else:
                self.region(node.cond)
                if not read_atom(node.cond.yields[0], self.known):
                    break
            self.around[index] = turn
            self.region(node.body)
            self.bind(node.carried, node.next_values)
            if node.breaks and read_atom(node.body.yields[0], self.known):
                break
        self.around.pop(index, None)
        self.bind(node.outs, node.carried)

    def primitive(self, node: Apply | Store | Effect) -> None:
        """Run a primitive, and write it down."""
        if len(self.nodes) >= self.limit:
            cure = f"evaluate it at a smaller point, or with a larger limit: evaluate({4 * self.limit}, ...)"
            raise DifferentiationError("AD402", f"more than {self.limit} steps run", node.loc, cure)
        made = map_operands(node, self.read)
        assert isinstance(made, Apply | Store | Effect)
        read = dict.fromkeys(values(operands(made)))
        given = {value: _kept(read_atom(atom, self.known)) for atom, value in _pairs(node, made)}
        reads = {value: self.current(value) for value in read}
        execute(node, self.known)
        match made:
            case Apply():
                out = Value(made.out.name, made.out.temporary, made.out.type)
                value = self.known[made.out]
                self.now[made.out] = out
                made = replace(made, out=out)
                if is_array(out.type) and card(made.fn).is_view and isinstance(made.args[0], Value):
                    self.owners[out] = self.owners.get(made.args[0], made.args[0])
                self.step(made, self.enter(out, out.name), reads, value, given)
            case Store(array=array) if isinstance(node, Store):
                owner = self.owners.get(array, array)
                name = self.written[owner] = self.unique(array.name)
                self.step(made, name, reads, read_atom(node.array, self.known), given)
        self.nodes.append(made)

    def step(
        self, node: Apply | Store, name: str, reads: dict[Value, str], value: Any, given: dict[Value, Any]
    ) -> None:
        """Write a step down."""
        label = name
        if isinstance(node, Apply) and node.out.temporary:
            text = named(node.out, node.loc)
            label = name if text == node.out.name else f"({text}){ending(self.around)}"
        self.steps.append(Step(name, label, reads, _kept(value), dict(self.around), node, given))


def _pairs(node: Node, made: Node) -> list[tuple[Atom, Value]]:
    """Return the values that a primitive reads, in the program and in the straight list."""
    pairs = zip(operands(node), operands(made), strict=True)
    return [(atom, flat) for atom, flat in pairs if isinstance(flat, Value)]
