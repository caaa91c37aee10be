"""Values whose adjoint may be zero where they are not numbers, or infinite where they are zero.

The adjoint of what `np.where` does not choose, of what a mask leaves out, of an element that is overwritten,
and of what only a branch uses that is not taken, is exactly zero, whatever stands there: missing data, say. A
root at zero hands on an infinite adjoint to squares that do not change there: the distance of a point to
itself. Products above such values keep zeros zero. All others need no care: a result that something enters
that is not a number has no derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adcompiler.analysis.alias import shared_memory
from adcompiler.analysis.ranges import Ranges
from adcompiler.analysis.types import is_array, is_array_atom
from adcompiler.graph.nodes import (
    Apply,
    Atom,
    Effect,
    Global,
    If,
    Literal,
    Node,
    Region,
    Store,
    Value,
    type_of,
)
from adcompiler.graph.roots import is_root
from adcompiler.graph.walk import merges, operands, regions, values
from adcompiler.primitives import card

Path = tuple[int, ...]
"""The branches around a place, from the outermost."""


def masked_values(body: Region, active: set[Value], known: Ranges, results: bool = False) -> set[Value]:
    """Return the active values above a choice, a mask, a branch or a root.

    Args:
        body: body of the primal.
        active: values that carry a derivative.
        known: what is known of the values of the primal.
        results: whether the results, too, may be left out by what comes after them.
    """
    if results:
        return active
    flow = _flow(body, active)
    found = _under_roots(flow, known) | (flow.sources.keys() | flow.whole_sources.keys()) - _full(flow, body)
    return {value for value in active if flow.key(value) in found or value in flow.overwritten}


@dataclass
class _Flow:
    """How adjoints flow upwards. Arrays that share memory which is written are one, named by a key.

    Attributes:
        active: values that carry a derivative.
        keys: what stands for the arrays of each memory that is written.
        written: these keys.
        born: the branches around the place at which each key first gets a value that carries a derivative.
        patched: keys of which elements are overwritten with constants.
        overwritten: arrays that are computed as a whole, and of which elements are overwritten.
        sources: what each key hands its adjoint on to.
        whole_sources: those among them of which every element counts.
        makers: what computes each key.
    """

    active: set[Value]
    keys: dict[Value, Value]
    written: set[Value]
    born: dict[Value, Path] = field(default_factory=dict)
    patched: set[Value] = field(default_factory=set)
    overwritten: set[Value] = field(default_factory=set)
    sources: dict[Value, list[Value]] = field(default_factory=dict)
    whole_sources: dict[Value, list[Value]] = field(default_factory=dict)
    makers: dict[Value, list[Apply]] = field(default_factory=dict)

    def key(self, value: Value) -> Value:
        return self.keys.get(value, value)

    def starts(self, value: Value, path: Path) -> None:
        """Note that a value, or the memory it stands in, gets a derivative at a place."""
        key = self.key(value)
        if value in self.active and len(self.born.setdefault(key, path)) > len(path):
            self.born[key] = path

    def reads(self, target: Atom, atoms: Iterable[Atom], path: Path, chooses: bool = False) -> None:
        """Note that a target is made of values at a place."""
        if not isinstance(target, Value) or target not in self.active:
            return
        for value in values(atoms):
            if value not in self.active:
                continue
            source = self.key(value)
            self.sources.setdefault(self.key(target), []).append(source)
            if not chooses and len(path) <= len(self.born.get(source, ())):
                self.whole_sources.setdefault(self.key(target), []).append(source)


def _flow(body: Region, active: set[Value]) -> _Flow:
    classes = shared_memory(body)
    places = list(_places(body, ()))
    stores = [node for node, _ in places if isinstance(node, Store)]
    written = {classes.get(node.array, node.array) for node in stores}
    flow = _Flow(active, {value: key for value, key in classes.items() if key in written}, written)
    replaced = {flow.key(node.array) for node in stores if not node.accumulate}
    top = {*body.nodes}
    for value in body.params:
        flow.starts(value, ())
    for node, path in places:
        for target, _ in merges(node):
            flow.starts(target, path)
        match node:
            case Apply() if not active.isdisjoint(values(operands(node))):
                flow.starts(node.out, path)
                flow.makers.setdefault(flow.key(node.out), []).append(node)
                if flow.key(node.out) in replaced and _is_computed(node):
                    flow.overwritten.add(node.out)
            case Store(value=Value() as value) if value in active:
                flow.starts(node.array, path)
            case Store(accumulate=False) if flow.key(node.array) in flow.born:
                if node in top or path or any(_is_mask(atom) for atom in node.index):
                    flow.patched.add(flow.key(node.array))
    for node, path in places:
        _enter(flow, node, path)
    return flow


def _places(region: Region, path: Path) -> Iterator[tuple[Node, Path]]:
    """Yield each node with the branches around it."""
    for node in region.nodes:
        yield node, path
        inside = (*path, id(node)) if isinstance(node, If) else path
        for inner in regions(node):
            yield from _places(inner, inside)


def _enter(flow: _Flow, node: Node, path: Path) -> None:
    """Note what a node reads."""
    inside = (*path, id(node)) if isinstance(node, If) else path
    for target, source in merges(node):
        flow.reads(target, (source,), inside)
    match node:
        case Apply():
            chooses = card(node.fn).is_choice or node.out in flow.overwritten or _picks(flow, node)
            flow.reads(node.out, operands(node), path, chooses)
        case Store():
            flow.reads(node.array, (node.value,), path, flow.key(node.array) in flow.patched)
        case Effect(fn="append", args=(array, item)):
            flow.reads(array, (item,), path)


def _is_computed(node: Apply) -> bool:
    """Tell whether an array is made element by element from others, and is no view of one."""
    return is_array(node.out.type) and not card(node.fn).is_view


def _picks(flow: _Flow, node: Apply) -> bool:
    """Tell whether a node reads some elements of an array that is not filled element by element."""
    if node.fn != "getitem" or not is_array_atom(node.args[0]):
        return False
    base, *index = node.args
    return any(map(_is_mask, index)) or not isinstance(base, Value) or flow.key(base) not in flow.written


def _is_mask(atom: Atom) -> bool:
    if not is_array_atom(atom):
        return False
    if isinstance(atom, Global):
        return getattr(getattr(atom.value, "dtype", None), "kind", "") == "b"
    return str(getattr(type_of(atom), "dtype", "")) == "bool"


def _reached(starts: Iterable[Value], sources: dict[Value, list[Value]], ends: set[Value]) -> set[Value]:
    """Return what adjoints of some keys are handed on to, not beyond the ends."""
    found: set[Value] = set()
    todo = [*starts]
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo += () if key in ends else sources.get(key, ())
    return found


def _full(flow: _Flow, body: Region) -> set[Value]:
    """Return the keys of which every element reaches a result."""
    return _reached(map(flow.key, values(body.yields)), flow.whole_sources, set())


def _under_roots(flow: _Flow, known: Ranges) -> set[Value]:
    """Return the keys whose adjoint may be infinite: squares do not change where they are zero."""
    made = [node for nodes in flow.makers.values() for node in nodes]
    under = [node.args[1:] if card(node.fn).is_call else node.args[:1] for node in made if is_root(node)]
    starts = [value for atoms in under for value in values(atoms)]
    starts = [flow.key(value) for value in starts if value in flow.active and not known.is_positive(value)]
    squares = {flow.key(node.out) for node in made if _is_square(node)}
    return _reached(starts, flow.sources, squares)


def _is_square(node: Apply) -> bool:
    power = node.args[1] if len(node.args) > 1 else None
    match node.fn:
        case "mul":
            return node.args[0] is power
        case "pow" | "np.power":
            return isinstance(power, Literal) and power.value in (2, 4, 6)
    return node.fn == "np.square"
