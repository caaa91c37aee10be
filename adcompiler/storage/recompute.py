"""One iteration of a loop: which of its values could be recomputed, and from what."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from numba.core import types as nt

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.types import is_array, is_array_atom, is_list, is_memory, is_mutable, is_scalar, rank
from adcompiler.graph.nodes import Apply, Atom, For, If, Literal, Node, Region, Store, Value, While, type_of
from adcompiler.graph.walk import defined, free, operands, regions, results, values, walk
from adcompiler.primitives import card, part_of
from adcompiler.reverse.bind import SHADOW


class Frame:
    """One iteration of a loop: the values it defines and how each could be recomputed."""

    def __init__(self, loop: For | While, body: Region, info: Memory) -> None:
        self.loop, self.body, self.info = loop, body, info
        self.inside = defined(body)
        self.index = body.params[0] if isinstance(loop, For) else None
        self.makers: dict[Value, Node] = {}
        self.collect(body)
        self.kept = self.kept_by_the_primal(body)
        self.handed_on = handed_on(body)
        self.alike: dict[Value, Value] = {}
        own = replace(loop, body=body)
        pairs = zip(own.carried, own.next_values, strict=True)
        carried = {
            after: param
            for param, after in pairs
            if isinstance(after, Value) and after in self.makers and is_scalar(type_of(param))
        }
        self.states: dict[Value, Value] = {}
        self.counters = {p: after for after, p in carried.items() if self.is_counter(p, after)}
        self.carried = {after: p for after, p in carried.items() if p not in self.counters}

    def collect(self, region: Region) -> None:
        for node in region.nodes:
            self.makers.update((value, node) for value in results(node))
            if isinstance(node, If):
                for arm in regions(node):
                    self.collect(arm)

    def kept_by_the_primal(self, region: Region) -> dict[Value, Apply]:
        """Return the numbers that a region puts into arrays where they stay, with loads that read them."""
        found: dict[Value, Apply] = {}
        for node in region.nodes:
            if isinstance(node, If):
                for arm in regions(node):
                    found |= self.kept_by_the_primal(arm)
            if isinstance(node, Store):
                made = next((n for n in region.nodes if isinstance(n, Apply) and n.out is node.value), None)
                load = None if made is None else self.load_of(made, node)
                found |= {} if load is None else {load.out: load}
        return found

    def load_of(self, made: Apply, store: Store) -> Apply | None:
        """Return the load of a number that is stored where it stays; None where it does not, or is a load."""
        if store.accumulate or store not in self.info.access or store.array in self.inside:
            return None
        kind = store.array.type
        is_element = len(store.index) == rank(kind) and all(map(self.is_number, store.index))
        is_number = isinstance(kind, nt.Array) and type_of(made.out) == kind.dtype
        if not is_element or not is_number or is_load(made):
            return None
        load = Apply(made.out, "getitem", (store.array, *store.index), loc=store.loc, role=store.role)
        self.info.access[load] = self.info.access[store]
        return None if self.info.read_is_overwritten(load) else load

    def is_number(self, atom: Atom) -> bool:
        return isinstance(atom, Literal) or is_scalar(type_of(atom))

    def is_counter(self, param: Value, after: Value) -> bool:
        """Tell whether an integer changes by what is known without it, so that it can be counted back."""
        made = self.makers.get(after)
        if not isinstance(made, Apply) or made.fn not in ("add", "sub") or made not in self.body.nodes:
            return False
        step = made.args[1]
        is_known = step not in self.inside or step is self.index
        return made.args[0] is param and is_known and isinstance(type_of(param), nt.Integer)

    def sources(self, value: Value) -> list[Value] | None:
        """Return the values of this iteration that `value` is recomputed from; None if it must be stored."""
        if value in self.counters:
            return []
        if value in self.states:
            return None
        if value in self.alike:
            return [self.alike[value]]
        node = self.kept.get(value, self.makers.get(value))
        part = part_of(node.fn, len(node.args)) if isinstance(node, Apply) else None
        if isinstance(node, Apply) and part is not None:
            reads = values(node.args[part : part + 1])
        elif isinstance(node, Apply) and (value in self.kept or self.is_cheap(node)):
            reads = values(operands(node))
        elif isinstance(node, If) and len(node.outs) == 1 and self.is_cheap_branch(node):
            reads = iter([*values((node.test,)), *free(node.then), *free(node.orelse)])
        else:
            return None
        return [v for v in reads if v in self.inside and v is not self.index]

    def is_cheap(self, node: Apply) -> bool:
        """Tell whether a primitive costs less to repeat than to store its output, and gives the same then."""
        if node.fn == SHADOW or self.is_part(node):
            return False
        if node.fn == "getitem" and any(is_array_atom(index) for index in node.args[1:]):
            return False  # a copy, picked by an array that may have changed since
        if card(node.fn).is_view and is_array(node.out.type) and not self.is_of_list(node):
            return True
        if node.fn == "getitem" and isinstance(node.args[0], Value):
            return self.loads_the_same_later(node, node.args[0])
        if any(_is_container(type_of(value)) for value in values(operands(node))):
            return False  # it may be longer or shorter then
        if is_array(node.out.type):
            return self.is_cheap_array_code(node) and self.reads_the_same_later(node)
        return _is_short_power(node) or (card(node.fn).is_cheap and card(node.fn).is_pure)

    def is_cheap_array_code(self, node: Apply) -> bool:
        """Tell whether array code costs less to repeat than to store, if what it reads is still there."""
        is_cheap = node.fn == "copy" or _is_short_power(node) or card(node.fn).is_cheap_on_arrays
        return is_cheap and not self.info.is_written(node.out)

    def is_part(self, node: Apply) -> bool:
        """Tell whether a primitive reads a part of what a decomposition or a function returned."""
        maker = self.makers.get(node.args[0]) if node.args and isinstance(node.args[0], Value) else None
        return isinstance(maker, Apply) and (bool(card(maker.fn).part_ranks) or card(maker.fn).is_bundle)

    def loads_the_same_later(self, load: Apply, base: Value) -> bool:
        """Tell whether what a load reads is not overwritten after it has run."""
        if isinstance(type_of(base), nt.BaseTuple):
            return True
        is_known = is_memory(type_of(base)) and load in self.info.access
        return is_known and not self.info.read_is_overwritten(load)

    def is_of_list(self, node: Apply) -> bool:
        return any(is_list(type_of(value)) for value in values(node.args[:1]))

    def is_length_of_list(self, node: Node) -> bool:
        is_length = isinstance(node, Apply) and node.fn == "len"
        return is_length and any(is_list(type_of(value)) for value in values(operands(node)))

    def reads_the_same_later(self, node: Apply) -> bool:
        """Tell whether no array that a node reads is overwritten after it has run."""
        arrays = [v for v in values(node.args) if is_memory(type_of(v))]
        is_known = node in self.info.access
        return is_known and not any(self.info.written_after(array, node) for array in arrays)

    def is_cheap_branch(self, node: If) -> bool:
        inner = [*walk(node.then), *walk(node.orelse)]
        return all(isinstance(n, Apply) and self.is_cheap(n) for n in inner)


def _is_container(kind: nt.Type | None) -> bool:
    """Tell whether a type is that of lists, dictionaries and the like."""
    return is_mutable(kind) and not is_array(kind)


def is_load(node: Node) -> TypeGuard[Apply]:
    return isinstance(node, Apply) and node.fn == "getitem"


def handed_on(region: Region) -> dict[Value, Value]:
    """Return the numbers that branches make and hand on, with what they become outside all branches."""
    found: dict[Value, Value] = {}
    for node in region.nodes:
        if not isinstance(node, If):
            continue
        for arm in regions(node):
            made = {value for inner in arm.nodes for value in results(inner)}
            for value, out in zip(arm.yields, node.outs, strict=True):
                if isinstance(value, Value) and value in made and is_scalar(type_of(out)):
                    found |= {value: out} if type_of(value) == type_of(out) else {}
            inner = handed_on(arm)
            found |= {value: found.get(out, out) for value, out in inner.items()}
    return found


def _is_short_power(node: Apply) -> bool:
    """Tell whether a node is a power that is written as a few products, with a root at most."""
    exponent = node.args[1] if node.fn == "pow" else None
    number = exponent.value if isinstance(exponent, Literal) else None
    return isinstance(number, int) or number in (0.5, 1.5, 2.0, 2.5, 3.0)
