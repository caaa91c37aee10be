"""Which arrays need a shadow array for their adjoint, and which results may be an array or a copy of it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.types import is_array, is_array_atom, is_list, is_memory
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Atom, Node, Region, Store, Value, type_of
from adcompiler.graph.walk import operands, regions, results, uses, values, walk
from adcompiler.primitives import Shows, card, part_of


def typed_views(body: Region) -> set[Value]:
    """Return the values that are views of their first argument, as their types tell."""
    found = set()
    for node in walk(body):
        if isinstance(node, Apply) and is_array(node.out.type) and isinstance(node.args[0], Value):
            contiguous = getattr(type_of(node.args[0]), "layout", None) == "C"
            picked = any(is_array_atom(index) for index in node.args[1:])  # a copy
            match node.fn:
                case "getitem" | "T" | "np.transpose":
                    is_view = not picked
                case _:
                    is_view = contiguous and card(node.fn).shows is Shows.FIRST_IF_CONTIGUOUS
            if is_view:
                found.add(node.out)
    return found


def buffered_owners(body: Region, active: set[Value], views: set[Value], info: Memory) -> set[Value]:
    """Return the arrays whose adjoint is kept in a shadow array.

    These are the arrays that are written or accessed by element or slice, and those used in a
    region deeper than the one that defines them. The adjoints of all others are SSA values.

    Raises:
        DifferentiationError: AD303 where what is written may be an array or a copy of it.
    """
    check_copies(body, active, info, views)
    found = _Owners(active, views)
    found.visit(body)
    return found.buffered


@dataclass
class _Owners:
    """The arrays found to need a shadow.

    Attributes:
        home: the region that defines each value.
        base: what each view is a view of.
        buffered: the arrays, none of them a view.
    """

    active: set[Value]
    views: set[Value]
    home: dict[Value, Region] = field(default_factory=dict)
    base: dict[Value, Value] = field(default_factory=dict)
    buffered: set[Value] = field(default_factory=set)

    def owner(self, value: Value) -> Value:
        """Follow views to the array that owns the memory."""
        while value in self.views:
            value = self.base[value]
        return value

    def visit(self, region: Region) -> None:
        """Enter what a region, and those inside, define and use."""
        self.home.update((param, region) for param in region.params)
        for node in region.nodes:
            for value in values(operands(node)):
                self.use(value, region)
            self.access(node)
            for inner in regions(node):
                self.visit(inner)
            self.home.update((value, region) for value in results(node))
        for value in values(region.yields):
            self.use(value, region)

    def use(self, value: Value, region: Region) -> None:
        """Enter an array that is used deeper than it is defined, and a list."""
        if value not in self.active:
            return
        owner = self.owner(value)
        is_elsewhere = is_array(type_of(value)) and self.home.get(owner) is not region
        if is_elsewhere or is_list(type_of(value)):
            self.buffered.add(owner)

    def access(self, node: Node) -> None:
        """Enter an array that is read or written in part."""
        match node:
            case Apply(args=(Value() as array, *_)):
                if node.out in self.views:
                    self.base[node.out] = array
                if node.fn == "getitem" and node.out in self.active and is_memory(array.type):
                    self.buffered.add(self.owner(array))
            case Store() if node.array in self.active:
                self.buffered.add(self.owner(node.array))


def check_copies(body: Region, active: set[Value], info: Memory, views: Container[Value]) -> None:
    """`np.asarray` and its like show an array or copy it: no matter unless one of the two is written.

    Raises:
        DifferentiationError: AD303 where it matters, and is not known.
    """
    counts = uses(body)
    for node in walk(body):
        if not isinstance(node, Apply) or node.out not in active or not info.is_written(node.out):
            continue
        if part_of(node.fn, len(node.args)) is not None:
            reason = f"a result of '{node.fn.partition('[')[0]}' is written"
            raise DifferentiationError("AD303", reason, node.loc, "write into a copy of it: .copy()")
        if node.out not in views and _may_show(node) and _is_known_elsewhere(node.args[0], counts, info):
            reason = f"the result of '{node.fn}' may be the array itself or a copy, and it is written"
            raise DifferentiationError("AD303", reason, node.loc, "write .copy()")


def _may_show(node: Apply) -> bool:
    """Tell whether a primitive returns an array that may be its argument."""
    shows = card(node.fn).shows
    return shows in (Shows.MAYBE_FIRST, Shows.FIRST_IF_CONTIGUOUS) and is_array(node.out.type)


def _is_known_elsewhere(source: Atom, counts: Mapping[Value, int], info: Memory) -> bool:
    """Tell whether an array is used more than once, is a view, or comes from the caller."""
    if not isinstance(source, Value):
        return False
    return counts[source] > 1 or info.owners.get(source) is not source
