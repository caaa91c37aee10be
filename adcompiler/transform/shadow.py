"""Which arrays need a shadow array for their adjoint, and whether arrays that are merged stay apart."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable

from adcompiler.analysis.alias import VIEWS, Memory
from adcompiler.analysis.types import Types, is_array, is_complex, is_list, is_memory
from adcompiler.errors import DifferentiationError
from adcompiler.graph.nodes import Apply, Effect, For, If, Node, Region, Store, Value, While
from adcompiler.graph.syntax import IN_PLACE, part_of
from adcompiler.graph.walk import merges, operands, regions, results, uses, values, walk


def typed_views(body: Region, types: Types) -> set[Value]:
    """Return the values that are views of their first argument, as their types tell."""
    found = set()
    for node in walk(body):
        if isinstance(node, Apply) and is_array(types.get(node.out)) and isinstance(node.args[0], Value):
            contiguous = getattr(types.get(node.args[0]), "layout", None) == "C"
            same = node.fn in ("reshape", "ravel", "np.ascontiguousarray") and contiguous
            picked = any(is_array(types.get(index)) for index in values(node.args[1:]))  # a copy
            if (node.fn in ("getitem", "T", "np.transpose") and not picked) or same:
                found.add(node.out)
    return found


def buffered_owners(
    body: Region, types: Types, active: set[Value], views: set[Value], info: Memory
) -> set[Value]:
    """Return the arrays whose adjoint is kept in a shadow array.

    These are the arrays that are written or accessed by element or slice, and those used in a
    region deeper than the one that defines them. The adjoints of all others are SSA values.

    Raises:
        DifferentiationError: AD303 where arrays that are written are merged in a way that is not followed.
    """
    _check_merges(body, types, active, info)
    _check_lists(body, types, active, info)
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


def _check_merges(body: Region, types: Types, active: set[Value], info: Memory) -> None:
    """An array that a branch or loop passes on under another name must not be used under the old one.

    That holds where its memory is written afterwards; one that is only read may have many names.
    """
    last: dict[Value, float] = {}

    def use(used: Iterable[Value], position: float) -> None:
        for value in used:
            owner = info.owners.get(value, value)
            last[owner] = max(last.get(owner, 0), position)

    use(values(body.yields), math.inf)
    for node in walk(body):
        use(values(operands(node)), info.access[node].position)
        for inner in regions(node):
            use(values(inner.yields), _end(node, info))
    for region_node in walk(body):
        if isinstance(region_node, If | For | While):
            _check_merge(region_node, types, active, info, last)


def _check_lists(body: Region, types: Types, active: set[Value], info: Memory) -> None:
    """Arrays in a list may be written through the list only, and then have no other name.

    The shadow of a list holds arrays of its own, which would not follow what happens under another name.
    """
    makers = {node.out: node for node in walk(body) if isinstance(node, Apply)}
    counts = uses(body)
    for node in walk(body):
        match node:
            case Apply(out=array, fn="list", args=items) | Effect(fn="append", args=(array, *items)):
                pass
            case Store(array=array, value=item, accumulate=False) if is_list(types.get(array)):
                items = (item,)
            case _:
                continue
        kind = types.get(array) if isinstance(array, Value) and array in active else None
        if not isinstance(array, Value) or not is_list(kind) or not is_array(kind.dtype):  # type: ignore[union-attr]
            continue
        found = info.writes.get(info.classes.get(array, array), [])
        if not any(isinstance(write, Store) for write, _ in found):
            continue
        for item in values(items):
            maker = makers.get(item)
            is_own = maker is not None and maker.fn not in VIEWS and maker.fn not in IN_PLACE
            if counts[item] > 1 or not is_own:
                reason = f"'{item.name}' stands in a list and has another name, and one of them is written"
                raise DifferentiationError("AD303", reason, node.loc)


_FOLLOWED = ("getitem", "tuple", "sum_to", "stop_gradient", "of_reals", "np.real", "np.imag")
"""Primitives that may show their first argument and are understood elsewhere, or never written."""


def check_copies(
    body: Region, types: Types, active: set[Value], info: Memory, views: Container[Value]
) -> None:
    """`np.asarray` and its like return the array itself or a copy: no matter unless one of the two is written.

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
        if not isinstance(node, Apply) or node.fn not in VIEWS or node.fn in _FOLLOWED or node.out in views:
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
        while maker is not None and maker.fn in VIEWS and isinstance(maker.args[0], Value):
            if maker.fn in ("np.real", "np.imag") and is_complex(types.get(maker.args[0])):
                reason = f"the part '{maker.fn.removeprefix('np.')}' of a complex array is written"
                raise DifferentiationError("AD303", reason, node.loc, "assign complex numbers to the array")
            maker = makers.get(maker.args[0])


def _check_merge(
    node: If | For | While, types: Types, active: set[Value], info: Memory, last: dict[Value, float]
) -> None:
    def is_concerned(value: object) -> bool:
        return value in active and is_memory(types.get(value)) and info.is_written(value)  # type: ignore[arg-type]

    def refuse(value: Value) -> DifferentiationError:
        reason = f"'{value.name}' is one of several arrays here, and one of them is written"
        return DifferentiationError("AD303", reason, node.loc)

    arms = [node.then, node.orelse] if isinstance(node, If) else [node.body]
    for arm in arms:
        skip = 0 if isinstance(node, If) else int(node.breaks)
        passed = [v for v in values(arm.yields[skip:]) if is_concerned(v)]
        owners = [info.owners.get(v, v) for v in passed]
        if len(set(owners)) != len(owners) or owners != passed:
            raise refuse(passed[0])
    if not isinstance(node, If):
        started = [info.owners.get(v, v) for v in values(node.inits) if is_concerned(v)]
        if len(set(started)) != len(started):
            raise refuse(started[0])
    end = _end(node, info)
    for target, source in merges(node):
        if not is_concerned(target) or not isinstance(source, Value) or source is target:
            continue
        owner = info.owners.get(source, source)
        inside = _is_inside(owner, node, info)
        if owner is not source and not inside:
            raise refuse(target)
        if not inside and last.get(owner, 0) > (end if isinstance(node, If) else info.access[node].position):
            raise refuse(target)
        if not inside and [*info.access[node].loops] != _loops_of(owner, info):
            raise refuse(target)


def _end(node: Node, info: Memory) -> int:
    """Return the last position inside a node."""
    inner = [_end(n, info) for region in regions(node) for n in region.nodes]
    return max([info.access[node].position, *inner])


def _is_inside(owner: Value, node: If | For | While, info: Memory) -> bool:
    start = info.access[node].position
    return start <= info.born_position(owner) <= _end(node, info) + 1 and owner not in node.outs


def _loops_of(owner: Value, info: Memory) -> list[Node]:
    born = info.born.get(owner)
    return [] if born is None else [*born.loops]
