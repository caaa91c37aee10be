"""The invariants of a graph; what breaks one is shown in its place in the text of the graph."""

from __future__ import annotations

from dataclasses import dataclass, field

from numba.core import types as nt

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
    type_of,
)
from adcompiler.graph.text import to_text
from adcompiler.graph.walk import operands, results, values
from adcompiler.primitives import Follows, Gives, card, is_known, similar_names


def verify(graph: Graph) -> Graph:
    """Return a graph if it is well formed.

    Args:
        graph: the graph.

    Raises:
        AssertionError: with the broken invariant, and the text of the graph with the place marked.

    >>> x, y = Value("x"), Value("y")
    >>> verify(Graph("f", Region((x,), (Apply(y, "math.exq", (x,)),), (y,))))
    Traceback (most recent call last):
        ...
    AssertionError: no primitive is called 'math.exq'; there is 'math.exp' or 'math.exp2'
      graph f(x):
    >   y = math.exq(x)
        return y
    """
    check = _Check()
    try:
        check.region(graph.body, set())
    except _BrokenError as broken:
        place = check.node or Effect("return", graph.body.yields)
        raise AssertionError(f"{broken}\n{to_text(graph, marked=place)}") from None
    return graph


class _BrokenError(Exception):
    """An invariant does not hold."""


def _expect(holds: bool, reason: str) -> None:
    if not holds:
        raise _BrokenError(reason)


@dataclass
class _Check:
    """What has been seen of a graph.

    Attributes:
        defined: all values defined so far.
        placed: all nodes.
        node: the node that is being looked at.
    """

    defined: set[Value] = field(default_factory=set)
    placed: set[Node] = field(default_factory=set)
    node: Node | None = None

    def region(self, region: Region, scope: set[Value]) -> None:
        scope = set(scope)
        for param in region.params:
            self.define(param, scope)
        for node in region.nodes:
            self.node = node
            _expect(node not in self.placed, "a node stands at two places")
            self.placed.add(node)
            for value in values(operands(node)):
                _expect(value in scope, f"'{value.name}' is read before it is defined")
            self.inner(node, scope)
            self.node = node
            self.primitive(node)
            self.kinds(node)
            for value in results(node):
                self.define(value, scope)
        self.node = None
        for value in values(region.yields):
            _expect(value in scope, f"'{value.name}' is yielded, but not defined in its region")

    def define(self, value: Value, scope: set[Value]) -> None:
        _expect(value not in self.defined, f"'{value.name}' is defined twice")
        self.defined.add(value)
        scope.add(value)

    def inner(self, node: Node, scope: set[Value]) -> None:
        """Look at the regions of a node, and at how many values go in and out."""
        match node:
            case If():
                self.region(node.then, scope)
                self.region(node.orelse, scope)
                for arm in (node.then, node.orelse):
                    _expect_count("values of a branch", len(node.outs), len(arm.yields))
            case For() | While():
                self.region(node.body, scope)
                carried = len(node.outs)
                _expect_count("values that the loop begins with", carried, len(node.inits))
                _expect_count("parameters", carried + isinstance(node, For), len(node.body.params))
                _expect_count("values of an iteration", carried + node.breaks, len(node.body.yields))
                if isinstance(node, While):
                    self.region(node.cond, scope | set(node.body.params))
                    _expect_count("conditions", 1, len(node.cond.yields))

    def primitive(self, node: Node) -> None:
        """Look at the name of a primitive, and at how many arguments it gets."""
        if not isinstance(node, Apply | Effect):
            return
        if not is_known(node.fn):
            close = " or ".join(f"'{name}'" for name in similar_names(node.fn))
            raise _BrokenError(
                f"no primitive is called '{node.fn}'" + (f"; there is {close}" if close else "")
            )
        least, most = card(node.fn).arity or (0, None)
        if len(node.args) < least or (most is not None and len(node.args) > most):
            wanted = least if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            raise _BrokenError(f"'{node.fn}' takes {wanted} arguments, not {len(node.args)}")

    def kinds(self, node: Node) -> None:
        """Look at types, where they are known."""
        match node:
            case Apply():
                self.result(node)
            case Store():
                kind = node.array.type
                is_fixed = isinstance(kind, nt.Number | nt.Boolean | nt.BaseTuple)
                _expect(not is_fixed, f"'{node.array.name}' is written, but has type {kind}")
            case For():
                for bound in (node.start, node.stop, node.step):
                    _expect(self.is_whole(bound), "a bound of the loop is no whole number")

    def result(self, node: Apply) -> None:
        kind, axes = node.out.type, self.wanted_axes(node)
        if axes is None or not isinstance(kind, nt.Array | nt.Number | nt.Boolean):
            return
        found = kind.ndim if isinstance(kind, nt.Array) else 0
        _expect(found == axes, f"the result of '{node.fn}' has {axes} axes, but type {kind}")
        is_test = card(node.fn).gives is not Gives.TEST or getattr(kind, "dtype", kind) == nt.boolean
        _expect(is_test, f"the result of '{node.fn}' is a test, but has type {kind}")

    def wanted_axes(self, node: Apply) -> int | None:
        """Return how many axes the result of a primitive has to have, None where that is not known."""
        found = [self.axes(atom) for atom in node.args]
        axes = [count for count in found if count is not None]
        if not axes or len(axes) < len(found) or node.keywords:
            return None
        match card(node.fn).follows:
            case Follows.BROADCAST:
                return max(axes)
            case Follows.SAME_SHAPE | Follows.SAME_RANK:
                return axes[0]
            case Follows.NUMBER:
                return 0
        return None

    def axes(self, atom: Atom) -> int | None:
        """Return the number of axes of a number or an array."""
        if isinstance(atom, Literal):
            return 0 if isinstance(atom.value, int | float | complex) else None
        kind = type_of(atom)
        if isinstance(kind, nt.Array):
            return int(kind.ndim)
        return 0 if isinstance(kind, nt.Number | nt.Boolean) else None

    def is_whole(self, atom: Atom) -> bool:
        if isinstance(atom, Literal):
            return isinstance(atom.value, int)
        kind = type_of(atom)
        return kind is None or kind is nt.undefined or isinstance(kind, nt.Integer | nt.Boolean)


def _expect_count(what: str, expected: int, found: int) -> None:
    _expect(found == expected, f"expected {expected} {what}, got {found}")
