"""In-place operators, once types tell which of them write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.types import is_array, is_list
from adcompiler.graph.nodes import Apply, Atom, Graph, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_region, substitute, walk
from adcompiler.primitives import card
from adcompiler.simplify.invariant import remove_invariants


def resolve_in_place(graph: Graph) -> Graph:
    """`a += v` is a store where `a` is an array and an assignment where it is a number.

    `a[i] *= v` computes what is stored to a[i] then; where a[i] is an array in a list, it is that array that
    changes.
    """
    makers = {node.out: node for node in walk(graph.body) if isinstance(node, Apply)}
    resolving = _InPlace(makers)
    body = map_region(graph.body, resolving.region)
    return remove_invariants(replace(graph, body=substitute(body, resolving.same)))


@dataclass
class _InPlace:
    """The state while in-place operators are settled.

    Attributes:
        makers: the primitive that makes each value.
        same: arrays that stand for the results of operators.
        changed: results of operators that have written an array in a list, which is then put there again.
    """

    makers: dict[Value, Apply]
    same: dict[Value, Atom] = field(default_factory=dict)
    changed: set[Value] = field(default_factory=set)

    def region(self, region: Region) -> Region:
        """Return a region without in-place operators."""
        return replace(region, nodes=tuple(made for node in region.nodes for made in self.node(node)))

    def node(self, node: Node) -> list[Node]:
        """Return what stands in place of a node."""
        match node:
            case Apply(fn="np.asarray", args=(Value() as array, *_), keywords=()) if is_array(type_of(array)):
                self.same[node.out] = array
                return []
            case Apply(fn="ravel", args=(Value() as array,), keywords=()) if _is_flat(type_of(array)):
                self.same[node.out] = array
                return []
            case Apply(fn=fn) if card(fn).out_of_place:
                return self.operator(node)
            case Store() if node.value in self.changed and is_list(node.array.type):
                return []  # the list holds the array already
        return [node]

    def operator(self, node: Apply) -> list[Node]:
        """Return what an in-place operator is."""
        op, target = card(node.fn).out_of_place, node.args[0]
        if is_list(type_of(target)):
            return [node]
        is_written = is_array(type_of(target))
        if not isinstance(target, Value) or not is_written or (node.keywords and not self.is_in_list(target)):
            return [replace(node, fn=op, keywords=())]
        self.same[node.out] = target
        if node.keywords:
            self.changed.add(node.out)
        return self.store(node, op, target)

    def is_in_list(self, target: Value) -> bool:
        """Tell whether an array is an item of a list."""
        maker = self.makers.get(target)
        return maker is not None and maker.fn == "getitem" and is_list(type_of(maker.args[0]))

    def store(self, node: Apply, op: str, target: Value) -> list[Node]:
        """Return the store that an operator on an array is."""
        value = node.args[1]
        if op == "add":
            return [Store(target, (), value, True, loc=node.loc, role=node.role)]
        name = "neg" if op == "sub" else op
        new = Value(name, temporary=True)
        operands = (value,) if op == "sub" else (target, value)
        kind = type_of(value) if op == "sub" else target.type
        new.type = nt.float64 if kind is None else kind
        compute = Apply(new, name, operands, loc=node.loc, role=node.role)
        return [compute, Store(target, (), new, op == "sub", loc=node.loc, role=node.role)]


def _is_flat(kind: nt.Type | None) -> bool:
    """Tell whether an array has one axis, and lies in one piece: it is its own `ravel`."""
    return isinstance(kind, nt.Array) and kind.ndim == 1 and kind.layout == "C"
