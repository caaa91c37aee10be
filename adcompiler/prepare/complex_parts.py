"""Real and imaginary parts of arrays that are written afterwards, read and written in the arrays themselves.

NumPy's `z.imag` shows z: it changes with z, and z with it. Its adjoint is no view of that of z, as that
of the imaginary part is minus the imaginary part of the adjoint. So the part is taken where it is read, and a
statement that writes it writes complex numbers: `z.imag[k] = v` is `z[k] = z[k].real + 1j * v`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from numba.core import types as nt

from adcompiler.analysis.alias import typed_memory
from adcompiler.analysis.shadow import typed_views
from adcompiler.analysis.types import enter_types, infer, is_array, is_complex
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Graph, Literal, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import map_operands, operands, regions, values, walk, with_regions
from adcompiler.primitives import Shows, card
from adcompiler.source import Location

_OTHER = {"np.real": "np.imag", "np.imag": "np.real"}
_TAKEN = (Shows.NOTHING, Shows.FIRST_IF_CONTIGUOUS)
"""What may be made of a part: it does not lie in memory without gaps."""


def typed_without_parts(graph: Graph, arguments: Sequence[nt.Type]) -> Graph:
    """Return a typed graph in which no part of a complex array is kept while the array is written.

    Args:
        graph: the graph.
        arguments: the types of its arguments.

    Raises:
        DifferentiationError: AD303 where a part is kept in a list, or by a loop or branch.
    """
    nodes = [node for node in walk(graph.body) if isinstance(node, Apply) and _is_part(node)]
    if not nodes:
        return graph
    info = typed_memory(graph.body)
    kept = {node.out for node in nodes if info.written_after(node.out, node)}
    if not kept:
        return graph
    body = _Parts(kept, typed_views(graph.body)).region(graph.body, is_whole=True)
    found = replace(graph, body=body)
    enter_types(infer(found, arguments))
    return found


def _is_part(node: Apply) -> bool:
    return node.fn in _OTHER and is_array(node.out.type) and is_complex(type_of(node.args[0]))


@dataclass
class _Parts:
    """The parts that are not kept, and the nodes of the current region.

    Attributes:
        kept: those that the program keeps while their arrays are written.
        views: what views of arrays are.
        found: which part of what array each of them is, and each view of them.
    """

    kept: set[Value]
    views: set[Value]
    found: dict[Value, tuple[str, Atom]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def region(self, region: Region, is_whole: bool = False) -> Region:
        inner = replace(self, nodes=[])
        for node in region.nodes:
            inner.node(node)
        if is_whole:
            yields = tuple(map(inner.read, region.yields))
            return replace(region, nodes=tuple(inner.nodes), yields=yields)
        last = region.nodes[-1].loc if region.nodes else None
        self.check(region.yields, last)
        return replace(region, nodes=tuple(inner.nodes))

    def check(self, atoms: Sequence[Atom], where: Location | None) -> None:
        """Refuse to keep a part under another name."""
        if any(value in self.found for value in values(atoms)):
            reason = "a part of a complex array is kept while the array is written"
            raise DifferentiationError("AD303", reason, where, "keep a copy of it: z.real.copy()")

    def node(self, node: Node) -> None:
        match node:
            case Apply(args=(array, *_)) if node.out in self.kept:
                self.found[node.out] = node.fn, array
            case Apply(fn="getitem" | "T" | "np.transpose", args=(array, *_)) if array in self.found:
                self.look(node)
            case Store() if node.array in self.found:
                self.write(node)
            case Apply() if card(node.fn).shows in _TAKEN:
                self.nodes.append(map_operands(node, self.read))
            case Store():
                self.nodes.append(map_operands(node, self.read))
            case _:
                self.check(operands(node), node.loc)
                self.nodes.append(with_regions(node, tuple(map(self.region, regions(node)))))

    def apply(self, fn: str, *args: Atom, like: Node, name: str = "part") -> Value:
        out = Value(name, temporary=True)
        self.nodes.append(Apply(out, fn, args, loc=like.loc, role=like.role))
        return out

    def read(self, atom: Atom) -> Atom:
        """Return what an atom stands for here: a part is taken now."""
        if not isinstance(atom, Value) or atom not in self.found:
            return atom
        out = Value(atom.name, temporary=True)
        self.nodes.append(Apply(out, self.found[atom][0], (self.found[atom][1],)))
        return out

    def look(self, node: Apply) -> None:
        """An element or view of a part is the part of an element or view."""
        array, *index = node.args
        assert isinstance(array, Value)
        fn, whole = self.found[array]
        item = self.apply(node.fn, whole, *index, like=node, name="item")
        if node.out in self.views:
            self.found[node.out] = fn, item
        else:
            self.nodes.append(replace(node, fn=fn, args=(item,)))

    def write(self, node: Store) -> None:
        """A part that is written is a complex number that is written, with its other part as it is."""
        fn, whole = self.found[node.array]
        assert isinstance(whole, Value)
        value = self.read(node.value)
        if fn == "np.imag":
            value = self.apply("mul", Literal(1j), value, like=node)
        if not node.accumulate:
            old = self.apply("getitem", whole, *node.index, like=node) if node.index else whole
            other: Atom = self.apply(_OTHER[fn], old, like=node)
            if fn == "np.real":
                other = self.apply("mul", Literal(1j), other, like=node)
            first, second = (value, other) if fn == "np.real" else (other, value)
            value = self.apply("add", first, second, like=node, name="number")
        self.nodes.append(replace(node, array=whole, value=value))
