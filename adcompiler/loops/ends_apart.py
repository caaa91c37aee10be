"""Split loops where an index wraps around, or a test asks for an end: LLVM vectorises what lies between.

In `u[(i + 1) % n]`, `u[i - 1]` and `if i < n - 1:` only the first or last iterations are unlike the others.
They become loops of their own; in the loop between them the index is `i + 1`, and the test is known (index
set splitting, Banerjee 1979; Wolfe 1996, section 9.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from numba import boolean
from numba.core import types as nt

from adcompiler.analysis.affine import Linear, linear
from adcompiler.analysis.dependence import Loops
from adcompiler.analysis.iterations import Iterations
from adcompiler.analysis.sums import carried_kinds
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
from adcompiler.graph.walk import clone, regions, substitute, walk, with_regions
from adcompiler.loops.vectorise import is_simple
from adcompiler.loops.whole_numbers import whole_number
from adcompiler.primitives import card
from adcompiler.simplify.dead import remove_dead
from adcompiler.simplify.fold import fold

_MOST_ENDS = 4
"""So many iterations at each end may be unlike the others."""
_MOST_NODES = 150
"""Longer bodies are not written twice."""


@dataclass
class _Middle:
    """What the iterations between the ends of a loop have in common.

    Attributes:
        index: the loop's.
        stop: the form of the first index that is too large.
        makers: what computes each value.
        skipped: the least index that is among them.
        left: how many indices before the last one are not.
        known: what some values are there.
    """

    index: Value
    stop: Linear
    makers: Mapping[Value, Apply]
    skipped: int = 0
    left: int = 0
    known: dict[Value, Atom] = field(default_factory=dict)

    def enter(self, node: Node) -> None:
        """Learn of a node that is simple in the middle."""
        match node:
            case Apply(fn="mod", args=(place, count)) if isinstance(type_of(node.out), nt.Integer):
                offset, end = self.offset(place), self.from_stop(linear(count, self.makers))
                if offset is not None and end is not None and self.allows(-offset, offset - end):
                    self.known[node.out] = place
            case Apply(args=(one, two)) if card(node.fn).opposite:
                self.enter_test(node, linear(one, self.makers), linear(two, self.makers))
            case Apply(fn="getitem", args=(_, *place)) | Store(index=place):
                for atom in place:
                    offset = self.offset(atom)
                    if offset is not None and offset < 0:
                        self.allows(-offset, 0)

    def enter_test(self, test: Apply, one: Linear | None, two: Linear | None) -> None:
        """Learn of a comparison of the index with a number, or with a distance from the end."""
        compared = card(test.fn).compute
        if one is None or two is None or compared is None:
            return

        def holds(distance: int) -> bool:
            return bool(compared(distance, 0))

        difference = one - two
        sign = difference.terms.get(self.index, 0)
        if sign not in (1, -1):
            return
        point = Linear({self.index: 1}) - sign * difference
        reaches = holds(0) == holds(sign)
        if not point.terms and self.allows(point.constant + 1 - reaches, 0):
            self.known[test.out] = Literal(holds(sign))
            return
        end = self.from_stop(point)
        if end is not None and self.allows(0, -end - (holds(0) == holds(-sign))):
            self.known[test.out] = Literal(holds(-sign))

    def allows(self, skipped: int, left: int) -> bool:
        """Tell whether so many iterations may be left out at the ends, and leave them out."""
        if max(skipped, left) > _MOST_ENDS:
            return False
        self.skipped, self.left = max(self.skipped, skipped), max(self.left, left)
        return True

    def offset(self, place: Atom) -> int | None:
        """Return the distance of a place from the index."""
        form = linear(place, self.makers)
        return form.constant if form is not None and form.terms == {self.index: 1} else None

    def from_stop(self, form: Linear | None) -> int | None:
        """Return the distance of a form from the end."""
        distance = None if form is None else form - self.stop
        return None if distance is None or distance.terms else distance.constant


def split_ends(graph: Graph) -> Graph:
    """Return the graph with the ends of innermost loops apart where what is left is simple.

    Args:
        graph: the typed graph of a gradient.
    """
    iterations = Iterations(graph)
    changed: list[Node] = []

    def region(body: Region, loops: Loops) -> Region:
        nodes: list[Node] = []
        for node in body.nodes:
            parts = _split(node, loops, iterations) if isinstance(node, For) else None
            if parts is not None:
                changed.append(parts[0])
                nodes += parts
                continue
            inner = (*loops, node) if isinstance(node, For | While) else loops
            nodes.append(with_regions(node, tuple(region(part, inner) for part in regions(node))))
        return replace(body, nodes=tuple(nodes))

    new = replace(graph, body=region(graph.body, ()))
    return remove_dead(fold(new)) if changed else graph


def _split(loop: For, loops: Loops, iterations: Iterations) -> list[Node] | None:
    """Return a loop in parts, None if it has no ends of this kind."""
    is_marked = loop.breaks or loop.independent or loop.parallel or loop.checkpoints is not None
    if loop.step not in (Literal(1), Literal(-1)) or is_marked or None in carried_kinds(loop.body):
        return None
    nodes = [*walk(loop.body)]
    if len(nodes) > _MOST_NODES or any(isinstance(node, For | While) for node in nodes):
        return None
    makers = iterations.dependences.makers
    start, stop = _range(loop, makers)
    if start is None or stop is None or start < 0:
        return None
    middle = _Middle(loop.body.params[0], stop, makers, start)
    for node in nodes:
        middle.enter(node)
    if not (middle.known or middle.skipped > start):
        return None
    simple = _simplified(loop, middle) if iterations.are_apart(loop, loops) else None
    is_worth_it = simple is not None and all(map(is_simple, walk(simple.body)))
    return _parts(loop, simple, middle, start) if simple is not None and is_worth_it else None


def _range(loop: For, makers: Mapping[Value, Apply]) -> tuple[int | None, Linear | None]:
    """Return the least index of a loop, if it is a number, and the form of the first that is too large."""
    first, last = linear(loop.start, makers), linear(loop.stop, makers)
    if first is not None and last is not None and loop.step == Literal(-1):
        first, last = last + 1, first + 1
    return None if first is None or first.terms else first.constant, last


def _simplified(loop: For, middle: _Middle) -> For | None:
    """Return a loop in which what is known in the middle has been put in; its range is still the whole."""
    body = substitute(loop.body, middle.known)
    nodes = fold(Graph("middle", Region((), (replace(loop, body=body),), ()))).body.nodes
    return nodes[0] if len(nodes) == 1 and isinstance(nodes[0], For) else None


def _parts(loop: For, simple: For, middle: _Middle, start: int) -> list[Node]:
    """Return a loop over both ends, one over the middle, and what computes their bounds."""
    nodes: list[Node] = []
    stop = loop.stop if loop.step == Literal(1) else whole_number("add", nodes, loop.start, Literal(1))
    size = whole_number("sub", nodes, stop, Literal(start)) if start else stop
    ends = whole_number("min", nodes, size, Literal(middle.skipped - start + middle.left), name="ends")
    last = whole_number("sub", nodes, stop, Literal(middle.left)) if middle.left else stop
    outs = tuple(map(replace, loop.outs))
    body = _over_ends(loop, middle, start, stop, ends)
    first = replace(loop, start=Literal(0), stop=ends, step=Literal(1), body=body, outs=outs)
    between = replace(simple, start=Literal(middle.skipped), stop=last, step=Literal(1))
    return [*nodes, first, replace(between, inits=outs, body=clone(simple.body, {}))]


def _over_ends(loop: For, middle: _Middle, start: int, stop: Atom, ends: Value) -> Region:
    """Return a body whose index goes from the first iterations to the last ones."""
    kind, name = middle.index.type, middle.index.name
    end = Value("end" if middle.left else name, type=kind)
    nodes, rest = list[Node](), list[Node]()
    place = early = whole_number("add", nodes, end, Literal(start)) if start else end
    if middle.left and middle.skipped > start:
        test, place = Value("lt", True, boolean), Value(name, type=kind)
        nodes.append(Apply(test, "lt", (end, Literal(middle.skipped - start))))
        late = whole_number("add", rest, whole_number("sub", rest, stop, ends), end)
        nodes.append(If(test, Region((), (), (early,)), Region((), tuple(rest), (late,)), (place,)))
    elif middle.left:
        place = whole_number("add", nodes, whole_number("sub", nodes, stop, ends), end, name=name)
    mapping: dict[Value, Atom] = {}
    body = clone(loop.body, mapping)
    index = mapping[middle.index]
    assert isinstance(index, Value)
    body = substitute(body, {index: place})
    return replace(body, params=(end, *body.params[1:]), nodes=(*nodes, *body.nodes))
