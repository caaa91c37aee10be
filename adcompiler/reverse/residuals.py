"""Functions whose reversal reads residuals: the rule that returns these is called in their place.

JAX's convention: `forward` returns the result and residuals, `backward` is given residuals and adjoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.activity import active_values
from adcompiler.errors import DifferentiationError
from adcompiler.frontend.custom_calls import taken_apart
from adcompiler.frontend.flat_rules import FlatFunction
from adcompiler.graph.nodes import Apply, Atom, Global, Graph, Literal, Node, Region, Value
from adcompiler.graph.walk import map_region, substitute, walk
from adcompiler.rules.own_rules import global_of, kind_of, returned_kind


def keep_residuals(graph: Graph, wrt: Sequence[int]) -> Graph:
    """Return a graph in which functions return the residuals that their reversal reads.

    Args:
        graph: the prepared primal.
        wrt: positions of the parameters to differentiate.

    Raises:
        DifferentiationError: AD204 where a residual is neither a number nor an array.
    """
    calls = {node.out: node for node in walk(graph.body) if isinstance(node, Apply) and _has_residuals(node)}
    if not calls:
        return graph
    active = active_values(graph, [graph.body.params[k] for k in wrt])
    kept = _Kept()
    for node in walk(graph.body):
        match node:
            case Apply(fn="getitem", args=(Value() as whole, _)) if whole in calls:
                kept.items[node.out] = whole
            case Apply(fn="custom[0]", out=out, args=(*_, Value() as raw)) if out in active:
                whole = kept.items.get(raw, raw)
                if whole in calls and whole not in kept.made:
                    kept.add(calls[whole])
    body = map_region(graph.body, kept.rewrite)
    return replace(graph, body=substitute(body, kept.same))


def _has_residuals(node: Apply) -> bool:
    function = getattr(node.args[0], "value", None) if node.fn == "custom" else None
    return isinstance(function, FlatFunction) and function.forward is not None


@dataclass
class _Kept:
    """Calls that return residuals.

    Attributes:
        items: for each item that is read of what a call returned, the call.
        made: the nodes that each call becomes.
        raws: all that it returns then.
        same: what stands for the items read before.
    """

    items: dict[Value, Value] = field(default_factory=dict)
    made: dict[Value, list[Node]] = field(default_factory=dict)
    raws: dict[Value, tuple[Value, ...]] = field(default_factory=dict)
    same: dict[Value, Atom] = field(default_factory=dict)

    def add(self, call: Apply) -> None:
        """Enter a call: the rule is called that returns its results, and residuals after them."""
        callee, *args = call.args
        assert isinstance(callee, Global)
        function: FlatFunction = callee.value
        kind = returned_kind(function, function.forward, [*map(kind_of, args)], call.loc)
        whole = Value(function.forward.py_func.__name__, temporary=True, type=kind)
        self.made[call.out] = [replace(call, out=whole, fn="rule", args=(global_of(function.forward), *args))]
        kinds = kind.types if isinstance(kind, nt.BaseTuple) else (kind,)
        for each in kinds[function.results :]:
            _check(function, each, call)
        self.raws[call.out] = (whole,) if len(kinds) == 1 else self._parts(call, whole)

    def _parts(self, call: Apply, whole: Value) -> tuple[Value, ...]:
        raws = tuple(Value(whole.name, temporary=True, type=kind) for kind in whole.type.types)
        for k, raw in enumerate(raws):
            self.made[call.out].append(replace(call, out=raw, fn="getitem", args=(whole, Literal(k))))
        return raws

    def rewrite(self, region: Region) -> Region:
        """Return a region with the calls that leave residuals."""
        nodes: list[Node] = []
        for node in region.nodes:
            match node:
                case Apply(fn="custom", out=out) if out in self.made:
                    nodes += self.made[out]
                case Apply(fn="getitem", args=(whole, Literal(value=int() as k))) if whole in self.made:
                    self.same[node.out] = self.raws[self.items[node.out]][k]
                case Apply(fn="custom[0]", args=(*_, Value() as raw)):
                    nodes.append(self._with_residuals(node, self.items.get(raw, raw)))
                case _:
                    nodes.append(node)
        return replace(region, nodes=tuple(nodes))

    def _with_residuals(self, node: Apply, call: Value) -> Apply:
        """Return a result as a function of the arguments that reads residuals, too."""
        found, raws = taken_apart(node), self.raws.get(call)
        if raws is None:
            return node
        rest: tuple[Atom, ...]
        rest = raws if len(raws) == 1 else (*raws, Literal(found.position), raws[found.position])
        return replace(node, args=(found.callee, *found.args, *rest))


def _check(function: FlatFunction, kind: nt.Type, call: Apply) -> None:
    if not isinstance(kind, nt.Array | nt.Number | nt.Boolean | nt.UnicodeType | nt.NoneType):
        reason = f"a residual of '{function.__name__}' has type {kind}, and is neither a number nor an array"
        cure = "write the tuple of residuals out in the return statement of the forward rule"
        raise DifferentiationError("AD204", reason, call.loc, cure)
