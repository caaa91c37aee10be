"""Which arrays need a shadow array for their adjoint, and which results may be an array or a copy of it."""

from __future__ import annotations

from collections.abc import Container

from adcompiler.analysis.alias import Memory
from adcompiler.analysis.types import Types, is_array, is_array_atom, is_complex, is_list
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Region, Store, Value
from adcompiler.graph.walk import operands, regions, results, uses, values, walk
from adcompiler.primitives import Shows, card, part_of


def typed_views(body: Region, types: Types) -> set[Value]:
    """Return the values that are views of their first argument, as their types tell."""
    found = set()
    for node in walk(body):
        if isinstance(node, Apply) and is_array(types.get(node.out)) and isinstance(node.args[0], Value):
            contiguous = getattr(types.get(node.args[0]), "layout", None) == "C"
            picked = any(is_array_atom(index, types) for index in node.args[1:])  # a copy
            match node.fn:
                case "getitem" | "T" | "np.transpose":
                    is_view = not picked
                case _:
                    is_view = contiguous and card(node.fn).shows is Shows.FIRST_IF_CONTIGUOUS
            if is_view:
                found.add(node.out)
    return found


def buffered_owners(
    body: Region, types: Types, active: set[Value], views: set[Value], info: Memory
) -> set[Value]:
    """Return the arrays whose adjoint is kept in a shadow array.

    These are the arrays that are written or accessed by element or slice, and those used in a
    region deeper than the one that defines them. The adjoints of all others are SSA values.

    Raises:
        DifferentiationError: AD303 where what is written may be an array or a copy of it.
    """
    check_copies(body, types, active, info, views)
    home: dict[Value, Region] = {}
    base: dict[Value, Value] = {}
    found: set[Value] = set()

    def owner(value: Value) -> Value:
        while value in views:
            value = base[value]
        return value

    def use(value: Value, region: Region) -> None:
        is_elsewhere = is_array(types.get(value)) and home.get(owner(value)) is not region
        if value in active and (is_elsewhere or is_list(types.get(value))):
            found.add(owner(value))

    def visit(region: Region) -> None:
        home.update((param, region) for param in region.params)
        for node in region.nodes:
            for value in values(operands(node)):
                use(value, region)
            match node:
                case Apply():
                    if node.out in views:
                        base[node.out] = node.args[0]  # type: ignore[assignment]
                    if node.fn == "getitem" and node.out in active and isinstance(node.args[0], Value):
                        found.add(owner(node.args[0]))
                case Store() if node.array in active:
                    found.add(owner(node.array))
            for inner in regions(node):
                visit(inner)
            home.update((value, region) for value in results(node))
        for value in values(region.yields):
            use(value, region)

    visit(body)
    return found


def check_copies(
    body: Region, types: Types, active: set[Value], info: Memory, views: Container[Value]
) -> None:
    """`np.asarray` and its like show an array or copy it: no matter unless one of the two is written.

    Raises:
        DifferentiationError: AD303 where it matters, and is not known.
    """
    counts = uses(body)
    _check_parts_of_complex(body, types, active)
    for node in walk(body):
        if isinstance(node, Apply) and part_of(node.fn, len(node.args)) is not None:
            if node.out in active and info.is_written(node.out):
                reason = f"a result of '{node.fn.partition('[')[0]}' is written"
                raise DifferentiationError("AD303", reason, node.loc, "write into a copy of it: .copy()")
            continue
        if (
            not isinstance(node, Apply)
            or not card(node.fn).is_view
            or card(node.fn).shows not in (Shows.MAYBE_FIRST, Shows.FIRST_IF_CONTIGUOUS)
            or node.out in views
        ):
            continue
        source = node.args[0]
        if node.out not in active or not isinstance(source, Value) or not is_array(types.get(node.out)):
            continue
        is_used_elsewhere = counts[source] > 1 or info.owners.get(source, source) is not source
        is_argument = source not in info.owners
        if info.is_written(node.out) and (is_used_elsewhere or is_argument):
            reason = f"the result of '{node.fn}' may be the array itself or a copy, and it is written"
            raise DifferentiationError("AD303", reason, node.loc, "write .copy()")


def _check_parts_of_complex(body: Region, types: Types, active: set[Value]) -> None:
    """`z.real` shares the memory of z, but its adjoint does not: it may not be written."""
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
    for node in walk(body):
        if not isinstance(node, Store) or node.array not in active:
            continue
        maker = makers.get(node.array)
        while maker is not None and card(maker.fn).is_view and isinstance(maker.args[0], Value):
            if maker.fn in ("np.real", "np.imag") and is_complex(types.get(maker.args[0])):
                reason = f"the part '{maker.fn.removeprefix('np.')}' of a complex array is written"
                raise DifferentiationError("AD303", reason, node.loc, "assign complex numbers to the array")
            maker = makers.get(maker.args[0])
