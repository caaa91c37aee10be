"""Check before a loop that the elements it reads exist.

Compiled code does not check indices. Where a function reads `w[i]` beyond the end of `w`, it reads whatever
stands there; its gradient would add to what stands there. So a check stands before the outermost loop for
which the range of an index is known, for arrays that carry a derivative, unless the sizes imply it.

A check is moved out of a loop only if it then fails for no program that does not fail inside: each index in
the range is reached if the loops run at all, and if they do not run, `runs` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from numba import int64

from adcompiler.analysis.activity import active_values
from adcompiler.analysis.affine import Linear
from adcompiler.analysis.integers import Integers
from adcompiler.analysis.shapes import symbolic_sizes
from adcompiler.analysis.sizes import Shapes, form_of
from adcompiler.analysis.types import is_continuous
from adcompiler.graph.nodes import (
    UNDEFINED,
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
from adcompiler.graph.walk import defined, merges, walk
from adcompiler.prepare.guard import write_form
from adcompiler.prepare.index_checks import Check, Placed, strongest, written

Facts = tuple[Linear, ...]


def check_varied_indices(graph: Graph, wrt: Sequence[int] | None) -> Graph:
    """Return a graph that checks its indices into arrays that carry a derivative.

    Args:
        graph: the graph.
        wrt: positions of the parameters to differentiate; None for all arrays of floats.
    """
    if wrt is None:
        return check_indices(graph, {value for value in defined(graph.body) if is_continuous(value.type)})
    return check_indices(graph, active_values(graph, [graph.body.params[k] for k in wrt]))


def check_indices(graph: Graph, active: set[Value]) -> Graph:
    """Return the graph with checks that elements exist.

    Args:
        graph: the prepared primal.
        active: values that carry a derivative.
    """
    shapes, sizes = symbolic_sizes(graph)
    integers = Integers(sizes)
    body, left = _Checker(active, shapes, integers, _undefined(graph)).region(graph.body, ())
    return replace(graph, body=written(body, left, integers))


def stores_in_doubt(graph: Graph, stores: Mapping[Store, Sequence[For] | None]) -> set[Store]:
    """Return those stores after loops that may be out of bounds, since the program stores inside the loops.

    Args:
        graph: the graph of a gradient.
        stores: the stores, each with the loops that have to run for the program to store there; None if it
            may not store there even then.
    """
    if not stores:
        return set()
    shapes, sizes = symbolic_sizes(graph)
    alike = {shapes.get(store.array) for store in stores}
    arrays = {value for value in defined(graph.body) if shapes.get(value, ()) in alike}
    checker = _Checker(arrays, shapes, Integers(sizes), _undefined(graph), stores)
    checker.region(graph.body, ())
    return checker.in_doubt


@dataclass
class _Checker:
    active: set[Value]
    shapes: Shapes
    integers: Integers
    undefined: set[Value]
    sums: Mapping[Store, Sequence[For] | None] = field(default_factory=dict)
    in_doubt: set[Store] = field(default_factory=set)
    depth: int = 0

    def region(self, region: Region, facts: Facts) -> tuple[Region, Placed]:
        """Return the region with checks in the regions inside it, and its own checks."""
        nodes: list[Node] = []
        placed: Placed = []
        for node in region.nodes:
            before: list[Node] = []
            checks: list[Check] = []
            match node:
                case Apply(fn="getitem"):
                    checks = self.accessed(node.args[0], node.args[1:], facts)
                    self.integers.enter(node, facts)
                case Apply():
                    self.integers.enter(node, facts)
                case Store() if node in self.sums:
                    self.in_doubt |= set() if self.is_safe(node, facts) else {node}
                case Store():
                    checks = self.accessed(node.array, node.index, facts)
                case Effect(fn="assert"):
                    facts = (*facts, *self.integers.said_by(node.args[0]))
                case Effect(fn="in_bounds" | "all_in_bounds"):
                    facts = (*facts, *self.made_sure(node, facts))
                case If():
                    node, facts = self.branch(node, facts)
                case For() | While():
                    node, before, checks = self.loop(node, facts)
            nodes += before
            placed += [(len(nodes), check) for check in checks]
            facts = (*facts, *(form for check in checks if not check.is_moved for form in check.successes()))
            nodes.append(node)
        return replace(region, nodes=tuple(nodes)), strongest(placed, nodes)

    def accessed(self, array: Atom, index: Sequence[Atom], facts: Facts) -> list[Check]:
        """Return the checks that an access to an element or row needs."""
        shape = self.shapes.get(array) if isinstance(array, Value) else None
        is_covered = array in self.active and array not in self.undefined
        if not is_covered or shape is None or Literal(...) in index:
            return []
        found: list[Check] = []
        axes = iter(shape)
        for atom in index:
            if atom == Literal(None):
                continue
            size, place = form_of(next(axes)), self.integers.form(atom)
            if place is not None:
                check = Check(size, place, place, (True, True))
                known = (*facts, size)
                sides = [not self.integers.is_known(-1 * form - 1, known) for form in check.failures()]
                found += [replace(check, sides=(sides[0], sides[1]))] if any(sides) else []
        return found

    def made_sure(self, check: Effect, facts: Facts) -> list[Linear]:
        """Return what a check in the program makes sure of."""
        size, low, *stop = map(self.integers.form, check.args)
        high = low if not stop else None if stop[0] is None else stop[0] - 1
        if check.keywords or size is None or low is None or high is None:
            return []
        is_empty = stop and not self.integers.is_known(high - low, facts)
        return [] if is_empty else Check(size, low, high, (True, True)).successes()

    def is_safe(self, store: Store, facts: Facts) -> bool:
        """Tell whether a store after loops is in bounds: it is if they run, or if its indices are known."""
        loops = self.sums[store]
        if loops is not None and all(self.integers.runs(loop, facts) for loop in loops):
            return True
        is_known = store.array in self.shapes and None not in map(self.integers.form, store.index)
        return (
            is_known
            and store.array not in self.undefined
            and not self.accessed(store.array, store.index, facts)
        )

    def branch(self, node: If, facts: Facts) -> tuple[If, Facts]:
        """Return a branch with its checks, and what is known after it."""
        arms: list[Region] = []
        after = facts
        for holds, arm in ((True, node.then), (False, node.orelse)):
            said = self.integers.said_by(node.test, holds)
            inner, placed = self.region(arm, (*facts, *said))
            arms.append(inner if self.depth else written(inner, placed, self.integers))
            if any(isinstance(part, Effect) and part.fn == "raise" for part in arm.nodes):
                after = (*after, *self.integers.said_by(node.test, not holds))
        return replace(node, then=arms[0], orelse=arms[1]), after

    def loop(self, node: For | While, facts: Facts) -> tuple[For | While, list[Node], list[Check]]:
        """Return a loop without checks, nodes to stand before it, and the checks that can stand before it.

        What cannot is left out: inside, checks cost too much.
        """
        inner = (*facts, *self.integers.carried(node))
        self.depth += 1
        if isinstance(node, While):
            cond, _ = self.region(node.cond, inner)
            body, _ = self.region(node.body, (*inner, *self.integers.said_by(cond.yields[0])))
            self.depth -= 1
            return replace(node, body=body), [], []
        body, placed = self.region(node.body, (*inner, *self.integers.of_index(node)))
        self.depth -= 1
        inside = set(defined(node.body))
        last, before = self.last(node)
        moved = [] if node.breaks else [self.moved(check, node, last, inside, facts) for _, check in placed]
        index = node.body.params[0]
        is_needed = any(index in check.low.terms or index in check.high.terms for _, check in placed)
        checks = [check for check in moved if check is not None]
        return replace(node, body=body), before if is_needed and checks else [], checks

    def last(self, node: For) -> tuple[Linear | None, list[Node]]:
        """Return the last index of a loop that runs, and the nodes that compute it."""
        start, stop, step = self.integers.ends(node)
        if start is None or stop is None or not step:
            return None, []
        sign = 1 if step > 0 else -1
        if abs(step) == 1:
            return stop - sign, []
        if not start.terms and not stop.terms:
            return start + step * ((stop.constant - start.constant - sign) // step), []
        if self.depth:  # it would have to be computed before all loops that a check leaves
            return None, []
        nodes: list[Node] = []
        length = write_form(stop - start - sign, nodes)
        steps = Value("steps", temporary=True, type=int64)
        nodes.append(Apply(steps, "floordiv", (length, Literal(step))))
        return start + step * Linear({steps: 1}), nodes

    def moved(
        self, check: Check, node: For, last: Linear | None, inside: set[Value], facts: Facts
    ) -> Check | None:
        """Return a check as it is before a loop; None if it cannot stand there."""
        index = node.body.params[0]
        first, stop, step = self.integers.ends(node)
        if first is None or stop is None or last is None:
            return None
        if any(symbol in inside and symbol is not index for symbol in check.symbols()):
            return None
        least, most = (first, last) if step > 0 else (last, first)
        trips = stop - first if step > 0 else first - stop
        varying = [form for form in check.runs if index in form.terms]
        fixed = tuple(form for form in check.runs if index not in form.terms)
        if varying:
            span = _narrowed(varying, index, least, most) if abs(step) == 1 else None
            if span is None:
                return None
            least, most = span
            trips = most - least + 1
        if index in check.size.terms:
            return None
        low = -1 * _extreme(-1 * check.low, index, least, most)
        moved = replace(
            check, low=low, high=_extreme(check.high, index, least, most), runs=fixed, is_moved=True
        )
        if trips in fixed or self.integers.is_known(trips - 1, facts):
            return moved
        empty = (*facts, -1 * trips)
        if all(self.integers.is_known(-1 * form - 1, empty) for form in moved.failures()):
            return moved
        return replace(moved, runs=(*fixed, trips))


def _narrowed(forms: list[Linear], index: Value, least: Linear, most: Linear) -> tuple[Linear, Linear] | None:
    """Return between what values of an index a form is above zero; None if that is not one interval."""
    if len(forms) != 1 or abs(forms[0].terms[index]) != 1:
        return None
    factor = forms[0].terms[index]
    end = -1 * factor * (forms[0] - Linear({index: factor})) + factor
    gap = end - least if factor > 0 else most - end
    if gap.terms:
        return None
    if gap.constant < 0:
        return least, most
    return (end, most) if factor > 0 else (least, end)


def _extreme(form: Linear, index: Value, least: Linear, most: Linear) -> Linear:
    """Return the largest value of a form for an index between two others."""
    factor = form.terms.get(index, 0)
    rest = form - Linear({index: factor})
    return rest + factor * (most if factor > 0 else least)


def _undefined(graph: Graph) -> set[Value]:
    """Return the values that may have no value yet where they are defined."""
    flows = [flow for node in walk(graph.body) for flow in merges(node)]
    found = {target for target, source in flows if source == UNDEFINED}
    size = -1
    while size != len(found):
        size = len(found)
        found |= {target for target, source in flows if source in found}
    return found
